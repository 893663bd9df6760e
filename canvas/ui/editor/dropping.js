/** A step let go where it is to be: on the canvas, on a line, or on what lies over the canvas while it is empty. */

import { add } from "./edits.js";
import { DRAG_TYPE } from "./palette.jsx";
import { useGraph } from "./store.js";
import { reveal } from "./view.js";

const DEPENDENCY = ".react-flow__edge-dependency";

export const allowDrop = (event) => {
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
};

export function onDrop(event) {
  const text = event.dataTransfer.getData(DRAG_TYPE);
  if (!text || useGraph.getState().readOnly) return;
  event.preventDefault();
  const [x, y] = reveal.point(event.clientX, event.clientY);
  const under = document.elementsFromPoint(event.clientX, event.clientY).map((e) => e.closest?.(DEPENDENCY));
  const edge = under.find(Boolean);
  add(JSON.parse(text), edge ? { edge: edge.dataset.id } : { point: [x, y] });
  reveal.focus();
}
