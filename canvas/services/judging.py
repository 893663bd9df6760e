"""Reading documents and judging them: everything that is wrong, at once, and where."""

from dataclasses import dataclass, replace
from typing import Any

from canvas.domain.catalog import Catalog
from canvas.domain.definition import Definition, Layout
from canvas.domain.dsl import Document, Parsed, from_document, load_document, parse
from canvas.domain.errors import Invalid
from canvas.domain.importers import ImportRefused, detect_format, import_document
from canvas.domain.problems import Problem
from canvas.domain.validation import check

FORMATS = ("auto", "canvas", "archon", "orb")

_CANNOT_BE_KEPT = frozenset(
    {
        "bad_word",
        "steps_too_deep",
        "too_many_steps",
        "unknown_key",
        "unknown_step_type",
        "unsupported_dsl",
        "wrong_type",
    }
)
"Codes of problems with parts of a text that have no place in a definition; importing it anyway would lose them."


class InvalidDocument(Invalid):
    """The document is not a workflow."""

    code = "invalid_document"


class DefinitionHasErrors(Invalid):
    """The workflow has errors that have to be repaired first."""

    code = "definition_has_errors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text says, and everything that is wrong with it."""

    format: str
    "`canvas`, `archon` or `orb`."
    definition: Definition | None
    layout: Layout
    problems: tuple[Problem, ...]
    "Errors and warnings, with line and column where the text is in our own form."
    notes: tuple[str, ...] = ()
    "What an importer had to interpret."

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stand in the way of saving a version."""
        return tuple(p for p in self.problems if p.is_error)

    def require_no_errors(self) -> None:
        """Refuse a text with errors, and say where in the text they are.

        Raises:
            DefinitionHasErrors: it has some; `problems` lists all of them.
        """
        if self.errors:
            raise DefinitionHasErrors(_sentence(self.problems), problems=[p.to_json() for p in self.problems])

    def require_definition(self) -> Definition:
        """Give the definition, if it holds everything that the text says.

        Raises:
            InvalidDocument: there is none, or something in the text has no place in it; `problems` says what.
        """
        if self.definition is None or any(p.code in _CANNOT_BE_KEPT for p in self.errors):
            raise InvalidDocument(_sentence(self.problems), problems=[p.to_json() for p in self.problems])
        return self.definition


def read_text(
    text: str | bytes, known: Catalog, *, format: str = "auto", name: str | None = None, dry_run: bool = False
) -> Reading:
    """Read a workflow from YAML or JSON of our own form or a foreign one, and judge it.

    Args:
        known: What it may name.
        format: One of `FORMATS`; `auto` looks at the shape.
        name: Takes the place of the name in the text.
        dry_run: Whether actions that nobody registered, and ways that an importer had to cut off, are no errors.

    Raises:
        Invalid: there is no such format.
    """
    if format not in FORMATS:
        raise Invalid(f"There is no format {format!r}; use one of {', '.join(FORMATS)}.", format=format)
    document = load_document(text)
    found: str = "canvas"
    notes: tuple[str, ...] = ()
    if document.data is not None:
        found = detect_format(document.data) if format == "auto" else format
    if found == "canvas":
        parsed = _read_own(text, document, name)
    else:
        parsed, notes = _read_foreign(document, found, name, dry_run)
    problems = check(parsed, known, allow_unregistered=dry_run)
    return Reading(
        format=found, definition=parsed.definition, layout=parsed.layout, problems=tuple(problems), notes=notes
    )


def judge(document: dict[str, Any], known: Catalog, *, allow_unregistered: bool = False) -> tuple[Problem, ...]:
    """Give every problem of a draft's document."""
    return check(from_document(document), known, allow_unregistered=allow_unregistered)


def require_sound(document: dict[str, Any], known: Catalog, *, allow_unregistered: bool = False) -> Definition:
    """Give the definition of a document that has no errors.

    Args:
        allow_unregistered: Whether actions that nobody registered are no errors, as in a dry run.

    Raises:
        DefinitionHasErrors: it has; `problems` lists all of them.
    """
    parsed = from_document(document)
    problems = check(parsed, known, allow_unregistered=allow_unregistered)
    errors = [p for p in problems if p.is_error]
    if errors or parsed.definition is None:
        raise DefinitionHasErrors(_sentence(errors), problems=[p.to_json() for p in problems])
    return parsed.definition


def _read_own(text: str | bytes, document: Document, name: str | None) -> Parsed:
    if name is None or not isinstance(document.data, dict):
        return parse(text)
    parsed = from_document({**document.data, "name": name})
    return replace(parsed, problems=document.located((*document.problems, *parsed.problems)), document=document)


def _read_foreign(document: Document, format: Any, name: str | None, dry_run: bool) -> tuple[Parsed, tuple[str, ...]]:
    try:
        imported = import_document(document.data, format)
    except ImportRefused as error:
        pointer = str(error.details.get("pointer", ""))
        problem = Problem(error.code, "error", pointer, str(error))
        return Parsed(None, problems=document.located((problem,)), document=document), ()
    parsed = from_document({**imported.document, **({"name": name} if name else {})})
    lost = () if dry_run else document.located(note for note in imported.warnings if note.is_error)
    parsed = replace(parsed, problems=(*lost, *parsed.problems))
    return parsed, tuple(f"{w.pointer}: {w.text}" if w.pointer else w.text for w in imported.warnings)


def _sentence(problems: tuple[Problem, ...] | list[Problem]) -> str:
    errors = [p for p in problems if p.is_error]
    if not errors:
        return "There is no workflow in this document."
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{errors[0].text}{more}"
