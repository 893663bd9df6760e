/** Giving steps other names, wherever they are named. */

/** A value whose expressions speak of steps by their new names; `names` leads from old to new. */
export function renamedIn(value, names) {
  if (typeof value === "string")
    return value.replace(/\bsteps\.([a-z_][a-z0-9_]*)/g, (all, name) =>
      names.has(name) ? `steps.${names.get(name)}` : all,
    );
  if (Array.isArray(value)) return value.map((item) => renamedIn(item, names));
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, renamedIn(v, names)]));
  return value;
}

const renamedStep = (step, names) => ({
  ...renamedIn(step, names),
  name: names.get(step.name) ?? step.name,
  depends_on: step.depends_on.map((d) => (names.has(d.step) ? { ...d, step: names.get(d.step) } : d)),
});

/**
 * What a person changed while the server renamed a step, on top of what the server made of it.
 *
 * `sent` is what the server started from, `now` is that with the changes, `answered` is `sent` under the new name.
 */
export function carriedOver(sent, now, answered, from, to) {
  const names = new Map([[from, to]]);
  const name = (n) => names.get(n) ?? n;
  const entry = (n, own) => {
    const isKept = own === sent.entries[n] && answered.entries[name(n)];
    return isKept || { step: renamedStep(own.step, names), parent: own.parent && name(own.parent) };
  };
  const keyed = (object, value) => Object.fromEntries(Object.entries(object).map(([n, v]) => [name(n), value(n, v)]));
  return {
    meta: keyedMeta(sent.meta, now.meta, answered.meta),
    entries: keyed(now.entries, entry),
    scopes: keyed(now.scopes, (_, list) => list.map(name)),
    positions: keyed(now.positions, (_, at) => at),
  };
}

const keyedMeta = (sent, now, answered) =>
  Object.fromEntries(Object.entries(now).map(([key, v]) => [key, v === sent[key] && key in answered ? answered[key] : v]));
