/** A dependency as a curve; what stands on it is drawn once, for the one under the pointer. */

import { BaseEdge, getBezierPath, ViewportPortal } from "@xyflow/react";
import { Plus, X } from "lucide-react";
import { memo, useLayoutEffect, useState } from "react";
import { create } from "zustand";

import { remove } from "./edits.js";
import { useLive } from "./live.js";
import { useGraph, usePanels } from "./store.js";

export const useHover = create(() => ({ edge: null }));

const TOUCHED = new Set(["running", "completed", "failed", "waiting", "retrying"]);

/** Whether a run took this connection (`taken`), passed it by (`dead`), or has not come so far (``). */
function travelled(nodes, source, target, branch) {
  const from = nodes[source];
  const to = nodes[target]?.s;
  if (!from || !["completed", "failed", "skipped"].includes(from.s)) return "";
  if (to === "skipped" || from.s === "skipped") return "dead";
  const isTaken =
    branch === "ALWAYS" ||
    (branch === "FAILURE"
      ? from.s === "failed"
      : from.s === "completed" && (branch === "SUCCESS" || !from.b || from.b === branch));
  if (!isTaken) return "dead";
  return TOUCHED.has(to) ? "taken" : "";
}

export const DependencyEdge = memo(
  ({ id, source, target, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, data }) => {
    const way = useLive((s) => travelled(s.nodes, source, target, data.branch));
    const [path] = getBezierPath({
      sourceX,
      sourceY,
      targetX,
      targetY,
      sourcePosition,
      targetPosition,
      curvature: 0.3,
    });
    return (
      <BaseEdge id={id} path={path} interactionWidth={18} className={`dependency ${way}`} data-branch={data.branch} />
    );
  },
);

/** The buttons on a connection: a step in between, or take it away. */
export const EdgeTools = memo(() => {
  const hovered = useHover((s) => s.edge);
  const selected = useGraph((s) => (s.selectedEdges.length === 1 && !s.readOnly ? s.selectedEdges[0] : null));
  const edge = hovered ?? selected;
  const isThere = useGraph((s) => edge !== null && !s.readOnly && s.edges.some((e) => e.id === edge));
  const [at, setAt] = useState(null);
  useLayoutEffect(() => {
    const path = isThere ? document.getElementById(edge) : null;
    if (!path?.getTotalLength) return setAt(null);
    const middle = path.getPointAtLength(path.getTotalLength() / 2);
    setAt({ x: middle.x, y: middle.y });
  }, [edge, isThere]);
  if (!isThere || !at) return null;
  const add = (event) => usePanels.setState({ quickAdd: { x: event.clientX, y: event.clientY, edge } });
  return (
    <ViewportPortal>
      <div
        className="edge-tools nopan"
        style={{ transform: `translate(-50%, -50%) translate(${at.x}px, ${at.y}px)` }}
        onMouseEnter={() => useHover.setState({ edge })}
        onMouseLeave={() => useHover.setState({ edge: null })}
      >
        <button type="button" aria-label="Add a step here" title="Add a step here" data-testid="edge-add" onClick={add}>
          <Plus size={13} />
        </button>
        <button
          type="button"
          aria-label="Delete the connection"
          title="Delete the connection"
          data-testid="edge-delete"
          onClick={() => remove([], [edge])}
        >
          <X size={13} />
        </button>
      </div>
    </ViewportPortal>
  );
});
