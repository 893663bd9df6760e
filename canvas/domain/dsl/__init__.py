"""The text form of a workflow, YAML or JSON: text to definition and back.

Text goes `load_document` → plain data with places → `from_document` → definition; a definition goes `to_document` →
plain data in canonical form → `to_yaml` or `to_json`. Nothing here raises for any text: what is wrong is a problem.
"""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

import orjson

from canvas.domain.definition import Definition, Layout, walk
from canvas.domain.dsl.document import MAX_BYTES, Document, Unreadable, data_problem
from canvas.domain.dsl.json_reader import read_json
from canvas.domain.dsl.reader import read_definition, read_layout
from canvas.domain.dsl.writer import write_definition
from canvas.domain.dsl.yaml_reader import read_yaml
from canvas.domain.dsl.yaml_writer import write_yaml
from canvas.domain.problems import Problem, Report

__all__ = [
    "Document",
    "Format",
    "Parsed",
    "content_hash",
    "document_to_json",
    "document_to_yaml",
    "from_document",
    "load_document",
    "parse",
    "to_document",
    "to_json",
    "to_yaml",
]

Format = Literal["auto", "yaml", "json"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a document says. Run or publish the definition only if neither this nor the validator found an error."""

    definition: Definition | None
    "None when there is nothing to build from."
    layout: Layout = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    "Errors and warnings, in the order of the text; with line and column if there was a text."
    document: Document | None = None
    "None when there was no text."

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that must be repaired."""
        return tuple(problem for problem in self.problems if problem.is_error)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that may stay."""
        return tuple(problem for problem in self.problems if not problem.is_error)


def parse(text: str | bytes, *, format: Format = "auto") -> Parsed:
    """Read a definition from text; problems carry line and column. Never raises.

    Args:
        text: At most 1 MiB of UTF-8.
        format: `auto` takes what begins with a brace for JSON, unless it is none and is YAML.
    """
    document = load_document(text, format=format)
    if document.data is None and document.problems:
        return Parsed(None, {}, document.problems, document)
    parsed = from_document(document.data)
    problems = sorted(document.located((*document.problems, *parsed.problems)), key=_place)
    return replace(parsed, problems=tuple(problems), document=document)


def from_document(data: Any) -> Parsed:
    """Read a definition from plain data, such as the body of a request; problems carry pointers only. Never raises.

    Args:
        data: Anything. It is neither changed nor copied: free-form values in the definition are the same objects.
    """
    fault = data_problem(data)
    if fault is not None:
        return Parsed(None, {}, (fault,))
    report = Report()
    definition = read_definition(data, report)
    layout: Layout = {}
    if definition is not None and "layout" in data:
        layout = read_layout(data["layout"], {placed.step.name for placed in walk(definition.scope)}, report)
    return Parsed(definition, layout, report.problems)


def load_document(text: str | bytes, *, format: Format = "auto") -> Document:
    """Read text as plain data within bounds: size, depth, number of values, aliases. Never raises.

    Args:
        text: At most 1 MiB of UTF-8, with or without a byte order mark.
        format: As in `parse`.
    """
    try:
        decoded = _decoded(text)
    except Unreadable as stop:
        return Document(None, "json" if format == "json" else "yaml", (stop.problem,))
    if format == "json" or (format == "auto" and decoded.lstrip()[:1] in ("{", "[")):
        document = read_json(decoded)
        if format == "json" or document.data is not None or not _may_be_flow_yaml(decoded):
            return document
    return read_yaml(decoded)


def to_document(definition: Definition, layout: Layout | None = None, *, explicit: bool = False) -> dict[str, Any]:
    """Give a definition as plain data in canonical form: fixed order of keys, nothing that goes without saying.

    Args:
        definition: What to write.
        layout: Where the steps lie.
        explicit: Write `depends_on` on every step; the form that `editing` works on.
    """
    return write_definition(definition, layout, explicit=explicit)


def to_yaml(definition: Definition, layout: Layout | None = None) -> str:
    """Write a definition as canonical YAML."""
    return document_to_yaml(write_definition(definition, layout))


def to_json(definition: Definition, layout: Layout | None = None) -> str:
    """Write a definition as canonical JSON, indented."""
    return document_to_json(write_definition(definition, layout))


def document_to_yaml(document: dict[str, Any]) -> str:
    """Write plain data as YAML in the same style; for a draft that does not make a definition yet."""
    return write_yaml(document)


def document_to_json(document: dict[str, Any]) -> str:
    """Write plain data as indented JSON."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def content_hash(definition: Definition) -> str:
    """Give the SHA-256 of what a definition says, as 64 hex digits; layout and the order of free keys do not count."""
    return sha256(orjson.dumps(write_definition(definition), option=orjson.OPT_SORT_KEYS)).hexdigest()


def _decoded(text: str | bytes) -> str:
    try:
        size = len(text) if isinstance(text, bytes) or len(text) > MAX_BYTES else len(text.encode())
        if size > MAX_BYTES:
            limit = f"at most {MAX_BYTES // 1_048_576} MiB is read"
            raise Unreadable("text_too_large", f"The text is too long: {limit}.", "Split the workflow into several.")
        return (text.decode() if isinstance(text, bytes) else text).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Unreadable("not_text", f"This is not UTF-8 text: byte {error.start + 1} fits nothing.") from None
    except UnicodeEncodeError as error:
        raise Unreadable("not_text", f"Character {error.start + 1} is half of a surrogate pair.") from None


def _may_be_flow_yaml(text: str) -> bool:
    return not text.lstrip()[1:].lstrip().startswith(('"', "{", "[", "}", "]"))


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0
