/** What the editor of user-defined actions works on: the document of one action, and the way to Python. */

const PATIENCE_MS = 20_000;

let last = 0;
const waiting = new Map();

/** Calls a handler of the page with a number of its own; gives its answer, or `{error}` after a while. */
export function ask(handler, ...given) {
  last += 1;
  const seq = last;
  return new Promise((resolve) => {
    const giveUp = () => answer({ seq, error: { code: "no_answer", message: "The server does not answer." } });
    waiting.set(seq, { resolve, timer: setTimeout(giveUp, PATIENCE_MS) });
    handler(seq, ...given);
  });
}

/** Takes an answer in; one that nobody waits for is left alone. */
export function answer(reply) {
  const asked = waiting.get(reply?.seq);
  if (!asked) return;
  clearTimeout(asked.timer);
  waiting.delete(reply.seq);
  asked.resolve(reply);
}

const isNothing = (value) =>
  value === undefined || value === "" || value === null || (typeof value === "object" && !Object.keys(value).length);

/** The document as it is sent: without what says nothing; a mapping keeps what it holds, whatever that is. */
export function tidy(document) {
  const kept = Object.entries(document).filter(([key, value]) => key === "body" || !isNothing(value));
  const found = Object.fromEntries(kept);
  if (found.arguments) found.arguments = found.arguments.map(compact);
  if (found.actors) found.actors = compact(found.actors);
  return found;
}

const MAY_BE_EMPTY = new Set(["name", "default"]);
const isUnset = (key, value) => value === undefined || value === null || (value === "" && !MAY_BE_EMPTY.has(key));
const compact = (item) => Object.fromEntries(Object.entries(item).filter(([key, value]) => !isUnset(key, value)));

/** A list with one item put elsewhere. */
export function moved(list, from, to) {
  const next = [...list];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

/** A name that no argument has. */
export function freeName(list, wish = "argument") {
  const taken = new Set(list.map((one) => one.name));
  let name = wish;
  for (let n = 2; taken.has(name); n += 1) name = `${wish}_${n}`;
  return name;
}

/** Gives an argument another name, in everything that names it. */
export function renamed(document, from, to) {
  const pattern = new RegExp(`\\bargs\\.${from}\\b`, "g");
  const inside = (value) => {
    if (typeof value === "string") return value.replace(pattern, `args.${to}`);
    if (Array.isArray(value)) return value.map(inside);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inside(one)]));
  };
  return {
    ...document,
    arguments: document.arguments.map((one) => (one.name === from ? { ...one, name: to } : one)),
    invariants: (document.invariants ?? []).map(inside),
    body: { ...document.body, parameters: inside(document.body?.parameters ?? {}) },
  };
}

export const textOf = (invariant) => (typeof invariant === "string" ? invariant : invariant.text);

/** When an invariant is looked at: `before` a call, `after` it, or by `people`. */
export function readAs(invariant, isChecked) {
  const said = typeof invariant === "string" ? undefined : invariant.is_expression;
  if (!(said ?? isChecked)) return "people";
  return /\boutput\b/.test(textOf(invariant)) ? "after" : "before";
}

/** The schema of the control for a value of an argument. */
export const SCHEMA_OF = {
  string: { type: "string", "x-widget": "line" },
  integer: { type: "integer" },
  float: { type: "number" },
  boolean: { type: "boolean" },
  list: { type: "array", items: {} },
};

/** What the bounds of a type are called; a boolean has none. */
export const BOUNDS = {
  string: ["Shortest", "Longest"],
  integer: ["At least", "At most"],
  float: ["At least", "At most"],
  list: ["Fewest items", "Most items"],
};
