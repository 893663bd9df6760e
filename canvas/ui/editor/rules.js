/** Which ways lead out of a step, and which connections are allowed. Python checks the same again. */

import { ancestors } from "./model.js";

export const branchKey = ({ branch, value }) => (branch === "SWITCH_CASE" ? `SWITCH_CASE:${plain(value)}` : branch);

const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));

const out = (branch, label, value) => ({ key: branchKey({ branch, value }), branch, value, label });
const SUCCESS = out("SUCCESS", "success");
const ASIDE = [out("FAILURE", "failure"), out("ALWAYS", "always")];
const DECISION = [out("IF_TRUE", "true"), out("IF_FALSE", "false")];

const caseValue = (given) => (given !== null && typeof given === "object" && "value" in given ? given.value : given);

/** The ways that always show, at the right: what the step is for. */
export function mainBranches(step) {
  if (step.type === "stop") return [];
  if (step.type === "condition") return DECISION;
  if (step.type === "task" && step.outcomes?.length)
    return [...new Set([...step.outcomes, "SKIPPED"])].map((outcome) => out(outcome, outcome.toLowerCase()));
  if (step.type !== "switch") return [SUCCESS];
  const cases = (Array.isArray(step.cases) ? step.cases : [])
    .map(caseValue)
    .map((value) => out("SWITCH_CASE", plain(value), value));
  return [...new Map(cases.map((c) => [c.key, c])).values(), out("DEFAULT", "default")];
}

/** The ways at the bottom, shown when used or wanted. */
export function sideBranches(step) {
  if (step.type === "stop") return [];
  return step.type === "condition" || step.type === "switch" ? [...ASIDE, SUCCESS] : ASIDE;
}

/** The branch that a key names, even one that the step does not offer any more. */
export function branchOf(step, key) {
  const known = [...mainBranches(step), ...sideBranches(step)].find((b) => b.key === key);
  if (known) return known;
  const [branch, ...rest] = key.split(":");
  return out(branch, branch === "SWITCH_CASE" ? rest.join(":") : branch.toLowerCase(), rest.join(":") || undefined);
}

/** The first way out that nothing waits for yet, else the first. */
export function freeBranch(model, name) {
  const used = new Set();
  const { step, parent } = model.entries[name];
  for (const sibling of model.scopes[parent ?? ""]) {
    for (const d of model.entries[sibling].step.depends_on) if (d.step === name) used.add(branchKey(d));
  }
  const main = mainBranches(step);
  return main.find((b) => !used.has(b.key)) ?? main[0];
}

/** Why these two must not be connected, as a sentence; null when they may. */
export function refusal(model, source, key, target) {
  const from = model.entries[source];
  const to = model.entries[target];
  if (!from || !to) return "There is no such step.";
  if (source === target) return "A step cannot wait for itself.";
  if (ancestors(model, source).includes(target) || ancestors(model, target).includes(source))
    return "A step cannot wait for the frame it stands in.";
  if (from.parent !== to.parent) return "Both steps must stand in the same frame.";
  if (to.step.depends_on.some((d) => d.step === source && branchKey(d) === key)) return "These are connected already.";
  if (reaches(model, source, target)) return "This would close a circle.";
  return null;
}

/** Whether `name` waits, directly or not, for `other`. */
function reaches(model, name, other) {
  const seen = new Set();
  const open = [name];
  while (open.length) {
    for (const { step } of model.entries[open.pop()]?.step.depends_on ?? []) {
      if (step === other) return true;
      if (!seen.has(step)) {
        seen.add(step);
        open.push(step);
      }
    }
  }
  return false;
}
