/** Short messages: shown for a moment above the canvas, and read out by screen readers. */

import { create } from "zustand";

const SHOWN_MS = 4000;

export const useNotice = create(() => ({ text: "", kind: "info", count: 0 }));

let timer = 0;

export function announce(text, kind = "info") {
  clearTimeout(timer);
  useNotice.setState((s) => ({ text, kind, count: s.count + 1 }));
  timer = setTimeout(() => useNotice.setState({ text: "" }), SHOWN_MS);
}
