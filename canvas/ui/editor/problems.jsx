/** The list of everything that is wrong, under the canvas; a click goes to the step and the field. */

import { ChevronDown, CircleCheck, CircleX, TriangleAlert } from "lucide-react";
import { memo } from "react";

import { pointerOf } from "./model.js";
import { goTo, triggerOfPointer, useGraph, usePanels } from "./store.js";
import { reveal } from "./view.js";

function show(problem) {
  const { model } = useGraph.getState();
  const trigger = triggerOfPointer(problem.pointer);
  if (trigger) {
    goTo(trigger, problem.pointer.replace(/^\/triggers\/\d+/, ""));
    return reveal.step(trigger);
  }
  const base = problem.step ? pointerOf(model, problem.step) : "";
  const pointer = problem.pointer?.startsWith(base) ? problem.pointer.slice(base.length) : "";
  goTo(problem.step && model.entries[problem.step] ? problem.step : null, pointer);
  return problem.step && reveal.step(problem.step);
}

const place = (problem) => [problem.step, problem.line && `line ${problem.line}`].filter(Boolean).join(" · ");

export function counts(problems) {
  const errors = problems.filter((p) => p.severity === "error").length;
  return { errors, warnings: problems.length - errors };
}

export const ProblemCount = memo(() => {
  const problems = usePanels((s) => s.problems);
  const isOpen = usePanels((s) => s.dock);
  const { errors, warnings } = counts(problems);
  const kind = errors ? "error" : warnings ? "warning" : "fine";
  const Icon = { error: CircleX, warning: TriangleAlert, fine: CircleCheck }[kind];
  const text =
    errors || warnings
      ? [
          errors && `${errors} ${errors === 1 ? "error" : "errors"}`,
          warnings && `${warnings} ${warnings === 1 ? "warning" : "warnings"}`,
        ]
          .filter(Boolean)
          .join(", ")
      : "No problems";
  return (
    <button
      type="button"
      className={`problem-count ${kind}`}
      aria-expanded={isOpen}
      data-testid="problems"
      title="Show or hide the problems"
      onClick={() => usePanels.setState({ dock: !isOpen })}
    >
      <Icon size={13} aria-hidden /> {text}
    </button>
  );
});

export const Problems = memo(() => {
  const problems = usePanels((s) => s.problems);
  const isOpen = usePanels((s) => s.dock);
  if (!isOpen) return null;
  return (
    <section className="dock" aria-label="Problems" data-testid="problem-list">
      <header>
        <h2>Problems</h2>
        <button
          type="button"
          className="icon-button"
          aria-label="Hide the problems"
          onClick={() => usePanels.setState({ dock: false })}
        >
          <ChevronDown size={15} />
        </button>
      </header>
      {problems.length === 0 && (
        <p className="quiet">
          <CircleCheck size={14} aria-hidden /> Everything fits together. Publish when you like.
        </p>
      )}
      <ul>
        {problems.map((p, i) => (
          <li key={`${i}${p.code}`}>
            <button type="button" className={p.severity} onClick={() => show(p)} title={p.hint}>
              {p.severity === "error" ? (
                <CircleX size={13} aria-label="Error" />
              ) : (
                <TriangleAlert size={13} aria-label="Warning" />
              )}
              <span className="problem-text">
                {p.text}
                {p.hint ? <em> {p.hint}</em> : null}
              </span>
              <span className="problem-place">{place(p)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
});
