/** A document from outside takes the place of what is drawn, as one step back in the history. */

import { fromDocument } from "./model.js";
import { sameWhereEqual } from "./operations.js";
import { commit, useGraph } from "./store.js";
import { reveal } from "./view.js";

/** `name` and `status` stay the workflow's own. */
export function commitImport({ document, layout }) {
  const before = useGraph.getState().model;
  const model = fromDocument(document, layout);
  const own = Object.fromEntries(
    ["name", "status"].map((key) => [key, before.meta[key]]).filter(([, value]) => value !== undefined),
  );
  commit(sameWhereEqual(before, { ...model, meta: { ...model.meta, ...own } }), { select: [] });
  requestAnimationFrame(() => reveal.fit());
}
