/** A text field that knows expressions: it colours them and completes what can be named here. */

import { memo, useContext, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";

import { complete, namesAt } from "./completion.js";
import { FormContext } from "./rows.jsx";
import { useGraph, usePanels } from "./store.js";
import { isEntry } from "./triggers.js";

const TEMPLATE = /(\{\{[\s\S]*?(?:\}\}|$))/;
const TOKEN =
  /('(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?|\b\d+(?:\.\d+)?\b|\b(?:true|false|null|and|or|not|in)\b|[A-Za-z_]\w*(?=\()|[A-Za-z_][\w.]*)/;

function kindOf(token) {
  if (/^['"]/.test(token)) return "string";
  if (/^\d/.test(token)) return "number";
  return /^(true|false|null|and|or|not|in)$/.test(token) ? "word" : "name";
}

const code = (text) =>
  text.split(TOKEN).map((part, i) =>
    i % 2 ? (
      <span key={i} className={`x-${kindOf(part)}`}>
        {part}
      </span>
    ) : (
      part
    ),
  );

function coloured(text, isTemplate) {
  if (!isTemplate) return code(text);
  return text.split(TEMPLATE).map((part, i) =>
    i % 2 ? (
      <span key={i} className="x-part">
        {code(part)}
      </span>
    ) : (
      part
    ),
  );
}

/** Where the caret is on the screen, measured on the coloured copy under the field. */
function caretPlace(area, mirror, caret) {
  const range = document.createRange();
  const walker = document.createTreeWalker(mirror, NodeFilter.SHOW_TEXT);
  let left = caret;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (left <= node.length) {
      range.setStart(node, left);
      const r = range.getClientRects()[0] ?? mirror.getBoundingClientRect();
      return { x: r.left, y: r.bottom };
    }
    left -= node.length;
  }
  const r = area.getBoundingClientRect();
  return { x: r.left + 8, y: r.bottom };
}

function Offers({ rows, active, at, id, choose }) {
  const list = useRef(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView?.({ block: "nearest" });
  }, [active]);
  const detail = rows[active];
  const width = 300;
  const left = Math.max(8, Math.min(at.x - 8, window.innerWidth - width - 8));
  const isAbove = at.y + 260 > window.innerHeight;
  return createPortal(
    <div
      className="completion radix-themes"
      style={{ left, width, ...(isAbove ? { bottom: window.innerHeight - at.y + 24 } : { top: at.y + 4 }) }}
    >
      <div className="completion-list" role="listbox" id={id} ref={list}>
        {rows.map((row, i) => (
          <button
            type="button"
            tabIndex={-1}
            role="option"
            key={row.label}
            aria-selected={i === active}
            className="completion-row"
            data-testid={`offer-${row.label}`}
            onPointerDown={(e) => (e.preventDefault(), choose(row))}
          >
            <span className="completion-label">
              {row.label}
              {row.opens ? "." : ""}
            </span>
            <span className="completion-type">{row.type}</span>
          </button>
        ))}
      </div>
      {(detail?.doc || detail?.signature) && (
        <div className="completion-doc">
          {detail.signature && <code>{detail.signature}</code>}
          {detail.doc}
        </div>
      )}
    </div>,
    document.body,
  );
}

function useCompletion(step, isTemplate, value, onChange, area, mirror, caretTo) {
  const model = useGraph((s) => s.model);
  const catalog = usePanels((s) => s.catalog);
  const { names } = useContext(FormContext);
  const [state, setState] = useState(null);
  const roots = useMemo(
    () =>
      state === null ? null : (names ?? namesAt(model, isEntry(step) || model.entries[step] ? step : null, catalog)),
    [state === null, model, step, catalog, names],
  );
  const [active, setActive] = useState(0);
  const found = state && roots ? complete(value, state.caret, isTemplate, roots, catalog.functions) : null;
  const show = (caret) => {
    setState({ caret });
    setActive(0);
  };
  const update = () => show(area.current.selectionStart);
  const close = () => setState(null);
  const choose = (row) => {
    const { caret } = state;
    const text = row.insert + (row.opens ? "." : "");
    const start = caret - found.length;
    const end = start + text.length;
    caretTo.current = end;
    onChange(value.slice(0, start) + text + value.slice(caret));
    if (row.opens || row.type === "function") show(end);
    else close();
  };
  const at = found && area.current ? caretPlace(area.current, mirror.current, state.caret) : null;
  return { found, active, setActive, show, update, close, choose, at };
}

const PAIRS = /\{\{$/;

export const ExpressionField = memo(
  ({ value, onChange, isTemplate, isCode, step, placeholder, label, testId, isInvalid, describedBy, isAutoFocus }) => {
    const text = value === undefined || value === null ? "" : String(value);
    const area = useRef(null);
    const mirror = useRef(null);
    const listId = useId();
    const caretTo = useRef(null); // where the caret goes once the new text is there; set before the next key comes
    const help = useCompletion(step, isTemplate, text, onChange, area, mirror, caretTo);
    useLayoutEffect(() => {
      if (caretTo.current === null || document.activeElement !== area.current) return;
      area.current.setSelectionRange(caretTo.current, caretTo.current);
      caretTo.current = null;
    });
    const type = (event) => {
      const { value: typed, selectionStart: caret } = event.target;
      const opened =
        isTemplate &&
        typed.length > text.length &&
        PAIRS.test(typed.slice(0, caret)) &&
        !typed.slice(caret).startsWith("}}");
      if (opened) caretTo.current = caret + 1;
      onChange(opened ? `${typed.slice(0, caret)}  }}${typed.slice(caret)}` : typed);
      help.show(opened ? caret + 1 : caret);
    };
    const onKey = (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === " ") return (event.preventDefault(), help.update());
      if (!help.found) return undefined;
      const { rows } = help.found;
      const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (move) help.setActive((help.active + move + rows.length) % rows.length);
      else if (event.key === "Enter" || event.key === "Tab") help.choose(rows[help.active]);
      else if (event.key === "Escape") help.close();
      else return undefined;
      event.stopPropagation();
      return event.preventDefault();
    };
    return (
      <div className={`expression ${isCode ? "tall" : ""} ${isTemplate ? "" : "pure"} ${isInvalid ? "invalid" : ""}`}>
        <pre ref={mirror} aria-hidden>
          {coloured(text, isTemplate)}
          {"\u200b"}
        </pre>
        <textarea
          ref={area}
          rows={1}
          value={text}
          spellCheck={false}
          autoFocus={isAutoFocus}
          placeholder={placeholder}
          aria-label={label}
          aria-invalid={isInvalid || undefined}
          aria-describedby={describedBy}
          aria-autocomplete="list"
          aria-expanded={Boolean(help.found)}
          aria-controls={listId}
          data-testid={testId}
          onChange={type}
          onKeyDown={onKey}
          onClick={help.close}
          onFocus={() => !isTemplate && text === "" && help.update()}
          onBlur={help.close}
        />
        {help.found && help.at && (
          <Offers rows={help.found.rows} active={help.active} at={help.at} id={listId} choose={help.choose} />
        )}
      </div>
    );
  },
);
