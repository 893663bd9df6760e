/** What an expression may name at a step, as a tree, and what fits what has been typed. */

import { ancestors, upstream, walk } from "./model.js";
import { DATA_OF, isEntry, triggerAt } from "./triggers.js";

const leaf = (type, doc) => ({ type, doc, children: null });
const branch = (children, type = "object", doc = "") => ({ type, doc, children });

const typeOf = (schema) => (Array.isArray(schema?.type) ? schema.type.join(" | ") : (schema?.type ?? "any"));

function resolved(schema, root) {
  if (schema?.$ref) return resolved(root.$defs?.[schema.$ref.split("/").at(-1)], root);
  const options = schema?.anyOf?.filter((s) => s.type !== "null");
  return options?.length === 1 ? resolved(options[0], root) : (schema ?? {});
}

/** The tree of a JSON Schema's properties. */
export function shape(schema, root = schema, depth = 0) {
  const found = resolved(schema, root);
  if (depth > 6 || !found.properties) return leaf(typeOf(found), schema?.description ?? found.description);
  const children = Object.entries(found.properties).map(([key, inner]) => [key, shape(inner, root, depth + 1)]);
  return branch(Object.fromEntries(children), "object", found.description);
}

const LOOP = branch({
  index: leaf("integer", "From 0"),
  count: leaf("integer", "How many in all"),
  first: leaf("boolean"),
  last: leaf("boolean"),
});
const LOOP_OUTPUT = branch({
  items: leaf("list", "What each iteration gave"),
  count: leaf("integer"),
  failed: leaf("integer"),
});
const ERROR = branch({ code: leaf("string"), message: leaf("string") });

function outputOf(model, name, catalog) {
  const { step } = model.entries[name];
  if (step.type === "action")
    return catalog.byAction?.[step.action] ? shape(catalog.byAction[step.action].result) : leaf("any");
  if (step.type === "condition") return branch({ result: leaf("boolean") });
  if (step.type === "switch") return branch({ value: leaf("any"), cases: leaf("list") });
  if (step.type === "wait") return branch({ until: leaf("string") });
  if (step.type === "set")
    return branch(Object.fromEntries(Object.keys(step.values ?? {}).map((key) => [key, leaf("any")])));
  if (step.type === "loop") return LOOP_OUTPUT;
  if (step.type === "parallel")
    return branch(Object.fromEntries(model.scopes[name].map((n) => [n, outputOf(model, n, catalog)])));
  return leaf("any");
}

const stepShape = (model, name, catalog) =>
  branch(
    { output: outputOf(model, name, catalog), status: leaf("string"), error: ERROR, attempt: leaf("integer") },
    model.entries[name].step.type,
    model.entries[name].step.title,
  );

function parameters(meta) {
  const all = Object.entries(meta.parameters ?? {}).map(([key, p]) => [key, leaf(p?.type ?? "string", p?.description)]);
  return branch(Object.fromEntries(all));
}

function contextKeys(model, names) {
  const sets = [...names].map((n) => model.entries[n].step).filter((s) => s.type === "set");
  return branch(Object.fromEntries(sets.flatMap((s) => Object.keys(s.values ?? {})).map((key) => [key, leaf("any")])));
}

const ANY_DATA = new Set(["body", "data", "query", "headers"]);

/** What can be named at a trigger: what it brings, and, in the filter of an event, the event itself. */
function namesAtTrigger(trigger) {
  const data = Object.entries(DATA_OF[trigger.type] ?? {}).map(([key, doc]) => [
    key,
    leaf(ANY_DATA.has(key) ? "any" : "string", doc),
  ]);
  const roots = { trigger: branch({ type: leaf("string"), data: branch(Object.fromEntries(data)) }) };
  if (trigger.type === "event") roots.event = branch({ type: leaf("string"), data: leaf("any") });
  return roots;
}

/** Everything that can be named at a step or trigger; at the end of the run (for outputs) when `name` is null. */
export function namesAt(model, name, catalog) {
  if (isEntry(name)) return namesAtTrigger(triggerAt(model, name) ?? {});
  const earlier = name ? upstream(model, name) : new Set(walk(model));
  const ordered = walk(model).filter((n) => earlier.has(n));
  const roots = {
    steps: branch(Object.fromEntries(ordered.reverse().map((n) => [n, stepShape(model, n, catalog)]))),
    workflow: branch({ parameters: parameters(model.meta), name: leaf("string"), version: leaf("string") }),
    context: contextKeys(model, earlier),
    run: branch({ id: leaf("string"), started_at: leaf("string"), triggered_by: leaf("string") }),
    trigger: branch({ type: leaf("string"), data: leaf("any") }),
  };
  const waits = name ? model.entries[name].step.depends_on : [];
  if (waits.length === 1 && model.entries[waits[0].step])
    roots.previous_step = stepShape(model, waits[0].step, catalog);
  for (const container of name ? ancestors(model, name) : []) {
    const { step } = model.entries[container];
    if (step.type !== "loop") continue;
    Object.assign(roots, { loop: roots.loop ?? LOOP, index: leaf("integer", "Of this iteration, from 0") });
    if (step.while === undefined && step.times === undefined)
      roots[step.item_variable ?? "item"] ??= leaf("any", "This iteration's item");
  }
  return roots;
}

/** The piece of expression before the caret, or null outside `{{ }}` in a template. */
export function fragment(text, caret, isTemplate) {
  const before = text.slice(0, caret);
  if (!isTemplate) return before;
  const start = before.lastIndexOf("{{");
  return start === -1 || before.indexOf("}}", start) !== -1 ? null : before.slice(start + 2);
}

const IN_TEXT = /^(?:[^'"]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")*['"](?:[^'"\\]|\\.)*$/;
const PATH = /(?:[A-Za-z_]\w*(?:\[[^\]]*\])?\??\.)*[A-Za-z_]?\w*$/;

const dataRows = (children, prefix) =>
  Object.entries(children ?? {})
    .filter(([key]) => key.toLowerCase().startsWith(prefix))
    .map(([key, node]) => ({
      insert: key,
      label: key,
      type: node.type,
      doc: node.doc,
      opens: Boolean(node.children) && Object.keys(node.children).length > 0,
    }));

const functionRows = (functions, prefix) =>
  functions
    .filter((f) => f.name.toLowerCase().startsWith(prefix))
    .map((f) => ({ insert: `${f.name}(`, label: f.name, type: "function", doc: f.summary, signature: f.signature }));

/** What fits before the caret: {rows, length} where `length` characters are to be replaced; null for nothing to offer. */
export function complete(text, caret, isTemplate, roots, functions) {
  const piece = fragment(text, caret, isTemplate);
  if (piece === null || IN_TEXT.test(piece)) return null;
  const path = piece.match(PATH)[0];
  const parts = path.split(".");
  const prefix = parts.pop().toLowerCase();
  if (!parts.length) {
    const rows = [...dataRows(roots, prefix), ...(prefix || isBlank(piece) ? functionRows(functions, prefix) : [])];
    return rows.length ? { rows, length: prefix.length } : null;
  }
  let node = { children: roots };
  for (const part of parts) {
    if (!node.children) return null;
    node = node.children[part.replace(/\??$/, "").replace(/\[.*$/, "")] ?? { children: null };
  }
  const rows = dataRows(node.children, prefix);
  return rows.length ? { rows, length: prefix.length } : null;
}

const isBlank = (piece) => /(^|[\s(,+\-*/!<>=&|?:[])$/.test(piece);
