/** The keyboard. `KEYS` is what the help shows; `onCanvasKey` does it while the canvas has the focus. */

import { announce } from "./announce.js";
import { copied, duplicate, paste, read } from "./clipboard.js";
import { nudge, removeAndReconnect, removeSelected, selectAll, toggleEnabled } from "./edits.js";
import { absolute } from "./geometry.js";
import { walk } from "./model.js";
import { openQuickAdd } from "./quickadd.jsx";
import { goTo, redo, select, undo, useGraph, usePanels } from "./store.js";
import { call } from "./sync.js";
import { entryIds, entryNeighbour, isEntry, START } from "./triggers.js";
import { reveal } from "./view.js";

export const KEYS = [
  [
    "Adding",
    [
      ["A", "Add a step after the selection, or where the pointer is"],
      ["/", "Search the steps at the left"],
      ["Ctrl C X V", "Copy, cut, paste, also into another workflow"],
      ["Ctrl D", "Duplicate"],
    ],
  ],
  [
    "Moving around",
    [
      ["← →", "Select the step before, after"],
      ["↑ ↓", "Select the step above, below"],
      ["Tab", "Select the next step in the order of the text"],
      ["Enter", "Edit the selected step"],
      ["Escape", "Select nothing"],
      ["Ctrl A", "Select everything"],
    ],
  ],
  [
    "Changing",
    [
      ["Shift ↑ ↓ ← →", "Move the selection"],
      ["Delete", "Delete the selection"],
      ["Shift Delete", "Delete a step and connect what it stood between"],
      ["E", "Switch the selection on or off"],
      ["Ctrl Z Y", "Undo, redo"],
    ],
  ],
  [
    "View",
    [
      ["Shift L", "Tidy up"],
      ["F", "Fit everything"],
      ["+ − 0", "Zoom in, out, to 100 %"],
      ["P", "Show or hide the steps at the left"],
      ["I", "Show or hide the form at the right"],
      ["M", "Show or hide the overview"],
    ],
  ],
  [
    "Workflow",
    [
      ["Ctrl S", "Save a version"],
      ["Ctrl Enter", "Run"],
      ["?", "This list"],
    ],
  ],
];

const isTyping = (element) =>
  element?.closest?.("input, textarea, select, [contenteditable=true]") !== null && element?.closest !== undefined;

const pointer = { x: 0, y: 0, isInside: false };

export function watchPointer(element) {
  const move = (event) =>
    Object.assign(pointer, {
      x: event.clientX,
      y: event.clientY,
      isInside: Boolean(event.target.closest?.(".canvas")),
    });
  element.addEventListener("pointermove", move, { passive: true });
  return () => element.removeEventListener("pointermove", move);
}

const selected = () => useGraph.getState().selected;
const entries = () => useGraph.getState().entries;
const current = () => selected().at(-1) ?? entries().at(-1);
const toggle = (key) => () => usePanels.setState((s) => ({ [key]: !(s[key] ?? true) }));

/** The nearest step in a direction: along the connections sideways, by place up and down. */
function neighbour(name, key) {
  const { model } = useGraph.getState();
  if (isEntry(name)) return entryNeighbour(model, name, key);
  const { step, parent } = model.entries[name];
  if (key === "ArrowLeft" && step.depends_on.length) return step.depends_on[0].step;
  if (key === "ArrowLeft" && parent === null) return START;
  const scope = model.scopes[parent ?? ""];
  if (key === "ArrowRight") {
    const next = scope.find((n) => model.entries[n].step.depends_on.some((d) => d.step === name));
    if (next) return next;
  }
  const [x, y] = absolute(model, name);
  const horizontal = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  const rated = walk(model)
    .filter((n) => n !== name)
    .map((n) => {
      const [ox, oy] = absolute(model, n);
      const along = (horizontal ? ox - x : oy - y) * sign;
      const across = Math.abs(horizontal ? oy - y : ox - x);
      return [along > 0 ? along + 2 * across : Infinity, n];
    });
  const [best] = rated.sort((a, b) => a[0] - b[0]);
  return best && best[0] < Infinity ? best[1] : null;
}

function go(key) {
  const { model } = useGraph.getState();
  const from = current();
  const to = from ? neighbour(from, key) : (walk(model)[0] ?? entryIds(model)[0]);
  if (!to) return;
  select([to]);
  reveal.step(to);
}

function cycle(isBack) {
  const { model } = useGraph.getState();
  const names = [...entryIds(model), ...walk(model)];
  if (!names.length) return;
  const at = names.indexOf(current());
  const to = names[(at + (isBack ? -1 : 1) + names.length) % names.length];
  select([to]);
  reveal.step(to);
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function arrow(event) {
  if (event.shiftKey && selected().length) nudge(selected(), ...ARROWS[event.key]);
  else go(event.key);
}

function del(event) {
  const [only, ...others] = selected();
  if (event.shiftKey && only && !others.length) removeAndReconnect(only);
  else removeSelected();
}

export async function tidy() {
  if (useGraph.getState().readOnly) return;
  await call("arrange", {});
  reveal.fit();
}

const PLAIN = {
  a: () => openQuickAdd(pointer.isInside ? pointer : null),
  "/": () => {
    usePanels.setState({ palette: true });
    requestAnimationFrame(() => document.querySelector("[data-testid=palette-search]")?.focus());
  },
  e: () => current() && toggleEnabled(selected(), entries()),
  f: () => reveal.fit(),
  p: toggle("palette"),
  i: toggle("inspector"),
  m: toggle("minimap"),
  "+": () => reveal.zoomIn(),
  "=": () => reveal.zoomIn(),
  "-": () => reveal.zoomOut(),
  0: () => reveal.zoomTo(1),
  L: tidy,
  "?": () => usePanels.setState({ dialog: { kind: "keys" } }),
  Enter: () => selected().length + entries().length === 1 && goTo(current(), "*"),
  Escape: () => select([]),
  Delete: del,
  Backspace: del,
  Tab: (event) => cycle(event.shiftKey),
  ...Object.fromEntries(Object.keys(ARROWS).map((key) => [key, arrow])),
};

const WITH_CONTROL = {
  z: (event) => (event.shiftKey ? redo() : undo()),
  y: () => redo(),
  a: () => selectAll(),
  d: () => current() && duplicate(selected(), entries()),
};

export function onCanvasKey(event) {
  if (isTyping(event.target) || event.altKey) return;
  const isControl = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 && isControl ? event.key.toLowerCase() : event.key;
  const action = isControl ? WITH_CONTROL[key] : PLAIN[key];
  if (!action) return;
  event.preventDefault();
  action(event);
}

/** Keys that work everywhere on the page. */
export function onPageKey(event) {
  if (!(event.ctrlKey || event.metaKey)) {
    if (event.key === "?" && !isTyping(event.target)) usePanels.setState({ dialog: { kind: "keys" } });
    return;
  }
  const dialog = { s: "save", Enter: "run" }[event.key];
  if (!dialog) return;
  event.preventDefault();
  if (!useGraph.getState().readOnly || dialog === "run") usePanels.setState({ dialog: { kind: dialog } });
}

const isOurs = () =>
  !isTyping(document.activeElement) && !window.getSelection()?.toString() && !usePanels.getState().dialog;

const some = (count, word) => count && `${count} ${word}${count === 1 ? "" : "s"}`;
const counted = (steps, triggers) => [some(steps, "step"), some(triggers, "trigger")].filter(Boolean).join(", ");

function onCopy(event) {
  if (!isOurs()) return;
  const text = copied(selected(), entries());
  if (!text) return;
  event.clipboardData.setData("text/plain", text);
  event.preventDefault();
  const what = counted(selected().length, entries().filter((id) => id !== START).length);
  if (event.type === "cut") removeSelected();
  announce(`${what} ${event.type === "cut" ? "cut" : "copied"}`);
}

function onPaste(event) {
  if (!isOurs() || useGraph.getState().readOnly) return;
  const found = read(event.clipboardData.getData("text/plain"));
  if (!found) return;
  event.preventDefault();
  paste(found);
}

/** Listens on the page until the given function is called. */
export function listen() {
  const unwatch = watchPointer(document);
  const all = [
    ["keydown", onPageKey],
    ["copy", onCopy],
    ["cut", onCopy],
    ["paste", onPaste],
  ];
  for (const [name, on] of all) document.addEventListener(name, on);
  return () => {
    unwatch();
    for (const [name, on] of all) document.removeEventListener(name, on);
  };
}
