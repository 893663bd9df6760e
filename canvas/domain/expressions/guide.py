"""The language described as data, for completion in the editor and for the manual."""

import orjson

from canvas.domain.expressions.catalogue import FUNCTIONS, MACROS, Function, Macro

_ORDER = ("Macros", "Text", "Numbers", "Types", "Lists", "Objects", "Times")


def functions_table() -> list[dict[str, str]]:
    """List every function and macro: `name`, `group`, `signature`, `summary`, `example`, in the manual's order."""
    return [
        {"name": it.name, "group": group, "signature": it.signature, "summary": it.summary, "example": it.example}
        for group, entries in _groups().items()
        for it in entries
    ]


def functions_markdown() -> str:
    """Write the manual's section of functions, one table for each group."""
    parts = []
    for group, entries in _groups().items():
        parts.append(f"### {group}\n\n| function | what it gives | example | result |\n|---|---|---|---|")
        parts.extend(map(_row, entries))
        parts.append("")
    return "\n".join(parts)


def _groups() -> dict[str, list[Function | Macro]]:
    groups: dict[str, list[Function | Macro]] = {group: [] for group in _ORDER}
    groups["Macros"].extend(MACROS.values())
    for function in FUNCTIONS.values():
        groups[function.group].append(function)
    return groups


def _row(entry: Function | Macro) -> str:
    result = orjson.dumps(entry.result).decode()
    cells = [f"`{entry.signature}`", entry.summary, f"`{entry.example}`", f"`{result}`"]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
