/** The strip under the canvas that tells how the run that is being watched stands. */

import { Ban, ExternalLink, Pause, Play, X } from "lucide-react";
import { memo, useEffect, useState } from "react";

import { connectFeed } from "./feed.js";
import { Link } from "./link.jsx";
import { clear, hasEnded, useLive } from "./live.js";
import { usePanels } from "./store.js";
import { call } from "./sync.js";

/** Seconds as people say them. */
export function span(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), Math.floor(seconds % 60)];
  return h ? `${h} h ${m} min` : `${m} min ${s} s`;
}

/** How long a run has taken; ticks while it goes on. */
export function Duration({ run }) {
  const [now, setNow] = useState(Date.now());
  const isOver = hasEnded(run);
  useEffect(() => {
    if (isOver) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 200);
    return () => clearInterval(timer);
  }, [isOver]);
  if (!run?.started_at) return null;
  const until = run.ended_at ? Date.parse(run.ended_at) : now;
  return <span className="duration">{span(Math.max(0, until - Date.parse(run.started_at)) / 1000)}</span>;
}

export function Progress({ run }) {
  const share = run.total ? run.settled / run.total : 0;
  return (
    <span
      className="progress"
      role="progressbar"
      aria-valuenow={Math.round(share * 100)}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-label="Progress"
      data-state={run.status}
    >
      <span style={{ transform: `scaleX(${share})` }} />
    </span>
  );
}

export const stateWord = (run) => {
  if (hasEnded(run)) return run.status;
  if (run.cancel_requested) return "cancelling";
  if (run.pause_requested && run.status !== "paused") return "pausing";
  return run.status;
};

/** Cancel, pause and resume; `act` is called with the verb. */
export function RunButtons({ run, act }) {
  if (!run || hasEnded(run)) return null;
  const isHeld = run.status === "paused" || run.pause_requested;
  return (
    <>
      {isHeld ? (
        <button type="button" className="button small" onClick={() => act("resume")} data-testid="run-resume">
          <Play size={12} aria-hidden /> Resume
        </button>
      ) : (
        <button type="button" className="button small" onClick={() => act("pause")} data-testid="run-pause">
          <Pause size={12} aria-hidden /> Pause
        </button>
      )}
      <button
        type="button"
        className="button small"
        disabled={run.cancel_requested}
        onClick={() => act("cancel")}
        data-testid="run-cancel"
      >
        <Ban size={12} aria-hidden /> Cancel
      </button>
    </>
  );
}

export const RunBar = memo(() => {
  const runId = usePanels((s) => s.info.run_id ?? null);
  const run = useLive((s) => s.run);
  const isConnected = useLive((s) => s.isConnected);
  useEffect(() => {
    if (!runId) return undefined;
    clear(runId);
    return connectFeed(runId);
  }, [runId]);
  if (!runId) return null;
  const stop = () => {
    usePanels.setState((s) => ({ info: { ...s.info, run_id: null } }));
    clear();
  };
  return (
    <div className="runbar" data-testid="runbar" data-state={run?.status ?? "pending"}>
      <span className="state-dot" data-state={run?.status ?? "pending"} aria-hidden />
      <b data-testid="run-status">{run ? stateWord(run) : "starting"}</b>
      {run && <Progress run={run} />}
      {run && (
        <span className="quiet">
          {run.settled}/{run.total}
        </span>
      )}
      <Duration run={run} />
      {run?.error && (
        <span className="runbar-error" title={errorText(run.error)}>
          {errorText(run.error)}
        </span>
      )}
      {!isConnected && <span className="quiet">connecting…</span>}
      <span className="grow" />
      <RunButtons run={run} act={(verb) => call("control", { run_id: runId, verb })} />
      <Link className="button small" href={`/runs/${runId}/`} data-testid="open-run">
        <ExternalLink size={12} aria-hidden /> Details
      </Link>
      <button
        type="button"
        className="icon-button"
        aria-label="Stop watching"
        title="Stop watching (the run goes on)"
        onClick={stop}
      >
        <X size={14} />
      </button>
    </div>
  );
});

export const errorText = (error) => (typeof error === "string" ? error : (error?.message ?? ""));
