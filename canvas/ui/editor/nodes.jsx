/** How a step looks on the canvas: a card, or a frame around the steps it holds. */

import { Handle, Position } from "@xyflow/react";
import { Check, CircleDashed, Clock, LoaderCircle, Minus, RotateCw, TriangleAlert, X } from "lucide-react";
import { memo } from "react";

import { useConnecting } from "./connecting.js";
import { handlePlaces, STEP_WIDTH, stepHeight } from "./geometry.js";
import { iconOf } from "./icons.js";
import { useLive } from "./live.js";
import { branchOf, mainBranches, sideBranches } from "./rules.js";
import { usePanels } from "./store.js";
import { summary } from "./summary.js";
import { TYPE_TITLES } from "./typewords.js";

const STATE_ICONS = {
  running: LoaderCircle,
  completed: Check,
  failed: X,
  waiting: Clock,
  retrying: RotateCw,
  skipped: Minus,
  cancelled: Minus,
  pending: CircleDashed,
};

const stateOf = (id) => (s) => s.nodes[id]?.s;

const StatusBadge = memo(({ id }) => {
  const live = useLive((s) => s.nodes[id]);
  if (!live) return null;
  const Icon = STATE_ICONS[live.s] ?? CircleDashed;
  const isSum = live.t > 1 && live.n && Object.keys(live.n).length > 0;
  const title = isSum
    ? Object.entries(live.n)
        .map(([s, n]) => `${n} ${s}`)
        .join(", ")
    : live.e
      ? `${live.s}: ${live.e}`
      : live.s;
  return (
    <span className="badge status" data-state={live.s} title={title}>
      {isSum && (
        <span className="tally">
          {live.n.completed ?? 0}/{Object.values(live.n).reduce((a, b) => a + b, 0)}
        </span>
      )}
      {!isSum && live.a > 1 && <span className="tally">×{live.a}</span>}
      <Icon size={12} strokeWidth={2.6} aria-label={live.s} />
    </span>
  );
});

export const ProblemBadge = memo(({ id }) => {
  const problems = usePanels((s) => s.byStep[id]);
  const isRun = useLive((s) => s.runId !== null);
  if (!problems || isRun) return null;
  const isError = problems.some((p) => p.severity === "error");
  const text = problems.map((p) => p.text).join("\n");
  return (
    <span className={`badge problem ${isError ? "error" : "warning"}`} title={text} data-testid={`problem-${id}`}>
      <TriangleAlert size={11} strokeWidth={2.6} aria-hidden />
      {problems.length > 1 && <span className="tally">{problems.length}</span>}
      <span className="sr">{text}</span>
    </span>
  );
});

function Way({ id, branch, x, y, isSide, isUsed }) {
  const live = useLive((s) => s.nodes[id]?.b === branch.branch);
  const style = isSide ? { left: x, top: y, right: "auto", bottom: "auto" } : { left: x, top: y, right: "auto" };
  return (
    <>
      <Handle
        type="source"
        id={branch.key}
        position={isSide ? Position.Bottom : Position.Right}
        className={`way ${isSide ? "side" : "main"} ${isUsed ? "used" : ""}`}
        style={style}
        data-branch={branch.branch}
        data-testid={`handle-${id}-${branch.key}`}
        title={`${branch.label}: drag to a step, or to empty canvas for a new one`}
      />
      {(isSide || branch.branch !== "SUCCESS") && (
        <span
          className={`way-label ${isSide ? "side" : ""} ${isUsed ? "used" : ""} ${live ? "live" : ""}`}
          data-branch={branch.branch}
          style={isSide ? { left: x, top: y } : { left: x, top: y }}
        >
          {branch.label}
        </span>
      )}
    </>
  );
}

function Ways({ id, step, used, width, height }) {
  const places = handlePlaces(step, width, height);
  const taken = used ? used.split("\n") : [];
  const known = new Set(Object.keys(places));
  const lost = taken.filter((key) => !known.has(key));
  const way = (branch, isSide) => {
    const [x, y] = places[branch.key] ?? [width, height / 2];
    return (
      <Way key={branch.key} id={id} branch={branch} x={x} y={y} isSide={isSide} isUsed={taken.includes(branch.key)} />
    );
  };
  return (
    <>
      <Handle
        type="target"
        id="in"
        position={Position.Left}
        className="in"
        style={{ left: 0, top: places.in[1] }}
        data-testid={`handle-${id}-in`}
      />
      {mainBranches(step).map((b) => way(b, false))}
      {sideBranches(step).map((b) => way(b, true))}
      {lost.map((key) => way(branchOf(step, key), false))}
    </>
  );
}

function Title({ id, step }) {
  const action = usePanels((s) => (step.type === "action" ? s.catalog.byAction?.[step.action] : null));
  const Icon = iconOf(step.type, action?.icon);
  return (
    <>
      <span className="tile" aria-hidden>
        <Icon size={17} strokeWidth={1.9} />
      </span>
      <span className="text">
        <span className="title">{step.title || id}</span>
        <span className="summary">{summary(step, action)}</span>
      </span>
    </>
  );
}

const label = (id, step) =>
  `${TYPE_TITLES[step.type] ?? step.type} ${step.title || id}${step.enabled === false ? ", switched off" : ""}`;

export const StepNode = memo(({ id, data, selected }) => {
  const { step, used } = data;
  const state = useLive(stateOf(id));
  const isRefused = useConnecting((s) => s.allowed !== null && !s.allowed.has(id));
  return (
    <div
      id={`step-${id}`}
      role="option"
      aria-selected={selected}
      aria-label={label(id, step)}
      className={`node card ${selected ? "selected" : ""} ${step.enabled === false ? "off" : ""} ${isRefused ? "refused" : ""}`}
      data-kind={step.type}
      data-state={state ?? "idle"}
      data-testid={`node-${id}`}
    >
      <Title id={id} step={step} />
      <ProblemBadge id={id} />
      <StatusBadge id={id} />
      <Ways id={id} step={step} used={used} width={STEP_WIDTH} height={stepHeight(step)} />
    </div>
  );
});

export const FrameNode = memo(({ id, data, selected, width, height }) => {
  const { step, used, holds } = data;
  const state = useLive(stateOf(id));
  const isTarget = usePanels((s) => s.target === id);
  const isRefused = useConnecting((s) => s.allowed !== null && !s.allowed.has(id));
  return (
    <div
      id={`step-${id}`}
      role="option"
      aria-selected={selected}
      aria-label={`${label(id, step)}, holds ${holds} steps`}
      className={`node frame ${selected ? "selected" : ""} ${isTarget ? "target" : ""} ${step.enabled === false ? "off" : ""} ${isRefused ? "refused" : ""}`}
      data-kind={step.type}
      data-state={state ?? "idle"}
      data-testid={`node-${id}`}
    >
      <div className="frame-header">
        <Title id={id} step={step} />
      </div>
      {holds === 0 && <div className="frame-empty">Drop steps here</div>}
      <ProblemBadge id={id} />
      <StatusBadge id={id} />
      <Ways id={id} step={step} used={used} width={width} height={height} />
    </div>
  );
});
