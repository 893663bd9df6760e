"""Documents of other products, said in our canonical form, with a warning for everything that was interpreted."""

from dataclasses import replace
from typing import Any, Literal

from canvas.domain.dsl import from_document, to_document
from canvas.domain.dsl.document import data_problem
from canvas.domain.importers.archon import import_archon
from canvas.domain.importers.detection import ALONE, DocumentFormat, detect_format, unwrap
from canvas.domain.importers.imported import Imported, ImportRefused
from canvas.domain.importers.orb import import_orb

__all__ = ["DocumentFormat", "ImportRefused", "Imported", "detect_format", "import_document"]


def import_document(document: Any, format: Literal["auto", "canvas", "archon", "orb"] = "auto") -> Imported:
    """Say a document of any known shape in canonical form; one that is canonical already stays as it is.

    Args:
        document: Plain data; it is not changed.
        format: `auto` tells the shape by its keys.

    Raises:
        ImportRefused: It is no document of that shape, or beyond the bounds of a document. `pointer` says where.
    """
    problem = data_problem(document)
    if problem is not None:
        raise ImportRefused(problem.text, pointer=problem.pointer)
    if format == "auto":
        format = detect_format(document)
    if not isinstance(document, dict | list):
        raise ImportRefused("A workflow is a mapping.", pointer="")
    if format == "canvas":
        return Imported(document if isinstance(document, dict) else {"steps": document})
    source, inner, outer = unwrap(document)
    if not isinstance(source.get("steps"), list):
        raise ImportRefused("A workflow has a list of `steps`.", pointer="/steps")
    imported = import_orb(source) if format == "orb" else import_archon(source, is_alone=inner == ALONE)
    warnings = (replace(it, pointer=outer + it.pointer.removeprefix(inner)) for it in imported.warnings)
    return Imported(_canonical(imported.document), tuple(warnings))


def _canonical(document: dict[str, Any]) -> dict[str, Any]:
    parsed = from_document(document)
    return document if parsed.definition is None or parsed.errors else to_document(parsed.definition)
