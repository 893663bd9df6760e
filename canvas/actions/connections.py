"""Kinds of connections: what each holds, which of it is secret, and how it is tested.

A kind is registered in the file of the actions that use it, by decorating the function behind the test button.
"""

import inspect
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from canvas.actions.collecting import being_loaded
from canvas.actions.failures import ActionFailed
from canvas.actions.schemas import faults_of, inlined
from canvas.domain.errors import Invalid

if TYPE_CHECKING:
    from canvas.actions.context import Outside

NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,62}$"
"What a connection may be called: short, and the same in every file that names it."
_SHORT = 6
_kinds: dict[str, "ConnectionKind"] = {}


class Config(BaseModel):
    """What a connection of one kind holds. Secrets are fields of type `SecretStr` or `dict[str, SecretStr]`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: ClassVar[str] = ""


class UnknownConnection(ActionFailed):
    """There is no such connection."""

    code = "unknown_connection"


class WrongConnectionKind(ActionFailed):
    """The connection is of another kind."""

    code = "wrong_connection_kind"


class ConnectionUnreadable(ActionFailed):
    """The connection's secrets cannot be opened here."""

    code = "connection_unreadable"


class InvalidConnection(Invalid):
    """These values make no connection of this kind."""

    code = "invalid_connection"


Given = TypeVar("Given", bound=Config)
Check = Callable[[Given, "Outside"], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class ConnectionKind:
    """One kind of connection, as the catalogue, the form and the services need it."""

    name: str
    title: str
    description: str
    icon: str
    "A Lucide icon's name."
    schema: Mapping[str, Any]
    "JSON Schema of its values; a secret is `writeOnly`."
    example: Mapping[str, Any]
    "Values that make sense, without secrets."
    secret_fields: frozenset[str]
    model: type[Config]
    check: Check[Any]
    "The test: gives a sentence for people, or raises ActionFailed."

    def read(self, values: Mapping[str, Any]) -> Config:
        """Check values and give them as this kind's model.

        Raises:
            InvalidConnection: a value is missing, unknown or of the wrong type; names them, never their content.
        """
        try:
            return self.model.model_validate(dict(values))
        except ValidationError as error:
            problems = [
                {"pointer": f"/{fault['loc'][0]}", "text": fault["msg"]} for fault in error.errors() if fault["loc"]
            ]
            raise InvalidConnection(f"{self.title}: {faults_of(error)}.", problems=problems) from None


@dataclass(frozen=True, slots=True)
class OpenedConnection:
    """A connection with its secrets, at the moment of a call."""

    name: str
    kind: str
    values: Mapping[str, Any]

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret text in it, and what `Basic` makes of those too short to be recognised inside of base64."""
        kind = connection_kinds().get(self.kind)
        fields = kind.secret_fields if kind else frozenset(self.values)
        found = {text for field in fields for text in _texts(self.values.get(field)) if text}
        users = [value for field, value in self.values.items() if field not in fields and isinstance(value, str)]
        short = [text for text in found if len(text) < _SHORT]
        return frozenset(found).union(b64encode(f"{user}:{text}".encode()).decode() for user in users for text in short)

    def read(self, *kinds: type[Given]) -> Given:
        """Give it as the model of its kind.

        Raises:
            WrongConnectionKind: it is of none of these kinds, or its values are none of its kind any more.
        """
        for model in kinds:
            if model.kind == self.kind:
                return self._as(model)
        wanted = " or ".join(connection_kinds()[model.kind].title for model in kinds)
        raise WrongConnectionKind(f"The connection `{self.name}` is of kind {self.kind}; this action needs {wanted}.")

    def _as(self, model: type[Given]) -> Given:
        try:
            return model.model_validate(dict(self.values))
        except ValidationError as error:
            raise WrongConnectionKind(f"The connection `{self.name}` is incomplete: {faults_of(error)}.") from None


class Connections(Protocol):
    """Where an attempt finds connections."""

    async def open(self, name: str) -> OpenedConnection:
        """Open one by name.

        Raises:
            UnknownConnection: there is none of this name.
            ConnectionUnreadable: its secrets cannot be opened here.
        """


class NoConnections:
    """For contexts that have none."""

    async def open(self, name: str) -> OpenedConnection:
        """Refuse."""
        raise UnknownConnection(f"There is no connection `{name}`. Add it on the Connections page.")


def connection_kind(
    name: str, *, title: str, icon: str, example: Mapping[str, Any]
) -> Callable[[Check[Given]], Check[Given]]:
    """Register a kind of connection by its test; the docstring of its model is what people read about it.

    Args:
        name: One word, unique.
        icon: A Lucide icon's name.
        example: Values that make sense, without secrets.
    """

    def register(check: Check[Given]) -> Check[Given]:
        model = next(iter(get_type_hints(check, localns={"Outside": Any}).values()))
        model.kind = name
        kind = ConnectionKind(
            name=name,
            title=title,
            description=inspect.getdoc(model) or "",
            icon=icon,
            schema=inlined(model.model_json_schema()),
            example=dict(example),
            secret_fields=frozenset(field for field, info in model.model_fields.items() if _is_secret(info.annotation)),
            model=model,
            check=check,
        )
        plugin = being_loaded.get()
        if plugin is None:
            _kinds[name] = kind
        else:
            plugin.add(plugin.kinds, name, kind)
        return check

    return register


def connection_kinds() -> Mapping[str, ConnectionKind]:
    """Give every kind by name, sorted."""
    from canvas.actions.registry import registry

    registry()  # importing the actions registers their kinds
    return dict(sorted(_kinds.items()))


def kinds_known() -> dict[str, ConnectionKind]:
    """Give what was registered so far, to be added to; `connection_kinds` is for everybody else."""
    return _kinds


def connection_field(*kinds: str, description: str, required: bool = True) -> Any:
    """Declare the argument that names a connection: `connection: str`, or `str | None` when it is not required."""
    extra: dict[str, Any] = {"x-widget": "connection", "x-connection": kinds[0] if len(kinds) == 1 else list(kinds)}
    default: Any = ... if required else None
    return Field(default, min_length=1, max_length=63, description=description, json_schema_extra=extra)


def _is_secret(annotation: Any) -> bool:
    return "SecretStr" in str(annotation) or annotation is SecretStr


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
