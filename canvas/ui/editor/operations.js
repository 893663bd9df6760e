/** What changed between two models, as the operations that `domain/editing.py` applies. */

import { walk } from "./model.js";

const becomesFrame = (before, after, name) => after.scopes[name] !== undefined && before.scopes[name] === undefined;
const holdsNoMore = (before, after, name) => before.scopes[name] !== undefined && after.scopes[name] === undefined;
const hasMoved = (before, after, name) =>
  before.entries[name] !== undefined && before.entries[name].parent !== after.entries[name].parent;

function put(model, name, hasPlace = true) {
  const { step, parent } = model.entries[name];
  return { op: "put", step, parent, index: hasPlace ? model.scopes[parent ?? ""].indexOf(name) : null };
}

/** Scopes in which steps that stayed stand in another order than before. */
function reordered(before, after) {
  const found = new Set();
  for (const [scope, names] of Object.entries(after.scopes)) {
    const old = before.scopes[scope];
    if (!old || old === names) continue;
    const kept = new Set(names.filter((n) => old.includes(n)));
    const [was, is] = [old.filter((n) => kept.has(n)), names.filter((n) => kept.has(n))];
    if (was.some((n, i) => n !== is[i])) found.add(scope);
  }
  return found;
}

function changed(before, after) {
  const shuffled = reordered(before, after);
  return walk(after).filter((name) => {
    const old = before.entries[name];
    const now = after.entries[name];
    return !old || old.step !== now.step || old.parent !== now.parent || shuffled.has(now.parent ?? "");
  });
}

/** Steps that are gone, without those that go with their container, be it gone or no container any more. */
function dropped(before, after) {
  const gone = Object.keys(before.entries).filter((name) => !after.entries[name]);
  return gone.filter((name) => before.entries[name].parent === null || after.scopes[before.entries[name].parent]);
}

/** Places that changed; those of steps with another parent too, as the server may have forgotten them on the way. */
function moved(before, after) {
  const positions = {};
  for (const [name, at] of Object.entries(after.positions)) {
    const old = before.positions[name];
    if (!old || old[0] !== at[0] || old[1] !== at[1] || hasMoved(before, after, name)) positions[name] = at;
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
 * A container that is dropped, or becomes a plain step, takes along what it holds; so steps that leave one are put
 * elsewhere first, at the end of their new list, where they are in nobody's way, and those that held steps last. After
 * the drops every changed step is put in the order of the text, containers before what they hold, each at its final
 * place: what stands before that place is final by then.
 */
export function difference(before, after) {
  const puts = changed(before, after);
  const gone = dropped(before, after);
  const early = puts.some((name) => hasMoved(before, after, name))
    ? puts.filter((name) => hasMoved(before, after, name) || becomesFrame(before, after, name))
    : [];
  early.sort((a, b) => holdsNoMore(before, after, a) - holdsNoMore(before, after, b));
  return [
    ...early.map((name) => put(after, name, false)),
    ...gone.map((name) => ({ op: "drop", name })),
    ...puts.map((name) => put(after, name)),
    ...moved(before, after),
    ...patched(before, after),
  ];
}

/** `after`, but with the objects of `before` wherever they say the same: then they are neither drawn nor sent again. */
export function sameWhereEqual(before, after) {
  const alike = (a, b) => (a !== undefined && JSON.stringify(a) === JSON.stringify(b) ? a : b);
  const entries = {};
  for (const [name, entry] of Object.entries(after.entries)) {
    const old = before.entries[name];
    entries[name] = old?.parent === entry.parent ? alike(old, entry) : entry;
  }
  const meta = Object.fromEntries(
    Object.entries(after.meta).map(([key, value]) => [key, alike(before.meta[key], value)]),
  );
  return { ...after, entries, meta };
}

/** The operations in parts that each fit into one message; a message that is too large would close the connection. */
export function inParts(operations, limit = 400_000) {
  const parts = [[]];
  let size = 0;
  for (const operation of operations) {
    const length = JSON.stringify(operation).length;
    if (size + length > limit && parts.at(-1).length) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1).push(operation);
    size += length;
  }
  return parts;
}
