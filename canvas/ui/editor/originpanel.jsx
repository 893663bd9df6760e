/** Beside the canvas of a run: what the trigger, or the start, had to do with it. */

import { iconOf } from "./icons.js";
import { Json } from "./json.jsx";
import { useLive } from "./live.js";
import { select, useGraph, usePanels } from "./store.js";
import { Told } from "./triggernodes.jsx";
import { START, triggerAt } from "./triggers.js";
import { TYPE_TITLES } from "./typewords.js";

const moment = (iso) =>
  new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium", hour12: false });

const BY = {
  manual: "by hand",
  api: "over the API",
  schedule: "by a schedule",
  webhook: "by a webhook",
  event: "by an event",
  workflow: "by another workflow",
  error: "because another run failed",
  proposal: "by a proposal",
  task: "by a task",
  plan: "by a plan",
};

export const startedBy = (info) => [BY[info.trigger] ?? info.trigger, info.triggered_by].filter(Boolean).join(" · ");

export function OriginPanel({ id }) {
  const trigger = useGraph((s) => triggerAt(s.model, id));
  const info = usePanels((s) => s.info);
  const run = useLive((s) => s.run) ?? info.run;
  const isOrigin = id === START || info.origin === id;
  const kind = trigger?.type ?? "start";
  const Icon = iconOf(kind);
  return (
    <>
      <header className="inspector-head" data-kind={trigger ? "trigger" : "start"}>
        <div className="inspector-title">
          <span className="tile" aria-hidden>
            <Icon size={17} strokeWidth={1.9} />
          </span>
          <div className="grow">
            <div className="panel-name">{trigger ? <Told trigger={trigger} /> : "Start"}</div>
            <div className="name-row plain">{trigger ? TYPE_TITLES[kind] : `Started ${startedBy(info)}`}</div>
          </div>
          <button type="button" className="button small" onClick={() => select([])} data-testid="back-to-steps">
            All steps
          </button>
        </div>
      </header>
      <div className="panel-pad" data-testid="origin">
        {isOrigin ? (
          <>
            <dl className="facts">
              {run?.started_at && (
                <div>
                  <dt>Started</dt>
                  <dd>{moment(run.started_at)}</dd>
                </div>
              )}
              {trigger && (
                <div>
                  <dt>By</dt>
                  <dd>this trigger</dd>
                </div>
              )}
            </dl>
            {info.trigger_data !== null && info.trigger_data !== undefined && (
              <Json value={info.trigger_data} label="What the trigger brought" testId="trigger-data" />
            )}
            <Json value={info.parameters ?? {}} label="Parameters" />
          </>
        ) : (
          <p className="quiet">This trigger did not start this run.</p>
        )}
      </div>
    </>
  );
}
