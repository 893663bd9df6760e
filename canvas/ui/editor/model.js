/**
 * The workflow as the editor holds it: an immutable value, so that undo is keeping the one before.
 *
 * model = {
 *   meta:      everything at the top of the document except steps, layout and dsl,
 *   entries:   {name: {step, parent}}   step has no nested steps and an explicit depends_on,
 *   scopes:    {"" | container: [names]} the order of the text,
 *   positions: {name: [x, y]}           relative to the container,
 * }
 */

export const EMPTY = Object.freeze({ meta: {}, entries: {}, scopes: { "": [] }, positions: {} });
export const NAME = /^[a-z_][a-z0-9_]{0,63}$/;

export const isContainer = (step) => step.type === "parallel" || step.type === "loop";

const dependency = (item) =>
  typeof item === "string" ? { step: item, branch: "SUCCESS" } : { branch: "SUCCESS", ...item };

/** Reads `depends_on` in either spelling; what is left out is the step before, or nothing at the start of a list and inside `parallel`. */
function dependencies(step, before, parentType) {
  if (step.depends_on !== undefined) return (step.depends_on ?? []).map(dependency);
  return before && parentType !== "parallel" ? [dependency(before)] : [];
}

/** Builds the model of a canonical document. */
export function fromDocument(document, layout) {
  const { steps = [], layout: inText, dsl: _dsl, ...meta } = document;
  const model = { meta, entries: {}, scopes: { "": [] }, positions: {} };
  const visit = (list, parent, parentType) => {
    const names = (model.scopes[parent ?? ""] = []);
    list.forEach((given, index) => {
      const { steps: inner, ...step } = given;
      step.depends_on = dependencies(given, list[index - 1]?.name, parentType);
      model.entries[step.name] = { step, parent };
      names.push(step.name);
      if (isContainer(step)) visit(inner ?? [], step.name, step.type);
    });
  };
  visit(steps, null, null);
  const places = { ...inText, ...layout };
  for (const name of Object.keys(model.entries)) model.positions[name] = places[name] ?? [0, 0];
  return model;
}

/** Names in the order of the text, containers before what they hold. */
export function walk(model, parent = null, found = []) {
  for (const name of model.scopes[parent ?? ""] ?? []) {
    found.push(name);
    if (model.scopes[name]) walk(model, name, found);
  }
  return found;
}

/** The containers around a step, from the inside out. */
export function ancestors(model, name) {
  const found = [];
  for (let at = model.entries[name]?.parent; at; at = model.entries[at]?.parent) found.push(at);
  return found;
}

/** Where the step stands in the text, such as `/steps/0/steps/2`. */
export function pointerOf(model, name) {
  const entry = model.entries[name];
  if (!entry) return "";
  const index = model.scopes[entry.parent ?? ""].indexOf(name);
  return `${entry.parent ? pointerOf(model, entry.parent) : ""}/steps/${index}`;
}

/** Steps that certainly ended or were skipped before this one: everything upstream, here and around its containers. */
export function upstream(model, name) {
  const found = new Set();
  const visit = (at) => {
    for (const { step } of model.entries[at]?.step.depends_on ?? []) {
      if (model.entries[step] && !found.has(step)) {
        found.add(step);
        visit(step);
      }
    }
  };
  visit(name);
  for (const container of ancestors(model, name)) visit(container);
  return found;
}

/** A name that is free: `wish`, `wish_2`, `wish_3`, … */
export function freeName(model, wish, taken = new Set()) {
  const base =
    wish
      .toLowerCase()
      .replace(/[^a-z0-9_]+/g, "_")
      .replace(/^(?=[0-9])/, "_")
      .replace(/^_+(?=[a-z])|_+$/g, "")
      .slice(0, 56) || "step";
  const used = (name) => model.entries[name] !== undefined || taken.has(name);
  if (!used(base)) return base;
  let number = 2;
  while (used(`${base}_${number}`)) number += 1;
  return `${base}_${number}`;
}

/** The model with some entries replaced; the order of the scopes stays. */
export function withSteps(model, steps) {
  const entries = { ...model.entries };
  for (const step of steps) entries[step.name] = { ...entries[step.name], step };
  return { ...model, entries };
}

/** The model without these steps, what they hold, and the dependencies on them. */
export function without(model, names) {
  const gone = new Set(names);
  for (const name of walk(model)) if (gone.has(model.entries[name].parent)) gone.add(name);
  const next = { meta: model.meta, entries: {}, scopes: {}, positions: {} };
  for (const [name, entry] of Object.entries(model.entries)) {
    if (gone.has(name)) continue;
    const kept = entry.step.depends_on.filter((d) => !gone.has(d.step));
    next.entries[name] =
      kept.length === entry.step.depends_on.length ? entry : { ...entry, step: { ...entry.step, depends_on: kept } };
    next.positions[name] = model.positions[name];
  }
  for (const [scope, list] of Object.entries(model.scopes)) {
    if (!gone.has(scope)) next.scopes[scope] = list.some((n) => gone.has(n)) ? list.filter((n) => !gone.has(n)) : list;
  }
  return next;
}

/** The model with new steps at the end of a scope, or after a given step. `added` is [{step, position}]. */
export function withAdded(model, parent, added, after) {
  const entries = { ...model.entries };
  const positions = { ...model.positions };
  const scopes = { ...model.scopes };
  const list = [...(scopes[parent ?? ""] ?? [])];
  let at = after && list.includes(after) ? list.indexOf(after) + 1 : list.length;
  for (const { step, position } of added) {
    entries[step.name] = { step, parent };
    positions[step.name] = position;
    if (isContainer(step) && !scopes[step.name]) scopes[step.name] = [];
    list.splice(at, 0, step.name);
    at += 1;
  }
  scopes[parent ?? ""] = list;
  return { ...model, entries, positions, scopes };
}

/** The model with a step moved to another container; dependencies that would cross the border are dropped. */
export function withParent(model, name, parent, position) {
  const entry = model.entries[name];
  const scopes = { ...model.scopes };
  scopes[entry.parent ?? ""] = scopes[entry.parent ?? ""].filter((n) => n !== name);
  scopes[parent ?? ""] = [...(scopes[parent ?? ""] ?? []), name];
  const entries = { ...model.entries, [name]: { step: { ...entry.step, depends_on: [] }, parent } };
  for (const other of model.scopes[entry.parent ?? ""]) {
    const { step } = model.entries[other];
    if (other !== name && step.depends_on.some((d) => d.step === name)) {
      entries[other] = {
        ...model.entries[other],
        step: { ...step, depends_on: step.depends_on.filter((d) => d.step !== name) },
      };
    }
  }
  return { ...model, entries, scopes, positions: { ...model.positions, [name]: position } };
}
