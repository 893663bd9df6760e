/** The drawing area: React Flow with our nodes, our connections and our rules. */

import "@xyflow/react/dist/style.css";

import { Background, BackgroundVariant, MiniMap, ReactFlow, ReactFlowProvider, useReactFlow } from "@xyflow/react";
import { memo, useCallback, useEffect, useRef } from "react";

import { announce } from "./announce.js";
import * as connecting from "./connecting.js";
import { allowDrop, onDrop } from "./dropping.js";
import { DependencyEdge, EdgeTools, useHover } from "./edges.jsx";
import { connect, moveTo } from "./edits.js";
import { frameAt, GRID, sizes } from "./geometry.js";
import { onCanvasKey } from "./keys.js";
import { FrameNode, StepNode } from "./nodes.jsx";
import { branchOf, refusal } from "./rules.js";
import { goTo, onEdgesChange, onNodesChange, useGraph, usePanels } from "./store.js";
import { EntryEdge, StartNode, TriggerNode } from "./triggernodes.jsx";
import { isEntry } from "./triggers.js";
import { attach, reveal } from "./view.js";

const NODE_TYPES = { step: StepNode, frame: FrameNode, start: StartNode, trigger: TriggerNode };
const EDGE_TYPES = { dependency: DependencyEdge, entry: EntryEdge };
const SNAP = [GRID, GRID];
const ADD_KEYS = ["Shift", "Meta", "Control"];
const ZOOM_KEYS = ["Meta", "Control"];
const MANY = 300;
const COLORS = {
  action: "iris",
  condition: "amber",
  switch: "amber",
  parallel: "cyan",
  loop: "cyan",
  workflow_link: "violet",
  wait: "orange",
  set: "jade",
  task: "plum",
  stop: "tomato",
};
const miniColor = (node) => {
  if (isEntry(node.id)) return "var(--pink-8)";
  return node.type === "frame" ? "var(--gray-a4)" : `var(--${COLORS[node.data.step.type] ?? "gray"}-8)`;
};

const isValid = (c) => refusal(useGraph.getState().model, c.source, c.sourceHandle, c.target) === null;

function onConnect({ source, sourceHandle, target }) {
  const reason = connect(source, sourceHandle, target);
  if (reason) announce(reason, "error");
}

function onConnectStart(_event, { nodeId, handleId, handleType }) {
  if (handleType === "source") connecting.begin(useGraph.getState().model, nodeId, handleId);
}

/** A connection let go on a step's body counts as on its handle; on empty canvas it asks for a new step. */
function onConnectEnd(event, state) {
  const { from } = connecting.useConnecting.getState();
  connecting.end();
  if (!from || state.isValid) return;
  const { clientX: x, clientY: y } = event.changedTouches?.[0] ?? event;
  const under = document.elementFromPoint(x, y);
  const target = under?.closest(".react-flow__node")?.dataset.id;
  const isFrameBody = target && useGraph.getState().model.scopes[target] && !under.closest(".frame-header");
  if (isEntry(target)) return undefined;
  if (target && target !== from.source && !isFrameBody)
    return onConnect({ source: from.source, sourceHandle: from.key, target });
  if (target === from.source || !under?.closest(".react-flow")) return undefined;
  const branch = branchOf(useGraph.getState().model.entries[from.source].step, from.key);
  const [px, py] = reveal.point(x, y);
  usePanels.setState({ quickAdd: { x, y, after: from.source, branch, point: [px, py - 32] } });
  return undefined;
}

const onEdgeEnter = (_event, edge) => edge.type === "dependency" && useHover.setState({ edge: edge.id });
const onEdgeLeave = (event) => !event.relatedTarget?.closest?.(".edge-tools") && useHover.setState({ edge: null });

function useDragging() {
  const flow = useReactFlow();
  const middle = useCallback(
    (id) => {
      const { internals, measured } = flow.getInternalNode(id);
      return [
        internals.positionAbsolute.x + measured.width / 2,
        internals.positionAbsolute.y + Math.min(measured.height, 64) / 2,
      ];
    },
    [flow],
  );
  const onDrag = useCallback(
    (_event, node, nodes) => {
      const { model } = useGraph.getState();
      const target = frameAt(model, middle(node.id), sizes(model), new Set(nodes.map((n) => n.id)));
      const shown = target === model.entries[node.id].parent ? null : target;
      if (usePanels.getState().target !== shown) usePanels.setState({ target: shown });
    },
    [middle],
  );
  const onStop = useCallback(
    (_event, _node, nodes) => {
      usePanels.setState({ target: null });
      moveTo(nodes, Object.fromEntries(nodes.map((n) => [n.id, middle(n.id)])));
    },
    [middle],
  );
  const onSelectionDrag = useCallback((event, nodes) => nodes.length && onDrag(event, nodes[0], nodes), [onDrag]);
  const onSelectionStop = useCallback((event, nodes) => onStop(event, null, nodes), [onStop]);
  return { onDrag, onStop, onSelectionDrag, onSelectionStop };
}

function activeId() {
  const { selected, entries } = useGraph.getState();
  const all = [...selected, ...entries];
  return all.length === 1 ? `step-${all[0]}` : undefined;
}

const Flow = memo(({ colorMode, onOpen, children }) => {
  const nodes = useGraph((s) => s.nodes);
  const edges = useGraph((s) => s.edges);
  const readOnly = useGraph((s) => s.readOnly);
  const hasMap = usePanels((s) => s.minimap ?? true);
  const active = useGraph(activeId);
  const flow = useReactFlow();
  const box = useRef(null);
  const dragging = useDragging();
  useEffect(() => {
    attach(flow, box.current);
  }, [flow]);
  const onDouble = useCallback((_event, node) => (onOpen ? onOpen(node.id) : goTo(node.id, "*")), [onOpen]);
  return (
    <div
      ref={box}
      className="canvas"
      tabIndex={0}
      role="listbox"
      aria-multiselectable
      aria-label="Canvas: steps of the workflow. Press question mark for the keys."
      aria-activedescendant={active}
      data-testid="canvas"
      onKeyDown={onCanvasKey}
      onDragOver={allowDrop}
      onDrop={onDrop}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        colorMode={colorMode}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onConnect={onConnect}
        onConnectStart={onConnectStart}
        onConnectEnd={onConnectEnd}
        isValidConnection={isValid}
        onEdgeMouseEnter={readOnly ? undefined : onEdgeEnter}
        onEdgeMouseLeave={readOnly ? undefined : onEdgeLeave}
        onNodeDrag={dragging.onDrag}
        onNodeDragStop={dragging.onStop}
        onSelectionDrag={dragging.onSelectionDrag}
        onSelectionDragStop={dragging.onSelectionStop}
        onNodeDoubleClick={onDouble}
        nodesDraggable={!readOnly}
        nodesConnectable={!readOnly}
        edgesReconnectable={false}
        deleteKeyCode={null}
        multiSelectionKeyCode={ADD_KEYS}
        zoomActivationKeyCode={ZOOM_KEYS}
        connectionRadius={26}
        snapToGrid
        snapGrid={SNAP}
        minZoom={0.08}
        maxZoom={2}
        panOnScroll
        zoomOnDoubleClick={false}
        onlyRenderVisibleElements={nodes.length > MANY}
        nodesFocusable={false}
        edgesFocusable={false}
        disableKeyboardA11y
        elevateNodesOnSelect={false}
        onInit={reveal.begin}
      >
        <Background variant={BackgroundVariant.Dots} gap={GRID} size={1} />
        {hasMap && nodes.length > 0 && (
          <MiniMap pannable zoomable nodeColor={miniColor} nodeBorderRadius={6} ariaLabel="Overview" />
        )}
        <EdgeTools />
        {children}
      </ReactFlow>
    </div>
  );
});

/** Starts React Flow afresh for each document, so that the view fits it. */
export const Canvas = memo(({ colorMode, documentKey, onOpen, children }) => {
  const isLoaded = useGraph((s) => s.loaded);
  if (!isLoaded) return <div className="canvas loading" aria-busy="true" aria-label="Loading the workflow" />;
  return (
    <ReactFlowProvider key={documentKey}>
      <Flow colorMode={colorMode} onOpen={onOpen}>
        {children}
      </Flow>
    </ReactFlowProvider>
  );
});
