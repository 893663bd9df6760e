/** Sizes of nodes and places of handles, in canvas pixels. `domain/layout.py` counts with the same numbers. */

import { mainBranches, sideBranches } from "./rules.js";

export const STEP_WIDTH = 220;
export const STEP_HEIGHT = 64;
export const TOP = 50; // of the first step inside a frame
export const PADDING = 20;
export const GRID = 20;
const CASE_HEIGHT = 22;

/** How high a step's box is: a switch grows with its cases. */
export const stepHeight = (step) => Math.max(STEP_HEIGHT, 20 + CASE_HEIGHT * mainBranches(step).length);

/** Sizes of all frames and steps: {name: [width, height]}. A frame just holds what is in it. */
export function sizes(model, positions = model.positions) {
  const found = {};
  const measure = (name) => {
    const { step } = model.entries[name];
    const inner = model.scopes[name];
    if (!inner) return (found[name] = [STEP_WIDTH, stepHeight(step)]);
    let [width, height] = [STEP_WIDTH + 2 * PADDING, TOP + PADDING + STEP_HEIGHT];
    for (const child of inner) {
      const [w, h] = measure(child);
      const [x, y] = positions[child];
      width = Math.max(width, x + w + PADDING);
      height = Math.max(height, y + h + PADDING);
    }
    return (found[name] = [width, height]);
  };
  for (const name of model.scopes[""]) measure(name);
  return found;
}

/**
 * Positions in which nothing stands on a frame's header or outside its left edge: the frame grows to that side instead,
 * while everything keeps its place on the screen.
 */
export function contained(model, positions) {
  const next = { ...positions };
  const settle = (name) => {
    const inner = model.scopes[name] ?? [];
    for (const child of inner) if (model.scopes[child]) settle(child);
    if (!inner.length) return;
    const left = Math.min(...inner.map((n) => next[n][0])) - PADDING;
    const top = Math.min(...inner.map((n) => next[n][1])) - TOP;
    const [dx, dy] = [Math.min(left, 0), Math.min(top, 0)];
    if (!dx && !dy) return;
    for (const child of inner) next[child] = [next[child][0] - dx, next[child][1] - dy];
    next[name] = [next[name][0] + dx, next[name][1] + dy];
  };
  for (const name of model.scopes[""]) if (model.scopes[name]) settle(name);
  return next;
}

/** Where a step stands on the whole canvas. */
export function absolute(model, name, positions = model.positions) {
  let [x, y] = positions[name] ?? [0, 0];
  for (let at = model.entries[name]?.parent; at; at = model.entries[at]?.parent) {
    x += positions[at][0];
    y += positions[at][1];
  }
  return [x, y];
}

/** The innermost frame around a point of the canvas, leaving out the given steps and what they hold; null for none. */
export function frameAt(model, point, boxes, leaveOut = new Set()) {
  const search = (scope) => {
    for (const name of [...(model.scopes[scope] ?? [])].reverse()) {
      if (!model.scopes[name] || leaveOut.has(name)) continue;
      const [x, y] = absolute(model, name);
      const [width, height] = boxes[name];
      if (point[0] >= x && point[0] <= x + width && point[1] >= y && point[1] <= y + height)
        return search(name) ?? name;
    }
    return null;
  };
  return search("");
}

/** A place near the wanted one where a step covers no other step of the scope. */
export function freePlace(model, parent, [x, y]) {
  const boxes = sizes(model);
  const others = (model.scopes[parent ?? ""] ?? []).map((n) => [...model.positions[n], ...boxes[n]]);
  const covers = ([ox, oy, w, h]) =>
    x < ox + w + GRID && x + STEP_WIDTH + GRID > ox && y < oy + h + GRID && y + STEP_HEIGHT + GRID > oy;
  for (let turn = 0; turn < 500 && others.some(covers); turn += 1) y += GRID;
  return [x, y];
}

/** Middles of a step's handles: {key: [x, y]}; `in` is where dependencies arrive. */
export function handlePlaces(step, width, height) {
  const main = mainBranches(step);
  const middle = height / 2;
  const spacing = main.length > 2 ? CASE_HEIGHT : 26;
  const places = { in: [0, middle] };
  main.forEach((branch, i) => {
    places[branch.key] = [width, middle + (i - (main.length - 1) / 2) * spacing];
  });
  sideBranches(step).forEach((branch, i) => {
    places[branch.key] = [width - 36 - i * 56, height];
  });
  return places;
}

export const snap = (value) => Math.round(value / GRID) * GRID;
