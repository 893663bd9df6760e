/** What can be added: step types, registered actions, other workflows; and searching in them. */

import { TYPE_HINTS, TYPE_TITLES } from "./icons.js";

const FLOW = ["condition", "switch", "loop", "parallel", "wait", "set", "workflow_link", "stop"];

const TRIGGERS = ["schedule", "webhook", "event"];

const triggerOffer = (kind) => ({
  key: `trigger:${kind}`,
  what: { trigger: kind },
  title: TYPE_TITLES[kind],
  hint: TYPE_HINTS[kind],
  type: kind,
  group: "Triggers",
});

const typeOffer = (type) => ({
  key: type,
  what: { type },
  title: TYPE_TITLES[type],
  hint: TYPE_HINTS[type],
  type,
  group: "Flow",
});

const actionOffer = (action) => ({
  key: action.name,
  what: { type: "action", action: action.name },
  title: action.title,
  hint: action.description,
  type: "action",
  icon: action.icon,
  group: action.category || "Actions",
});

const workflowOffer = (workflow) => ({
  key: `workflow:${workflow.name}`,
  what: { type: "workflow_link", workflow: workflow.name },
  title: workflow.title || workflow.name,
  hint: workflow.name,
  type: "workflow_link",
  group: "Workflows",
});

/** Everything that can be added, triggers only where they can be. */
export function offers(catalog, ownName, hasTriggers = true) {
  const others = catalog.workflows.filter((w) => w.name !== ownName);
  const triggers = hasTriggers ? TRIGGERS.map(triggerOffer) : [];
  return [...triggers, ...FLOW.map(typeOffer), ...catalog.actions.map(actionOffer), ...others.map(workflowOffer)];
}

/** How well an offer fits what was typed; 0 for not at all. */
function fit(offer, words) {
  const title = offer.title.toLowerCase();
  const all = `${title} ${offer.key} ${offer.hint ?? ""} ${offer.group}`.toLowerCase();
  if (!words.every((word) => all.includes(word))) return 0;
  if (title.startsWith(words[0])) return 4;
  if (title.includes(words[0])) return 3;
  return offer.key.includes(words[0]) ? 2 : 1;
}

export function found(list, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return list;
  const rated = list.map((offer) => [fit(offer, words), offer]).filter(([points]) => points > 0);
  return rated.sort((a, b) => b[0] - a[0]).map(([, offer]) => offer);
}

export function grouped(list) {
  const groups = new Map();
  for (const offer of list) groups.set(offer.group, [...(groups.get(offer.group) ?? []), offer]);
  return [...groups.entries()];
}
