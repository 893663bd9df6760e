"""Names that every step may have: small letters, digits and `_`, unique in the whole definition."""

import re
import unicodedata

from canvas.domain.dsl.grammar import MAX_NAME

_ODD = re.compile(r"[^a-z0-9]+")


def slug(text: str, fallback: str) -> str:
    """Turn any text into a name, or take the fallback if nothing is left of it."""
    plain = unicodedata.normalize("NFKD", text[:400]).encode("ascii", "ignore").decode().lower()
    found = _ODD.sub("_", plain).strip("_")[:MAX_NAME].rstrip("_")
    if not found:
        return fallback
    return found if found[0].isalpha() else f"step_{found}"[:MAX_NAME]


class Names:
    """Hands out the names of one definition, and remembers what each step was called before."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self.renamed: dict[str, str] = {}
        "What a step was called, by name or id, to its name now; the first step of a name keeps it."

    def claim(self, wanted: str, *former: str) -> str:
        """Take a name, with a number behind it if it is taken.

        Args:
            wanted: A valid name.
            former: What expressions and routes of the source call the step.
        """
        name, number = wanted, self._taken.get(wanted, 1)
        while name in self._taken:
            number += 1
            suffix = f"_{number}"
            name = f"{wanted[: MAX_NAME - len(suffix)]}{suffix}"
        self._taken[wanted] = number
        self._taken.setdefault(name, 1)
        for word in former:
            if word:
                self.renamed.setdefault(word, name)
        return name
