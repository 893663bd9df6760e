"""Hypothesis strategies for user-defined actions."""

from typing import Any

from hypothesis import strategies as st

from canvas.domain.actions import Actors, Argument, Body, Invariant, UserAction
from canvas.domain.actions.document import ARGUMENT_TYPES
from canvas.domain.states import ArgumentType
from tests.domain.strategies import json_values

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
NUMBERS = st.integers(-9, 9) | st.integers(-18, 18).map(lambda half: half / 2)
PATTERNS = st.sampled_from(["^a+$", "b", "[0-9]", "^$"])


@st.composite
def arguments(draw: st.DrawFn, name: str, kind: ArgumentType | None = None) -> Argument:
    """One argument whose bounds make sense; it may have a default that does not fit them."""
    kind = kind or draw(st.sampled_from(ARGUMENT_TYPES))
    is_measured = kind in (ArgumentType.STRING, ArgumentType.LIST)
    bounds = st.integers(0, 4) if is_measured else NUMBERS
    least, most = draw(st.none() | bounds), draw(st.none() | bounds)
    if kind is ArgumentType.BOOLEAN:
        least = most = None
    elif least is not None and most is not None:
        least, most = min(least, most), max(least, most)
    pattern = draw(st.none() | PATTERNS) if kind is ArgumentType.STRING else None
    return Argument(
        name=name,
        type=kind,
        required=draw(st.booleans()),
        default=draw(st.none() | values(kind)),
        min_value=least,
        max_value=most,
        pattern=pattern,
        description=draw(TEXTS),
    )


def values(kind: ArgumentType) -> st.SearchStrategy[Any]:
    """Values of a type, inside and outside of the bounds that are drawn."""
    return {
        ArgumentType.STRING: st.text("ab1é", max_size=6),
        ArgumentType.INTEGER: st.integers(-9, 9) | st.integers(-9, 9).map(float),
        ArgumentType.FLOAT: NUMBERS,
        ArgumentType.BOOLEAN: st.booleans(),
        ArgumentType.LIST: st.lists(st.integers(0, 1), max_size=6),
    }[kind]


any_value = st.one_of(*(values(kind) for kind in ARGUMENT_TYPES)) | json_values()


@st.composite
def user_actions(draw: st.DrawFn) -> UserAction:
    """Any action that can be written down, whether or not it makes sense."""
    names = draw(st.lists(NAMES, max_size=4, unique=True))
    mapping = st.dictionaries(NAMES, TEXTS | st.sampled_from([f"{{{{ args.{name} }}}}" for name in ("x", *names)]))
    return UserAction(
        name=f"{draw(NAMES)}/{draw(NAMES)}",
        title=draw(TEXTS),
        description=draw(TEXTS),
        long_description=draw(TEXTS),
        definition_of_done=draw(TEXTS),
        tags=tuple(draw(st.lists(TEXTS, max_size=2))),
        reusable=draw(st.booleans()),
        read_only=draw(st.booleans()),
        automation_profile=draw(TEXTS),
        actors=Actors(strategy=draw(TEXTS), review=draw(TEXTS)),
        arguments=tuple(draw(arguments(name)) for name in names),
        invariants=tuple(
            draw(st.lists(st.builds(Invariant, text=TEXTS, is_expression=st.none() | st.booleans()), max_size=3))
        ),
        inputs_schema=draw(st.none() | st.just({"type": "object"}) | st.dictionaries(TEXTS, json_values(), max_size=2)),
        body=Body(
            action=draw(st.sampled_from(["", "http/request", "own/other"])),
            workflow=draw(st.sampled_from(["", "hello"])),
            version=draw(st.none() | st.integers(1, 3)),
            parameters=draw(mapping),
        ),
    )
