/** The dialogs. One is open at a time: `usePanels.dialog` says which. */

import { Dialog } from "@radix-ui/themes";
import { memo, useEffect, useMemo, useRef, useState } from "react";

import { announce } from "./announce.js";
import { commitImport } from "./importing.js";
import { Fields } from "./fields.jsx";
import { Switch } from "./inputs.jsx";
import { FormContext } from "./rows.jsx";
import { KEYS } from "./keys.js";
import { useGraph, usePanels } from "./store.js";
import { call, reload } from "./sync.js";
import { counts } from "./problems.jsx";

const close = () => usePanels.setState({ dialog: null });

function Frame({ title, text, children, width = 460, testId }) {
  return (
    <Dialog.Content size="2" maxWidth={`${width}px`} data-testid={testId} aria-describedby={undefined}>
      <Dialog.Title size="3" mb="1">
        {title}
      </Dialog.Title>
      {text && <p className="dialog-text">{text}</p>}
      {children}
    </Dialog.Content>
  );
}

function Buttons({ children }) {
  return (
    <div className="dialog-buttons">
      <button type="button" className="button" onClick={close} data-testid="dialog-cancel">
        Cancel
      </button>
      {children}
    </div>
  );
}

function useBusy() {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const during = async (work) => {
    setBusy(true);
    setError("");
    const reply = await work();
    setBusy(false);
    if (reply?.error) setError(reply.error.message);
    return reply && !reply.error ? reply : null;
  };
  return { isBusy, error, during };
}

const Failure = ({ text }) =>
  text ? (
    <p className="error" role="alert">
      {text}
    </p>
  ) : null;

function SaveDialog({ publish: startsPublish = false }) {
  const [summary, setSummary] = useState("");
  const [isPublish, setPublish] = useState(startsPublish);
  const problems = usePanels((s) => s.problems);
  const { latest } = usePanels((s) => s.info);
  const { isBusy, error, during } = useBusy();
  const { errors } = counts(problems);
  const save = async (event) => {
    event.preventDefault();
    const reply = await during(() => call("save", { change_summary: summary, publish: isPublish }));
    if (!reply) return;
    close();
    announce(isPublish ? `Version ${reply.number} is saved and published` : `Version ${reply.number} is saved`);
  };
  return (
    <Frame
      title={isPublish ? "Save and publish" : "Save a version"}
      text={`Keeps the draft as version ${(latest ?? 0) + 1}. Versions never change.`}
      testId="save-dialog"
    >
      <form onSubmit={save}>
        <label className="dialog-label" htmlFor="change-summary">
          What has changed?
        </label>
        <textarea
          id="change-summary"
          className="input long"
          rows={3}
          autoFocus
          value={summary}
          placeholder={latest ? "Asks twice before it alerts" : "First version"}
          onChange={(e) => setSummary(e.target.value)}
          onKeyDown={(e) => e.key === "Enter" && (e.ctrlKey || e.metaKey) && save(e)}
          data-testid="change-summary"
        />
        <div className="dialog-flag">
          <Switch checked={isPublish} onChange={setPublish} label="Publish it" testId="publish-too" /> Publish it:
          triggers and other workflows use it from now on
        </div>
        {errors > 0 && (
          <p className="error">
            {errors === 1 ? "One error has" : `${errors} errors have`} to be mended first; the draft is kept as it is.
          </p>
        )}
        <Failure text={error} />
        <Buttons>
          <button type="submit" className="button primary" disabled={isBusy || errors > 0} data-testid="save-confirm">
            {isPublish ? "Save and publish" : "Save"}
          </button>
        </Buttons>
      </form>
    </Frame>
  );
}

const when = (iso) => new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

function Versions() {
  const [list, setList] = useState(null);
  const { isBusy, error, during } = useBusy();
  useEffect(() => {
    during(() => call("versions")).then((reply) => reply && setList(reply.versions));
    // once, when the dialog opens
  }, []);
  const publish = async (number) => {
    const reply = await during(() => call("publish", { number }));
    if (!reply) return;
    setList(reply.versions ?? list.map((v) => ({ ...v, is_published: v.number === number })));
    announce(`Version ${number} is published`);
  };
  const restore = async (number) => {
    const reply = await during(() => call("version", { number }));
    if (!reply) return;
    commitImport(reply);
    close();
    announce(`The draft is as version ${number} was. Ctrl Z takes it back.`);
  };
  const readOnly = useGraph.getState().readOnly;
  return (
    <Frame
      title="Versions"
      text="Publishing an older version rolls back to it; runs that have begun stay with theirs."
      width={620}
      testId="versions-dialog"
    >
      <Failure text={error} />
      {list === null && !error && <div className="skeleton" aria-busy="true" />}
      {list?.length === 0 && <p className="quiet">None yet. “Save version” makes the first.</p>}
      <ul className="versions">
        {(list ?? []).map((v) => (
          <li key={v.number} data-testid={`version-${v.number}`}>
            <span className="version-number">v{v.number}</span>
            <span className="version-text">
              <b>{v.change_summary || "No summary"}</b>
              <span>
                {[v.tag, v.change_type, v.created_at && when(v.created_at), v.created_by].filter(Boolean).join(" · ")}
                {v.breaking_changes ? " · breaking" : ""}
              </span>
            </span>
            {v.is_published && <span className="chip live">published</span>}
            {!readOnly && (
              <button
                type="button"
                className="button small"
                disabled={isBusy}
                onClick={() => restore(v.number)}
                title="Make the draft as this version was"
              >
                Restore
              </button>
            )}
            {!readOnly && !v.is_published && (
              <button
                type="button"
                className="button small"
                disabled={isBusy}
                onClick={() => publish(v.number)}
                data-testid={`publish-${v.number}`}
              >
                Publish
              </button>
            )}
          </li>
        ))}
      </ul>
    </Frame>
  );
}

function ImportDialog() {
  const [text, setText] = useState("");
  const file = useRef(null);
  const { isBusy, error, during } = useBusy();
  const load = async (event) => setText(await event.target.files[0].text());
  const apply = async () => {
    const reply = await during(() => call("read", { text }));
    if (!reply) return;
    commitImport(reply);
    close();
    announce(reply.warnings?.length ? `Imported. ${reply.warnings[0]}` : "Imported. Ctrl Z takes it back.");
  };
  return (
    <Frame
      title="Import"
      text="YAML or JSON replaces what is on the canvas; one undo brings it back."
      width={620}
      testId="import-dialog"
    >
      <textarea
        className="input long mono"
        rows={12}
        autoFocus
        value={text}
        spellCheck={false}
        aria-label="Text to import"
        placeholder={"dsl: canvas/v1\nsteps:\n  - name: …"}
        onChange={(e) => setText(e.target.value)}
        data-testid="import-text"
      />
      <input ref={file} type="file" accept=".yaml,.yml,.json" hidden onChange={load} data-testid="import-file" />
      <Failure text={error} />
      <Buttons>
        <button type="button" className="button" onClick={() => file.current.click()}>
          Choose a file…
        </button>
        <button
          type="button"
          className="button primary"
          disabled={isBusy || !text.trim()}
          onClick={apply}
          data-testid="import-confirm"
        >
          Import
        </button>
      </Buttons>
    </Frame>
  );
}

const TYPES = {
  string: { type: "string", "x-widget": "line" },
  integer: { type: "integer" },
  number: { type: "number" },
  boolean: { type: "boolean" },
  list: {},
  object: {},
  any: {},
};

/** The form of a run from the workflow's parameters. */
export function parametersSchema(parameters = {}) {
  const properties = Object.entries(parameters).map(([key, p]) => {
    const base = p.enum?.length ? { enum: p.enum } : TYPES[p.type ?? "string"];
    return [key, { title: p.title || key, description: p.description, default: p.default, ...base }];
  });
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    required: Object.keys(parameters).filter((key) => parameters[key].required),
  };
}

function RunDialog() {
  const parameters = useGraph((s) => s.model.meta.parameters);
  const schema = useMemo(() => parametersSchema(parameters), [parameters]);
  const [values, setValues] = useState({});
  const [isDry, setDry] = useState(false);
  const { isBusy, error, during } = useBusy();
  const errors = counts(usePanels((s) => s.problems)).errors;
  const missing = schema.required.filter(
    (key) => values[key] === undefined && schema.properties[key].default === undefined,
  );
  const start = async (event) => {
    event.preventDefault();
    const reply = await during(() => call("start", { parameters: values, dry_run: isDry }));
    if (reply) close();
  };
  return (
    <Frame title="Run" text="Runs what is on the canvas: unsaved changes become a version first." testId="run-dialog">
      <form onSubmit={start} className="run-form">
        <FormContext.Provider value={{ step: null, root: {}, problems: [], readOnly: false, isPlain: true }}>
          <Fields schema={schema} value={values} pointer="" onChange={setValues} />
        </FormContext.Provider>
        <div className="dialog-flag">
          <Switch checked={isDry} onChange={setDry} label="Dry run" testId="dry-run" /> Dry run: actions that touch the
          world answer from their example
        </div>
        {errors > 0 && (
          <p className="error">
            The workflow has {errors === 1 ? "an error" : `${errors} errors`}; mend {errors === 1 ? "it" : "them"}{" "}
            first.
          </p>
        )}
        <Failure text={error} />
        <Buttons>
          <button
            type="submit"
            className="button primary"
            disabled={isBusy || missing.length > 0}
            data-testid="run-start"
            autoFocus={schema.required.length === 0}
          >
            Run
          </button>
        </Buttons>
      </form>
    </Frame>
  );
}

function Keys() {
  return (
    <Frame title="Keys" width={680} testId="keys-dialog">
      <div className="keys">
        {KEYS.map(([group, rows]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {rows.map(([keys, what]) => (
                <div key={keys}>
                  <dt>
                    {keys.split(" ").map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Frame>
  );
}

function Conflict() {
  return (
    <Frame
      title="Someone else has changed this draft"
      text="What you did since is not saved, so that nothing of theirs is lost. Copy your steps (Ctrl A, Ctrl C) if you want to put them in again after loading."
      testId="conflict-dialog"
    >
      <div className="dialog-buttons">
        <button type="button" className="button" onClick={close}>
          Keep looking
        </button>
        <button type="button" className="button primary" onClick={reload} data-testid="conflict-reload">
          Load the current draft
        </button>
      </div>
    </Frame>
  );
}

const KINDS = {
  save: SaveDialog,
  versions: Versions,
  import: ImportDialog,
  run: RunDialog,
  keys: Keys,
  conflict: Conflict,
};

export const Dialogs = memo(() => {
  const dialog = usePanels((s) => s.dialog);
  const Kind = dialog ? KINDS[dialog.kind] : null;
  return (
    <Dialog.Root open={Kind !== null && Kind !== undefined} onOpenChange={(isOpen) => !isOpen && close()}>
      {Kind && <Kind {...dialog} />}
    </Dialog.Root>
  );
});
