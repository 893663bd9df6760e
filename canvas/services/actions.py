"""User-defined actions: making, changing, archiving and removing them, and their text."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from canvas.domain.actions import (
    CATEGORY,
    UserAction,
    arguments_schema,
    is_checked,
    read_action,
    spec_of,
    write_action,
)
from canvas.domain.dsl import document_to_json, document_to_yaml, load_document
from canvas.domain.dsl.document import data_problem
from canvas.domain.errors import Conflict, Invalid
from canvas.domain.problems import Problem, Report
from canvas.domain.states import ActionOrigin, ActionState
from canvas.domain.validation import validate_action
from canvas.engine.user_actions import load_user_actions
from canvas.services.action_uses import action_uses
from canvas.services.catalog import ActionNotFound, catalog
from canvas.services.trials import forget_trials
from models import Action, ActionArgument, ActionInvariant
from models.columns import utc_now


class ActionExists(Conflict):
    """There is an action of this name already."""

    code = "action_exists"


class ActionConflict(Conflict):
    """Somebody else changed the action in the meantime."""

    code = "action_conflict"


class ActionInUse(Conflict):
    """Workflows name this action; archive it instead."""

    code = "action_in_use"


class ActionHasErrors(Invalid):
    """The action has errors that have to be repaired first."""

    code = "action_has_errors"


@dataclass(frozen=True, slots=True)
class ActionDetail:
    """A user-defined action as it is kept."""

    name: str
    version: int
    "Grows by one with each change; a change names the version it started from."
    state: ActionState
    document: dict[str, Any]
    problems: tuple[Problem, ...]
    "What is wrong with it now; what it calls may be gone since it was saved."
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """What can be said about an action's document."""

    problems: tuple[Problem, ...]
    checked: tuple[bool, ...]
    "Of each invariant that could be read: whether it is evaluated at each call."
    schema: dict[str, Any]
    "Of its arguments."


def create_action(session: Session, document: Mapping[str, Any], *, created_by: str = "") -> ActionDetail:
    """Make an action.

    Args:
        document: Its name, arguments, invariants and body; `docs/own-actions.md` says all of it.

    Raises:
        ActionHasErrors: something is wrong with it; `problems` in the details lists everything.
        ActionExists: the name is taken.
    """
    action = _sound(session, document)
    if session.get(Action, action.name) is not None:
        raise ActionExists(f"There is an action {action.name!r} already.", action=action.name)
    row = Action(name=action.name, created_by=created_by, **_columns(session, action))
    session.add(row)
    session.flush()
    _put_children(session, action)
    return open_action(session, action.name)


def change_action(session: Session, name: str, document: Mapping[str, Any], *, base_version: int) -> ActionDetail:
    """Put another definition in the place of an action's. Runs that start from now on take the new one.

    Raises:
        ActionNotFound: there is no such user-defined action.
        ActionConflict: it is not at `base_version` any more; `document` in the details is how it stands.
        ActionHasErrors: something is wrong with the new one.
    """
    row = _row(session, name)
    if row.version != base_version:
        now = open_action(session, name)
        raise ActionConflict(
            f"{name!r} is at version {row.version}; this change started from {base_version}.",
            version=now.version,
            document=now.document,
        )
    action = _sound(session, {**document, "name": document.get("name", name)})
    if action.name != name:
        raise Invalid(f"An action keeps its name, {name!r}; make another one under {action.name!r}.")
    for column, value in _columns(session, action).items():
        setattr(row, column, value)
    _touch(row)
    _put_children(session, action)
    return open_action(session, name)


def open_action(session: Session, name: str) -> ActionDetail:
    """Give a user-defined action as it stands, with what is wrong with it by now.

    Raises:
        ActionNotFound: there is no such user-defined action.
    """
    row = _row(session, name, to_change=False)
    session.flush()
    action = _load(session, name)
    problems = validate_action(action, catalog(session))
    return ActionDetail(
        name, row.version, row.state, write_action(action), problems, row.created_by, row.created_at, row.updated_at
    )


def judge_action(session: Session, document: Mapping[str, Any]) -> Judgement:
    """Say everything that is wrong with a document, without keeping it."""
    action, problems = _read(session, document)
    if action is None:
        return Judgement(problems, (), {})
    return Judgement(problems, tuple(is_checked(one) for one in action.invariants), arguments_schema(action))


def archive_action(session: Session, name: str) -> None:
    """Take an action out of the palette; workflows that name it go on, and cannot be saved with it any more.

    Raises:
        ActionNotFound: there is no such user-defined action.
    """
    _set_state(session, name, ActionState.ARCHIVED)


def restore_action(session: Session, name: str) -> None:
    """Take an archived action back into the palette.

    Raises:
        ActionNotFound: there is no such user-defined action.
    """
    _set_state(session, name, ActionState.AVAILABLE)


def delete_action(session: Session, name: str) -> None:
    """Remove an action that no workflow names, in its draft or in any version.

    Raises:
        ActionNotFound: there is no such user-defined action.
        ActionInUse: some do; `workflows` in the details names them.
    """
    row = _row(session, name)
    if uses := action_uses(session, name):
        names = [use.workflow for use in uses]
        told = (
            f"{name!r} is used by {', '.join(names[:5])}{' and others' if len(names) > 5 else ''}; archive it instead."
        )
        raise ActionInUse(told, workflows=names)
    forget_trials(session, name)
    session.delete(row)


def import_action(
    session: Session, text: str | bytes, *, if_exists: str = "fail", created_by: str = ""
) -> tuple[ActionDetail, str]:
    """Make or change an action from YAML or JSON.

    Args:
        if_exists: `fail`, `update` or `skip`.

    Returns:
        The action, and `created`, `updated` or `skipped`.

    Raises:
        ActionHasErrors: the text is no action, or one with errors; they carry line and column.
        ActionExists: the name is taken, and `if_exists` is `fail`.
    """
    read = load_document(text)
    if not isinstance(read.data, dict):
        raise _errors(read.problems or (Problem("wrong_type", "error", "", "This must be a mapping: the action."),))
    action, problems = _read(session, read.data)
    if action is None or any(problem.is_error for problem in problems):
        raise _errors(read.located((*read.problems, *problems)))
    row = session.get(Action, action.name)
    if row is None or row.origin is not ActionOrigin.USER or if_exists == "fail":
        return create_action(session, read.data, created_by=created_by), "created"
    if if_exists == "skip":
        return open_action(session, action.name), "skipped"
    return change_action(session, action.name, read.data, base_version=row.version), "updated"


def export_action(session: Session, name: str, *, format: str = "yaml") -> str:
    """Write an action as canonical text, `yaml` or `json`.

    Raises:
        ActionNotFound: there is no such user-defined action.
    """
    document = open_action(session, name).document
    return document_to_json(document) if format == "json" else document_to_yaml(document)


def _read(session: Session, document: Mapping[str, Any]) -> tuple[UserAction | None, tuple[Problem, ...]]:
    fault = data_problem(dict(document))
    if fault is not None:
        return None, (fault,)
    report = Report()
    action = read_action(dict(document), report)
    if action is None:
        return None, report.problems
    return action, (*report.problems, *validate_action(action, catalog(session)))


def _sound(session: Session, document: Mapping[str, Any]) -> UserAction:
    action, problems = _read(session, document)
    if action is None or any(problem.is_error for problem in problems):
        raise _errors(problems)
    return action


def _errors(problems: tuple[Problem, ...]) -> ActionHasErrors:
    errors = [problem for problem in problems if problem.is_error]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    told = f"{errors[0].text}{more}" if errors else "There is no action in this document."
    return ActionHasErrors(told, problems=[problem.to_json() for problem in problems])


def _row(session: Session, name: str, *, to_change: bool = True) -> Action:
    query = select(Action).where(Action.name == name, Action.origin == ActionOrigin.USER)
    row = session.exec(query.with_for_update() if to_change else query).one_or_none()
    if row is None:
        raise ActionNotFound(f"There is no user-defined action {name!r}.", action=name)
    return row


def _load(session: Session, name: str) -> UserAction:
    return load_user_actions(lambda statement: session.execute(statement).all(), [name])[name]


def _set_state(session: Session, name: str, state: ActionState) -> None:
    row = _row(session, name)
    if row.state is not state:
        row.state = state
        _touch(row)


def _touch(row: Action) -> None:
    row.version += 1
    row.updated_at = utc_now()


def _columns(session: Session, action: UserAction) -> dict[str, Any]:
    spec = spec_of(action, 1, catalog(session))
    kept = (
        "title",
        "description",
        "long_description",
        "definition_of_done",
        "icon",
        "reusable",
        "read_only",
        "automation_profile",
    )
    return {
        **{column: getattr(action, column) for column in kept},
        **{f"{part}_actor": actor for part, actor in asdict(action.actors).items()},
        "namespace": action.namespace,
        "origin": ActionOrigin.USER,
        "category": CATEGORY,
        "tags": list(action.tags),
        "is_idempotent": spec.idempotent,
        "inputs_schema": arguments_schema(action),
        "has_own_schema": action.inputs_schema is not None,
        "result_schema": dict(spec.result_schema),
        "body": asdict(action.body),
    }


def _put_children(session: Session, action: UserAction) -> None:
    for table in (ActionArgument, ActionInvariant):
        session.execute(sa.delete(table).where(col(table.action_name) == action.name))
    for position, argument in enumerate(action.arguments):
        columns = asdict(argument)
        session.add(
            ActionArgument(action_name=action.name, position=position, is_required=columns.pop("required"), **columns)
        )
    session.add_all(
        ActionInvariant(action_name=action.name, position=position, **asdict(invariant))
        for position, invariant in enumerate(action.invariants)
    )
    session.flush()
