/**
 * What starts a workflow, as nodes of the canvas: the start, which is always there, and left of it one node per trigger
 * of the definition. They place themselves beside the steps that start first and are no part of the layout.
 */

import { sizes } from "./geometry.js";

const PREFIX = "trigger:";
const GAP = { start: 84, trigger: 64, between: 16 };

export const START = `${PREFIX}start`;
export const START_SIZE = [112, 44];
export const TRIGGER_SIZE = [240, 56];

/** Kinds of triggers, and what a new one says. */
export const NEW_TRIGGER = {
  schedule: { type: "schedule", cron: "0 9 * * 1-5", timezone: "UTC" },
  webhook: { type: "webhook", path: "" },
  event: { type: "event", event: "" },
};

export const triggerId = (index) => `${PREFIX}${index}`;

/** Whether a node is the start or a trigger. A step's name holds no colon. */
export const isEntry = (id) => typeof id === "string" && id.startsWith(PREFIX);

/** Which trigger of the list a node shows; null for the start. */
export const indexOf = (id) => (id === START ? null : Number(id.slice(PREFIX.length)));

export const triggersOf = (model) => (Array.isArray(model.meta.triggers) ? model.meta.triggers : []);

export const triggerAt = (model, id) => (isEntry(id) ? triggersOf(model)[indexOf(id)] : undefined);

/** Steps of the top level that wait for nothing. */
export const firstSteps = (model) =>
  model.scopes[""].filter((n) => !model.entries[n].step.depends_on.some((d) => model.entries[d.step]));

/** Where start and triggers stand: {id: [x, y]}; empty while there is neither step nor trigger. */
export function entryPlaces(model, boxes = sizes(model)) {
  const count = triggersOf(model).length;
  const top = model.scopes[""];
  if (!top.length && !count) return {};
  const first = firstSteps(model);
  const middles = (first.length ? first : top).map((n) => model.positions[n][1] + boxes[n][1] / 2);
  const middle = middles.length ? (Math.min(...middles) + Math.max(...middles)) / 2 : START_SIZE[1] / 2;
  const left = top.length ? Math.min(...top.map((n) => model.positions[n][0])) : 0;
  const x = left - GAP.start - START_SIZE[0];
  const places = { [START]: [x, middle - START_SIZE[1] / 2] };
  const height = count * TRIGGER_SIZE[1] + (count - 1) * GAP.between;
  for (let i = 0; i < count; i += 1) {
    const y = middle - height / 2 + i * (TRIGGER_SIZE[1] + GAP.between);
    places[triggerId(i)] = [x - GAP.trigger - TRIGGER_SIZE[0], y];
  }
  return places;
}

/** Where the next one is in the direction of an arrow key; null to leave it to the steps. */
export function entryNeighbour(model, id, key) {
  const count = triggersOf(model).length;
  if (id === START) {
    if (key === "ArrowRight") return firstSteps(model)[0] ?? null;
    return key === "ArrowLeft" && count ? triggerId(0) : null;
  }
  const index = indexOf(id);
  if (key === "ArrowRight") return START;
  const next = index + ({ ArrowUp: -1, ArrowDown: 1 }[key] ?? NaN);
  return next >= 0 && next < count ? triggerId(next) : null;
}

/** All ids in the order of reading. */
export const entryIds = (model) =>
  model.scopes[""].length || triggersOf(model).length ? [...triggersOf(model).map((_, i) => triggerId(i)), START] : [];

/** A path that no other webhook of the workflow has: `wish`, `wish-2`, … */
export function freePath(triggers, wish) {
  const taken = new Set(triggers.map((t) => t.path));
  let path = wish;
  for (let n = 2; taken.has(path); n += 1) path = `${wish}-${n}`;
  return path;
}

/** A trigger without what is not said. */
export const tidied = (trigger) => Object.fromEntries(Object.entries(trigger).filter(([, value]) => value !== undefined));

/** What a form says that started a run: `event.data.id` of an event, the body of a request, the time it was due. */
export const DATA_OF = {
  schedule: { fire_at: "When it was due, RFC 3339", schedule_id: "" },
  webhook: { body: "What was sent, read as JSON if it is", query: "", headers: "", method: "", path: "" },
  event: { type: "", data: "What the event says" },
};
