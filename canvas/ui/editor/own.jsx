/** The page of one user-defined action: its form on the left; trying it, and who uses it, on the right. */

import "./canvas.css";
import "./panels.css";
import "./forms.css";
import "./overlays.css";
import "./run.css";
import "./own.css";

import { useEffect, useMemo, useRef, useState } from "react";

import { announce } from "./announce.js";
import { shape } from "./completion.js";
import { Notice } from "./controls.jsx";
import { answer, ask, tidy } from "./own.js";
import { OwnBar } from "./ownbar.jsx";
import { About, Arguments, Calls, ForPlans, Invariants } from "./ownparts.jsx";
import { TryIt, UsedBy } from "./owntry.jsx";
import { FormContext } from "./rows.jsx";
import { setCatalog, usePanels } from "./store.js";

const DEBOUNCE_MS = 250;
const NOTHING = { problems: [], checked: [], schema: {} };

/** What the server says about the document, a moment after the last change. */
function useJudgement(document, onCheck) {
  const [found, setFound] = useState(NOTHING);
  const text = JSON.stringify(tidy(document));
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(async () => {
      const reply = await ask(onCheck.current, JSON.parse(text));
      if (isCurrent && !reply.error) setFound({ ...reply, text });
    }, DEBOUNCE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text, onCheck]);
  return { ...found, isCurrent: found.text === text };
}

/** What templates of the body, and invariants, can name. */
function useNames(schema, result) {
  return useMemo(() => {
    const args = shape(schema ?? {});
    return { mapping: { args }, invariants: { args, output: shape(result ?? {}) } };
  }, [schema, result]);
}

function useWarning(isDirty) {
  useEffect(() => {
    if (!isDirty) return undefined;
    const warn = (event) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isDirty]);
}

function Page({ opened, handlers }) {
  const [kept, setKept] = useState(opened);
  const [document, setDocument] = useState(opened.document);
  const [failure, setFailure] = useState(null);
  const [isSaving, setSaving] = useState(false);
  const judgement = useJudgement(document, handlers.check);
  const inner = usePanels((s) => s.catalog.byAction?.[document.body?.action]);
  const names = useNames(judgement.schema, inner?.result);
  const isDirty = JSON.stringify(tidy(document)) !== JSON.stringify(tidy(kept.document)) || !kept.name;
  useWarning(isDirty && Boolean(kept.name));
  const problems = judgement.problems.map((p) => ({ ...p, relative: p.pointer }));
  const errors = problems.filter((p) => p.severity === "error").length;
  const readOnly = opened.read_only;
  const form = { step: null, root: {}, problems, readOnly };

  const take = (saved) => {
    setKept({ ...kept, ...saved });
    setDocument(saved.document);
  };
  const save = async () => {
    setSaving(true);
    const reply = await ask(handlers.save.current, kept.name, tidy(document), kept.version);
    setSaving(false);
    setFailure(reply.error ?? null);
    if (reply.error) return;
    take(reply.saved);
    window.history.replaceState(window.history.state, "", `/actions/edit/?name=${reply.saved.name}`);
    announce(`Saved as version ${reply.saved.version}`);
  };
  const turn = async (verb) => {
    const reply = await ask(handlers.turn.current, kept.name, verb);
    setFailure(reply.error ?? null);
    if (reply.error) return;
    if (verb === "delete") window.location.assign("/actions/");
    else setKept({ ...kept, version: reply.saved.version, state: reply.saved.state });
  };
  const change = (patch) => setDocument((now) => ({ ...now, ...(typeof patch === "function" ? patch(now) : patch) }));
  const common = { document, change, checked: judgement.checked };
  return (
    <>
      <OwnBar
        {...{ kept, document, isDirty, isSaving, errors, readOnly, save, turn }}
        exportAs={(format) => ask(handlers.export.current, kept.name, format)}
      />
      {failure && (
        <p className="own-failure" role="alert">
          {failure.message}
          {failure.code === "action_conflict" && (
            <button type="button" className="button small" onClick={() => window.location.reload()}>
              Show theirs
            </button>
          )}
        </p>
      )}
      <div className="own-page">
        <fieldset className="own-form" disabled={readOnly}>
          <FormContext.Provider value={{ ...form, names: names.invariants }}>
            <About {...common} isNew={!kept.name} />
            <Arguments {...common} />
          </FormContext.Provider>
          <FormContext.Provider value={{ ...form, names: names.mapping }}>
            <Calls {...common} />
          </FormContext.Provider>
          <FormContext.Provider value={{ ...form, names: names.invariants }}>
            <Invariants {...common} />
            <ForPlans {...common} />
          </FormContext.Provider>
        </fieldset>
        <aside className="own-side">
          <TryIt
            {...{ kept, isDirty, errors }}
            schema={judgement.schema}
            start={(given, isDry) => ask(handlers.attempt.current, kept.name, given, isDry)}
            look={(run) => ask(handlers.look.current, run)}
          />
          <UsedBy uses={kept.uses ?? []} />
        </aside>
      </div>
    </>
  );
}

/** Props from Python: `opened`, `catalog`, `reply` (to the last call), and one event handler per call: see `own.py`. */
export function OwnAction({ opened, catalog, reply, onCheck, onSave, onTurn, onExport, onTry, onLook }) {
  const given = { check: onCheck, save: onSave, turn: onTurn, export: onExport, attempt: onTry, look: onLook };
  const handlers = useRef({}).current;
  for (const [name, handler] of Object.entries(given)) {
    handlers[name] ??= { current: handler };
    handlers[name].current = handler;
  }
  useEffect(() => {
    setCatalog(catalog);
  }, [catalog]);
  useEffect(() => {
    answer(reply);
  }, [reply]);
  const isReady = opened?.document && catalog?.actions;
  return (
    <div className="studio own" data-testid="own-action">
      {isReady ? <Page key={opened.key} opened={opened} handlers={handlers} /> : <div className="skeleton own-wait" />}
      <Notice />
    </div>
  );
}
