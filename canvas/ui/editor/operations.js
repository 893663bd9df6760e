/** What changed between two models, as the operations that `domain/editing.py` applies. */

import { ancestors, walk } from "./model.js";

const depth = (model, name) => ancestors(model, name).length;

function put(model, name) {
  const { step, parent } = model.entries[name];
  return { op: "put", step, parent, index: model.scopes[parent ?? ""].indexOf(name) };
}

function changed(before, after) {
  const names = walk(after);
  return names.filter((name) => {
    const old = before.entries[name];
    const now = after.entries[name];
    return !old || (old !== now && (old.step !== now.step || old.parent !== now.parent));
  });
}

function dropped(before, after) {
  const gone = Object.keys(before.entries).filter((name) => !after.entries[name]);
  return gone.filter((name) => after.entries[before.entries[name].parent] || before.entries[name].parent === null);
}

function moved(before, after) {
  const positions = {};
  for (const [name, at] of Object.entries(after.positions)) {
    const old = before.positions[name];
    if (!old || old[0] !== at[0] || old[1] !== at[1]) positions[name] = at;
  }
  return Object.keys(positions).length ? [{ op: "place", positions }] : [];
}

function patched(before, after) {
  if (before.meta === after.meta) return [];
  const patch = {};
  for (const key of new Set([...Object.keys(before.meta), ...Object.keys(after.meta)])) {
    if (before.meta[key] !== after.meta[key]) patch[key] = after.meta[key] ?? null;
  }
  return Object.keys(patch).length ? [{ op: "meta", patch }] : [];
}

/**
 * The operations that turn `before` into `after`; an empty list when nothing changed.
 *
 * Steps that leave a container which goes away are put elsewhere first, as dropping takes along what a container holds.
 */
export function difference(before, after) {
  const puts = changed(before, after);
  const gone = dropped(before, after);
  const rescued = puts.filter((name) => before.entries[name] && before.entries[name].parent !== after.entries[name].parent);
  const later = puts.filter((name) => !rescued.includes(name));
  const frames = later.filter((name) => !before.entries[name] && after.scopes[name]);
  const order = [...frames.sort((a, b) => depth(after, a) - depth(after, b)), ...rescued];
  return [
    ...order.map((name) => put(after, name)),
    ...gone.map((name) => ({ op: "drop", name })),
    ...later.filter((name) => !frames.includes(name)).map((name) => put(after, name)),
    ...moved(before, after),
    ...patched(before, after),
  ];
}
