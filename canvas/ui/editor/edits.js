/** Everything a person can do to the drawing. Each function is one step back in the history. */

import { absolute, contained, frameAt, freePlace, GRID, sizes, snap, STEP_HEIGHT, STEP_WIDTH } from "./geometry.js";
import { ancestors, freeName, withAdded, without, withParent, withSteps } from "./model.js";
import { branchKey, branchOf, freeBranch, mainBranches, refusal } from "./rules.js";
import { commit, select, useGraph } from "./store.js";
import { freePath, indexOf, NEW_TRIGGER, START, tidied, triggerId, triggersOf } from "./triggers.js";

const GAP = 80;
const NEW = {
  action: (action) => ({ action, parameters: {} }),
  condition: () => ({ condition: "" }),
  switch: () => ({ on: "", cases: ["a", "b"] }),
  parallel: () => ({}),
  loop: () => ({ collection: "" }),
  workflow_link: (workflow) => ({ workflow: workflow ?? "", parameters: {} }),
  wait: () => ({ for: [{ seconds: 60 }] }),
  set: () => ({ values: {} }),
  stop: () => ({ status: "completed" }),
  task: () => ({ outcomes: ["APPROVED", "REJECTED"] }),
};

const model = () => useGraph.getState().model;
const now = () => useGraph.getState();
const asDependency = (source, branch) => ({
  step: source,
  branch: branch.branch,
  ...(branch.value !== undefined && { value: branch.value }),
});

/** A new step's document; `what` is {type, action?, workflow?}. */
export function blankStep(at, what) {
  const wish = what.action ?? what.workflow ?? what.type;
  const name = freeName(at, wish.replace("/", "_"));
  return { name, type: what.type, ...NEW[what.type](what.action ?? what.workflow), depends_on: [] };
}

/** Adds what the palette offers: a trigger, which places itself, or a step. Gives the id of its node. */
export const add = (what, place) => (what.trigger ? addTrigger(what.trigger) : addStep(what, place));

export function addTrigger(kind) {
  const at = model();
  const list = triggersOf(at);
  const blank = NEW_TRIGGER[kind];
  const fresh = kind === "webhook" ? { ...blank, path: freePath(list, at.meta.name.replaceAll("_", "-")) } : blank;
  const id = triggerId(list.length);
  commit(withTriggers(at, [...list, fresh]), { select: [id] });
  return id;
}

const withTriggers = (at, list) => {
  const { triggers: _before, ...meta } = at.meta;
  return { ...at, meta: list.length ? { ...at.meta, triggers: list } : meta };
};

/** Changes one trigger; `merge` names the field, so that typing is one step back. */
export function changeTrigger(id, patch, merge) {
  const at = model();
  const index = indexOf(id);
  const list = triggersOf(at).map((t, i) => (i === index ? tidied({ ...t, ...patch }) : t));
  commit(withTriggers(at, list), { merge: merge && `${id} ${merge}` });
}

/** Adds copies of triggers. */
export function pasteTriggers(at, triggers) {
  const list = [...triggersOf(at)];
  for (const trigger of triggers)
    list.push(trigger.type === "webhook" ? { ...trigger, path: freePath(list, trigger.path ?? "") } : trigger);
  return withTriggers(at, list);
}

const withoutTriggers = (at, ids) => {
  const gone = new Set(ids.filter((id) => id !== START).map(indexOf));
  return gone.size
    ? withTriggers(
        at,
        triggersOf(at).filter((_, i) => !gone.has(i)),
      )
    : at;
};

/**
 * Adds a step. `place` says where:
 *   {after, branch?}  right of a step, waiting for it
 *   {edge}            into a connection
 *   {point}           with its middle at a point of the canvas, in whatever frame is there
 */
export function addStep(what, place = {}) {
  const at = model();
  const step = blankStep(at, what);
  if (place.edge) return splice(at, step, place.edge, place.point);
  if (place.after && at.entries[place.after]) return append(at, step, place.after, place.branch, place.point);
  const [parent, position] = landing(at, place.point ?? [0, 0]);
  commit(withGrown(withAdded(at, parent, [{ step, position: freePlace(at, parent, position) }])), {
    select: [step.name],
  });
  return step.name;
}

/** The frame around a point, and the point as that frame counts. */
function landing(at, point) {
  const parent = frameAt(at, point, sizes(at));
  const [x, y] = parent ? absolute(at, parent) : [0, 0];
  return [parent, [snap(point[0] - x - STEP_WIDTH / 2), snap(point[1] - y - STEP_HEIGHT / 2)]];
}

function append(at, step, after, branch, point) {
  const { parent, step: source } = at.entries[after];
  const way = source.type === "stop" ? null : (branch ?? freeBranch(at, after));
  if (way) step.depends_on = [asDependency(after, way)];
  const [width] = sizes(at)[after];
  const [x, y] = at.positions[after];
  const ways = mainBranches(source);
  const shift =
    way && ways.length > 1
      ? (Math.max(
          0,
          ways.findIndex((w) => w.key === way.key),
        ) -
          (ways.length - 1) / 2) *
        110
      : 0;
  const beside = [snap(x + width + GAP), snap(y + shift)];
  const position = point ? within(at, parent, point) : beside;
  commit(withGrown(withAdded(at, parent, [{ step, position: freePlace(at, parent, position) }], after)), {
    select: [step.name],
  });
  return step.name;
}

const within = (at, parent, [px, py]) => {
  const [x, y] = parent ? absolute(at, parent) : [0, 0];
  return [snap(px - x), snap(py - y)];
};

/** Puts a step into a connection: what waited for the source by this branch now waits for the new step. */
function splice(at, step, edgeId, point) {
  const edge = now().edges.find((e) => e.id === edgeId);
  const { step: target, parent } = at.entries[edge.target];
  const way = branchOf(at.entries[edge.source].step, edge.sourceHandle);
  step.depends_on = [asDependency(edge.source, way)];
  const next = mainBranches(step)[0];
  const waits = target.depends_on.map((d) =>
    d.step === edge.source && branchKey(d) === edge.sourceHandle ? asDependency(step.name, next) : d,
  );
  const [sx, sy] = at.positions[edge.source];
  const [tx, ty] = at.positions[edge.target];
  const width = sizes(at)[edge.source][0];
  const position = point ? within(at, parent, point) : [snap((sx + width + tx - STEP_WIDTH) / 2), snap((sy + ty) / 2)];
  let done = withAdded(at, parent, [{ step, position }], edge.source);
  if (next) done = withSteps(done, [{ ...target, depends_on: waits }]);
  commit(withGrown(makeRoom(done, parent, step.name)), { select: [step.name] });
  return step.name;
}

/** Moves what stands too close at the right of a step further to the right. */
function makeRoom(at, parent, name) {
  const [x, y] = at.positions[name];
  const boxes = sizes(at);
  const siblings = at.scopes[parent ?? ""].filter((n) => n !== name);
  const isTight = siblings.some((n) => {
    const [ox, oy] = at.positions[n];
    return ox + boxes[n][0] > x && ox < x + boxes[name][0] + GRID && oy < y + boxes[name][1] && oy + boxes[n][1] > y;
  });
  if (!isTight) return at;
  const from = Math.min(
    ...siblings.filter((n) => at.positions[n][0] + boxes[n][0] / 2 > x + STEP_WIDTH / 2).map((n) => at.positions[n][0]),
  );
  const shift = snap(x + STEP_WIDTH + GAP - from);
  const before = siblings.find((n) => at.entries[name].step.depends_on.some((d) => d.step === n));
  const base = before ? at.positions[before][0] + boxes[before][0] + GAP : x;
  const positions = { ...at.positions, [name]: [snap(base), y] };
  const push = Math.max(shift, snap(base + STEP_WIDTH + GAP - from));
  for (const n of siblings)
    if (at.positions[n][0] >= from) positions[n] = [at.positions[n][0] + push, at.positions[n][1]];
  return { ...at, positions };
}

const withGrown = (at) => ({ ...at, positions: contained(at, at.positions) });

/** Lets `target` wait for a branch of `source`. Returns why not, or null. */
export function connect(source, key, target) {
  const at = model();
  const reason = refusal(at, source, key, target);
  if (reason) return reason;
  const { step } = at.entries[target];
  const added = asDependency(source, branchOf(at.entries[source].step, key));
  commit(withSteps(at, [{ ...step, depends_on: [...step.depends_on, added] }]));
  return null;
}

/** Takes away steps, connections and triggers. */
export function remove(names, edgeIds = [], entries = []) {
  let at = model();
  for (const edge of now().edges.filter((e) => edgeIds.includes(e.id) && !names.includes(e.target))) {
    const { step } = at.entries[edge.target];
    const kept = step.depends_on.filter((d) => d.step !== edge.source || branchKey(d) !== edge.sourceHandle);
    at = withSteps(at, [{ ...step, depends_on: kept }]);
  }
  if (names.length) at = without(at, names);
  commit(withoutTriggers(at, entries), { select: [] });
}

/** Takes away one step and lets what waited for it wait for what it waited for. */
export function removeAndReconnect(name) {
  const at = model();
  const { step, parent } = at.entries[name];
  const closed = at.scopes[parent ?? ""]
    .map((n) => at.entries[n].step)
    .filter((s) => s.depends_on.some((d) => d.step === name))
    .map((s) => {
      const others = s.depends_on.filter((d) => d.step !== name);
      const added = step.depends_on.filter(
        (d) => !others.some((o) => o.step === d.step && branchKey(o) === branchKey(d)),
      );
      return { ...s, depends_on: [...others, ...added] };
    });
  commit(without(withSteps(at, closed), [name]), { select: [] });
}

export function removeSelected() {
  const { selected, selectedEdges, entries } = now();
  if (selected.length || selectedEdges.length || entries.length) remove(selected, selectedEdges, entries);
}

/** Changes one step; `merge` names the field, so that typing is one step back. */
export function changeStep(name, change, merge) {
  const at = model();
  const { step } = at.entries[name];
  commit(withSteps(at, [{ ...step, ...change }]), { merge: merge && `${name} ${merge}` });
}

/** Changes the step as a whole: what the form gives back, keys that are undefined left out. */
export function writeStep(name, next, merge) {
  const at = model();
  const clean = Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
  const step = { ...clean, depends_on: keptWays(at.entries[name].step, clean) };
  commit(withSteps(at, [step]), { merge: merge && `${name} ${merge}` });
}

const keptWays = (before, next) => next.depends_on ?? before.depends_on;

export function changeMeta(patch, merge) {
  const at = model();
  const meta = { ...at.meta, ...patch };
  for (const [key, value] of Object.entries(patch)) if (value === undefined || value === null) delete meta[key];
  commit({ ...at, meta }, { merge: merge && `meta ${merge}` });
}

/** Switches steps and triggers off when one of them is on, else on. */
export function toggleEnabled(names, entries = []) {
  const at = model();
  const chosen = new Set(entries.filter((id) => id !== START).map(indexOf));
  const triggers = triggersOf(at).filter((_, i) => chosen.has(i));
  const isOn = [...names.map((n) => at.entries[n].step), ...triggers].some((one) => one.enabled !== false);
  const switched = (one) => tidied({ ...one, enabled: isOn ? false : undefined });
  const next = withSteps(
    at,
    names.map((n) => switched(at.entries[n].step)),
  );
  const list = triggersOf(at).map((t, i) => (chosen.has(i) ? switched(t) : t));
  commit(chosen.size ? withTriggers(next, list) : next);
}

/** Steps that were dragged: takes over where they are, and the frame they were dropped into. */
export function moveTo(moved, dropPoints) {
  let at = model();
  const boxes = sizes(at);
  const names = new Set(moved.map((n) => n.id));
  const positions = { ...at.positions };
  for (const n of moved) positions[n.id] = [Math.round(n.position.x), Math.round(n.position.y)];
  at = { ...at, positions };
  for (const { id } of moved) {
    if (ancestors(at, id).some((a) => names.has(a))) continue;
    const target = frameAt(model(), dropPoints[id], boxes, names);
    if (target === at.entries[id].parent) continue;
    const [x, y] = absolute(at, id);
    const [px, py] = target ? absolute(at, target) : [0, 0];
    at = withParent(at, id, target, [snap(x - px), snap(y - py)]);
  }
  commit(withGrown(at));
}

export function nudge(names, dx, dy) {
  const at = model();
  const positions = { ...at.positions };
  for (const name of names) {
    if (ancestors(at, name).some((a) => names.includes(a))) continue;
    positions[name] = [positions[name][0] + dx * GRID, positions[name][1] + dy * GRID];
  }
  commit(withGrown({ ...at, positions }), { merge: "nudge" });
}

/** Takes over positions that were worked out elsewhere. */
export function place(positions) {
  const at = model();
  const known = Object.entries(positions).filter(([name]) => at.entries[name]);
  commit({ ...at, positions: { ...at.positions, ...Object.fromEntries(known) } });
}

export function selectAll() {
  select(Object.keys(model().entries));
}
