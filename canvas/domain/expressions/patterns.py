"""Regular expressions on RE2: linear in the text, and refused before they cost too much."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from canvas.domain.expressions.faults import ExpressionLimitError, ExpressionValueError
from canvas.domain.expressions.limits import MAX_PATTERN, Meter

_STEPS_PER_UNIT = 12
"RE2's slowest machine takes up to 17 ns for one character in one state; a unit of work is 200 ns."


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern; `states` is the size of its machine."""

    regex: Any
    states: int

    def is_in(self, text: str, meter: Meter) -> bool:
        """Tell whether any part of the text fits."""
        meter.spend(1 + len(text) * self.states // _STEPS_PER_UNIT)
        try:
            return self.regex.search(text) is not None
        except UnicodeError:
            raise ExpressionValueError("This string holds half a character and cannot be searched.") from None


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Pattern:
    """Compile a pattern in RE2's syntax, which has no back references and no look-around.

    Raises:
        ExpressionLimitError: It has more than 1,024 characters.
        ExpressionValueError: It is no pattern, or needs too large a machine.
    """
    if len(text) > MAX_PATTERN:
        raise ExpressionLimitError(f"A pattern has at most {MAX_PATTERN:,} characters.", limit="pattern")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 256 * 1024
    try:
        regex = re2.compile(text, options)
    except UnicodeError:
        raise ExpressionValueError("This pattern holds half a character.") from None
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args else "it cannot be read"
        raise ExpressionValueError(f"`{text[:80]}` is no pattern: {reason}.") from None
    return Pattern(regex, regex._regexp.ProgramSize())  # the wrapper does not publish the size
