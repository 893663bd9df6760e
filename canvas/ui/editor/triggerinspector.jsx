/** The panel at the right for a trigger, and for the start. */

import { CopyPlus, Play, Power, Trash2 } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";

import { duplicate } from "./clipboard.js";
import { addTrigger, changeTrigger, remove, toggleEnabled } from "./edits.js";
import { iconOf } from "./icons.js";
import { AddButton } from "./inputs.jsx";
import { FormContext, Row } from "./rows.jsx";
import { goTo, select, useGraph, usePanels } from "./store.js";
import { startRun } from "./starting.js";
import { Mapping, TRIGGER_FORMS } from "./triggerforms.jsx";
import { indexOf, NEW_TRIGGER, triggerAt, triggerId, triggersOf } from "./triggers.js";
import { Told } from "./triggernodes.jsx";
import { reveal } from "./view.js";
import { TYPE_HINTS, TYPE_TITLES } from "./typewords.js";

const NOTHING = [];
const BODY = "textarea, input, select";

function Head({ kind, title, about, children }) {
  const Icon = iconOf(kind);
  return (
    <header className="inspector-head" data-kind={kind === "start" ? "start" : "trigger"}>
      <div className="inspector-title">
        <span className="tile" aria-hidden>
          <Icon size={17} strokeWidth={1.9} />
        </span>
        <div className="grow">
          <div className="panel-name">{title}</div>
          <div className="name-row plain">{about}</div>
        </div>
        {children}
      </div>
    </header>
  );
}

function Tools({ id, isOff }) {
  return (
    <div className="tools">
      <button
        type="button"
        className={`icon-button ${isOff ? "warn" : ""}`}
        aria-pressed={isOff}
        title={isOff ? "Switch on (E)" : "Switch off (E)"}
        aria-label={isOff ? "Switch on" : "Switch off"}
        onClick={() => toggleEnabled([], [id])}
      >
        <Power size={14} />
      </button>
      <button
        type="button"
        className="icon-button"
        title="Duplicate (Ctrl D)"
        aria-label="Duplicate"
        onClick={() => duplicate([], [id])}
      >
        <CopyPlus size={14} />
      </button>
      <button
        type="button"
        className="icon-button"
        title="Delete (Del)"
        aria-label="Delete"
        onClick={() => remove([], [], [id])}
      >
        <Trash2 size={14} />
      </button>
    </div>
  );
}

/** Problems that no field shows: those of the trigger as a whole. */
function General({ problems }) {
  return problems
    .filter((p) => p.relative === "")
    .map((p) => (
      <p key={p.code} className={`field-problems ${p.severity}`}>
        {p.text} {p.hint}
      </p>
    ));
}

export function TriggerInspector({ id }) {
  const trigger = useGraph((s) => triggerAt(s.model, id));
  const parameters = useGraph((s) => s.model.meta.parameters);
  const readOnly = useGraph((s) => s.readOnly);
  const problems = usePanels((s) => s.byStep[id] ?? NOTHING);
  const focus = usePanels((s) => s.focus);
  const body = useRef(null);
  useEffect(() => {
    if (focus?.step === id && focus.pointer === "*") body.current?.querySelector(BODY)?.focus();
  }, [focus, id]);
  const set = useMemo(() => (patch, merge) => changeTrigger(id, patch, merge), [id]);
  const context = useMemo(() => {
    const base = `/triggers/${indexOf(id)}`;
    const relative = (p) => (p.pointer.startsWith(base) ? p.pointer.slice(base.length) : p.pointer);
    return { step: id, root: {}, readOnly, problems: problems.map((p) => ({ ...p, relative: relative(p) })) };
  }, [id, problems, readOnly]);
  if (!trigger) return null;
  const Form = TRIGGER_FORMS[trigger.type];
  const isOff = trigger.enabled === false;
  return (
    <FormContext.Provider value={context}>
      <Head kind={trigger.type} title={TYPE_TITLES[trigger.type] ?? trigger.type} about={TYPE_HINTS[trigger.type]}>
        {!readOnly && <Tools id={id} isOff={isOff} />}
      </Head>
      <fieldset className="inspector-body" disabled={readOnly} ref={body} key={id}>
        {isOff && <p className="field-help">Switched off: it starts nothing.</p>}
        <General problems={context.problems} />
        {Form && <Form item={trigger} set={set} />}
        <Row label="What the run is given" pointer="/parameters">
          {() => (
            <div className="group">
              <Mapping item={trigger} set={set} parameters={parameters ?? {}} />
            </div>
          )}
        </Row>
        <p className="field-help">Triggers are in force from the next publish on.</p>
      </fieldset>
    </FormContext.Provider>
  );
}

function TriggerLine({ trigger, id }) {
  const Icon = iconOf(trigger.type);
  const show = () => {
    goTo(id);
    reveal.step(id);
  };
  return (
    <li>
      <button type="button" className="origin-row" data-kind="trigger" onClick={show}>
        <span className="tile small" aria-hidden>
          <Icon size={13} />
        </span>
        <span className="grow">
          <Told trigger={trigger} />
        </span>
        {trigger.enabled === false && <span className="quiet">off</span>}
      </button>
    </li>
  );
}

/** How the workflow starts: by hand, always, and by its triggers. */
export function StartInspector() {
  const model = useGraph((s) => s.model);
  const readOnly = useGraph((s) => s.readOnly);
  const triggers = triggersOf(model);
  const asked = Object.keys(model.meta.parameters ?? {});
  const add = (kind) => {
    const id = addTrigger(kind);
    reveal.step(id);
  };
  return (
    <>
      <Head kind="start" title="Start" about="By hand, by the API, and by its triggers" />
      <div className="inspector-body">
        <p className="field-help">
          A person, a program with the API, and other workflows can always start it.
          {asked.length > 0 && ` They are asked for ${asked.join(", ")}.`}
        </p>
        <div className="several-tools">
          <button type="button" className="button primary" onClick={startRun}>
            <Play size={13} aria-hidden /> Run
          </button>
          <button type="button" className="button" onClick={() => select([])}>
            {readOnly ? "Parameters" : "Change parameters"}
          </button>
        </div>
        <div className="field">
          <div className="field-head">
            <label>Starts by itself</label>
          </div>
          {triggers.length === 0 && <p className="field-help">Never. Add what should start it:</p>}
          <ul className="origins">
            {triggers.map((trigger, i) => (
              <TriggerLine key={i} trigger={trigger} id={triggerId(i)} />
            ))}
          </ul>
          {!readOnly && (
            <div className="add-row">
              {Object.keys(NEW_TRIGGER).map((kind) => (
                <AddButton key={kind} onClick={() => add(kind)} testId={`add-trigger-${kind}`}>
                  {TYPE_TITLES[kind]}
                </AddButton>
              ))}
            </div>
          )}
        </div>
      </div>
    </>
  );
}
