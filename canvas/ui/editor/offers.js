/** What can be added: step types, registered actions, other workflows; and searching in them. */

import { TYPE_HINTS, TYPE_TITLES } from "./typewords.js";

/** The order of the groups; others follow by name, then people's own, tools of other servers, and workflows. */
const ORDER = ["Triggers", "Flow", "Messages", "Social", "AI", "Data", "Web", "Files and commands"];
const LAST = ["Yours", "MCP", "Workflows"];

/** What older systems call the step types. */
const ALIASES = { wait: "DELAY", condition: "CONDITIONAL_BRANCH if", loop: "LOOP for each", workflow_link: "sub-workflow" };

const FLOW = ["condition", "switch", "loop", "parallel", "wait", "set", "workflow_link", "task", "stop"];

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
  words: ALIASES[type],
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
  words: [...(action.aliases ?? []), ...(action.tags ?? [])].join(" "),
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
  const names = `${offer.key} ${offer.words ?? ""}`.toLowerCase();
  const all = `${title} ${names} ${offer.hint ?? ""} ${offer.group}`.toLowerCase();
  if (!words.every((word) => all.includes(word))) return 0;
  if (title.startsWith(words[0])) return 5;
  if (names.split(/[ /]/).some((name) => name.startsWith(words[0]))) return 4;
  if (title.includes(words[0])) return 3;
  return names.includes(words[0]) ? 2 : 1;
}

export function found(list, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return list;
  const rated = list.map((offer) => [fit(offer, words), offer]).filter(([points]) => points > 0);
  return rated.sort((a, b) => b[0] - a[0]).map(([, offer]) => offer);
}

const rank = (group) => {
  const at = ORDER.indexOf(group);
  const late = LAST.findIndex((word) => group === word || group.startsWith(`${word}:`));
  return at !== -1 ? at : ORDER.length + (late + 1);
};

/** Offers by group: in the order of the palette, or in that of the finds. */
export function grouped(list, isSearch = false) {
  const groups = new Map();
  for (const offer of list) groups.set(offer.group, [...(groups.get(offer.group) ?? []), offer]);
  if (isSearch) return [...groups.entries()];
  return [...groups.entries()].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
}
