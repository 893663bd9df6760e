"""The dialog that brings in a workflow from a file or from pasted text, and says what is wrong with it."""

from dataclasses import dataclass
from typing import Any, Final

import reflex as rx

from canvas.domain.errors import Invalid, UserError
from canvas.domain.problems import Problem
from canvas.services import workflows
from canvas.services.access import Permission
from canvas.ui.components.dialog import dialog
from canvas.ui.session import actor, handler
from canvas.ui.theme import BORDER
from canvas.ui.use import use

_UPLOAD: Final = "workflow_file"
_MAX_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MissingConnection:
    """A connection that what was imported names, and that is not here."""

    name: str
    kind: str
    steps: str


class ImportState(rx.State):
    """What is to be imported and what came of it."""

    is_open: bool = False
    file_name: str = ""
    publishes: bool = False
    updates: bool = False
    error: str = ""
    problems: list[Problem] = []
    notes: list[str] = []
    "What had to be interpreted, because the text is of another kind."
    needs: list[MissingConnection] = []
    "Connections that have to be added before it can run."
    imported: str = ""
    "The workflow that came of it, when there is something to say about it."
    _file: str = ""

    @handler(Permission.VIEW)
    async def toggle(self, is_open: bool) -> None:
        """Open the dialog, empty, or close it."""
        self.reset()
        self.is_open = is_open

    @handler(Permission.EDIT)
    async def publish_too(self, publishes: bool) -> None:
        """Say whether the workflow shall be published at once."""
        self.publishes = publishes

    @handler(Permission.EDIT)
    async def update_too(self, updates: bool) -> None:
        """Say whether a workflow of the same name shall get a new version."""
        self.updates = updates

    @handler(Permission.EDIT)
    async def take_file(self, files: list[rx.UploadFile]) -> None:
        """Read the file that was chosen; it is imported by the button."""
        if not files:
            return
        content = await files[0].read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise Invalid("The file is larger than 1 MiB.")
        try:
            self._file = content.decode()
        except UnicodeDecodeError as error:
            raise Invalid("The file is not text in UTF-8.") from error
        self.file_name = files[0].name or "file"
        self._forget_outcome()

    @handler(Permission.EDIT)
    async def drop_file(self) -> None:
        """Take the file back."""
        self.file_name, self._file = "", ""
        self._forget_outcome()

    @handler(Permission.EDIT)
    async def submit(self, fields: dict[str, Any]) -> Any:
        """Import the file, or else the pasted text; opens the workflow when there is nothing to say about it."""
        self._forget_outcome()
        text = self._file or str(fields.get("text", ""))
        if not text.strip():
            self.error = "Choose a file or paste a definition first."
            return None
        try:
            result = await use(workflows.import_workflow, text, **self._wishes())
        except UserError as error:
            self.error = str(error)
            self.problems = [Problem(**problem) for problem in error.details.get("problems", [])]
            return None
        self.needs = [MissingConnection(n.name, n.kind, ", ".join(n.steps)) for n in result.needs if n.missing]
        self.problems = [problem for problem in result.problems if problem.code != "unknown_connection"]
        if self.problems or self.needs or result.notes:
            self.notes, self.imported = list(result.notes), result.name
            return None
        self.reset()
        return rx.redirect(f"/workflows/{result.name}")

    def _wishes(self) -> dict[str, Any]:
        if_exists = "update" if self.updates else "fail"
        return {"publish": self.publishes, "if_exists": if_exists, "created_by": actor(self).name}

    def _forget_outcome(self) -> None:
        self.error, self.problems, self.notes, self.needs, self.imported = "", [], [], [], ""


def import_dialog(*, on_done: Any) -> rx.Component:
    """The dialog; `ImportState.toggle(True)` opens it.

    Args:
        on_done: Fired when it closes, so that the list behind it shows what was imported.
    """
    form = rx.form(
        _source(),
        _outcome(),
        _buttons(),
        on_submit=ImportState.submit,
        display="flex",
        flex_direction="column",
        gap="12px",
    )
    return dialog(
        "Import a workflow",
        "YAML or JSON, as exported here; templates with on_success and steps with branches are read too.",
        form,
        width="640px",
        open=ImportState.is_open,
        on_open_change=[ImportState.toggle, lambda _is_open: on_done],
    )


def _source() -> rx.Component:
    drop_zone = rx.upload(
        rx.flex(rx.icon("file-up", size=16), rx.text("Drop a file here or click to choose one", size="2"), gap="8px"),
        id=_UPLOAD,
        on_drop=ImportState.take_file(rx.upload_files(_UPLOAD)),
        accept={"application/yaml": [".yaml", ".yml"], "application/json": [".json"], "text/plain": [".txt"]},
        multiple=False,
        max_size=_MAX_BYTES,
        border="1px dashed var(--gray-a7)",
        border_radius="var(--radius-3)",
        padding="14px",
        display="flex",
        justify_content="center",
        cursor="pointer",
        color="var(--gray-11)",
        width="100%",
    )
    pasted = rx.text_area(
        name="text",
        placeholder="… or paste it here",
        rows="9",
        max_length=_MAX_BYTES + 1,  # what is longer would not fit through the socket, and is too long anyway
        class_name="mono",
        size="1",
        aria_label="Definition",
    )
    chosen = rx.flex(
        rx.icon("file-text", size=16),
        rx.text(ImportState.file_name, size="2", class_name="one-line"),
        rx.spacer(),
        rx.icon_button(
            rx.icon("x", size=14),
            on_click=ImportState.drop_file,
            type="button",
            variant="ghost",
            margin="0",
            aria_label="Another file",
        ),
        gap="8px",
        align="center",
        border=BORDER,
        border_radius="var(--radius-3)",
        padding="12px 14px",
    )
    return rx.cond(ImportState.file_name != "", chosen, rx.fragment(drop_zone, pasted))


def _outcome() -> rx.Component:
    done = f"Imported as {ImportState.imported}. You should know about this:"
    refused = rx.cond(ImportState.problems, "Not imported. This has to be repaired first:", ImportState.error)
    headline = rx.cond(ImportState.imported != "", done, refused)
    findings = rx.box(
        rx.foreach(ImportState.needs, _need),
        rx.foreach(ImportState.problems, _problem),
        rx.foreach(ImportState.notes, _note),
        max_height="220px",
        overflow_y="auto",
        border=BORDER,
        border_radius="var(--radius-3)",
        margin_top="6px",
    )
    return rx.cond(
        (ImportState.error != "") | (ImportState.imported != ""),
        rx.box(
            rx.text(headline, size="2", weight="medium", color=rx.cond(ImportState.error != "", "var(--red-11)", "")),
            rx.cond(_count() > 0, findings),
            role="alert",
        ),
    )


def _note(note: Any) -> rx.Component:
    mark = rx.icon("info", size=14, color="var(--accent-9)", margin_top="2px", flex_shrink="0")
    return rx.flex(mark, rx.text(note, size="2"), gap="8px", padding="8px 10px", class_name="row")


def _count() -> Any:
    return ImportState.problems.length() + ImportState.notes.length() + ImportState.needs.length()


def _need(need: Any) -> rx.Component:
    return rx.flex(
        rx.icon("plug", size=14, color="var(--amber-9)", margin_top="2px", flex_shrink="0"),
        rx.box(
            rx.text("It needs the connection ", rx.text.strong(need.name), f" of kind {need.kind}.", size="2"),
            rx.text(f"Named by {need.steps}.", size="1", color="var(--gray-11)"),
            min_width="0",
            flex="1",
        ),
        rx.link("Add", href=f"/connections?new={need.kind}", size="2", is_external=True),
        gap="8px",
        padding="8px 10px",
        class_name="row",
    )


def _problem(problem: Any) -> rx.Component:
    is_error = problem.severity == "error"
    place = rx.cond(problem.line, f"line {problem.line}:{problem.column}", problem.pointer)
    return rx.flex(
        rx.cond(
            is_error,
            rx.icon("circle-x", size=14, color="var(--red-9)", margin_top="2px", flex_shrink="0"),
            rx.icon("triangle-alert", size=14, color="var(--amber-9)", margin_top="2px", flex_shrink="0"),
        ),
        rx.box(
            rx.text(problem.text, size="2"),
            rx.cond(problem.hint != "", rx.text(problem.hint, size="1", color="var(--gray-11)")),
            rx.text(place, size="1", color="var(--gray-10)", class_name="mono"),
            min_width="0",
            overflow_wrap="anywhere",
        ),
        gap="8px",
        padding="8px 10px",
        class_name="row",
    )


def _buttons() -> rx.Component:
    is_done = ImportState.imported != ""
    return rx.flex(
        _wish("Publish at once", ImportState.publishes, ImportState.publish_too),
        _wish("Update one of this name", ImportState.updates, ImportState.update_too),
        rx.flex(
            rx.dialog.close(rx.button("Close", type="button", variant="soft", color_scheme="gray")),
            rx.cond(
                is_done,
                rx.link(rx.button("Open the workflow", type="button"), href=f"/workflows/{ImportState.imported}"),
                rx.button("Import", type="submit"),
            ),
            gap="8px",
            margin_left="auto",
        ),
        gap="8px 12px",
        align="center",
        wrap="wrap",
    )


def _wish(label: str, value: Any, on_change: Any) -> rx.Component:
    box = rx.checkbox(checked=value, on_change=on_change, disabled=ImportState.imported != "")
    return rx.text(rx.flex(box, label, gap="6px", align="center"), as_="label", size="2")
