/** The bar above a user-defined action: what it is called, how it stands, and what can be done with it. */

import { AlertDialog, DropdownMenu } from "@radix-ui/themes";
import { Archive, ArchiveRestore, ChevronLeft, Download, Ellipsis, Trash2 } from "lucide-react";
import { useState } from "react";

import { iconOf } from "./icons.js";

function download({ text, filename }) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
  const link = Object.assign(window.document.createElement("a"), { href: url, download: filename });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function Ask({ name, isOpen, close, confirm }) {
  return (
    <AlertDialog.Root open={isOpen} onOpenChange={(open) => !open && close()}>
      <AlertDialog.Content size="2" maxWidth="400px">
        <AlertDialog.Title size="3">Delete {name}?</AlertDialog.Title>
        <AlertDialog.Description size="2">
          Its arguments and invariants go with it. This cannot be undone; archiving keeps it.
        </AlertDialog.Description>
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="button" className="button primary" onClick={confirm} data-testid="own-delete-confirm">
            Delete
          </button>
        </div>
      </AlertDialog.Content>
    </AlertDialog.Root>
  );
}

function More({ kept, readOnly, turn, exportAs }) {
  const [isAsking, setAsking] = useState(false);
  const isArchived = kept.state === "archived";
  const save = async (format) => {
    const reply = await exportAs(format);
    if (!reply.error) download(reply);
  };
  return (
    <>
      <DropdownMenu.Root>
        <DropdownMenu.Trigger>
          <button type="button" className="icon-button" aria-label="More" data-testid="own-more">
            <Ellipsis size={16} />
          </button>
        </DropdownMenu.Trigger>
        <DropdownMenu.Content size="1" align="end">
          <DropdownMenu.Item onSelect={() => save("yaml")}>
            <Download size={13} /> Export as YAML
          </DropdownMenu.Item>
          <DropdownMenu.Item onSelect={() => save("json")}>
            <Download size={13} /> Export as JSON
          </DropdownMenu.Item>
          <DropdownMenu.Separator />
          <DropdownMenu.Item
            disabled={readOnly}
            onSelect={() => turn(isArchived ? "restore" : "archive")}
            data-testid="own-archive"
          >
            {isArchived ? <ArchiveRestore size={13} /> : <Archive size={13} />}
            {isArchived ? "Take back into the palette" : "Archive"}
          </DropdownMenu.Item>
          <DropdownMenu.Item disabled={readOnly} color="red" onSelect={() => setAsking(true)} data-testid="own-delete">
            <Trash2 size={13} /> Delete…
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Root>
      <Ask
        name={kept.name}
        isOpen={isAsking}
        close={() => setAsking(false)}
        confirm={() => (setAsking(false), turn("delete"))}
      />
    </>
  );
}

function standing({ kept, isDirty, errors, isSaving }) {
  if (isSaving) return "Saving…";
  if (errors) return errors === 1 ? "1 error" : `${errors} errors`;
  if (!kept.name) return "Not saved yet";
  return isDirty ? "Unsaved changes" : "Saved";
}

export function OwnBar({ kept, document, isDirty, isSaving, errors, readOnly, save, turn, exportAs }) {
  const Icon = iconOf("action", document.icon || "puzzle");
  return (
    <header className="bar">
      <a className="icon-button" href="/actions/" aria-label="All actions" title="All actions">
        <ChevronLeft size={16} />
      </a>
      <span className="tile small" data-kind="action">
        <Icon size={14} aria-hidden />
      </span>
      <h1 className="bar-title">{document.title || document.name || "New action"}</h1>
      <span className="bar-state">
        {kept.name && <span className="chip">v{kept.version}</span>}
        {kept.state === "archived" && <span className="chip draft">archived</span>}
      </span>
      <span className="grow" />
      <span className={`own-standing ${errors ? "wrong" : ""}`} role="status" data-testid="own-standing">
        {standing({ kept, isDirty, errors, isSaving })}
      </span>
      {kept.name && <More {...{ kept, readOnly, turn, exportAs }} />}
      <button
        type="button"
        className="button primary"
        disabled={readOnly || isSaving || errors > 0 || !isDirty}
        onClick={save}
        data-testid="own-save"
      >
        {kept.name ? "Save" : "Create"}
      </button>
    </header>
  );
}
