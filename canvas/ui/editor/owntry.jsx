/** Calling a user-defined action once, by a run of its own; and the workflows that use it. */

import { FlaskConical, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { Fields } from "./fields.jsx";
import { Json } from "./json.jsx";
import { FormContext } from "./rows.jsx";

const PAUSE_MS = 300;
const PLAIN = { step: null, root: {}, problems: [], readOnly: false, isPlain: true };

function Result({ run, result }) {
  if (!run) return null;
  return (
    <div className="own-result" data-testid="try-result" data-state={result?.status ?? "pending"} aria-live="polite">
      <p className="attempt-line">
        <span className="state-dot" data-state={result?.status ?? "pending"} aria-hidden />
        <b>{result?.status ?? "pending"}</b>
        <span className="grow" />
        <a className="row-link" href={`/runs/${run}/`}>
          Open the run
        </a>
      </p>
      {result?.error && <p className="error">{result.error.message}</p>}
      {result?.status === "completed" && <Json value={result.output} label="Output" testId="try-output" />}
    </div>
  );
}

/** Follows a run until it has ended. */
function useRun(look) {
  const [run, setRun] = useState(null);
  const [result, setResult] = useState(null);
  const ask = useRef(look);
  ask.current = look;
  useEffect(() => {
    if (!run) return undefined;
    let isCurrent = true;
    const watch = async () => {
      const reply = await ask.current(run);
      if (!isCurrent) return;
      if (!reply.error) setResult(reply);
      if (!reply.is_over) setTimeout(watch, PAUSE_MS);
    };
    watch();
    return () => {
      isCurrent = false;
    };
  }, [run]);
  const follow = (id) => {
    setResult(null);
    setRun(id);
  };
  return { run, result, follow };
}

function whyNot({ kept, isDirty, errors }) {
  if (errors) return "Mend the errors and save it first.";
  if (!kept.name) return "Create it first.";
  if (kept.state === "archived") return "It is archived.";
  return isDirty ? "Save it first." : "";
}

export function TryIt({ kept, isDirty, errors, schema, start, look }) {
  const [given, setGiven] = useState({});
  const [failure, setFailure] = useState("");
  const [isBusy, setBusy] = useState(false);
  const { run, result, follow } = useRun(look);
  const reason = whyNot({ kept, isDirty, errors });
  const known = Object.keys(schema.properties ?? {});
  const go = async (isDry) => {
    setBusy(true);
    const reply = await start(given, isDry);
    setBusy(false);
    setFailure(reply.error?.message ?? "");
    follow(reply.error ? null : reply.run_id);
  };
  const button = { type: "button", disabled: Boolean(reason) || isBusy, title: reason || undefined };
  return (
    <section className="own-card" data-testid="own-try">
      <h2>Try it</h2>
      <p className="own-about">
        {known.length ? "This is the form that a step shows." : "It has no arguments: a step has nothing to fill in."}
      </p>
      <FormContext.Provider value={PLAIN}>
        <Fields schema={schema} value={given} pointer="/try" onChange={setGiven} />
      </FormContext.Provider>
      <div className="own-buttons">
        <button {...button} className="button" onClick={() => go(true)} data-testid="try-dry">
          <FlaskConical size={13} aria-hidden /> Dry run
        </button>
        <button {...button} className="button" onClick={() => go(false)} data-testid="try-real">
          <Play size={13} aria-hidden /> Really call it
        </button>
      </div>
      {reason && <p className="own-about">{reason}</p>}
      {failure && (
        <p className="error" role="alert">
          {failure}
        </p>
      )}
      <Result run={run} result={result} />
    </section>
  );
}

function where(use) {
  const kept = use.versions.map((number) => `v${number}`).slice(-3);
  return [use.is_published ? "published" : "", use.in_draft ? "draft" : "", ...kept].filter(Boolean).join(" · ");
}

export function UsedBy({ uses }) {
  return (
    <section className="own-card" data-testid="own-uses">
      <h2>Used by</h2>
      {uses.length === 0 && <p className="own-about">No workflow names it.</p>}
      <ul className="own-uses">
        {uses.map((use) => (
          <li key={use.workflow}>
            <a href={`/workflows/${use.workflow}/`}>{use.title}</a>
            <span className="quiet">{where(use)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
