/** The bar above the canvas: what this is, how it stands, and what can be done with it as a whole. */

import { DropdownMenu } from "@radix-ui/themes";
import {
  ChevronLeft,
  CloudOff,
  Download,
  Ellipsis,
  FileInput,
  History,
  Keyboard,
  Play,
  Redo2,
  Rocket,
  Save,
  Undo2,
} from "lucide-react";
import { memo } from "react";

import { announce } from "./announce.js";
import { Link } from "./link.jsx";
import { startRun } from "./starting.js";
import { redo, undo, useGraph, usePanels } from "./store.js";
import { call } from "./sync.js";

const openDialog = (kind, more = {}) => usePanels.setState({ dialog: { kind, ...more } });

const SAVING = { saved: "Saved", waiting: "Saving…", sending: "Saving…", failed: "Not saved", conflict: "Not saved" };

function State() {
  const { latest, published, is_changed: isChanged } = usePanels((s) => s.info);
  const saving = usePanels((s) => s.saving);
  const readOnly = useGraph((s) => s.readOnly);
  const status = published
    ? { text: `v${published} published`, kind: "live" }
    : { text: "Not published", kind: "draft" };
  return (
    <span className="bar-state">
      <span className={`chip ${status.kind}`} data-testid="published">
        {status.text}
      </span>
      {isChanged && latest && (
        <span className="chip draft" title="The draft differs from the latest version" data-testid="draft-changed">
          Draft changes
        </span>
      )}
      {readOnly ? (
        <span className="chip">Read only</span>
      ) : (
        <span className={`saving ${saving}`} role="status" data-testid="saving" data-state={saving}>
          {["failed", "conflict"].includes(saving) && <CloudOff size={12} aria-hidden />}
          {SAVING[saving]}
        </span>
      )}
    </span>
  );
}

/** Saves text as a file on this computer. */
function download({ text, filename }) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: filename });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

async function exportAs(format, isCopy = false) {
  const reply = await call("export", { format });
  if (!reply || reply.error) return;
  if (!isCopy) return download(reply);
  await navigator.clipboard.writeText(reply.text);
  announce("Copied as YAML");
}

export async function publish() {
  const { latest, published, is_changed: isChanged } = usePanels.getState().info;
  if (isChanged || !latest || latest === published) return openDialog("save", { publish: true });
  const reply = await call("publish", { number: latest });
  if (reply && !reply.error) announce(`Version ${latest} is published`);
}

function ExportMenu() {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger>
        <button type="button" className="button ghost" data-testid="export">
          <Download size={14} aria-hidden /> <span className="wide">Export</span>
        </button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Content size="1" align="end">
        <DropdownMenu.Item onSelect={() => exportAs("yaml")} data-testid="export-yaml">
          YAML file
        </DropdownMenu.Item>
        <DropdownMenu.Item onSelect={() => exportAs("json")} data-testid="export-json">
          JSON file
        </DropdownMenu.Item>
        <DropdownMenu.Separator />
        <DropdownMenu.Item onSelect={() => exportAs("yaml", true)} data-testid="export-copy">
          Copy as YAML
        </DropdownMenu.Item>
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}

function MoreMenu() {
  const readOnly = useGraph((s) => s.readOnly);
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger>
        <button type="button" className="icon-button" aria-label="More" data-testid="more">
          <Ellipsis size={16} />
        </button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Content size="1" align="end">
        <DropdownMenu.Item disabled={readOnly} onSelect={() => openDialog("import")} data-testid="import">
          <FileInput size={13} /> Import into this workflow…
        </DropdownMenu.Item>
        <DropdownMenu.Item onSelect={() => openDialog("versions")} data-testid="versions">
          <History size={13} /> Versions…
        </DropdownMenu.Item>
        <DropdownMenu.Separator />
        <DropdownMenu.Item onSelect={() => openDialog("keys")}>
          <Keyboard size={13} /> Keys
        </DropdownMenu.Item>
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}

function StepsBack() {
  const canUndo = useGraph((s) => s.past.length > 0);
  const canRedo = useGraph((s) => s.future.length > 0);
  return (
    <span className="pair-buttons">
      <button
        type="button"
        className="icon-button"
        aria-label="Undo"
        title="Undo (Ctrl Z)"
        disabled={!canUndo}
        onClick={undo}
        data-testid="undo"
      >
        <Undo2 size={15} />
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label="Redo"
        title="Redo (Ctrl Shift Z)"
        disabled={!canRedo}
        onClick={redo}
        data-testid="redo"
      >
        <Redo2 size={15} />
      </button>
    </span>
  );
}

export const Toolbar = memo(() => {
  const title = useGraph((s) => s.model.meta.title);
  const name = usePanels((s) => s.info.name);
  const readOnly = useGraph((s) => s.readOnly);
  const isLoaded = useGraph((s) => s.loaded);
  return (
    <header className="bar">
      <Link className="icon-button" href="/" aria-label="All workflows" title="All workflows">
        <ChevronLeft size={17} />
      </Link>
      <h1 className="bar-title" title={name}>
        {title || name}
      </h1>
      {isLoaded && <State />}
      <span className="grow" />
      {!readOnly && <StepsBack />}
      <ExportMenu />
      <MoreMenu />
      {!readOnly && (
        <button
          type="button"
          className="button"
          onClick={() => openDialog("save")}
          data-testid="save"
          title="Save a version (Ctrl S)"
        >
          <Save size={14} aria-hidden /> <span className="wide">Save version</span>
        </button>
      )}
      {!readOnly && (
        <button
          type="button"
          className="button"
          onClick={publish}
          data-testid="publish"
          title="Let triggers and other workflows use it"
        >
          <Rocket size={14} aria-hidden /> <span className="wide">Publish</span>
        </button>
      )}
      <button
        type="button"
        className="button primary"
        onClick={startRun}
        data-testid="run"
        title="Run (Ctrl Enter)"
        disabled={!isLoaded}
      >
        <Play size={14} aria-hidden /> Run
      </button>
    </header>
  );
});
