/** Controls for lists and for maps of names to values. */

import { useContext } from "react";

import { Control } from "./fields.jsx";
import { AddButton, KeyInput, RowTools } from "./inputs.jsx";
import { FormContext, join } from "./rows.jsx";
import { blank, innerOf, resolve, widgetOf } from "./schema.js";

const movedItem = (list, from, to) => {
  const next = [...list];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
};

export function ListField({ value, schema, onChange, pointer, label }) {
  const { root } = useContext(FormContext);
  const list = Array.isArray(value) ? value : [];
  const inner = resolve(innerOf(schema) ?? {}, root);
  if (widgetOf(inner) === "group") return <Cards {...{ list, inner, onChange, pointer, label }} />;
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

/** What tells one object of a list from the others: its first value that is text or a number. */
const nameOf = (item) =>
  Object.values(item ?? {}).find((v) => (typeof v === "string" && v.trim() !== "") || typeof v === "number");

/** A list of objects, each a small form of its own. */
function Cards({ list, inner, onChange, pointer, label }) {
  return (
    <div className="rows">
      {list.map((item, i) => (
        <div className="named" key={i} data-testid={`item-${join(pointer, i)}`}>
          <div className="named-head">
            <span className="card-title">
              {i + 1} <span className="quiet">{nameOf(item)}</span>
            </span>
            <RowTools
              index={i}
              count={list.length}
              what={`item ${i + 1}`}
              onMove={(to) => onChange(movedItem(list, i, to))}
              onRemove={() => onChange(list.filter((_, n) => n !== i))}
            />
          </div>
          <div className="named-body single">
            <Control
              value={item}
              schema={{ ...inner, default: undefined }}
              pointer={join(pointer, i)}
              label={`${label} ${i + 1}`}
              onChange={(v) => onChange(list.map((x, n) => (n === i ? (v ?? {}) : x)))}
            />
          </div>
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
