/** Lets tests call the pure modules of the editor: one JSON question per line in, one JSON answer per line out. */

import { createInterface } from "node:readline";

import { complete, namesAt } from "../../canvas/ui/editor/completion.js";
import { absolute, contained, sizes } from "../../canvas/ui/editor/geometry.js";
import { fromDocument, pointerOf, upstream, walk } from "../../canvas/ui/editor/model.js";
import { difference, inParts, sameWhereEqual } from "../../canvas/ui/editor/operations.js";
import { found, grouped, offers } from "../../canvas/ui/editor/offers.js";
import { readAs, renamed, tidy } from "../../canvas/ui/editor/own.js";
import { carriedOver } from "../../canvas/ui/editor/renaming.js";
import { branchKey, mainBranches, refusal, sideBranches } from "../../canvas/ui/editor/rules.js";
import { bounds, firstFields, fromLine, toLine, widgetOf } from "../../canvas/ui/editor/schema.js";
import { entryPlaces, START_SIZE, TRIGGER_SIZE, triggersOf } from "../../canvas/ui/editor/triggers.js";

const read = ({ document, layout }) => fromDocument(document, layout ?? {});

const ANSWERS = {
  difference: ({ before, after }) => {
    const old = read(before);
    return difference(old, sameWhereEqual(old, read(after)));
  },
  carried: ({ before, after, answered, from, to }) => {
    const sent = read(before);
    const done = carriedOver(sent, sameWhereEqual(sent, read(after)), sameWhereEqual(sent, read(answered)), from, to);
    const steps = (scope) =>
      done.scopes[scope].map((name) => {
        const { step } = done.entries[name];
        return done.scopes[name] ? { ...step, steps: steps(name) } : step;
      });
    return { document: { dsl: "canvas/v1", ...done.meta, steps: steps("") }, layout: done.positions };
  },
  parts: ({ operations, limit }) => inParts(operations, limit),
  pointers: ({ document }) =>
    Object.fromEntries(walk(read({ document })).map((n) => [n, pointerOf(read({ document }), n)])),
  upstream: ({ document, name }) => [...upstream(read({ document }), name)].sort(),
  allowed: ({ document }) => {
    const model = read({ document });
    const names = walk(model);
    return names.flatMap((source) =>
      names.filter((target) => refusal(model, source, "SUCCESS", target) === null).map((target) => [source, target]),
    );
  },
  branches: ({ step }) => [...mainBranches(step), ...sideBranches(step)].map(branchKey),
  settle: ({ document, layout }) => {
    const model = read({ document, layout });
    const positions = contained(model, model.positions);
    const places = (at) => Object.fromEntries(walk(model).map((n) => [n, absolute(model, n, at)]));
    return { positions, sizes: sizes(model, positions), before: places(model.positions), after: places(positions) };
  },
  entries: ({ document, layout }) => {
    const model = read({ document, layout });
    const sizeOf = (id) => (id === "trigger:start" ? START_SIZE : TRIGGER_SIZE);
    const places = Object.entries(entryPlaces(model)).map(([id, at]) => [id, [...at, ...sizeOf(id)]]);
    return { count: triggersOf(model).length, places: Object.fromEntries(places), steps: model.positions };
  },
  fields: ({ schema, value, example }) => [
    ...firstFields(schema, Object.entries(schema.properties), value ?? {}, example ?? {}),
  ],
  bounds: ({ schema }) => bounds(schema),
  find: ({ actions, query }) => found(offers({ actions, workflows: [] }, "own"), query).map((offer) => offer.key),
  groups: ({ actions }) => grouped(offers({ actions, workflows: [{ name: "other" }] }, "own")).map(([name]) => name),
  complete: ({ document, name, text, isTemplate, catalog, functions }) => {
    const roots = namesAt(read({ document }), name, catalog ?? {});
    return complete(text, text.length, isTemplate, roots, functions ?? [])?.rows.map((row) => row.label) ?? null;
  },
  tidy: ({ document }) => tidy(document),
  renamed: ({ document, from, to }) => renamed(document, from, to),
  readAs: ({ invariant, isChecked }) => readAs(invariant, isChecked),
  line: ({ value }) => fromLine(toLine(value)) ?? null,
  widget: ({ schema }) => widgetOf(schema),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { question, ...given } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(ANSWERS[question](given))}\n`);
}
