"""The table of functions: one signature line says what is checked, completed in the editor and printed in the docs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from canvas.domain.expressions.faults import ExpressionTypeError
from canvas.domain.expressions.limits import Meter
from canvas.domain.expressions.values import article, describe

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "object": (dict,),
    "time": (str, int, float),
}
_SIGNATURE = re.compile(r"(\w+)\((.*)\) -> (.+)")
_PARAMETER = re.compile(r"(\.\.\.)?(\w+)(\?)?: ([\w|]+)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument that a function takes."""

    name: str
    wanted: str
    "Its type, as the signature has it."
    kinds: tuple[type, ...]
    "The types that fit as they are; empty where every value will do."


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language; `x.f(y)` is another spelling of `f(x, y)`."""

    name: str
    group: str
    signature: str
    summary: str
    example: str
    result: Any
    "What the example evaluates to."
    parameters: tuple[Parameter, ...]
    required: int
    is_variadic: bool
    run: Callable[..., Any]

    def accepts(self, count: int) -> bool:
        """Tell whether the function can be called with so many arguments."""
        return self.required <= count and (self.is_variadic or count <= len(self.parameters))

    def parameters_for(self, count: int) -> tuple[Parameter, ...]:
        """Name the parameters that so many arguments fill; the last of a variadic function repeats."""
        return self.parameters[:count] + self.parameters[-1:] * (count - len(self.parameters))


FUNCTIONS: dict[str, Function] = {}
"Every function by its name; filled by the modules `functions_*`."


@dataclass(frozen=True, slots=True)
class Macro:
    """What looks like a function and is built in, because it names its argument or does not fail for it."""

    name: str
    signature: str
    summary: str
    example: str
    result: Any


MACROS: dict[str, Macro] = {
    macro.name: macro
    for macro in (
        Macro(
            "map",
            "items.map(item, expression) -> list",
            "Evaluate the expression for every element; `items.map(item, condition, expression)` leaves some out.",
            "[1, 2].map(n, n * 10)",
            [10, 20],
        ),
        Macro(
            "filter",
            "items.filter(item, condition) -> list",
            "Keep the elements for which the condition is true.",
            "[1, 2, 3].filter(n, n > 1)",
            [2, 3],
        ),
        Macro(
            "all",
            "items.all(item, condition) -> boolean",
            "Whether the condition is true for every element.",
            "[1, 2].all(n, n > 0)",
            True,
        ),
        Macro(
            "exists",
            "items.exists(item, condition) -> boolean",
            "Whether the condition is true for one element at least.",
            "[1, 2].exists(n, n > 1)",
            True,
        ),
        Macro(
            "exists_one",
            "items.exists_one(item, condition) -> boolean",
            "Whether the condition is true for exactly one element.",
            "[1, 2].exists_one(n, n > 1)",
            True,
        ),
        Macro(
            "has", "has(path) -> boolean", "Whether the path leads to something, be it null.", "has({'a': 1}.a)", True
        ),
        Macro(
            "default",
            "default(value, other) -> any",
            "The value, or the other one where it is missing or null; also written `value ?? other`.",
            "default({'a': 1}.b, 0)",
            0,
        ),
    )
}
"Every macro by its name."

Implementation = Callable[..., Any]


def function(
    group: str, signature: str, example: str, result: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function into the table; its docstring's first line is its description.

    Args:
        group: The heading under which the docs list it.
        signature: As in `slice(value: string|list, start: integer, end?: integer) -> any`; `...more: any` repeats.
        example: An expression that names nothing from a context.
        result: What the example gives; a test holds it to that.
    """

    def register(run: Implementation) -> Implementation:
        matched = _SIGNATURE.fullmatch(signature)
        assert matched is not None, signature
        found = _PARAMETER.findall(matched[2])
        parameters = tuple(Parameter(name, kind, _allowed(kind)) for _, name, _, kind in found)
        required = sum(1 for dots, _, optional, _ in found if not dots and not optional)
        is_variadic = any(dots for dots, *_ in found)
        summary = str(run.__doc__).strip().splitlines()[0]
        FUNCTIONS[matched[1]] = Function(
            matched[1], group, signature, summary, example, result, parameters, required, is_variadic, run
        )
        return run

    return register


def _allowed(kind: str) -> tuple[type, ...]:
    if kind == "any":
        return ()
    return tuple(cls for name in kind.split("|") for cls in _KINDS[name])


def admit(name: str, parameter: Parameter, value: Any) -> Any:
    """Bring a value that is no exact match into the type that a parameter wants.

    Raises:
        ExpressionTypeError: It is of another type.
    """
    if dict in parameter.kinds and isinstance(value, Mapping):
        return dict(value)
    if str in parameter.kinds and isinstance(value, str):
        return str(value)
    if int in parameter.kinds and type(value) is float and value.is_integer():
        return int(value)
    wanted = " or ".join(article(kind) for kind in parameter.wanted.split("|"))
    raise ExpressionTypeError(f"`{name}` takes {wanted} as `{parameter.name}`, not {describe(value)}.")


def spent(meter: Meter, size: int, memory: int = 0) -> None:
    """Pay for a pass over `size` characters or elements that runs in C."""
    meter.spend(1 + size // 32, memory)
