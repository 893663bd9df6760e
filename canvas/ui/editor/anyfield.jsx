/** A control for a value of any kind. */

import { Braces } from "lucide-react";
import { useState } from "react";

import { ExpressionField } from "./expression.jsx";
import { BROKEN, fromLine, parsedTree, sameValue, toLine } from "./schema.js";

/** A value of any kind: a line of text (which may hold expressions, or be a number) or, for lists and objects, JSON. */
export function AnyField({ value, onChange, label, testId, step, state }) {
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
