/** Turns the model into React Flow's nodes and edges. What did not change keeps its identity, so it is not drawn again. */

import { handlePlaces, sizes } from "./geometry.js";
import { walk } from "./model.js";
import { branchKey, branchOf } from "./rules.js";
import { entryPlaces, firstSteps, indexOf, START, START_SIZE, TRIGGER_SIZE, triggersOf } from "./triggers.js";

const HANDLE = 10;

function handles(step, width, height) {
  const places = handlePlaces(step, width, height);
  return Object.entries(places).map(([id, [x, y]]) => ({
    id,
    type: id === "in" ? "target" : "source",
    position: id === "in" ? "left" : y === height ? "bottom" : "right",
    x: x - HANDLE / 2,
    y: y - HANDLE / 2,
    width: HANDLE,
    height: HANDLE,
  }));
}

function node(model, name, [width, height], before, used) {
  const { step, parent } = model.entries[name];
  const [x, y] = model.positions[name];
  const isFrame = model.scopes[name] !== undefined;
  const same =
    before && before.data.step === step && before.parentId === (parent ?? undefined) && before.data.used === used;
  if (same && before.position.x === x && before.position.y === y && before.width === width && before.height === height)
    return before;
  const data = same ? before.data : { step, used, isFrame, holds: isFrame ? model.scopes[name].length : 0 };
  return {
    id: name,
    type: isFrame ? "frame" : "step",
    position: { x, y },
    parentId: parent ?? undefined,
    data: isFrame && data.holds !== model.scopes[name].length ? { ...data, holds: model.scopes[name].length } : data,
    width,
    height,
    measured: { width, height },
    handles: handles(step, width, height),
    selected: before?.selected ?? false,
    dragHandle: isFrame ? ".frame-header" : undefined,
  };
}

function edgesInto(model, name, known) {
  return model.entries[name].step.depends_on
    .filter((d) => model.entries[d.step])
    .map((d) => {
      const key = branchKey(d);
      const id = `${d.step}>${key}>${name}`;
      const label = branchOf(model.entries[d.step].step, key).label;
      const before = known.get(id);
      if (before && before.data.label === label) return before;
      const data = { branch: d.branch, label };
      return {
        id,
        source: d.step,
        sourceHandle: key,
        target: name,
        targetHandle: "in",
        type: "dependency",
        data,
        selected: false,
      };
    });
}

/** Which of each step's ways out are used, as one string per step, so that comparing is cheap. */
function usedBranches(edges) {
  const used = {};
  for (const edge of edges)
    used[edge.source] = used[edge.source] ? `${used[edge.source]}\n${edge.sourceHandle}` : edge.sourceHandle;
  return used;
}

const entryHandle = (type, [width, height]) => ({
  id: null,
  type,
  position: type === "source" ? "right" : "left",
  x: (type === "source" ? width : 0) - 1,
  y: height / 2 - 1,
  width: 2,
  height: 2,
});

function entryNode(model, id, [x, y], before) {
  const trigger = id === START ? null : triggersOf(model)[indexOf(id)];
  const isSame = before && before.data.trigger === trigger;
  if (isSame && before.position.x === x && before.position.y === y) return before;
  const size = id === START ? START_SIZE : TRIGGER_SIZE;
  return {
    id,
    type: id === START ? "start" : "trigger",
    position: { x, y },
    data: isSame ? before.data : { trigger },
    width: size[0],
    height: size[1],
    measured: { width: size[0], height: size[1] },
    handles: [entryHandle("source", size), ...(id === START ? [entryHandle("target", size)] : [])],
    selected: before?.selected ?? false,
    draggable: false,
    connectable: false,
  };
}

function entryEdge(source, target, known) {
  const id = `${source}>${target}`;
  const targetHandle = target === START ? null : "in";
  return known.get(id) ?? { id, source, target, targetHandle, type: "entry", selectable: false, focusable: false };
}

/** The start and the triggers with their lines: triggers to the start, the start to the steps that wait for nothing. */
function entries(model, boxes, knownNodes, knownEdges) {
  const places = Object.entries(entryPlaces(model, boxes));
  if (!places.length) return { nodes: [], edges: [] };
  const nodes = places.map(([id, at]) => entryNode(model, id, at, knownNodes.get(id)));
  const into = nodes.filter((n) => n.id !== START).map((n) => entryEdge(n.id, START, knownEdges));
  return { nodes, edges: [...into, ...firstSteps(model).map((name) => entryEdge(START, name, knownEdges))] };
}

/** Nodes and edges of a model, given those drawn now. */
export function project(model, drawn = { nodes: [], edges: [] }) {
  const boxes = sizes(model);
  const knownNodes = new Map(drawn.nodes.map((n) => [n.id, n]));
  const knownEdges = new Map(drawn.edges.map((e) => [e.id, e]));
  const names = walk(model);
  const edges = names.flatMap((name) => edgesInto(model, name, knownEdges));
  const used = usedBranches(edges);
  const nodes = names.map((name) => node(model, name, boxes[name], knownNodes.get(name), used[name] ?? ""));
  const before = entries(model, boxes, knownNodes, knownEdges);
  return { nodes: [...nodes, ...before.nodes], edges: [...edges, ...before.edges] };
}
