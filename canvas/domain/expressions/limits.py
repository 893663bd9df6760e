"""What an expression may cost. Counted, not timed, so that the same expression fails the same way everywhere."""

from typing import Any

from canvas.domain.expressions.faults import ExpressionLimitError

MAX_TEXT = 16 * 1024
"Characters in one expression."
MAX_NODES = 2_000
"Parts of one expression, or of all expressions of one text field."
MAX_DEPTH = 48
"Brackets, calls and operators inside one another."
MAX_WORK = 100_000
"Units of work in one evaluation; a unit takes about a tenth of a microsecond."
MAX_MEMORY = 4 * 1024 * 1024
"Bytes, roughly, that one evaluation may build."
MAX_RESULT = 1024 * 1024
"Bytes of JSON, roughly, in a result that was built."
MAX_PATTERN = 1024
"Characters in a regular expression."
MAX_VALUE_DEPTH = 64
"Lists and objects inside one another in a value that holds templates."


class Meter:
    """What is left of one evaluation's budget, and the values of its macro variables."""

    __slots__ = ("memory", "variables", "work")

    def __init__(self, variables: int = 0) -> None:
        self.work = MAX_WORK
        self.memory = MAX_MEMORY
        self.variables: list[Any] = [None] * variables

    def spend(self, work: int, memory: int = 0) -> None:
        """Take from the budget, before the work is done.

        Raises:
            ExpressionLimitError: There is not enough left.
        """
        self.work -= work
        if self.work < 0:
            raise ExpressionLimitError(f"This takes more than {MAX_WORK:,} units of work.", limit="work")
        self.memory -= memory
        if self.memory < 0:
            raise ExpressionLimitError(f"This builds more than {MAX_MEMORY // 1024**2} MiB.", limit="memory")


UNMETERED = Meter()
"For programs that neither build nor repeat anything: their size bounds them."
