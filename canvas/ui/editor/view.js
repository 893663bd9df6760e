/** What other parts may ask of the view on the canvas, once it is there. */

import { absolute, sizes } from "./geometry.js";
import { useGraph } from "./store.js";
import { isEntry } from "./triggers.js";

const MARGIN = 48;
const READABLE = 0.35;
const START_ZOOM = 0.7;
const SMALLEST = 0.15;
const FEW = 12;

let flow = null;
let box = null;

export function attach(instance, element) {
  flow = instance;
  box = element;
}

/** Where a node is and how large; null for one that is not there. */
function placeOf(id) {
  const { model, nodes } = useGraph.getState();
  if (model.entries[id]) return [...absolute(model, id), ...sizes(model)[id]];
  const node = isEntry(id) && nodes.find((n) => n.id === id);
  return node ? [node.position.x, node.position.y, node.width, node.height] : null;
}

export const reveal = {
  /** The canvas point under a point of the window. */
  point: (x, y) => {
    const p = flow.screenToFlowPosition({ x, y });
    return [p.x, p.y];
  },

  /** The canvas point in the middle of what is seen. */
  middle: () => {
    const r = box.getBoundingClientRect();
    return reveal.point(r.left + r.width / 2, r.top + r.height / 2);
  },

  /** Moves the view, if need be, so that a step is seen. */
  step: (name) => {
    const place = flow && placeOf(name);
    if (!place) return;
    const [x, y, width, height] = place;
    const { x: vx, y: vy, zoom } = flow.getViewport();
    const r = box.getBoundingClientRect();
    const [left, top] = [x * zoom + vx, y * zoom + vy];
    const isSeen =
      left >= 8 && top >= 8 && left + width * zoom <= r.width - 8 && top + Math.min(height, 64) * zoom <= r.height - 8;
    if (!isSeen)
      flow.setCenter(x + width / 2, y + Math.min(height, 200) / 2, { zoom: Math.max(zoom, 0.6), duration: 200 });
  },

  /** Shows all of a workflow that is readable as a whole, else its beginning. */
  begin: (instance) => {
    const nodes = instance.getNodes().filter((node) => !node.parentId);
    if (!nodes.length) return;
    const bounds = instance.getNodesBounds(nodes);
    const { width, height } = box.getBoundingClientRect();
    const zoom = Math.min(1, (width - 2 * MARGIN) / bounds.width, (height - 2 * MARGIN) / bounds.height);
    const isReadable = zoom >= READABLE || nodes.length < FEW;
    const used = isReadable ? Math.max(zoom, SMALLEST) : START_ZOOM;
    const x = isReadable ? (width - bounds.width * used) / 2 : MARGIN;
    instance.setViewport({
      x: x - bounds.x * used,
      y: (height - bounds.height * used) / 2 - bounds.y * used,
      zoom: used,
    });
  },

  fit: (duration = 200) => flow?.fitView({ padding: 0.15, maxZoom: 1, duration }),
  zoomIn: () => flow?.zoomIn({ duration: 120 }),
  zoomOut: () => flow?.zoomOut({ duration: 120 }),
  zoomTo: (zoom) => flow?.zoomTo(zoom, { duration: 120 }),
  focus: () => box?.focus({ preventScroll: true }),
  rect: () => box?.getBoundingClientRect(),
  screen: (name) => {
    const [x, y] = placeOf(name);
    return flow.flowToScreenPosition({ x, y });
  },
};
