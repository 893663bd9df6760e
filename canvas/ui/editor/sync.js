/**
 * The way to Python: edits go as operations with the revision they start from, everything else as a named call.
 *
 * One call is on its way at a time, and edits go before it, so that what Python works on is what is on the screen.
 */

import { announce } from "./announce.js";
import { fromDocument } from "./model.js";
import { difference, inParts, sameWhereEqual } from "./operations.js";
import { carriedOver } from "./renaming.js";
import { open, replace, setProblems, useGraph, usePanels } from "./store.js";
import { place } from "./edits.js";

const DEBOUNCE_MS = 220;
const PATIENCE_MS = 30_000;
const RETRY_MS = 2_000;

/** What each handler gets after `seq`. */
const own = () => usePanels.getState().info.name;
const ARGUMENTS = {
  edit: (p) => [p.workflow, p.base_revision, p.operations],
  arrange: () => [own()],
  save: (p) => [own(), p.change_summary, p.publish],
  publish: (p) => [own(), p.number],
  versions: () => [own()],
  version: (p) => [own(), p.number],
  start: (p) => [own(), p.parameters, p.dry_run],
  read: (p) => [own(), p.text],
  export: (p) => [own(), p.format],
  reload: () => [own()],
  control: (p) => [p.run_id, p.verb],
  inspect: (p) => [p.run_id, p.name, p.path ?? ""],
};

let handlers = {};
let accepted = null; // the model that Python has
let sending = null; // the model that Python will have once the edit on its way has arrived
let wantsFresh = false; // what is on the screen may be thrown away
let revision = 0;
let timer = 0;
let seq = 0;
let waiting = null;
let chain = Promise.resolve();

/** Hands over the event handlers of this page. */
export function attachHandlers(given) {
  handlers = given;
}

/** Whether what Python sent is news: another workflow, or a draft that somebody else has changed. */
export function isNews(graph) {
  if (wantsFresh || usePanels.getState().info.name !== graph.name) return true;
  return graph.revision > revision && useGraph.getState().model === accepted;
}

/** Begins with what Python sent. */
export function begin({ document, layout, revision: at, read_only: readOnly, problems, ...info }) {
  sendLast();
  wantsFresh = false;
  const model = fromDocument(document, layout);
  open(model, { readOnly });
  accepted = model;
  revision = at;
  setProblems(problems ?? []);
  usePanels.setState({ info, saving: "saved", dialog: null, quickAdd: null, focus: null });
}

/** Takes Python's answer to the call that is on its way. */
export function onReply(reply) {
  if (!waiting || reply?.seq !== waiting.seq) return;
  const { resolve, timeout } = waiting;
  clearTimeout(timeout);
  waiting = null;
  resolve(reply);
}

function send(name, payload) {
  return new Promise((resolve) => {
    seq += 1;
    const lost = { seq, error: { code: "no_answer", message: "The server did not answer. Is it running?" } };
    waiting = { seq, resolve, timeout: setTimeout(() => onReply(lost), PATIENCE_MS) };
    handlers[name](seq, ...ARGUMENTS[name](payload));
  });
}

const inTurn = (work) => (chain = chain.then(work, work));

/** Waits for the end of all edits, then calls a handler; gives the answer, or null after showing the error. */
export function call(name, payload = {}) {
  clearTimeout(timer);
  return inTurn(async () => {
    if (!(await sendEdits())) return null;
    const reply = await send(name, payload);
    if (reply.error) {
      announce(reply.error.message, "error");
      return { error: reply.error };
    }
    if (reply.positions) place(reply.positions);
    if (reply.positions) await sendEdits();
    if (reply.revision && !reply.problems) revision = reply.revision;
    if (reply.info) usePanels.setState((s) => ({ info: { ...s.info, ...reply.info } }));
    return reply;
  });
}

/** Sends what changed since the last time; false when it could not be saved. */
async function sendEdits(extra = []) {
  const { model, readOnly } = useGraph.getState();
  if (readOnly || !accepted) return true;
  if (usePanels.getState().saving === "conflict") return false;
  const operations = [...difference(accepted, model), ...extra];
  if (!operations.length) {
    usePanels.setState({ saving: "saved" });
    return true;
  }
  usePanels.setState({ saving: "sending" });
  const parts = inParts(operations);
  sending = parts.length === 1 && !extra.length ? model : null;
  let reply;
  for (const part of parts) {
    reply = await send("edit", { workflow: own(), base_revision: revision, operations: part });
    if (reply.error) return refused(reply.error);
    revision = reply.revision;
  }
  sending = null;
  accepted = model;
  setProblems(reply.problems);
  usePanels.setState((s) => ({
    saving: useGraph.getState().model === model ? "saved" : "waiting",
    info: { ...s.info, ...reply.info },
  }));
  if (reply.document) adopt(reply, model, extra[0]);
  if (useGraph.getState().model !== accepted) schedule();
  return true;
}

/** Takes over a document in which Python renamed a step, as one step back in the history; what was typed meanwhile stays. */
function adopt({ document, layout }, sent, { name, to }) {
  const { model: now } = useGraph.getState();
  const answered = sameWhereEqual(sent, fromDocument(document, layout));
  useGraph.setState((s) => ({ past: [...s.past, s.model], future: [] }));
  replace(now === sent ? answered : carriedOver(sent, now, answered, name, to));
  accepted = answered;
}

function refused(error) {
  sending = null;
  const isConflict = error.code === "draft_conflict";
  usePanels.setState(isConflict ? { saving: "conflict", dialog: { kind: "conflict" } } : { saving: "failed" });
  if (!isConflict) announce(error.message, "error");
  if (error.code === "no_answer") schedule(RETRY_MS);
  return false;
}

function schedule(pause = DEBOUNCE_MS) {
  clearTimeout(timer);
  timer = setTimeout(() => inTurn(() => sendEdits()), pause);
}

/** Gives a step another name, everywhere it is named. Returns the error, or null. */
export function rename(name, to) {
  return inTurn(async () => {
    if (!(await sendEdits([{ op: "rename", name, to }]))) return "It could not be renamed.";
    return null;
  });
}

/** Throws away what this page has and takes the draft as it is now on the server. */
export async function reload() {
  accepted = null;
  wantsFresh = true;
  usePanels.setState({ saving: "saved", dialog: null });
  await call("reload");
}

/**
 * Sends what is left when the page is left, without waiting for an answer, and forgets the document. It starts from
 * what an edit still on its way will have made of the draft: events arrive in order, and each edit is one revision.
 */
function sendLast() {
  clearTimeout(timer);
  const { model, readOnly } = useGraph.getState();
  const base = sending ?? accepted;
  const operations = base && !readOnly && usePanels.getState().saving !== "conflict" ? difference(base, model) : [];
  if (operations.length && inParts(operations).length === 1)
    handlers.edit((seq += 1), own(), sending ? revision + 1 : revision, operations);
  accepted = sending = null;
}

/** Sends what is left by a request that outlives the page; a socket's last message may not. */
function sendBeyond() {
  clearTimeout(timer);
  const { model, readOnly } = useGraph.getState();
  const operations = accepted && !readOnly ? difference(accepted, model) : [];
  if (!operations.length) return;
  const sent = fetch(`/api/workflows/${own()}/draft`, {
    method: "PATCH",
    keepalive: true,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ base_revision: revision, operations }),
  });
  inTurn(async () => {
    const answer = await sent;
    if (!answer.ok) return schedule();
    revision = (await answer.json()).revision;
    accepted = model;
    usePanels.setState({ saving: useGraph.getState().model === model ? "saved" : "waiting" });
    return schedule(0);
  });
}

/** Sends edits as soon as they rest for a moment, and at once when the page goes away. */
export function watch() {
  const unsubscribe = useGraph.subscribe((s, before) => {
    if (s.model === before.model || s.model === accepted || !accepted || s.readOnly) return;
    usePanels.setState((p) => (p.saving === "conflict" ? p : { saving: "waiting" }));
    schedule();
  });
  const flush = () => {
    clearTimeout(timer);
    inTurn(() => sendEdits());
  };
  const onHide = () => document.visibilityState === "hidden" && flush();
  const onLeave = (event) => {
    if (["saved", "conflict"].includes(usePanels.getState().saving)) return;
    if (waiting) flush();
    else sendBeyond();
    event.preventDefault();
  };
  document.addEventListener("visibilitychange", onHide);
  window.addEventListener("beforeunload", onLeave);
  return () => {
    unsubscribe();
    sendLast();
    document.removeEventListener("visibilitychange", onHide);
    window.removeEventListener("beforeunload", onLeave);
  };
}
