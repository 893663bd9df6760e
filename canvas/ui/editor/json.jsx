/** A value as a tree that opens and closes; long lists and texts show their beginning. */

import { ChevronRight, Copy } from "lucide-react";
import { memo, useState } from "react";

import { announce } from "./announce.js";

const FEW = 50;
const LONG = 400;

const isTree = (value) => value !== null && typeof value === "object";
const size = (value) => (Array.isArray(value) ? `${value.length} items` : `${Object.keys(value).length} fields`);

function Leaf({ value }) {
  const [isWhole, setWhole] = useState(false);
  if (typeof value !== "string")
    return <span className={`j-${value === null ? "null" : typeof value}`}>{String(value)}</span>;
  const isLong = value.length > LONG && !isWhole;
  return (
    <span className="j-string">
      {isLong ? value.slice(0, LONG) : value}
      {isLong && (
        <button type="button" className="j-more" onClick={() => setWhole(true)}>
          … {value.length - LONG} more characters
        </button>
      )}
    </span>
  );
}

function Entry({ name, value, depth }) {
  const [isOpen, setOpen] = useState(depth < 2);
  const [shown, setShown] = useState(FEW);
  if (!isTree(value)) {
    return (
      <div className="j-row">
        <span className="j-key">{name}</span>
        <Leaf value={value} />
      </div>
    );
  }
  const entries = Object.entries(value);
  return (
    <div>
      <button type="button" className="j-row j-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ChevronRight size={11} className={isOpen ? "open" : ""} aria-hidden />
        <span className="j-key">{name}</span>
        <span className="j-size">{size(value)}</span>
      </button>
      {isOpen && (
        <div className="j-inner">
          {entries.slice(0, shown).map(([key, inner]) => (
            <Entry key={key} name={key} value={inner} depth={depth + 1} />
          ))}
          {entries.length > shown && (
            <button type="button" className="j-more" onClick={() => setShown(shown + 10 * FEW)}>
              {entries.length - shown} more
            </button>
          )}
        </div>
      )}
    </div>
  );
}

export const Json = memo(({ value, label, testId }) => {
  const copy = async () => {
    await navigator.clipboard.writeText(JSON.stringify(value, null, 2));
    announce(`${label} copied`);
  };
  return (
    <section className="json" data-testid={testId}>
      <header>
        <h3>{label}</h3>
        <button
          type="button"
          className="icon-button"
          aria-label={`Copy ${label} as JSON`}
          title="Copy as JSON"
          onClick={copy}
        >
          <Copy size={12} />
        </button>
      </header>
      <div className="json-body">
        {isTree(value) ? (
          Object.entries(value)
            .slice(0, 500)
            .map(([key, inner]) => <Entry key={key} name={key} value={inner} depth={1} />)
        ) : (
          <Leaf value={value} />
        )}
        {isTree(value) && Object.keys(value).length === 0 && <span className="quiet">empty</span>}
      </div>
    </section>
  );
});
