/** The second line of a node: what it does, in as few words as possible. */

const text = (value) => {
  if (value === undefined || value === null || value === "") return "…";
  if (typeof value === "string") return value.replace(/^\{\{\s*|\s*\}\}$/g, "").replace(/workflow\.parameters\./g, "");
  return Array.isArray(value) ? `${value.length} items` : JSON.stringify(value);
};

const UNITS = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
];

function span(seconds) {
  if (typeof seconds !== "number") return text(seconds);
  const [size, unit] = UNITS.find(([n]) => seconds >= n && seconds % n === 0) ?? [1, "s"];
  return `${seconds / size} ${unit}`;
}

const loop = (step) => {
  if (step.while !== undefined) return `while ${text(step.while)}`;
  if (step.times !== undefined) return `${text(step.times)} times`;
  return `${step.item_variable ?? "item"} in ${text(step.collection)}`;
};

const alternative = (item) => ("until" in item ? `until ${text(item.until)}` : span(item.seconds));

const BY_TYPE = {
  action: (step, action) => action?.title ?? step.action,
  condition: (step) => text(step.condition),
  switch: (step) => text(step.on),
  parallel: () => "all at once",
  loop,
  workflow_link: (step) => step.workflow || "…",
  wait: (step) => (step.for ?? []).map(alternative).join(" or ") || "…",
  set: (step) => Object.keys(step.values ?? {}).join(", ") || "…",
  stop: (step) => `as ${step.status ?? "completed"}`,
};

export const summary = (step, action) => BY_TYPE[step.type]?.(step, action) ?? step.type;
