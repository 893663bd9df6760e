/** What one step did in a run: its iterations and attempts, input, output, error and log lines. */

import { memo, useEffect, useRef, useState } from "react";

import { Choice } from "./inputs.jsx";
import { Json } from "./json.jsx";
import { Link } from "./link.jsx";
import { useLive } from "./live.js";
import { errorText, span } from "./runbar.jsx";
import { call } from "./sync.js";

const time = (iso) => new Date(iso).toLocaleTimeString(undefined, { hour12: false });

export function Lines({ lines }) {
  if (!lines.length) return <p className="quiet small">No lines.</p>;
  return (
    <ol className="lines" data-testid="log-lines">
      {lines.map((line) => (
        <li key={line.seq} className={line.level}>
          <time dateTime={line.at}>{time(line.at)}</time>
          {line.path && <span className="line-path">{line.path}</span>}
          <span className="line-text">{line.message}</span>
        </li>
      ))}
    </ol>
  );
}

const took = (attempt) =>
  attempt.started_at && attempt.ended_at
    ? span((Date.parse(attempt.ended_at) - Date.parse(attempt.started_at)) / 1000)
    : "";

function Attempt({ attempt }) {
  return (
    <>
      <p className="attempt-line" data-state={attempt.status}>
        <span className="state-dot" data-state={attempt.status} aria-hidden />
        <b>{attempt.status}</b>
        {attempt.branch && attempt.branch !== "SUCCESS" && (
          <span className="chip">
            {attempt.branch_value != null
              ? String(attempt.branch_value)
              : attempt.branch.replace("IF_", "").toLowerCase()}
          </span>
        )}
        <span className="quiet">{took(attempt)}</span>
        {attempt.child_run_id && (
          <Link className="row-link" href={`/runs/${attempt.child_run_id}/`}>
            Open its run
          </Link>
        )}
      </p>
      {attempt.error && (
        <div className="attempt-error" data-testid="step-error">
          <b>{attempt.error.code}</b> {errorText(attempt.error)}
        </div>
      )}
      {attempt.output !== null && attempt.output !== undefined && (
        <Json value={attempt.output} label="Output" testId="step-output" />
      )}
      {attempt.input !== null && attempt.input !== undefined && (
        <Json value={attempt.input} label="Input" testId="step-input" />
      )}
    </>
  );
}

const short = (path, name) => (path === name ? path : path.replace(new RegExp(`/?${name}$`), "") || path);

/** Asks again whenever the node's state changes, but not more than twice a second. */
function useStepRuns(runId, name, path) {
  const stamp = useLive((s) => JSON.stringify(s.nodes[name] ?? null));
  const [found, setFound] = useState(null);
  const last = useRef(0);
  useEffect(() => {
    let isGone = false;
    const pause = Math.max(0, 500 - (Date.now() - last.current));
    const timer = setTimeout(
      async () => {
        last.current = Date.now();
        const reply = await call("inspect", { run_id: runId, name, path });
        if (!isGone && reply && !reply.error) setFound(reply);
      },
      last.current === 0 ? 0 : pause,
    );
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [runId, name, path, stamp]);
  return found;
}

export const StepPanel = memo(({ runId, name }) => {
  const [path, setPath] = useState(null);
  const [chosen, setChosen] = useState(null);
  const live = useLive((s) => s.nodes[name]);
  const found = useStepRuns(runId, name, path);
  if (!found)
    return live ? (
      <div className="skeleton" aria-busy="true" />
    ) : (
      <p className="quiet small">The run has not come to this step.</p>
    );
  if (!found.attempts.length) return <p className="quiet small">The run has not come to this step.</p>;
  const attempt = found.attempts.find((a) => a.attempt === chosen) ?? found.attempts.at(-1);
  const titles = Object.fromEntries(found.paths.map((p) => [p.path, `${short(p.path, name)} · ${p.status}`]));
  return (
    <div className="step-panel" data-testid="step-panel">
      {found.paths.length > 1 && (
        <div className="pick">
          <span className="quiet">Iteration</span>
          <Choice
            value={found.path}
            options={found.paths.map((p) => p.path)}
            titles={titles}
            label="Iteration"
            testId="iteration"
            onChange={(p) => (setPath(p), setChosen(null))}
          />
        </div>
      )}
      {found.attempts.length > 1 && (
        <div className="segments" role="radiogroup" aria-label="Attempt">
          {found.attempts.slice(-6).map((a) => (
            <button
              type="button"
              key={a.attempt}
              role="radio"
              aria-checked={a === attempt}
              onClick={() => setChosen(a.attempt)}
              data-testid={`attempt-${a.attempt}`}
            >
              Attempt {a.attempt}
            </button>
          ))}
        </div>
      )}
      <Attempt attempt={attempt} />
      <section className="json">
        <header>
          <h3>Log</h3>
        </header>
        <Lines lines={found.lines} />
      </section>
    </div>
  );
});
