"""Plug-ins: packages that bring actions and kinds of connections of their own.

A package names a module in the entry point group `canvas.actions`; importing it registers what it brings. Whatever goes
wrong with one is kept as its failure, and all the others, and Canvas itself, go on without it.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from canvas.actions.checks import kind_faults, spec_faults
from canvas.actions.collecting import Collected, being_loaded
from canvas.domain.states import ActionOrigin

GROUP = "canvas.actions"
LOAD_SECONDS = 10.0
RESERVED = ("canvas", "mcp", "tool")
"Namespaces that plug-ins may not use."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A package that was found, and what became of it."""

    package: str
    version: str
    entry: str
    "The entry point's name."
    actions: tuple[str, ...] = ()
    connection_kinds: tuple[str, ...] = ()
    failure: str = ""
    "Why nothing of it is used, in a sentence; empty when all is well."


def load_plugins(actions: dict[str, Any], kinds: dict[str, Any]) -> tuple[Plugin, ...]:
    """Load every plug-in there is and add what they bring.

    All of a plug-in is taken or nothing: one with a fault adds nothing.

    Args:
        actions: The registered actions by name; those of plug-ins are added.
        kinds: The kinds of connections by name; likewise.
    """
    found = sorted(entry_points(group=GROUP), key=lambda entry: (_package(entry), entry.name))
    return tuple(_load(entry, actions, kinds) for entry in found)


def _load(entry: EntryPoint, actions: dict[str, Any], kinds: dict[str, Any]) -> Plugin:
    plugin = Plugin(_package(entry), entry.dist.version if entry.dist else "", entry.name)
    collected = Collected()
    failure = _import(entry, collected) or "; ".join(_faults(collected, actions, kinds))
    if failure:
        _log.error("The plug-in %s is not used: %s", plugin.package, failure)
        return replace(plugin, failure=failure)
    detail = f"{plugin.package} {plugin.version}".strip()
    for name, action in collected.actions.items():
        spec = replace(action.spec, origin=ActionOrigin.PLUGIN, origin_detail=detail)
        actions[name] = replace(action, spec=spec)
    kinds |= collected.kinds
    return replace(plugin, actions=tuple(sorted(collected.actions)), connection_kinds=tuple(sorted(collected.kinds)))


def _import(entry: EntryPoint, collected: Collected) -> str:
    """Import a plug-in in a thread of its own, which is left behind when it takes too long; gives what went wrong."""
    failures: list[str] = []

    def load() -> None:
        being_loaded.set(collected)
        try:
            entry.load()
        except BaseException as error:  # a plug-in may end in any way, sys.exit included
            failures.append(f"importing {entry.value} failed: {type(error).__name__}: {error}")

    thread = threading.Thread(target=load, name=f"plugin-{entry.name}", daemon=True)
    thread.start()
    thread.join(LOAD_SECONDS)
    if thread.is_alive():
        return f"importing {entry.value} took longer than {LOAD_SECONDS:g} s"
    return failures[0] if failures else ""


def _faults(collected: Collected, actions: Mapping[str, Any], kinds: Mapping[str, Any]) -> Iterator[str]:
    if not collected.actions and not collected.kinds:
        yield "it registers nothing; use @action in the module that the entry point names"
    for name in collected.twice:
        yield f"it registers {name} twice"
    for name, action in collected.actions.items():
        yield from _name_faults(name, actions)
        yield from (f"{name}: {fault}" for fault in spec_faults(action.spec))
        wanted = {kind for each in action.spec.connections.values() for kind in each}
        for kind in sorted(wanted - {*kinds, *collected.kinds}):
            yield f"{name}: there is no kind of connection called {kind}"
    for name, kind in collected.kinds.items():
        if name in kinds:
            yield f"a kind of connection called {name} is there already"
        yield from (f"connection kind {name}: {fault}" for fault in kind_faults(kind))


def _name_faults(name: str, actions: Mapping[str, Any]) -> Iterator[str]:
    if name.partition("/")[0].partition(".")[0] in RESERVED:
        yield f"{name} is in a namespace that Canvas keeps for itself"
    if name in actions:
        yield f"there is an action {name} already, from {actions[name].spec.origin_detail or 'Canvas itself'}"


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.module
