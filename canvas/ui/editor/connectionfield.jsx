/** The field that names a connection: those of the fitting kinds, and a way to add one. */

import { useEffect } from "react";

import { refreshConnections, useConnections } from "./connections.js";
import { Choice } from "./inputs.jsx";
import { usePanels } from "./store.js";

const kindsOf = (schema) => [schema["x-connection"] ?? []].flat();

export function ConnectionField({ value, schema, onChange, label, testId }) {
  const atStart = usePanels((s) => s.catalog.connections);
  const titles = usePanels((s) => s.catalog.connectionKinds) ?? {};
  const known = useConnections((s) => s.list) ?? atStart ?? [];
  useEffect(() => {
    window.addEventListener("focus", refreshConnections);
    return () => window.removeEventListener("focus", refreshConnections);
  }, []);
  const kinds = kindsOf(schema);
  const fitting = known.filter((c) => kinds.includes(c.kind));
  const names = fitting.map((c) => c.name);
  const words = kinds.map((kind) => titles[kind] ?? kind).join(" or ");
  const isMissing = value !== undefined && value !== "" && !names.includes(value);
  return (
    <div className="connection-field">
      <Choice
        value={value === "" ? undefined : value}
        options={names}
        onChange={onChange}
        label={label}
        testId={testId}
        placeholder={names.length ? (schema.default === null ? "None" : "Choose…") : `No ${words} yet`}
      />
      {kinds.map((kind) => (
        <a
          key={kind}
          className="row-link"
          href={`/connections/?new=${encodeURIComponent(kind)}`}
          target="_blank"
          rel="noreferrer"
          data-testid={`add-connection-${kind}`}
        >
          {isMissing ? `Add it as ${titles[kind] ?? kind}` : `Add ${titles[kind] ?? kind}`}
        </a>
      ))}
    </div>
  );
}
