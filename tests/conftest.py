"""What most tests need: settings that point into a folder of their own, and a database there with every table."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlmodel import Session, SQLModel

import models
from canvas import db
from canvas.settings import Settings

# a busy machine is no defect; the rest stays as it is, so that CI draws the same examples each time
hypothesis.settings.register_profile("canvas", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("canvas")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation that nobody else uses."""
    return Settings(data_dir=tmp_path)


@pytest.fixture
def database(settings: Settings) -> Iterator[Settings]:
    """An empty database, in WAL on disk; yields the settings that lead to it."""
    assert models.__all__
    engine = db.connect(settings)
    SQLModel.metadata.create_all(engine)
    yield settings
    engine.dispose()


@pytest.fixture
def session(database: Settings) -> Iterator[Session]:
    """A session inside a transaction, as an entry point would hand it to a service."""
    with db.transaction(database) as session:
        yield session


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put browser tests last: Playwright keeps an event loop in the main thread, in which no other can run."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)
