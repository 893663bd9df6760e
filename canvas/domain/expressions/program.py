"""Expressions ready to run: compiled once, kept, and safe to evaluate from any thread."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from canvas.domain.expressions import functions_list, functions_number, functions_text, functions_time
from canvas.domain.expressions.closures import Evaluate
from canvas.domain.expressions.compiler import Compiler
from canvas.domain.expressions.faults import (
    ExpressionError,
    ExpressionLimitError,
    ExpressionSyntaxError,
    ExpressionTypeError,
)
from canvas.domain.expressions.limits import MAX_TEXT, UNMETERED, Meter
from canvas.domain.expressions.parser import Parser
from canvas.domain.expressions.references import Reference, references_in
from canvas.domain.expressions.values import check_result, describe

FUNCTION_MODULES = (functions_text, functions_number, functions_list, functions_time)
"The modules that fill the table of functions."
_SHORT = 512
"Up to so many characters a program is small enough to keep thousands."


@dataclass(frozen=True, slots=True)
class Named:
    """What a compiled text names."""

    references: tuple[Reference, ...]
    "Every place where it names something of the context, in the order of the text."
    roots: frozenset[str] = field(init=False)
    "The names it begins with: nothing else of the context is read."
    step_names: frozenset[str] = field(init=False)
    "The steps whose status, output or error it reads."
    reads_any_step: bool = field(init=False)
    "Whether it computes a step's name, or takes `steps` as a whole, so that every step may be read."

    def __post_init__(self) -> None:
        paths = [reference.path for reference in self.references]
        steps = [path for path in paths if path[0] == "steps"]
        object.__setattr__(self, "roots", frozenset(str(path[0]) for path in paths))
        object.__setattr__(self, "step_names", frozenset(str(path[1]) for path in steps if len(path) > 1))
        object.__setattr__(self, "reads_any_step", any(len(path) == 1 for path in steps))


@dataclass(frozen=True, slots=True)
class Program(Named):
    """A compiled expression."""

    text: str
    _run: Evaluate
    _variables: int | None
    "Macro variables alive at once; None for a program that needs no budget and builds nothing."

    def evaluate(self, context: Mapping[str, Any]) -> Any:
        """Evaluate against a context of JSON values.

        Args:
            context: What the names stand for. It, `steps` and each step may be mappings that load on access; below
                them are plain JSON values. Nothing in it is changed, and parts of it may be returned as they are.

        Returns:
            A JSON value; not to be changed, as it may share parts with the context.

        Raises:
            ExpressionError: A name is missing, a type does not fit, or a limit is passed; it knows its column.
        """
        if self._variables is None:
            return self._run(context, UNMETERED)
        meter = Meter(self._variables)
        try:
            return check_result(self._run(context, meter), meter)
        except ExpressionError as error:
            raise error.at(self.text, 0) from None
        except RecursionError:
            raise ExpressionLimitError("This goes too deep.", limit="depth").at(self.text, 0) from None


def compile_expression(text: str) -> Program:
    """Compile an expression, or find it among those compiled lately.

    Braces are brackets: `{{ a }} == 'b'` is `(a) == 'b'`.

    Raises:
        ExpressionError: It is no expression within the limits; the error knows the column.
    """
    if len(text) > MAX_TEXT:
        raise ExpressionLimitError(f"An expression has at most {MAX_TEXT:,} characters.", limit="text").at(text, 0)
    return _compile_short(text) if len(text) <= _SHORT else _compile_long(text)


def _compile(text: str) -> Program:
    if not text.strip():
        raise ExpressionSyntaxError("There is no expression here.").at(text, 0)
    node = Parser(text).parse_all()
    compiler = Compiler(text)
    run = compiler.compile(node)
    return Program(references_in(node, text), text, run, compiler.variables if compiler.is_metered else None)


_compile_short = lru_cache(maxsize=4_096)(_compile)
_compile_long = lru_cache(maxsize=128)(_compile)


def evaluate_condition(program: Program, context: Mapping[str, Any]) -> bool:
    """Evaluate a condition.

    Raises:
        ExpressionTypeError: The result is neither true nor false; nothing else counts as one of them.
        ExpressionError: It cannot be evaluated.
    """
    value = program.evaluate(context)
    if value is True or value is False:
        return bool(value)
    hint = "Compare it with something, such as `x != null` or `size(x) > 0`."
    raise ExpressionTypeError(f"A condition is true or false; this is {describe(value)}. {hint}", hint=hint).at(
        program.text, 0
    )
