"""What may be a name, and which names are taken."""

import re

from canvas.domain.dsl.grammar import MAX_NAME, NAME_PATTERN

RESERVED_WORKFLOW_NAMES = frozenset({"tasks", "import", "validate"})
"Names that are calls of the API."
RESERVED_VARIABLES = frozenset(
    {"workflow", "run", "trigger", "context", "steps", "previous_step", "vars", "index", "loop", "event"}
    | {"true", "false", "null", "in", "and", "or", "not", "has"}
)
"Names that mean something else in expressions."
NAME_HINT = f"Use small letters, digits and `_`, at most {MAX_NAME}, and no digit first."
_NAME = re.compile(NAME_PATTERN)


def is_name(text: str) -> bool:
    """Tell whether a text can be a name of a step, parameter or workflow."""
    return len(text) <= MAX_NAME and _NAME.fullmatch(text) is not None
