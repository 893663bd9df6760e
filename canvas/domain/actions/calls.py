"""Calling a user-defined action: its arguments are checked, its invariants too, and what stands behind it is named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from canvas.domain.actions.arguments import read_arguments
from canvas.domain.actions.values import Invariant, UserAction
from canvas.domain.expressions import ExpressionError, Program, compile_expression, compile_value, evaluate_condition
from canvas.domain.expressions.templates import CompiledValue

_NAMES = frozenset({"args", "output"})


class CallRefused(Exception):
    """A call that must not be made; becomes the step's error."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **details}


@dataclass(frozen=True, slots=True)
class Call:
    """What is really called: a registered action or a workflow, and with what."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands in for an invariant that does not compile any more: it never holds."""

    error: ExpressionError
    roots: frozenset[str] = frozenset()

    def evaluate(self, context: Mapping[str, Any]) -> bool:
        """Raise the error of the compiler."""
        raise self.error


@dataclass(frozen=True, slots=True)
class Check:
    """An invariant that is an expression."""

    text: str
    program: Program | Unreadable
    is_after: bool
    "Whether it names the output, so that only the end of a call can tell."


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A user-defined action ready to be called; prepared once, shared by all runs."""

    action: UserAction
    mapping: CompiledValue | ExpressionError
    checks: tuple[Check, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.action.name

    def accept(self, given: Mapping[str, Any], *, is_rehearsal: bool = False) -> dict[str, Any]:
        """Take what a step gives: check it, fill in defaults, and look at the invariants that need nothing else.

        Args:
            is_rehearsal: Whether values may be invented, as in a dry run: what cannot be judged then passes.

        Raises:
            CallRefused: an argument does not fit, or an invariant is broken.
        """
        values, faults = read_arguments(self.action, given, is_rehearsal=is_rehearsal)
        if faults:
            told = f"{self.name} cannot be called like this: {'; '.join(faults)}."
            raise CallRefused("invalid_arguments", told, retryable=False)
        for broken in self._broken({"args": values}, is_after=False, is_rehearsal=is_rehearsal):
            raise broken
        return values

    def call(self, args: Mapping[str, Any]) -> Call:
        """Say what is to be called for accepted arguments; a parameter whose template gives null is left out.

        Raises:
            ExpressionError: a template of the mapping does not fit them.
        """
        if isinstance(self.mapping, ExpressionError):
            raise self.mapping
        body = self.action.body
        filled = self.mapping.evaluate({"args": args})
        given = {key: value for key, value in filled.items() if value is not None or body.parameters[key] is None}
        return Call(body.action or body.workflow, given)

    def broken_after(self, args: Mapping[str, Any], output: Any, *, is_rehearsal: bool = False) -> CallRefused | None:
        """Look at the invariants that name what came out; None when all of them hold."""
        names = {"args": args, "output": output}
        return next(self._broken(names, is_after=True, is_rehearsal=is_rehearsal), None)

    def _broken(self, names: Mapping[str, Any], *, is_after: bool, is_rehearsal: bool) -> Iterator[CallRefused]:
        for check in self.checks:
            if check.is_after is not is_after:
                continue
            try:
                reason = None if _holds(check.program, names) else ""
            except ExpressionError as error:
                reason = None if is_rehearsal else str(error)
            if reason is not None:
                yield _broken(check, reason)


def prepare_call(action: UserAction) -> Prepared:
    """Prepare an action for being called. A mapping that cannot be compiled fails the steps that need it."""
    try:
        mapping: CompiledValue | ExpressionError = compile_value(dict(action.body.parameters))
    except ExpressionError as error:
        mapping = error
    return Prepared(action, mapping, tuple(_checks(action.invariants)))


def is_checked(invariant: Invariant) -> bool:
    """Tell whether an invariant is evaluated at each call, or stands there for people."""
    if invariant.is_expression is not None:
        return invariant.is_expression
    try:
        program = compile_expression(invariant.text)
    except ExpressionError:
        return False
    return bool(program.roots) and program.roots <= _NAMES


def _checks(invariants: tuple[Invariant, ...]) -> Iterator[Check]:
    for invariant in invariants:
        if not is_checked(invariant):
            continue
        program: Program | Unreadable
        try:
            program = compile_expression(invariant.text)
        except ExpressionError as error:
            program = Unreadable(error)
        yield Check(invariant.text, program, "output" in program.roots)


def _holds(program: Program | Unreadable, names: Mapping[str, Any]) -> bool:
    return program.evaluate(names) if isinstance(program, Unreadable) else evaluate_condition(program, names)


def _broken(check: Check, reason: str) -> CallRefused:
    when = "after" if check.is_after else "before"
    told = f"This must hold {when} each call: {check.text}"
    message = f"{told} ({reason})" if reason else told
    return CallRefused("invariant_broken", message, invariant=check.text, when=when, retryable=False)
