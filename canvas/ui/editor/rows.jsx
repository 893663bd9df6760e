/** What a form is made of: rows with a label, help and problems, and parts that fold away. */

import { ChevronRight } from "lucide-react";
import { createContext, useContext, useEffect, useId, useRef, useState } from "react";

import { usePanels } from "./store.js";

/** Of the whole form: {step, base, root, problems, readOnly}; `problems` by pointer within the step; `isPlain` for forms without expressions; `names` where expressions see something else than a step does. */
export const FormContext = createContext({ step: null, root: {}, problems: [], readOnly: false });

const escape = (key) => String(key).replaceAll("~", "~0").replaceAll("/", "~1");
export const join = (pointer, key) => `${pointer}/${escape(key)}`;

function useFocus(pointer, element) {
  const focus = usePanels((s) => s.focus);
  const { step } = useContext(FormContext);
  useEffect(() => {
    if (!focus || focus.step !== step || focus.pointer === "" || focus.pointer !== pointer) return;
    const control = element.current?.querySelector("textarea, input, select, button");
    control?.focus();
    element.current?.scrollIntoView({ block: "center" });
  }, [focus, step, pointer, element]);
}

function Problems({ list, id }) {
  if (!list.length) return null;
  return (
    <div className="field-problems" id={id}>
      {list.map((p) => (
        <p key={p.code + p.pointer + p.text} className={p.severity} data-testid="field-problem">
          {p.text}
          {p.hint ? ` ${p.hint}` : ""}
        </p>
      ))}
    </div>
  );
}

/** A label above a control, with help behind it and problems under it. */
export function Row({ label, help, pointer, isRequired, extra, isInline, isDeep, children }) {
  const { problems } = useContext(FormContext);
  const box = useRef(null);
  const id = useId();
  const own = problems.filter((p) => p.relative === pointer || (isDeep && p.relative.startsWith(`${pointer}/`)));
  useFocus(pointer, box);
  return (
    <div
      ref={box}
      className={`field ${isInline ? "inline" : ""} ${own.length ? "invalid" : ""}`}
      data-pointer={pointer}
    >
      <div className="field-head">
        <label title={help}>
          {label}
          {isRequired && (
            <span className="required" title="Required">
              {" "}
              *
            </span>
          )}
        </label>
        {help && (
          <span className="field-hint" title={help}>
            {help}
          </span>
        )}
        {extra}
      </div>
      {children({ invalid: own.length > 0, describedBy: own.length ? id : undefined })}
      <Problems list={own} id={id} />
    </div>
  );
}

export function Folded({ title, hint, isOpen: startsOpen = false, children, testId }) {
  const [isOpen, setOpen] = useState(startsOpen);
  useEffect(() => {
    if (startsOpen) setOpen(true);
  }, [startsOpen]);
  return (
    <section className="folded">
      <button
        type="button"
        className="folded-head"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        data-testid={testId}
      >
        <ChevronRight size={13} className={isOpen ? "open" : ""} aria-hidden />
        {title}
        {hint && <span className="folded-hint">{hint}</span>}
      </button>
      {isOpen && <div className="folded-body">{children}</div>}
    </section>
  );
}
