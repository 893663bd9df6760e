/** The editor's state, outside React: only what subscribes to a part of it is drawn again. One editor per page. */

import { applyEdgeChanges, applyNodeChanges } from "@xyflow/react";
import { create } from "zustand";

import { EMPTY } from "./model.js";
import { project } from "./project.js";
import { isEntry, triggerId } from "./triggers.js";

const HISTORY = 200;
const MERGE_MS = 1500;

const nothing = {
  model: EMPTY,
  nodes: [],
  edges: [],
  past: [],
  future: [],
  selected: [], // names of steps
  entries: [], // ids of the start and of triggers that are selected
  selectedEdges: [],
  readOnly: false,
  loaded: false,
  merge: null,
};

/** What is drawn, selected, and can be undone. */
export const useGraph = create(() => ({ ...nothing }));

/** What the panels show. */
export const usePanels = create(() => ({
  catalog: { actions: [], steps: {}, functions: [], workflows: [], settings: {} },
  problems: [],
  byStep: {},
  saving: "saved", // saved | waiting | sending | failed | conflict
  info: {}, // name, revision, published, versions…
  dialog: null,
  quickAdd: null,
  focus: null, // {step, pointer, seq}: the field to go to
  palette: true,
  inspector: true,
  dock: false,
  target: null, // the frame a dragged step would drop into
}));

const selectedOf = (items) => items.filter((item) => item.selected).map((item) => item.id);
const stepsIn = (ids) => ids.filter((id) => !isEntry(id));
const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

/** Sets nodes and edges, and keeps the lists of what is selected up to date. */
function draw(change) {
  useGraph.setState((s) => {
    const next = { ...s, ...change };
    const all = next.nodes === s.nodes ? null : selectedOf(next.nodes);
    const selected = all ? stepsIn(all) : s.selected;
    const entries = all ? all.filter(isEntry) : s.entries;
    const selectedEdges = next.edges === s.edges ? s.selectedEdges : selectedOf(next.edges);
    next.selected = same(selected, s.selected) ? s.selected : selected;
    next.entries = same(entries, s.entries) ? s.entries : entries;
    next.selectedEdges = same(selectedEdges, s.selectedEdges) ? s.selectedEdges : selectedEdges;
    return next;
  });
}

/** Starts over with another document. */
export function open(model, { readOnly = false } = {}) {
  const drawn = project(model);
  useGraph.setState({ ...nothing, ...drawn, model, readOnly, loaded: true });
}

/** Makes `model` the present one. With `merge`, quick changes of the same thing become one step back. */
export function commit(model, { select, merge = null } = {}) {
  const s = useGraph.getState();
  if (s.readOnly || model === s.model) return;
  const isMerged = merge && s.merge?.key === merge && Date.now() - s.merge.at < MERGE_MS;
  const past = isMerged ? s.past : [...s.past.slice(1 - HISTORY), s.model];
  show(model, { past, future: [], merge: merge && { key: merge, at: Date.now() } }, select);
}

/** Replaces the present model by what the server made of it, without a step back. */
export function replace(model) {
  show(model, {});
}

function show(model, change, select) {
  const { nodes, edges } = useGraph.getState();
  const drawn = project(model, { nodes, edges });
  if (select) {
    const wanted = new Set(select);
    drawn.nodes = drawn.nodes.map((n) => (n.selected === wanted.has(n.id) ? n : { ...n, selected: wanted.has(n.id) }));
    drawn.edges = drawn.edges.map((e) => (e.selected ? { ...e, selected: false } : e));
  }
  draw({ ...change, ...drawn, model });
}

export function undo() {
  const { past, future, model, readOnly } = useGraph.getState();
  if (readOnly || !past.length) return;
  show(past.at(-1), { past: past.slice(0, -1), future: [model, ...future], merge: null });
}

export function redo() {
  const { past, future, model, readOnly } = useGraph.getState();
  if (readOnly || !future.length) return;
  show(future[0], { past: [...past, model], future: future.slice(1), merge: null });
}

export function select(names) {
  const wanted = new Set(names);
  const { nodes, edges } = useGraph.getState();
  draw({
    nodes: nodes.map((n) => (n.selected === wanted.has(n.id) ? n : { ...n, selected: wanted.has(n.id) })),
    edges: edges.map((e) => (e.selected ? { ...e, selected: false } : e)),
  });
}

export function onNodesChange(changes) {
  const wanted = changes.filter((c) => c.type !== "remove" && c.type !== "dimensions");
  if (wanted.length) draw({ nodes: applyNodeChanges(wanted, useGraph.getState().nodes) });
}

export function onEdgesChange(changes) {
  const wanted = changes.filter((c) => c.type !== "remove");
  if (wanted.length) draw({ edges: applyEdgeChanges(wanted, useGraph.getState().edges) });
}

/** The trigger that a pointer such as `/triggers/0/cron` leads to, as the id of its node. */
export function triggerOfPointer(pointer) {
  const found = /^\/triggers\/(\d+)/.exec(pointer ?? "");
  return found ? triggerId(Number(found[1])) : null;
}

export function setProblems(problems) {
  const byStep = {};
  for (const problem of problems) {
    const place = problem.step ?? triggerOfPointer(problem.pointer);
    if (place) (byStep[place] ??= []).push(problem);
  }
  usePanels.setState({ problems, byStep });
}

let focusCount = 0;

/** Selects a step and, with a pointer, goes to that field of its form. */
export function goTo(step, pointer = "") {
  select(step ? [step] : []);
  focusCount += 1;
  usePanels.setState({ inspector: true, focus: { step, pointer, seq: focusCount } });
}

/** Takes what can be added and named; nothing happens when it says the same as before. */
export function setCatalog(catalog) {
  if (!catalog?.actions || JSON.stringify(catalog) === setCatalog.last) return;
  setCatalog.last = JSON.stringify(catalog);
  const byAction = Object.fromEntries(catalog.actions.map((action) => [action.name, action]));
  usePanels.setState({ catalog: { ...catalog, byAction } });
}

/** Forgets the document, when the page is left. */
export function close() {
  useGraph.setState({ ...nothing });
  usePanels.setState({
    problems: [],
    byStep: {},
    info: {},
    dialog: null,
    quickAdd: null,
    focus: null,
    saving: "saved",
  });
}
