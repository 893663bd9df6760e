"""How an expression can be wrong. Every error knows its place in the text as soon as somebody tells it."""

from typing import Self

from canvas.domain.errors import Invalid


class ExpressionError(Invalid):
    """The expression cannot be used as it stands.

    `details` holds `line` and `column` (from 1) and `offset` (from 0) once the place is known, `hint` (a sentence) and
    `near` (similar names, best first) where there is something to suggest, and `pointer` inside a larger value.
    """

    code = "expression_error"

    def at(self, text: str, offset: int) -> Self:
        """Say where in `text` it happened; the first, innermost place stays."""
        if "offset" not in self.details:
            start = text.rfind("\n", 0, offset) + 1
            line, column = text.count("\n", 0, offset) + 1, offset - start + 1
            self.details.update(offset=offset, line=line, column=column)
            place = f"column {column}" if line == 1 else f"line {line}, column {column}"
            self.args = (f"{self} ({place})",)
        return self

    def within(self, pointer: str) -> Self:
        """Say which part of a larger value holds the expression, as a JSON pointer."""
        if pointer and "pointer" not in self.details:
            self.details["pointer"] = pointer
            self.args = (f"{pointer}: {self}",)
        return self


class ExpressionSyntaxError(ExpressionError):
    """The text is no expression."""

    code = "expression_syntax"


class ExpressionTypeError(ExpressionError):
    """A value has the wrong type for what is done with it."""

    code = "expression_type"


class ExpressionValueError(ExpressionError):
    """A value is of the right type and yet cannot be used: a division by zero, a number beyond 64 bits."""

    code = "expression_value"


class MissingValue(ExpressionError):
    """The expression names something that is not there; `has`, `??` and `default` ask without failing."""

    code = "expression_missing"


class ExpressionLimitError(ExpressionError):
    """The expression is larger, or does more, than is allowed."""

    code = "expression_limit"
