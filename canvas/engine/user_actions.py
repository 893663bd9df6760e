"""User-defined actions as the engine finds them: read from their rows, and read again when they were changed."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import sqlalchemy as sa

from canvas.db import connect
from canvas.domain.actions import Actors, Argument, Body, Invariant, UserAction
from canvas.domain.states import ActionOrigin
from canvas.settings import Settings
from models import Action, ActionArgument, ActionInvariant
from models.columns import table_of

Rows = Callable[[Any], Sequence[Any]]
"""Executes a statement and gives all rows."""
Stamp = tuple[Any, ...]
"""Tells one state of some actions from any other."""

_ACTION, _ARGUMENT, _INVARIANT = table_of(Action), table_of(ActionArgument), table_of(ActionInvariant)
_OURS = _ACTION.c.origin == ActionOrigin.USER


def load_user_actions(rows: Rows, names: Collection[str] | None = None) -> dict[str, UserAction]:
    """Read user-defined actions by name, archived ones too; None reads all of them."""
    wanted = _OURS if names is None else sa.and_(_OURS, _ACTION.c.name.in_(names))
    found = rows(sa.select(_ACTION).where(wanted).order_by(_ACTION.c.name))
    if not found:
        return {}
    arguments = _children(rows, _ARGUMENT, wanted)
    invariants = _children(rows, _INVARIANT, wanted)
    return {row.name: _value(row, arguments.get(row.name, []), invariants.get(row.name, [])) for row in found}


class UserActions:
    """Reads actions on connections of its own."""

    def __init__(self, settings: Settings, is_registered: Callable[[str], bool]) -> None:
        self._engine = connect(settings).execution_options(canvas_readonly=True)
        self._is_registered = is_registered

    def among(self, names: Collection[str]) -> frozenset[str]:
        """Give those names that no registered action answers to; only they can be user-defined."""
        return frozenset(name for name in names if not self._is_registered(name))

    def stamp(self, names: Collection[str]) -> Stamp:
        """Tell in which state the actions of these names are; costs one small query."""
        columns = sa.select(_ACTION.c.name, _ACTION.c.version, _ACTION.c.updated_at)
        return tuple(tuple(row) for row in self._rows(columns.where(_OURS, _ACTION.c.name.in_(names)).order_by("name")))

    def load(self, names: Collection[str]) -> dict[str, UserAction]:
        """Read the actions of these names, as far as there are any."""
        return load_user_actions(self._rows, names)

    def _rows(self, statement: Any) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(statement).all()


def _children(rows: Rows, table: sa.Table, wanted: Any) -> dict[str, list[Any]]:
    statement = sa.select(table).join_from(table, _ACTION, table.c.action_name == _ACTION.c.name).where(wanted)
    found: dict[str, list[Any]] = {}
    for row in rows(statement.order_by(table.c.action_name, table.c.position)):
        found.setdefault(row.action_name, []).append(row)
    return found


def _value(row: Any, arguments: list[Any], invariants: list[Any]) -> UserAction:
    return UserAction(
        name=row.name,
        title=row.title,
        description=row.description,
        long_description=row.long_description,
        definition_of_done=row.definition_of_done,
        icon=row.icon,
        tags=tuple(row.tags),
        state=row.state,
        reusable=row.reusable,
        read_only=row.read_only,
        automation_profile=row.automation_profile,
        actors=Actors(
            strategy=row.strategy_actor,
            execution=row.execution_actor,
            review=row.review_actor,
            apply=row.apply_actor,
            estimation=row.estimation_actor,
            invariant=row.invariant_actor,
        ),
        arguments=tuple(_argument(one) for one in arguments),
        invariants=tuple(Invariant(text=one.text, is_expression=one.is_expression) for one in invariants),
        inputs_schema=row.inputs_schema if row.has_own_schema else None,
        body=Body(**row.body),
    )


def _argument(row: Any) -> Argument:
    return Argument(
        name=row.name,
        type=row.type,
        required=row.is_required,
        default=row.default,
        min_value=row.min_value,
        max_value=row.max_value,
        pattern=row.pattern,
        description=row.description,
    )
