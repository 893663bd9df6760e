/** What somebody should know about an action before using it: what it gives, what it touches, what to be careful about. */

import { Database, FileText, Globe, KeyRound, ScrollText, Terminal, Users } from "lucide-react";
import { useMemo } from "react";

import { announce } from "./announce.js";
import { shape } from "./completion.js";
import { Folded } from "./rows.jsx";

const TOUCHES = {
  network: ["Network", "Talks to other machines", Globe],
  connection: ["Connection", "Uses stored credentials", KeyRound],
  people: ["People", "Tells people something", Users],
  files: ["Files", "Reads or writes files of this machine", FileText],
  commands: ["Commands", "Starts programs on this machine", Terminal],
  log: ["Log", "Writes to the run's log", ScrollText],
};

const ORIGINS = { plugin: "From the package", mcp: "From the connection", user: "Made here" };

function Badges({ action }) {
  return (
    <div className="badges">
      {(action.permissions ?? []).map((permission) => {
        const [title, about, Icon] = TOUCHES[permission] ?? [permission, "", Database];
        return (
          <span key={permission} className="permission" data-permission={permission} title={about}>
            <Icon size={11} aria-hidden /> {title}
          </span>
        );
      })}
      {action.permissions?.length === 0 && <span className="permission">Only computes</span>}
      <span
        className="permission"
        title={
          action.idempotent
            ? "Doing it twice is the same as doing it once"
            : "It may be done twice when an attempt is repeated"
        }
      >
        {action.idempotent ? "Safe to repeat" : "Not safe to repeat"}
      </span>
    </div>
  );
}

/** One line per value of the output, ready to be copied into an expression. */
function flat(node, path, found = []) {
  for (const [key, inner] of Object.entries(node.children ?? {})) {
    found.push([`${path}.${key}`, inner]);
    flat(inner, `${path}.${key}`, found);
  }
  return found;
}

function Results({ action, name }) {
  const rows = useMemo(() => flat(shape(action.result), `steps.${name}.output`), [action, name]);
  const copy = async (path) => {
    await navigator.clipboard.writeText(`{{ ${path} }}`);
    announce("Copied; paste it into a later step");
  };
  if (!rows.length)
    return (
      <p className="field-help">
        <code>steps.{name}.output</code>: its shape is known when it has run.
      </p>
    );
  return (
    <ul className="results" data-testid="results">
      {rows.map(([path, node]) => (
        <li key={path}>
          <button type="button" title={`Copy {{ ${path} }}`} onClick={() => copy(path)}>
            <code>{path.replace(`steps.${name}.`, "")}</code>
            <span className="quiet">{node.type}</span>
            {node.doc && <span className="result-doc">{node.doc}</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Folded parts under an action's form. */
export function ActionHelp({ action, name }) {
  return (
    <>
      <Folded title="What it gives" hint={`steps.${name}.output`} testId="fold-results">
        <Results action={action} name={name} />
      </Folded>
      <Folded title="About this action" hint={action.name} testId="fold-about">
        <p className="about-text">{action.description}</p>
        <Badges action={action} />
        {action.security && <p className="security-note">{action.security}</p>}
        {ORIGINS[action.origin] && (
          <p className="field-help">
            {ORIGINS[action.origin]} {action.origin_detail}
          </p>
        )}
      </Folded>
    </>
  );
}
