/** The panel at the right: the form of the selected step, or of the workflow when none is selected. */

import { CopyPlus, PanelRightClose, Power, Puzzle, Trash2 } from "lucide-react";
import { memo, useEffect, useMemo, useRef, useState } from "react";

import { ActionHelp } from "./actionhelp.jsx";
import { duplicate } from "./clipboard.js";
import { changeStep, remove, toggleEnabled, writeStep } from "./edits.js";
import { Field } from "./fields.jsx";
import { AddButton, Choice, TextInput } from "./inputs.jsx";
import { Folded, FormContext, Row } from "./rows.jsx";
import { iconOf } from "./icons.js";
import { isContainer, NAME, pointerOf } from "./model.js";
import { branchKey, branchOf, mainBranches, refusal, sideBranches } from "./rules.js";
import { StepForm } from "./stepforms.jsx";
import { StepPanel } from "./steppanel.jsx";
import { useLive } from "./live.js";
import { goTo, useGraph, usePanels } from "./store.js";
import { rename } from "./sync.js";
import { StartInspector, TriggerInspector } from "./triggerinspector.jsx";
import { START } from "./triggers.js";
import { WorkflowForm } from "./workflowform.jsx";

const EMPTY = [];

const JOINS = {
  activated: "When all have settled and one came through",
  all: "When every one came through",
  any: "As soon as one comes through",
  n_of_m: "As soon as enough come through",
};

/** The name, which other steps use; renaming rewrites them. */
function NameInput({ name }) {
  const [text, setText] = useState(name);
  const [error, setError] = useState("");
  useEffect(() => {
    setText(name);
    setError("");
  }, [name]);
  const apply = async () => {
    if (text === name) return setError("");
    if (!NAME.test(text)) return setError("Small letters, digits and _, not starting with a digit; at most 64.");
    if (useGraph.getState().model.entries[text]) return setError("Another step has this name.");
    const failure = await rename(name, text);
    return failure ? setError(failure) : goTo(text);
  };
  return (
    <div className="name-row">
      <span className="name-prefix" aria-hidden>
        steps.
      </span>
      <input
        className="name-input"
        value={text}
        spellCheck={false}
        aria-label="Name of the step"
        aria-invalid={error !== ""}
        data-testid="field-/name"
        onChange={(e) => setText(e.target.value)}
        onBlur={apply}
        onKeyDown={(e) => (e.key === "Enter" ? e.currentTarget.blur() : e.key === "Escape" && setText(name))}
      />
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function Head({ name, step, readOnly }) {
  const action = usePanels((s) => s.catalog.byAction?.[step.action]);
  const Icon = iconOf(step.type, action?.icon);
  return (
    <header className="inspector-head" data-kind={step.type}>
      <div className="inspector-title">
        <span className="tile" aria-hidden>
          <Icon size={17} strokeWidth={1.9} />
        </span>
        <div className="grow">
          <input
            className="title-input"
            value={step.title ?? ""}
            placeholder={name}
            readOnly={readOnly}
            aria-label="Title of the step"
            data-testid="field-/title"
            onChange={(e) => changeStep(name, { title: e.target.value || undefined }, "title")}
          />
          <NameInput name={name} />
        </div>
        {!readOnly && <Tools name={name} step={step} />}
      </div>
    </header>
  );
}

/** Leads to a new action of one's own that does what this step does. */
function MakeOwn({ name, step }) {
  const workflow = usePanels((s) => s.info.name);
  const isOwn = usePanels((s) => s.catalog.byAction?.[step.action]?.origin === "user");
  const calls = step.type === "action" ? step.action && !isOwn : step.type === "workflow_link" && step.workflow;
  if (!calls) return null;
  const title = "Make an action of your own out of it";
  return (
    <a
      className="icon-button"
      href={`/actions/edit/?workflow=${workflow}&step=${name}`}
      title={title}
      aria-label={title}
      data-testid="make-own"
    >
      <Puzzle size={14} />
    </a>
  );
}

function Tools({ name, step }) {
  const isOff = step.enabled === false;
  return (
    <div className="tools">
      <MakeOwn name={name} step={step} />
      <button
        type="button"
        className={`icon-button ${isOff ? "warn" : ""}`}
        aria-pressed={isOff}
        title={isOff ? "Switch on (E)" : "Switch off: the step is skipped (E)"}
        aria-label={isOff ? "Switch on" : "Switch off"}
        onClick={() => toggleEnabled([name])}
      >
        <Power size={14} />
      </button>
      <button
        type="button"
        className="icon-button"
        title="Duplicate (Ctrl D)"
        aria-label="Duplicate"
        onClick={() => duplicate([name])}
      >
        <CopyPlus size={14} />
      </button>
      <button
        type="button"
        className="icon-button"
        title="Delete (Del)"
        aria-label="Delete"
        onClick={() => remove([name])}
      >
        <Trash2 size={14} />
      </button>
    </div>
  );
}

/** What the step waits for. */
function Dependencies({ name, step }) {
  const model = useGraph((s) => s.model);
  const write = (list) => changeStep(name, { depends_on: list });
  const scope = model.scopes[model.entries[name].parent ?? ""];
  const free = scope.filter(
    (n) =>
      n !== name &&
      !step.depends_on.some((d) => d.step === n) &&
      ways(model, n).some((b) => !refusal(model, n, b.key, name)),
  );
  const add = (source) => write([...step.depends_on, dependency(source, ways(model, source)[0])]);
  return (
    <Row
      label="Waits for"
      pointer="/depends_on"
      isDeep
      help={step.depends_on.length ? undefined : "Nothing: it starts at once."}
    >
      {() => (
        <div className="rows">
          {step.depends_on.map((d, i) => (
            <div className="entry waits" key={`${d.step} ${branchKey(d)}`}>
              <button type="button" className="waits-step" onClick={() => goTo(d.step)} title="Go to this step">
                {d.step}
              </button>
              <BranchChoice
                model={model}
                dependency={d}
                onChange={(next) => write(step.depends_on.map((x, n) => (n === i ? next : x)))}
              />
              <span className="row-tools">
                <button
                  type="button"
                  aria-label={`Do not wait for ${d.step}`}
                  onClick={() => write(step.depends_on.filter((_, n) => n !== i))}
                >
                  <Trash2 size={12} />
                </button>
              </span>
            </div>
          ))}
          {free.length > 0 && (
            <Choice
              value={undefined}
              options={free}
              placeholder="Add a step to wait for…"
              label="Add a step to wait for"
              testId="add-dependency"
              onChange={(v) => v && add(v)}
            />
          )}
        </div>
      )}
    </Row>
  );
}

const ways = (model, name) => [...mainBranches(model.entries[name].step), ...sideBranches(model.entries[name].step)];
const dependency = (step, branch) => ({
  step,
  branch: branch.branch,
  ...(branch.value !== undefined && { value: branch.value }),
});

function BranchChoice({ model, dependency: d, onChange }) {
  if (!model.entries[d.step]) return <span className="quiet">no such step</span>;
  const offered = ways(model, d.step);
  const titles = Object.fromEntries(offered.map((b) => [b.key, b.label]));
  return (
    <Choice
      value={branchKey(d)}
      options={offered.map((b) => b.key)}
      titles={titles}
      label={`Branch of ${d.step}`}
      testId={`branch-${d.step}`}
      onChange={(key) => onChange(dependency(d.step, branchOf(model.entries[d.step].step, key)))}
    />
  );
}

const FLOW = ["join"];
const TROUBLE = ["retry", "timeout_seconds", "on_error", "on_lost"];

function useChange(name) {
  return useMemo(
    () => (patch, field, isWhole) => {
      const { step } = useGraph.getState().model.entries[name];
      writeStep(name, isWhole ? patch : { ...step, ...patch }, field);
    },
    [name],
  );
}

function Behaviour({ step, schema, change, keys }) {
  const properties = schema.properties ?? {};
  return keys
    .filter((key) => properties[key])
    .map((key) => (
      <Field
        key={key}
        name={key}
        schema={properties[key]}
        value={step[key]}
        pointer={`/${key}`}
        onChange={(v) => change({ [key]: isEmpty(v) ? undefined : v }, key)}
      />
    ));
}

const isEmpty = (v) =>
  v === undefined || (typeof v === "object" && v !== null && !Array.isArray(v) && Object.keys(v).length === 0);

const hintOf = (step) =>
  [
    step.retry && `${step.retry.max_attempts ?? 1} attempts`,
    step.timeout_seconds && `${step.timeout_seconds} s`,
    step.on_error === "continue" && "goes on",
  ]
    .filter(Boolean)
    .join(" · ");

/** What the step did in the run that is being watched. */
function LastRun({ name }) {
  const runId = useLive((s) => s.runId);
  const live = useLive((s) => s.nodes[name]);
  if (!runId || !live) return null;
  return (
    <Folded title="In this run" hint={live.s} isOpen={live.s === "failed"} testId="in-this-run">
      <StepPanel key={`${runId} ${name}`} runId={runId} name={name} />
    </Folded>
  );
}

function StepInspector({ name }) {
  const step = useGraph((s) => s.model.entries[name]?.step);
  const readOnly = useGraph((s) => s.readOnly);
  const schema = usePanels((s) => s.catalog.steps[step?.type]);
  const action = usePanels((s) => (step?.type === "action" ? s.catalog.byAction?.[step.action] : undefined));
  const problems = usePanels((s) => s.byStep[name] ?? EMPTY);
  const focus = usePanels((s) => s.focus);
  const change = useChange(name);
  const body = useRef(null);
  useEffect(() => {
    if (focus?.step === name && focus.pointer === "*") body.current?.querySelector("textarea, input, select")?.focus();
  }, [focus, name]);
  const context = useMemo(() => {
    const base = pointerOf(useGraph.getState().model, name);
    return {
      step: name,
      root: rootOf(step, schema),
      readOnly,
      problems: problems.map((p) => ({
        ...p,
        relative: p.pointer.startsWith(base) ? p.pointer.slice(base.length) : p.pointer,
      })),
    };
  }, [name, step?.action, step?.workflow, schema, problems, readOnly]);
  if (!step) return null;
  const form = schema ?? { properties: {} };
  const isAt = (keys) => focus?.step === name && keys.some((key) => focus.pointer.startsWith(`/${key}`));
  return (
    <FormContext.Provider value={context}>
      <Head name={name} step={step} readOnly={readOnly} />
      <div className="inspector-run">
        <LastRun name={name} />
      </div>
      <fieldset className="inspector-body" disabled={readOnly} key={name}>
        <General problems={context.problems} />
        <div ref={body}>
          <StepForm step={step} change={change} schema={form} />
        </div>
        <Dependencies name={name} step={step} />
        {(step.depends_on.length > 1 || step.join || isContainer(step)) && (
          <Folded
            title={isContainer(step) ? "When it is done" : "When several come together"}
            hint={step.join?.mode ?? ""}
            isOpen={isAt(FLOW)}
          >
            <p className="field-help">{JOINS[step.join?.mode ?? "activated"]}.</p>
            <Behaviour step={step} schema={form} change={change} keys={FLOW} />
          </Folded>
        )}
        <Folded title="Retries, time limit, errors" hint={hintOf(step)} isOpen={isAt(TROUBLE)} testId="fold-trouble">
          <Behaviour step={step} schema={form} change={change} keys={TROUBLE} />
        </Folded>
        {action && <ActionHelp action={action} name={name} />}
        <Folded title="Description" hint={step.description ? "" : "none"} isOpen={isAt(["description"])}>
          <TextInput
            isLong
            value={step.description}
            label="Description"
            testId="field-/description"
            onChange={(v) => change({ description: v || undefined }, "description")}
          />
        </Folded>
      </fieldset>
    </FormContext.Provider>
  );
}

/** Where `$ref` in the form leads: the action's own definitions, else those of the step. */
function rootOf(step, schema) {
  const { byAction } = usePanels.getState().catalog;
  const action = step?.type === "action" ? byAction?.[step.action]?.arguments : null;
  return { ...schema, $defs: { ...schema?.$defs, ...action?.$defs } };
}

/** Problems that no field shows. */
function General({ problems }) {
  const general = problems.filter((p) => p.relative === "" || p.relative === "/name" || p.relative === "/type");
  if (!general.length) return null;
  return (
    <div className="field-problems">
      {general.map((p) => (
        <p key={p.code + p.text} className={p.severity}>
          {p.text} {p.hint}
        </p>
      ))}
    </div>
  );
}

function Several({ names }) {
  return (
    <div className="several">
      <h2>{names.length} steps</h2>
      <div className="several-tools">
        <AddButton onClick={() => duplicate(names)}>Duplicate</AddButton>
        <button type="button" className="button" onClick={() => toggleEnabled(names)}>
          <Power size={13} /> Switch on or off
        </button>
        <button type="button" className="button" onClick={() => remove(names)}>
          <Trash2 size={13} /> Delete
        </button>
      </div>
      <ul>
        {names.slice(0, 50).map((n) => (
          <li key={n}>
            <button type="button" onClick={() => goTo(n)}>
              {n}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

export const Inspector = memo(() => {
  const selected = useGraph((s) => s.selected);
  const entries = useGraph((s) => s.entries);
  const isOpen = usePanels((s) => s.inspector);
  const isLoaded = useGraph((s) => s.loaded);
  if (!isOpen || !isLoaded) return null;
  const [only] = selected;
  const entry = selected.length === 0 && entries.length === 1 ? entries[0] : null;
  return (
    <aside
      className="inspector"
      aria-label={selected.length === 1 ? `Step ${only}` : entry ? "What starts it" : "Workflow"}
      data-testid="inspector"
    >
      <button
        type="button"
        className="icon-button inspector-close"
        aria-label="Hide the form"
        title="Hide the form (I)"
        onClick={() => usePanels.setState({ inspector: false })}
      >
        <PanelRightClose size={15} />
      </button>
      {selected.length === 0 && !entry && <WorkflowForm />}
      {entry === START && <StartInspector />}
      {entry && entry !== START && <TriggerInspector key={entry} id={entry} />}
      {selected.length === 1 && <StepInspector key={only} name={only} />}
      {selected.length > 1 && <Several names={selected} />}
    </aside>
  );
});
