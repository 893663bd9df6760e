"""User-defined actions as values: typed arguments, invariants, and what stands behind the name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from canvas.domain.states import ActionState, ArgumentType


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One typed argument of an action."""

    name: str
    type: ArgumentType = ArgumentType.STRING
    required: bool = False
    default: Any = None
    min_value: float | None = None
    "The least value of a number, the least length of text or of a list; inclusive."
    max_value: float | None = None
    "The greatest, inclusive."
    pattern: str | None = None
    "In RE2's syntax; some part of the text has to fit. For text only."
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """What has to hold whenever the action is called."""

    text: str
    is_expression: bool | None = None
    "Whether it is checked at each call, or stands there for people; None takes whatever reads as an expression."


@dataclass(frozen=True, slots=True, kw_only=True)
class Actors:
    """Who does the parts of a plan that this action is applied in, each as `namespace/name`; empty for the default."""

    strategy: str = ""
    execution: str = ""
    review: str = ""
    apply: str = ""
    estimation: str = ""
    invariant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What stands behind the name: one registered action, or one workflow."""

    action: str = ""
    workflow: str = ""
    version: int | None = None
    "Of the workflow; None takes the published one."
    parameters: Mapping[str, Any] = field(default_factory=dict)
    "What it is called with: templates over `args`."


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAction:
    """An action that somebody put together out of what there is."""

    name: str
    "`namespace/name`"
    title: str = ""
    description: str = ""
    long_description: str = ""
    definition_of_done: str = ""
    icon: str = "puzzle"
    "A Lucide icon's name."
    tags: tuple[str, ...] = ()
    state: ActionState = ActionState.AVAILABLE
    reusable: bool = True
    "Whether a plan may apply it more than once."
    read_only: bool = False
    "Whether it changes nothing: a call that a crash cut off is then simply made again."
    automation_profile: str = ""
    actors: Actors = field(default_factory=Actors)
    arguments: tuple[Argument, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    inputs_schema: Mapping[str, Any] | None = None
    "A JSON Schema of its own for the arguments; None derives it from `arguments`."
    body: Body = field(default_factory=Body)

    @property
    def namespace(self) -> str:
        """What stands before the slash."""
        return self.name.partition("/")[0]
