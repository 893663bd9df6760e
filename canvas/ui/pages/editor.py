"""The editor: one workflow's draft on the canvas. Decides nothing: each event is a call of the services."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

import reflex as rx

from canvas.domain.dsl import to_document
from canvas.domain.errors import Forbidden, UserError
from canvas.domain.layout import arrange
from canvas.domain.states import TriggerType
from canvas.services import access, catalog, judging, runs, versions, views, workflows
from canvas.services.access import Permission
from canvas.ui.editor.offers import editor_catalog
from canvas.ui.editor.results import control, step_result
from canvas.ui.editor.studio import Editor
from canvas.ui.session import actor, handler
from canvas.ui.template import rail_template
from canvas.ui.use import look, use


class EditorState(rx.State):
    """The draft as it was when the page was opened, and the answer to the last call."""

    graph: dict[str, Any] = {}
    catalog: dict[str, Any] = {}
    reply: dict[str, Any] = {}
    missing: str = ""

    @handler(Permission.VIEW)
    async def load(self) -> None:
        """Show the workflow that the address names."""
        name = self.router.url.path.strip("/").rpartition("/")[2]
        self.missing = ""
        try:
            self.catalog = await look(editor_catalog)
            self.graph = await look(_graph, name, read_only=not self._may(Permission.EDIT))
        except UserError as error:
            self.graph, self.missing = {}, str(error)

    @handler(Permission.VIEW)
    async def leave(self, key: str) -> None:
        """Forget a draft that is not shown any more."""
        if self.graph.get("key") == key:
            self.graph = {}

    @handler(Permission.EDIT)
    async def edit(self, seq: int, name: str, base_revision: int, operations: list[dict[str, Any]]) -> None:
        """Apply an edit to the draft and judge it."""

        async def work() -> dict[str, Any]:
            done = await use(workflows.save_draft_operations, name, base_revision=base_revision, operations=operations)
            answer = {"revision": done.revision, "problems": _problems(done), "info": {"is_changed": True}}
            if any(operation.get("op") == "rename" for operation in operations):
                answer |= {"document": done.document, "layout": done.layout}
            return answer

        await self._answer(seq, work)

    @handler(Permission.EDIT)
    async def arrange(self, seq: int, name: str) -> None:
        """Work out where the steps should lie."""

        async def work() -> dict[str, Any]:
            return {"positions": arrange((await look(workflows.open_draft, name)).document)}

        await self._answer(seq, work)

    @handler(Permission.EDIT)
    async def save(self, seq: int, name: str, change_summary: str, publish: bool) -> None:
        """Keep the draft as a version, and publish it if that is wanted."""
        await self._answer(
            seq, lambda: use(_save, name, summary=change_summary[:2000], publish=publish, by=actor(self).name)
        )

    @handler(Permission.EDIT)
    async def publish(self, seq: int, name: str, number: int) -> None:
        """Let triggers start this version from now on."""
        await self._answer(seq, lambda: use(_publish, name, number))

    @handler(Permission.VIEW)
    async def versions(self, seq: int, name: str) -> None:
        """List the versions."""
        await self._answer(seq, lambda: look(_versions, name))

    @handler(Permission.VIEW)
    async def version(self, seq: int, name: str, number: int) -> None:
        """Give one version's document."""

        async def work() -> dict[str, Any]:
            document, layout = await look(views.version_document, name, number)
            return {"document": document, "layout": layout or arrange(document)}

        await self._answer(seq, work)

    @handler(Permission.RUN)
    async def start(self, seq: int, name: str, parameters: dict[str, Any], dry_run: bool) -> None:
        """Run what is on the canvas: a changed draft becomes a version first."""

        async def work() -> dict[str, Any]:
            may_edit = self._may(Permission.EDIT)
            return await use(_start, name, parameters, dry_run=dry_run, by=actor(self).name, may_edit=may_edit)

        await self._answer(seq, work)

    @handler(Permission.EDIT)
    async def read(self, seq: int, name: str, text: str) -> None:
        """Read text in any form that can be imported; nothing is kept."""
        await self._answer(seq, lambda: look(_read, text, name))

    @handler(Permission.VIEW)
    async def export(self, seq: int, name: str, format: str) -> None:
        """Write the draft as text."""

        async def work() -> dict[str, Any]:
            text = await look(workflows.export_workflow, name, format=format)
            return {"text": text, "filename": f"{name}.{format}"}

        await self._answer(seq, work)

    @handler(Permission.VIEW)
    async def reload(self, seq: int, name: str) -> None:
        """Show the draft as it is kept."""
        self.graph = await look(_graph, name, read_only=not self._may(Permission.EDIT))
        self.reply = {"seq": seq}

    @handler(Permission.RUN)
    async def control(self, seq: int, run_id: str, verb: str) -> None:
        """Cancel, pause or resume a run."""
        await self._answer(seq, lambda: use(control, run_id, verb))

    @handler(Permission.VIEW)
    async def inspect(self, seq: int, run_id: str, name: str, path: str) -> None:
        """Give what a step did in a run."""
        await self._answer(seq, lambda: look(step_result, run_id, name, path))

    def _may(self, permission: Permission) -> bool:
        try:
            access.require(actor(self), permission)
        except Forbidden:
            return False
        return True

    async def _answer(self, seq: int, work: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        try:
            self.reply = {"seq": seq, **await work()}
        except UserError as error:
            self.reply = {"seq": seq, "error": {"code": error.code, "message": str(error)}}
        except Exception:
            self.reply = {"seq": seq, "error": {"code": "defect", "message": "The server made a mistake; see its log."}}
            logging.getLogger(__name__).exception("a call of the editor failed")


def page() -> rx.Component:
    """Build the page."""
    editor = Editor.create(
        graph=EditorState.graph,
        catalog=EditorState.catalog,
        reply=EditorState.reply,
        color_mode=rx.color_mode_cond("light", "dark"),
        on_edit=EditorState.edit,
        on_arrange=EditorState.arrange,
        on_save=EditorState.save,
        on_publish=EditorState.publish,
        on_versions=EditorState.versions,
        on_version=EditorState.version,
        on_start=EditorState.start,
        on_read=EditorState.read,
        on_export=EditorState.export,
        on_reload=EditorState.reload,
        on_control=EditorState.control,
        on_inspect=EditorState.inspect,
        on_leave=EditorState.leave,
    )
    return rail_template(rx.cond(EditorState.missing != "", _not_there(EditorState.missing), editor), place="Workflows")


def _not_there(text: rx.Var[str]) -> rx.Component:
    return rx.center(
        rx.vstack(
            rx.heading(text, size="4"),
            rx.link("All workflows", href="/"),
            align="center",
        ),
        height="100%",
    )


def _graph(session: Any, name: str, *, read_only: bool) -> dict[str, Any]:
    draft = workflows.open_draft(session, name)
    return {
        "key": f"{name}@{draft.revision}",
        "name": name,
        "document": draft.document,
        "layout": draft.layout,
        "revision": draft.revision,
        "problems": _problems(draft),
        "read_only": read_only,
        **_standing(session, name),
    }


def _standing(session: Any, name: str) -> dict[str, Any]:
    detail = views.workflow_detail(session, name)
    return {
        "latest": detail.card.latest_version or None,
        "published": detail.card.published_version,
        "is_changed": detail.has_unsaved_changes,
    }


def _problems(draft: workflows.EditResult) -> list[dict[str, Any]]:
    return [problem.to_json() for problem in draft.problems]


def _save(session: Any, name: str, *, summary: str, publish: bool, by: str) -> dict[str, Any]:
    saved = versions.save_version(session, name, change_summary=summary, created_by=by)
    if publish:
        versions.publish_version(session, name, saved.number)
    session.flush()
    return {"number": saved.number, "revision": saved.revision, "info": _standing(session, name)}


def _publish(session: Any, name: str, number: int) -> dict[str, Any]:
    versions.publish_version(session, name, number)
    session.flush()
    return {"info": _standing(session, name), **_versions(session, name)}


def _versions(session: Any, name: str) -> dict[str, Any]:
    rows = [asdict(row) for row in views.version_rows(session, name)]
    for row in rows:
        row["created_at"] = row["created_at"].isoformat()
        del row["published_at"]
    return {"versions": rows}


def _start(
    session: Any, name: str, parameters: dict[str, Any], *, dry_run: bool, by: str, may_edit: bool
) -> dict[str, Any]:
    saved = versions.save_version(session, name, change_summary="Saved for a run", created_by=by) if may_edit else None
    run_id = runs.start_run(
        session,
        name,
        parameters,
        version=saved.number if saved else None,
        dry_run=dry_run,
        trigger_type=TriggerType.MANUAL,
        triggered_by=by,
    )
    session.flush()
    standing = {"info": {"run_id": run_id, **_standing(session, name)}}
    return {**standing, "revision": saved.revision} if saved else standing


def _read(session: Any, text: str, name: str) -> dict[str, Any]:
    reading = judging.read_text(text, catalog.catalog(session), name=name)
    document = to_document(reading.require_definition())
    return {"document": document, "layout": dict(reading.layout) or arrange(document), "warnings": list(reading.notes)}
