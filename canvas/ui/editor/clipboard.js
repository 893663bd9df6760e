/** Steps as text on the clipboard, so that they can be carried to another workflow. */

import { contained, freePlace, GRID } from "./geometry.js";
import { ancestors, freeName, walk, withAdded } from "./model.js";
import { pasteTriggers } from "./edits.js";
import { renamedIn } from "./renaming.js";
import { commit, useGraph } from "./store.js";
import { triggerAt, triggerId, triggersOf } from "./triggers.js";

const MARK = "canvas/steps";
const MAX_TEXT = 2_000_000;

/** The selected steps, with what they hold, and triggers, as text. */
export function copied(names, entries = []) {
  const { model } = useGraph.getState();
  const chosen = new Set(names.filter((n) => !ancestors(model, n).some((a) => names.includes(a))));
  const triggers = entries.map((id) => triggerAt(model, id)).filter(Boolean);
  if (!chosen.size && !triggers.length) return null;
  const all = walk(model).filter((n) => chosen.has(n) || ancestors(model, n).some((a) => chosen.has(a)));
  const steps = all.map((n) => ({
    step: model.entries[n].step,
    parent: chosen.has(n) ? null : model.entries[n].parent,
    position: model.positions[n],
  }));
  return JSON.stringify({ format: MARK, steps, ...(triggers.length && { triggers }) });
}

const isTrigger = (t) => t !== null && typeof t === "object" && typeof t.type === "string";

/** Reads what `copied` wrote, as {steps, triggers}; null when the text is something else. */
export function read(text) {
  if (!text || text.length > MAX_TEXT || !text.includes(MARK)) return null;
  try {
    const found = JSON.parse(text);
    const isGood =
      found.format === MARK && Array.isArray(found.steps) && found.steps.every((s) => typeof s.step?.name === "string");
    return isGood ? { steps: found.steps, triggers: (found.triggers ?? []).filter(isTrigger) } : null;
  } catch {
    return null;
  }
}

function copyOf(step, names) {
  const { depends_on: waits = [], ...rest } = step;
  const kept = waits.filter((d) => names.has(d.step)).map((d) => ({ ...d, step: names.get(d.step) }));
  return { ...renamedIn(rest, names), name: names.get(step.name), depends_on: kept };
}

/** Adds copies: beside the originals, or at a point of the canvas; in the frame of the present selection. */
export function paste({ steps: items, triggers = [] }, point = null) {
  const { model, selected } = useGraph.getState();
  if (!items.length) return pasteOnlyTriggers(model, triggers);
  const taken = new Set();
  const names = new Map();
  for (const { step } of items) {
    const name = freeName(model, step.name.replace(/_\d+$/, ""), taken);
    taken.add(name);
    names.set(step.name, name);
  }
  const tops = items.filter((item) => item.parent === null);
  const parent = selected.length && model.entries[selected[0]] ? model.entries[selected[0]].parent : null;
  const [left, top] = [Math.min(...tops.map((t) => t.position[0])), Math.min(...tops.map((t) => t.position[1]))];
  const wanted = point ?? [left + 2 * GRID, top + 2 * GRID];
  const [x, y] = tops.length === 1 ? freePlace(model, parent, wanted) : wanted;
  let next = pasteTriggers(model, triggers);
  for (const { step, parent: inside, position } of items) {
    const isTop = inside === null;
    const at = isTop ? [position[0] - left + x, position[1] - top + y] : position;
    next = withAdded(next, isTop ? parent : names.get(inside), [{ step: copyOf(step, names), position: at }]);
  }
  next = { ...next, positions: contained(next, next.positions) };
  return commit(next, { select: [...tops.map((t) => names.get(t.step.name)), ...addedIds(model, triggers)] });
}

const addedIds = (model, triggers) => triggers.map((_, i) => triggerId(triggersOf(model).length + i));

function pasteOnlyTriggers(model, triggers) {
  if (triggers.length) commit(pasteTriggers(model, triggers), { select: addedIds(model, triggers) });
}

export function duplicate(names, entries = []) {
  const text = copied(names, entries);
  if (text) paste(read(text));
}
