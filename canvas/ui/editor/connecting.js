/** While a connection is being drawn: from where, and which steps may take it. */

import { create } from "zustand";

import { refusal } from "./rules.js";

export const useConnecting = create(() => ({ from: null, allowed: null }));

export function begin(model, source, key) {
  const siblings = model.scopes[model.entries[source].parent ?? ""];
  const allowed = new Set(siblings.filter((name) => !refusal(model, source, key, name)));
  allowed.add(source);
  useConnecting.setState({ from: { source, key }, allowed });
}

export function end() {
  useConnecting.setState({ from: null, allowed: null });
}
