/** Reading JSON Schema for forms. */

/** The schema with references and "or null" resolved; annotations beside a reference win. */
export function resolve(schema, root, depth = 0) {
  if (!schema || schema === true || depth > 20) return {};
  const { $ref, anyOf, oneOf, allOf, ...own } = schema;
  if ($ref) return { ...resolve(root?.$defs?.[$ref.split("/").at(-1)], root, depth + 1), ...own };
  if (allOf?.length === 1) return { ...resolve(allOf[0], root, depth + 1), ...own };
  const options = (anyOf ?? oneOf)?.filter((option) => option.type !== "null");
  if (!options) return schema;
  if (options.length === 1) return { ...resolve(options[0], root, depth + 1), ...own };
  return { ...own, options: options.map((option) => resolve(option, root, depth + 1)) };
}

/** Hints of the definition's own schema that go by another name here. */
const HINTS = { long_text: "text", value: "any", values: "map", arguments: "map", json: "any", sql: "code" };

/** Which control shows a value of this schema. */
export function widgetOf(schema) {
  const hint = schema["x-widget"];
  if (hint === "template" && !schema.type) return "any";
  if (hint) return HINTS[hint] ?? hint;
  if (schema.enum) return "enum";
  if (schema.options?.every((o) => o.enum || o.const !== undefined)) return "enum";
  if (schema.options) return widgetOfOptions(schema.options);
  const type = Array.isArray(schema.type) ? schema.type.find((t) => t !== "null") : schema.type;
  if (type === "integer" || type === "number") return "number";
  if (type === "boolean") return "boolean";
  if (type === "string") return schema.pattern ? "line" : "template";
  if (type === "array") return "list";
  if (type === "object") return schema.properties && Object.keys(schema.properties).length ? "group" : "map";
  return "any";
}

function widgetOfOptions(options) {
  const found = new Set(options.map(widgetOf));
  found.delete("template");
  if (found.size === 0) return "template";
  return found.size === 1 && !found.has("group") ? [...found][0] : "any";
}

export const choices = (schema) => schema.enum ?? (schema.options ?? []).flatMap((o) => o.enum ?? [o.const]);

/** The schema of a list's items or a map's values. */
export function innerOf(schema) {
  const own = schema.items ?? schema.additionalProperties;
  if (own && own !== true) return own;
  return schema.options?.map(innerOf).find(Boolean);
}

/** A first value for a new item. */
export function blank(schema) {
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  const type = widgetOf(schema);
  if (type === "boolean") return false;
  if (type === "number") return schema.minimum ?? 0;
  if (type === "list") return [];
  if (type === "group" || type === "map") return {};
  if (type === "enum") return choices(schema)[0];
  return "";
}

const FEW = 2; // folding so few away saves no room
const FIRST = 4;

/**
 * The keys of a form that are shown at once: what is required, set, a connection, or part of the example that teaches
 * the action. All, when little would be left.
 */
export function firstFields(schema, all, value, example) {
  const required = new Set(schema.required ?? []);
  const matters = ([key, inner]) =>
    required.has(key) || value?.[key] !== undefined || example?.[key] !== undefined || "x-connection" in inner;
  const first = all.filter(matters);
  if (all.length - first.length <= FEW) return new Set(all.map(([key]) => key));
  return new Set((first.length ? first : all.slice(0, FIRST)).map(([key]) => key));
}

/** Which numbers, or how many items, are allowed, as a few words. */
export function bounds(schema) {
  const isList = widgetOf(schema) === "list";
  if (!isList && widgetOf(schema) !== "number") return "";
  const { minimum, exclusiveMinimum, maximum, minItems, maxItems } = { ...schema.options?.[0], ...schema };
  const [low, high, unit] = isList ? [minItems, maxItems, " items"] : [minimum, maximum, ""];
  if (low !== undefined && high !== undefined) return `(${shortly(low)} to ${shortly(high)}${unit})`;
  if (high !== undefined) return `(at most ${shortly(high)}${unit})`;
  if (low !== undefined && low > 0) return `(at least ${shortly(low)}${unit})`;
  return exclusiveMinimum !== undefined ? `(more than ${shortly(exclusiveMinimum)})` : "";
}

const shortly = (number) => number.toLocaleString("en");

export const titleOf = (key, schema) => schema.title || key.replaceAll("_", " ").replace(/^./, (c) => c.toUpperCase());

export const isTemplateText = (value) => typeof value === "string" && value.includes("{{");

/** What stands for text that is no JSON. */
export const BROKEN = Symbol("broken");

const WORDS = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|"(?:[^"\\]|\\.)*")$/;

/** A string, number or word as one line of text; a string that would read as something else stands in quotes. */
export function toLine(value) {
  if (value === undefined) return "";
  if (typeof value !== "string") return JSON.stringify(value);
  return WORDS.test(value) ? JSON.stringify(value) : value;
}

/** What a line of text says: a number, true, false, null, a quoted string, or the text itself; nothing for no text. */
export function fromLine(text) {
  if (text === "") return undefined;
  if (!WORDS.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The list or object that JSON text says. */
export function parsedTree(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : BROKEN;
  } catch {
    return BROKEN;
  }
}

export const sameValue = (a, b) => a !== BROKEN && JSON.stringify(a) === JSON.stringify(b);
