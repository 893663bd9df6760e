/** Starting a run from the editor. */

import { useGraph, usePanels } from "./store.js";
import { call } from "./sync.js";

/** Starts a run: asks for the parameters first when there are any. */
export async function startRun() {
  const { meta } = useGraph.getState().model;
  if (Object.keys(meta.parameters ?? {}).length) return usePanels.setState({ dialog: { kind: "run" } });
  return call("start", { parameters: {}, dry_run: false });
}
