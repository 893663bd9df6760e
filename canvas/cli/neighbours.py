"""What workflow files may name: registered actions, workflows in the database, and workflows in files beside them."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from canvas.db import reading
from canvas.domain.catalog import Catalog
from canvas.domain.definition import Definition
from canvas.domain.errors import CanvasError
from canvas.services import migrations
from canvas.services.catalog import action_specs, catalog, signature_of
from canvas.services.judging import read_text
from canvas.settings import Settings

_SUFFIXES = (".yaml", ".yml", ".json")


def known_here(settings: Settings, files: Iterable[Path]) -> Catalog:
    """Give everything that these files may name."""
    beside = {
        definition.name: signature_of(definition) for definition in (*linked_files(files).values(), *_read(files))
    }
    stored = stored_catalog(settings)
    return replace(stored, workflows={**stored.workflows, **beside})


def linked_files(files: Iterable[Path]) -> dict[Path, Definition]:
    """Find the files that others link to, through any number of links: `name.yaml` beside whoever names `name`."""
    found: dict[Path, Definition] = {}
    waiting = list(files)
    seen = {file.resolve() for file in waiting}
    while waiting:
        file = waiting.pop()
        definition = definition_in(file)
        for link in sorted(signature_of(definition).links) if definition else ():
            neighbour = next((p for s in _SUFFIXES if (p := file.parent / f"{link}{s}").is_file()), None)
            if neighbour is None or neighbour.resolve() in seen:
                continue
            seen.add(neighbour.resolve())
            waiting.append(neighbour)
            if (linked := definition_in(neighbour)) is not None:
                found[neighbour] = linked
    return found


def definition_in(file: Path) -> Definition | None:
    """Read the definition in a file, right or wrong; None when there is none."""
    return read_text(file.read_bytes(), Catalog(actions=action_specs())).definition


def _read(files: Iterable[Path]) -> list[Definition]:
    return [definition for file in files if (definition := definition_in(file)) is not None]


def stored_catalog(settings: Settings) -> Catalog:
    """Give everything the database knows; the registered actions alone when there is none, or it is out of date."""
    try:
        migrations.require_current(settings)
    except CanvasError:
        return Catalog(actions=action_specs())
    with reading(settings) as session:
        return catalog(session)
