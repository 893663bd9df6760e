/** How the start and the triggers look on the canvas, and the lines that lead from them to the first steps. */

import { BaseEdge, getBezierPath, Handle, Position } from "@xyflow/react";
import { memo } from "react";

import { iconOf } from "./icons.js";
import { useLive } from "./live.js";
import { ProblemBadge } from "./nodes.jsx";
import { useGraph, usePanels } from "./store.js";
import { useTimetable } from "./timetable.js";
import { START } from "./triggers.js";
import { TYPE_TITLES } from "./typewords.js";

const Way = () => <Handle type="source" position={Position.Right} className="entry-way" isConnectable={false} />;

/** What the trigger that is shown has to do with the run that is watched: it started it, or not. */
const useOrigin = (id) => {
  const isRun = useLive((s) => s.runId !== null);
  const origin = usePanels((s) => s.info.origin ?? START);
  if (!isRun) return "idle";
  return origin === id || id === START ? "completed" : "idle";
};

function Words({ trigger }) {
  const told = useTimetable(trigger);
  const plain = trigger.cron ?? (trigger.interval_seconds ? `every ${trigger.interval_seconds} s` : "…");
  return told?.words ?? plain;
}

const TELL = {
  schedule: (trigger) => <Words trigger={trigger} />,
  webhook: (trigger) => `${(trigger.methods ?? ["POST"]).join(" ")} /api/hooks/${trigger.path || "…"}`,
  event: (trigger) => trigger.event || "…",
};

const detail = (trigger) => {
  if (trigger.type === "schedule") return trigger.timezone ?? "UTC";
  if (trigger.type === "event") return trigger.filter ? `if ${trigger.filter}` : "every one";
  return { token: "with a token", standard: "signed" }[trigger.signature] ?? "unsigned";
};

/** What a trigger waits for, in a few words. */
export const Told = ({ trigger }) => (TELL[trigger.type] ?? TELL.event)(trigger);

export const TriggerNode = memo(({ id, data, selected }) => {
  const { trigger } = data;
  const state = useOrigin(id);
  const Icon = iconOf(trigger.type);
  const isOff = trigger.enabled === false;
  return (
    <div
      id={`step-${id}`}
      role="option"
      aria-selected={selected}
      aria-label={`Trigger, ${TYPE_TITLES[trigger.type] ?? trigger.type}${isOff ? ", switched off" : ""}`}
      className={`node card entry ${selected ? "selected" : ""} ${isOff ? "off" : ""}`}
      data-kind="trigger"
      data-state={state}
      data-testid={`node-${id}`}
    >
      <span className="tile" aria-hidden>
        <Icon size={16} strokeWidth={1.9} />
      </span>
      <span className="text">
        <span className="title">
          <Told trigger={trigger} />
        </span>
        <span className="summary">{detail(trigger)}</span>
      </span>
      <ProblemBadge id={id} />
      <Way />
    </div>
  );
});

export const StartNode = memo(({ id, selected }) => {
  const state = useOrigin(id);
  const Icon = iconOf("start");
  return (
    <div
      id={`step-${id}`}
      role="option"
      aria-selected={selected}
      aria-label="Start, by hand or by a trigger"
      className={`node card entry start ${selected ? "selected" : ""}`}
      data-kind="start"
      data-state={state}
      data-testid={`node-${id}`}
    >
      <Handle type="target" position={Position.Left} className="entry-way" isConnectable={false} />
      <Icon size={13} fill="currentColor" aria-hidden />
      <span className="title">Start</span>
      <Way />
    </div>
  );
});

const TOUCHED = new Set(["running", "completed", "failed", "waiting", "retrying"]);

/** Whether the run that is watched came this way. */
const isTaken = (source, target, origin) => (s) =>
  s.runId !== null && (target === START ? source === origin : TOUCHED.has(s.nodes[target]?.s));

export const EntryEdge = memo(({ id, source, target, sourceX, sourceY, targetX, targetY }) => {
  const origin = usePanels((s) => s.info.origin ?? START);
  const taken = useLive(isTaken(source, target, origin));
  const [path] = getBezierPath({
    sourceX,
    sourceY,
    targetX,
    targetY,
    sourcePosition: Position.Right,
    targetPosition: Position.Left,
    curvature: 0.3,
  });
  return <BaseEdge id={id} path={path} interactionWidth={0} className={`dependency entry ${taken ? "taken" : ""}`} />;
});

/** Whether a workflow has nothing yet that could be drawn. */
export const useIsEmpty = () => useGraph((s) => s.loaded && s.model.scopes[""].length === 0);
