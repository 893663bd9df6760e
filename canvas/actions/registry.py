"""The actions there are: `@action` registers one, and all that the product knows about it derives from there."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Annotated, Any, TypeVar, get_type_hints

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

import canvas.actions
from canvas.actions import connections
from canvas.actions.collecting import being_loaded
from canvas.actions.context import ActionContext
from canvas.actions.failures import ActionFailed
from canvas.actions.plugins import Plugin, load_plugins
from canvas.actions.schemas import faults_of, inlined
from canvas.domain.catalog import ActionSpec
from canvas.domain.states import ActionPermission

Given = TypeVar("Given", bound="Arguments")
Answer = TypeVar("Answer", bound=BaseModel)
_registered: dict[str, "RegisteredAction"] = {}


def _as_text(value: Any) -> Any:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


Text = Annotated[str, BeforeValidator(_as_text)]
"""An argument that people read: a template that gives a number, a list or an object is shown as JSON."""


class Arguments(BaseModel):
    """What an action is called with; an argument it does not know is refused."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


class InvalidArguments(ActionFailed):
    """The arguments do not fit the action."""

    code = "invalid_arguments"


@dataclass(frozen=True, slots=True)
class RegisteredAction:
    """An action: what is known about it and the code behind it."""

    spec: ActionSpec
    function: Callable[[Any, ActionContext], Awaitable[BaseModel]]
    arguments: type[Arguments]
    repeatable: Callable[[Any], bool] | None = None

    async def call(self, arguments: Mapping[str, Any], context: ActionContext) -> Any:
        """Carry the action out and give its result as JSON values.

        Raises:
            InvalidArguments: an argument is missing, unknown or of the wrong type.
            ActionFailed: the action could not do it.
        """
        result = await self.function(self._read(arguments), context)
        return result.model_dump(mode="json", by_alias=True)

    def is_idempotent(self, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a call with these arguments may be made again when nobody knows how the last one ended."""
        if self.spec.idempotent or self.repeatable is None:
            return self.spec.idempotent
        try:
            return self.repeatable(self._read(arguments))
        except InvalidArguments:
            return True  # such a call never reaches the world

    def _read(self, arguments: Mapping[str, Any]) -> Arguments:
        try:
            return self.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            raise InvalidArguments(_sentence(self.spec.name, error)) from None


def action(
    name: str,
    *,
    version: int = 1,
    title: str,
    category: str,
    icon: str = "zap",
    idempotent: bool,
    touches_world: bool = True,
    permissions: tuple[ActionPermission, ...],
    security: str,
    aliases: tuple[str, ...] = (),
    example: Arguments,
    example_result: BaseModel,
    repeatable: Callable[[Any], bool] | None = None,
) -> Callable[
    [Callable[[Given, ActionContext], Awaitable[Answer]]], Callable[[Given, ActionContext], Awaitable[Answer]]
]:
    """Register an async function as an action; its docstring is what people read in the catalogue.

    Args:
        name: `namespace/name`, unique.
        icon: A Lucide icon's name.
        idempotent: Whether any call may be repeated after a crash without doing harm.
        touches_world: False for what only computes; a dry run really calls that, and answers others by the example.
        permissions: What a call may touch; none when it only computes.
        security: What somebody careful should know before using it, in a sentence or two.
        aliases: Other names it is found by.
        example: Arguments that make sense; shown in the catalogue and put into the form.
        repeatable: For an action that is not idempotent as such: tells from the arguments whether this call is.
    """

    def register(function: Callable[[Given, ActionContext], Awaitable[Answer]]) -> Any:
        hints = get_type_hints(function)
        spec = ActionSpec(
            name=name,
            version=version,
            title=title,
            description=inspect.getdoc(function) or "",
            category=category,
            icon=icon,
            arguments_schema=inlined(hints["args"].model_json_schema()),
            result_schema=inlined(hints["return"].model_json_schema(mode="serialization")),
            example_arguments=example.model_dump(mode="json", exclude_unset=True),
            example_result=example_result.model_dump(mode="json", by_alias=True),
            idempotent=idempotent,
            partly_idempotent=repeatable is not None,
            touches_world=touches_world,
            permissions=permissions,
            security=security,
            aliases=aliases,
        )
        registered = RegisteredAction(spec, function, hints["args"], repeatable)
        plugin = being_loaded.get()
        if plugin is None:
            _registered[name] = registered
        else:
            plugin.add(plugin.actions, name, registered)
        return function

    return register


@cache
def registry() -> Mapping[str, RegisteredAction]:
    """Give every action by name, sorted; the first call imports each module of this package, and all plug-ins."""
    plugins()
    return MappingProxyType(dict(sorted(_registered.items())))


@cache
def plugins() -> tuple[Plugin, ...]:
    """Give the plug-ins that were found, those that cannot be used included; they are loaded on the first call."""
    for module in iter_modules(canvas.actions.__path__):
        import_module(f"canvas.actions.{module.name}")
    return load_plugins(_registered, connections.kinds_known())


def _sentence(name: str, error: ValidationError) -> str:
    return f"{name} cannot be called like this: {faults_of(error)}."
