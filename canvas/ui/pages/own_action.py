"""The editor of one user-defined action, or of a new one. Decides nothing: each event is a call of the services."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final

import reflex as rx

from canvas.domain.errors import Conflict, Forbidden, Invalid, UserError
from canvas.domain.states import RunStatus
from canvas.services import access, action_uses, actions, extraction, trials, views
from canvas.services.access import Permission
from canvas.ui.editor.offers import editor_catalog
from canvas.ui.editor.own import OwnAction
from canvas.ui.editor.results import shown
from canvas.ui.session import actor, handler
from canvas.ui.template import rail_template
from canvas.ui.use import look, use

_BLANK: Final[dict[str, Any]] = {"name": "", "arguments": [], "invariants": [], "body": {}}
_TURNS: Final = {
    "archive": actions.archive_action,
    "restore": actions.restore_action,
    "delete": actions.delete_action,
}


class OwnActionState(rx.State):
    """The action as it was when the page was opened, and the answer to the last call."""

    opened: dict[str, Any] = {}
    catalog: dict[str, Any] = {}
    reply: dict[str, Any] = {}
    missing: str = ""

    @handler(Permission.VIEW)
    async def load(self) -> None:
        """Show the action that the address names, a new one, or one made out of a step."""
        asked = self.router.url.query_parameters
        self.missing = ""
        try:
            self.catalog = await look(editor_catalog)
            if name := asked.get("name", ""):
                self.opened = await look(_open, name, read_only=not self._may(Permission.EDIT))
            else:
                self.opened = await look(_new, asked.get("workflow", ""), asked.get("step", ""))
        except UserError as error:
            self.opened, self.missing = {}, str(error)

    @handler(Permission.VIEW)
    async def check(self, seq: int, document: dict[str, Any]) -> None:
        """Judge what has been typed so far; nothing is kept."""
        await self._answer(seq, lambda: look(_judge, document))

    @handler(Permission.EDIT)
    async def save(self, seq: int, name: str, document: dict[str, Any], base_version: int) -> None:
        """Keep the action."""
        await self._answer(seq, lambda: use(_save, name, document, base_version=base_version, by=actor(self).name))

    @handler(Permission.EDIT)
    async def turn(self, seq: int, name: str, verb: str) -> None:
        """Archive, restore or delete the action."""
        await self._answer(seq, lambda: use(_turn, name, verb))

    @handler(Permission.VIEW)
    async def export(self, seq: int, name: str, format: str) -> None:
        """Write the action as text."""

        async def work() -> dict[str, Any]:
            text = await look(actions.export_action, name, format=format)
            return {"text": text, "filename": f"{name.replace('/', '_')}.{format}"}

        await self._answer(seq, work)

    @handler(Permission.EDIT)
    async def attempt(self, seq: int, name: str, arguments: dict[str, Any], dry_run: bool) -> None:
        """Call the action once."""

        async def work() -> dict[str, Any]:
            by = actor(self).name
            return {"run_id": await use(trials.try_action, name, arguments, dry_run=dry_run, triggered_by=by)}

        await self._answer(seq, work)

    @handler(Permission.VIEW)
    async def look_at(self, seq: int, run_id: str) -> None:
        """Tell how a trial is going."""
        await self._answer(seq, lambda: look(_trial, run_id))

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
            problems = error.details.get("problems", [])
            told = {"code": error.code, "message": str(error), "is_conflict": isinstance(error, Conflict)}
            self.reply = {"seq": seq, "error": told, "problems": problems}
        except Exception:
            self.reply = {"seq": seq, "error": {"code": "defect", "message": "The server made a mistake; see its log."}}
            logging.getLogger(__name__).exception("a call of the action's editor failed")


def page() -> rx.Component:
    """Build the page."""
    editor = OwnAction.create(
        opened=OwnActionState.opened,
        catalog=OwnActionState.catalog,
        reply=OwnActionState.reply,
        on_check=OwnActionState.check,
        on_save=OwnActionState.save,
        on_turn=OwnActionState.turn,
        on_export=OwnActionState.export,
        on_try=OwnActionState.attempt,
        on_look=OwnActionState.look_at,
    )
    return rail_template(
        rx.cond(OwnActionState.missing != "", _not_there(OwnActionState.missing), editor), place="Actions"
    )


def _not_there(text: rx.Var[str]) -> rx.Component:
    return rx.center(
        rx.vstack(rx.heading(text, size="4"), rx.link("All actions", href="/actions"), align="center"), height="100%"
    )


def _open(session: Any, name: str, *, read_only: bool) -> dict[str, Any]:
    detail = actions.open_action(session, name)
    return {**_standing(detail), "uses": _uses(session, name), "read_only": read_only}


def _standing(detail: actions.ActionDetail) -> dict[str, Any]:
    return {
        "key": f"{detail.name}@{detail.version}",
        "name": detail.name,
        "version": detail.version,
        "state": detail.state.value,
        "document": detail.document,
        "problems": [problem.to_json() for problem in detail.problems],
    }


def _new(session: Any, workflow: str, step: str) -> dict[str, Any]:
    document = extraction.action_from_step(session, workflow, step) if workflow else _BLANK
    return {
        "key": f"new {workflow} {step}",
        "name": "",
        "version": 0,
        "state": "available",
        "document": document,
        "problems": [],
        "uses": [],
        "read_only": False,
    }


def _judge(session: Any, document: dict[str, Any]) -> dict[str, Any]:
    found = actions.judge_action(session, document)
    return {
        "problems": [problem.to_json() for problem in found.problems],
        "checked": list(found.checked),
        "schema": found.schema,
    }


def _save(session: Any, name: str, document: dict[str, Any], *, base_version: int, by: str) -> dict[str, Any]:
    if name:
        detail = actions.change_action(session, name, document, base_version=base_version)
    else:
        detail = actions.create_action(session, document, created_by=by)
    return {"saved": _standing(detail)}


def _turn(session: Any, name: str, verb: str) -> dict[str, Any]:
    if verb not in _TURNS:
        raise Invalid(f"An action can be {', '.join(_TURNS)}d; not {verb[:20]!r}.")
    _TURNS[verb](session, name)
    return {} if verb == "delete" else {"saved": _standing(actions.open_action(session, name))}


def _uses(session: Any, name: str) -> list[dict[str, Any]]:
    return [asdict(use) for use in action_uses.action_uses(session, name)]


def _trial(session: Any, run_id: str) -> dict[str, Any]:
    detail = views.run_detail(session, run_id)
    status = RunStatus(detail.row.status)
    return {
        "status": status.value,
        "is_over": status.is_terminal,
        "output": shown((detail.output or {}).get("output")),
        "error": detail.error,
    }
