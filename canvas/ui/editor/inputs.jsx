/** The plain controls: numbers, choices, switches, text, names, and the buttons of rows. */

import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import { useEffect, useState } from "react";

export function NumberInput({ value, schema, onChange, label, testId, isInvalid, describedBy }) {
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

/** One of a few ways, each a button. */
export function Segments({ label, value, options, onChange }) {
  return (
    <div className="segments" role="radiogroup" aria-label={label}>
      {Object.entries(options).map(([key, title]) => (
        <button type="button" role="radio" key={key} aria-checked={value === key} onClick={() => onChange(key)}>
          {title}
        </button>
      ))}
    </div>
  );
}

export function TextInput({ value, onChange, label, testId, placeholder, isLong, isMono, isInvalid, list }) {
  const props = {
    className: `input ${isMono ? "mono" : ""}`,
    value: value ?? "",
    placeholder,
    "aria-label": label,
    "aria-invalid": isInvalid || undefined,
    "data-testid": testId,
    list,
    onChange: (e) => onChange(e.target.value),
  };
  return isLong ? <textarea rows={2} {...props} className="input long" /> : <input {...props} />;
}

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
