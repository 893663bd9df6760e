"""Both databases, empty, as `Settings`."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from canvas import db
from canvas.settings import Settings
from tests.postgres import cluster


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server's administrator."""
    with cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings that lead to an empty database, once of each kind."""
    if request.param == "sqlite":
        settings = Settings(data_dir=tmp_path)
        yield settings
        db.connect(settings).dispose()
        return
    administrator = sa.create_engine(request.getfixturevalue("postgres"), isolation_level="AUTOCOMMIT")
    name = f"canvas_{secrets.token_hex(6)}"
    with administrator.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    settings = Settings(data_dir=tmp_path, database_url=str(administrator.url.set(database=name)))
    yield settings
    db.connect(settings).dispose()
    with administrator.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    administrator.dispose()
