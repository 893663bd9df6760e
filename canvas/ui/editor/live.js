/** What a run is doing at this moment, as `feed.js` hears it; nodes and edges subscribe to their own part. */

import { create } from "zustand";

const MAX_LINES = 2000;

export const useLive = create(() => ({ runId: null, run: null, nodes: {}, lines: [], isConnected: false }));

export function clear(runId = null) {
  useLive.setState({ runId, run: null, nodes: {}, lines: [], isConnected: false });
}

/** Applies frames in their order: a snapshot replaces, a delta adds. One render for all of them. */
export function apply(frames) {
  useLive.setState((s) => frames.reduce(folded, s));
}

function folded(state, frame) {
  const isWhole = frame.type === "snapshot";
  const nodes = isWhole ? (frame.nodes ?? {}) : frame.nodes ? { ...state.nodes, ...frame.nodes } : state.nodes;
  const run = isWhole ? frame.run : frame.run ? { ...state.run, ...frame.run } : state.run;
  return { ...state, run, nodes, lines: joined(state.lines, frame.lines) };
}

function joined(lines, added) {
  if (!added?.length) return lines;
  const last = lines.at(-1)?.seq ?? -1;
  const fresh = added.filter((line) => line.seq > last);
  return fresh.length ? [...lines, ...fresh].slice(-MAX_LINES) : lines;
}

const ENDED = new Set(["completed", "failed", "cancelled"]);

export const hasEnded = (run) => Boolean(run && ENDED.has(run.status));
