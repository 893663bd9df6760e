/** Forms made from JSON Schema. A field shows its problems under itself and knows its JSON pointer in the step. */

import { ArrowDown, ArrowUp, Braces, ChevronRight, Plus, Trash2 } from "lucide-react";
import { createContext, memo, useContext, useEffect, useId, useRef, useState } from "react";

import { ExpressionField } from "./expression.jsx";
import {
  blank,
  BROKEN,
  choices,
  fromLine,
  innerOf,
  isTemplateText,
  parsedTree,
  resolve,
  sameValue,
  titleOf,
  toLine,
  widgetOf,
} from "./schema.js";
import { usePanels } from "./store.js";

/** Of the whole form: {step, base, root, problems, readOnly}; `problems` by pointer within the step; `isPlain` for forms without expressions. */
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

function NumberInput({ value, schema, onChange, label, testId, isInvalid, describedBy }) {
  const [text, setText] = useState(value ?? "");
  useEffect(() => setText((t) => (Number(t) === value && t !== "" ? t : (value ?? ""))), [value]);
  const type = (event) => {
    setText(event.target.value);
    const number = Number(event.target.value);
    onChange(event.target.value === "" ? undefined : Number.isNaN(number) ? event.target.value : number);
  };
  return (
    <input
      className="input"
      inputMode="decimal"
      value={text}
      placeholder={schema.default !== undefined && schema.default !== null ? String(schema.default) : ""}
      aria-label={label}
      aria-invalid={isInvalid || undefined}
      aria-describedby={describedBy}
      data-testid={testId}
      onChange={type}
    />
  );
}

export function Choice({ value, options, onChange, label, testId, placeholder, titles = {} }) {
  const isKnown = value === undefined || options.includes(value);
  const pick = (event) => onChange(event.target.value === "" ? undefined : JSON.parse(event.target.value));
  return (
    <select
      className="input"
      value={value === undefined ? "" : JSON.stringify(value)}
      aria-label={label}
      data-testid={testId}
      onChange={pick}
    >
      {(placeholder !== undefined || value === undefined) && <option value="">{placeholder ?? "Choose…"}</option>}
      {!isKnown && <option value={JSON.stringify(value)}>{String(value)} (unknown)</option>}
      {options.map((option) => (
        <option key={JSON.stringify(option)} value={JSON.stringify(option)}>
          {titles[option] ?? String(option)}
        </option>
      ))}
    </select>
  );
}

export function Switch({ checked, onChange, label, testId }) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={checked}
      aria-label={label}
      className="switch"
      data-testid={testId}
      onClick={() => onChange(!checked)}
    >
      <span />
    </button>
  );
}

export function TextInput({ value, onChange, label, testId, placeholder, isLong, isMono }) {
  const props = {
    className: `input ${isMono ? "mono" : ""}`,
    value: value ?? "",
    placeholder,
    "aria-label": label,
    "data-testid": testId,
    onChange: (e) => onChange(e.target.value),
  };
  return isLong ? <textarea rows={2} {...props} className="input long" /> : <input {...props} />;
}

/** A value of any kind: a line of text (which may hold expressions, or be a number) or, for lists and objects, JSON. */
function AnyField({ value, onChange, label, testId, step, state }) {
  const isTree = value !== null && typeof value === "object";
  const [draft, setDraft] = useState(null);
  const text =
    draft !== null && sameValue(isTree ? parsedTree(draft) : fromLine(draft), value)
      ? draft
      : isTree
        ? JSON.stringify(value, null, 2)
        : toLine(value);
  const write = (typed) => {
    setDraft(typed);
    const next = isTree ? parsedTree(typed) : fromLine(typed);
    if (next !== BROKEN) onChange(next);
  };
  const isBroken = isTree && draft !== null && parsedTree(draft) === BROKEN;
  const toggle = () => {
    setDraft(null);
    onChange(
      isTree
        ? JSON.stringify(value)
        : parsedTree(toLine(value)) === BROKEN
          ? value === undefined || value === ""
            ? {}
            : [value]
          : parsedTree(toLine(value)),
    );
  };
  return (
    <div className="any">
      {isTree ? (
        <textarea
          className={`input json ${isBroken ? "wrong" : ""}`}
          rows={Math.min(12, (isBroken ? draft : text).split("\n").length)}
          value={isBroken ? draft : text}
          spellCheck={false}
          aria-label={`${label} as JSON`}
          aria-invalid={isBroken || state.invalid || undefined}
          data-testid={testId}
          onChange={(e) => write(e.target.value)}
        />
      ) : (
        <ExpressionField
          value={text}
          onChange={write}
          isTemplate
          step={step}
          label={label}
          testId={testId}
          isInvalid={state.invalid}
          describedBy={state.describedBy}
        />
      )}
      <button
        type="button"
        className="mode"
        onClick={toggle}
        title={isTree ? "Write text instead" : "Write JSON instead"}
        aria-label={isTree ? "Write text instead" : "Write JSON instead"}
      >
        {isTree ? "Aa" : <Braces size={12} />}
      </button>
    </div>
  );
}

const movedItem = (list, from, to) => {
  const next = [...list];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
};

export function RowTools({ index, count, onMove, onRemove, what }) {
  return (
    <span className="row-tools">
      {onMove && (
        <button type="button" aria-label={`Move ${what} up`} disabled={index === 0} onClick={() => onMove(index - 1)}>
          <ArrowUp size={12} />
        </button>
      )}
      {onMove && (
        <button
          type="button"
          aria-label={`Move ${what} down`}
          disabled={index === count - 1}
          onClick={() => onMove(index + 1)}
        >
          <ArrowDown size={12} />
        </button>
      )}
      <button type="button" aria-label={`Remove ${what}`} onClick={onRemove}>
        <Trash2 size={12} />
      </button>
    </span>
  );
}

export const AddButton = ({ onClick, children, testId }) => (
  <button type="button" className="add" onClick={onClick} data-testid={testId}>
    <Plus size={12} aria-hidden />
    {children}
  </button>
);

function ListField({ value, schema, onChange, pointer, label }) {
  const { root } = useContext(FormContext);
  const list = Array.isArray(value) ? value : [];
  const inner = resolve(innerOf(schema) ?? {}, root);
  return (
    <div className="rows">
      {list.map((item, i) => (
        <div className="entry" key={i}>
          <div className="row-body">
            <Control
              value={item}
              schema={inner}
              pointer={join(pointer, i)}
              label={`${label} ${i + 1}`}
              onChange={(v) => onChange(list.map((x, n) => (n === i ? (v ?? "") : x)))}
            />
          </div>
          <RowTools
            index={i}
            count={list.length}
            what={`item ${i + 1}`}
            onMove={(to) => onChange(movedItem(list, i, to))}
            onRemove={() => onChange(list.filter((_, n) => n !== i))}
          />
        </div>
      ))}
      <AddButton onClick={() => onChange([...list, blank(inner)])} testId={`add-${pointer}`}>
        Add item
      </AddButton>
    </div>
  );
}

/** Keys and values; a key being renamed keeps its place. */
export function MapField({ value, inner = {}, onChange, pointer, keyLabel = "Name", addLabel = "Add" }) {
  const entries = Object.entries(value ?? {});
  const write = (list) => onChange(Object.fromEntries(list));
  const add = () => {
    let key = "";
    for (let n = 1; key === "" || key in (value ?? {}); n += 1) key = n === 1 ? "name" : `name_${n}`;
    write([...entries, [key, blank(inner)]]);
  };
  return (
    <div className="rows">
      {entries.map(([key, item], i) => (
        <div className="entry pair" key={i}>
          <KeyInput
            value={key}
            taken={value}
            label={keyLabel}
            testId={`key-${pointer}-${i}`}
            onChange={(next) => write(entries.map((e, n) => (n === i ? [next, item] : e)))}
          />
          <div className="row-body">
            <Control
              value={item}
              schema={inner}
              pointer={join(pointer, key)}
              label={key}
              onChange={(v) => write(entries.map((e, n) => (n === i ? [key, v ?? ""] : e)))}
            />
          </div>
          <RowTools what={key} onRemove={() => write(entries.filter((_, n) => n !== i))} />
        </div>
      ))}
      <AddButton onClick={add} testId={`add-${pointer}`}>
        {addLabel}
      </AddButton>
    </div>
  );
}

/** A name that takes effect when it is left, so that it does not collide half-typed. */
export function KeyInput({ value, taken = {}, onChange, label, testId }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const done = () => (text !== value && text !== "" && !(text in (taken ?? {})) ? onChange(text) : setText(value));
  return (
    <input
      className="input mono key"
      value={text}
      aria-label={label}
      data-testid={testId}
      onChange={(e) => setText(e.target.value)}
      onBlur={done}
      onKeyDown={(e) => e.key === "Enter" && done()}
    />
  );
}

function TextOrTemplate({ value, schema, onChange, label, pointer, state, isTemplate = true, isCode = false }) {
  const { step } = useContext(FormContext);
  const hint =
    schema.default !== undefined && schema.default !== null ? String(schema.default) : (schema.examples?.[0] ?? "");
  return (
    <ExpressionField
      value={value}
      onChange={(text) => onChange(text === "" ? undefined : text)}
      isTemplate={isTemplate}
      isCode={isCode}
      step={step}
      placeholder={String(hint)}
      label={label}
      testId={`field-${pointer}`}
      isInvalid={state.invalid}
      describedBy={state.describedBy}
    />
  );
}

function Group({ value, schema, onChange, pointer }) {
  return (
    <div className="group">
      <Fields schema={schema} value={value ?? {}} onChange={onChange} pointer={pointer} />
    </div>
  );
}

const CALM = { invalid: false, describedBy: undefined };

/** The control alone, without a label. */
export const Control = memo(({ value, schema, onChange, pointer, label, state = CALM }) => {
  const { step } = useContext(FormContext);
  const widget = widgetOf(schema);
  const isLoose = ["number", "boolean", "enum", "list", "map", "group"].includes(widget);
  if (isLoose && isTemplateText(value))
    return <TextOrTemplate {...{ value, schema, onChange, label, pointer, state }} />;
  const common = {
    value,
    onChange,
    label,
    testId: `field-${pointer}`,
    isInvalid: state.invalid,
    describedBy: state.describedBy,
  };
  switch (widget) {
    case "number":
      return <NumberInput {...common} schema={schema} />;
    case "boolean":
      return (
        <Switch checked={value ?? schema.default ?? false} onChange={onChange} label={label} testId={common.testId} />
      );
    case "enum":
      return (
        <Choice
          {...common}
          options={choices(schema)}
          placeholder={schema.default !== undefined && schema.default !== null ? `${schema.default} (default)` : "–"}
        />
      );
    case "list":
      return <ListField {...{ value, schema, onChange, pointer, label }} />;
    case "map":
      return <MapField value={value} inner={innerOf(schema) ?? {}} onChange={onChange} pointer={pointer} />;
    case "group":
      return <Group {...{ value, schema, onChange, pointer }} />;
    case "expression":
      return <TextOrTemplate {...{ value, schema, onChange, label, pointer, state }} isTemplate={false} />;
    case "line":
      return <TextInput {...common} placeholder={schema.default} />;
    case "text":
      return <TextInput {...common} isLong placeholder={schema.default} />;
    case "code":
      return <TextOrTemplate {...{ value, schema, onChange, label, pointer, state }} isCode />;
    case "template":
      return <TextOrTemplate {...{ value, schema, onChange, label, pointer, state }} />;
    default:
      return <AnyField {...common} step={step} state={state} />;
  }
});

const HAS_OWN_TEXT = new Set(["template", "expression", "line", "text", "code", "any"]);

/** Switches a number, boolean, choice or list to an expression and back. */
function ExpressionToggle({ value, onChange, label }) {
  const isOn = isTemplateText(value);
  return (
    <button
      type="button"
      className={`fx ${isOn ? "on" : ""}`}
      aria-pressed={isOn}
      aria-label={`${label} as an expression`}
      title={isOn ? "Write a plain value" : "Write an expression"}
      onClick={() => onChange(isOn ? undefined : "{{  }}")}
    >
      fx
    </button>
  );
}

export const Field = memo(({ name, schema: given, value, onChange, pointer, isRequired }) => {
  const { root, isPlain } = useContext(FormContext);
  const schema = resolve(given, root);
  const label = titleOf(name, schema);
  const widget = widgetOf(schema);
  const extra =
    isPlain || HAS_OWN_TEXT.has(widget) ? null : <ExpressionToggle value={value} onChange={onChange} label={label} />;
  return (
    <Row
      label={label}
      help={schema.description}
      pointer={pointer}
      isRequired={isRequired}
      extra={extra}
      isInline={widget === "boolean" && !isTemplateText(value)}
      isDeep={widget === "any" || isTemplateText(value)}
    >
      {(state) => (
        <Control value={value} schema={schema} onChange={onChange} pointer={pointer} label={label} state={state} />
      )}
    </Row>
  );
});

/** All properties of an object: required ones first, what is rarely needed folded away. */
export function Fields({ schema, value, onChange, pointer, leaveOut = [] }) {
  const required = new Set(schema.required ?? []);
  const all = Object.entries(schema.properties ?? {}).filter(([key]) => !leaveOut.includes(key));
  const set = (key) => (v) => {
    const next = { ...value, [key]: v };
    if (v === undefined) delete next[key];
    onChange(next, join(pointer, key));
  };
  const known = new Set(all.map(([key]) => key));
  const unknown = Object.keys(value ?? {}).filter((key) => !known.has(key) && !leaveOut.includes(key));
  const field = ([key, inner]) => (
    <Field
      key={key}
      name={key}
      schema={inner}
      value={value?.[key]}
      onChange={set(key)}
      pointer={join(pointer, key)}
      isRequired={required.has(key)}
    />
  );
  return (
    <>
      {all.filter(([key]) => required.has(key)).map(field)}
      {all.filter(([key]) => !required.has(key)).map(field)}
      {unknown.map((key) => (
        <Field key={key} name={key} schema={{}} value={value[key]} onChange={set(key)} pointer={join(pointer, key)} />
      ))}
    </>
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
