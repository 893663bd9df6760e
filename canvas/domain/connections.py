"""Which connections a definition names, and which of them it still needs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from canvas.domain.catalog import ActionSpec, Catalog
from canvas.domain.definition import Definition, walk
from canvas.domain.steps import ActionStep

_MCP: Final = "mcp."
MCP_KIND: Final = "mcp"


@dataclass(frozen=True, slots=True)
class Call:
    """What a step calls, as far as it can name connections: its action and the arguments that are plain text."""

    step: str
    action: str
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Named:
    """A step that names a connection, and the kinds it may be of."""

    step: str
    connection: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """A connection that a definition names."""

    name: str
    kind: str
    "What it has to be, such as `smtp` or `mastodon or bluesky`."
    steps: tuple[str, ...]
    missing: bool
    "Whether there is none of this name here."


def calls_of(definition: Definition) -> tuple[Call, ...]:
    """Give what may name connections, whatever actions there are: it can be kept as long as the definition."""
    steps = [placed.step for placed in walk(definition.scope)]
    return tuple(
        Call(step.name, step.action, {name: value for name, value in step.parameters.items() if is_name(value)})
        for step in steps
        if isinstance(step, ActionStep)
    )


def named_in(calls: Iterable[Call], actions: Mapping[str, ActionSpec]) -> Iterator[Named]:
    """Find the connections that calls name: in their arguments, or as the server of an MCP tool."""
    for call in calls:
        if call.action.startswith(_MCP):
            yield Named(call.step, call.action.partition("/")[0].removeprefix(_MCP), (MCP_KIND,))
        spec = actions.get(call.action)
        for argument, kinds in spec.connections.items() if spec else ():
            if argument in call.texts:
                yield Named(call.step, call.texts[argument], kinds)
        for name, kinds in spec.always_uses.items() if spec else ():
            yield Named(call.step, name, kinds)


def needs_of(definition: Definition, catalog: Catalog) -> tuple[Need, ...]:
    """List the connections that a definition names, by name; those that a template names are known in a run only."""
    found: dict[str, list[Named]] = {}
    for named in named_in(calls_of(definition), catalog.actions):
        found.setdefault(named.connection, []).append(named)
    return tuple(
        Need(
            name=name,
            kind=" or ".join(uses[0].kinds),
            steps=tuple(dict.fromkeys(use.step for use in uses)),
            missing=name not in catalog.connections,
        )
        for name, uses in sorted(found.items())
    )


def is_name(value: Any) -> TypeGuard[str]:
    """Tell whether a value names something now, rather than in a run."""
    return isinstance(value, str) and value != "" and "{{" not in value
