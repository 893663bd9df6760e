"""Migrations lead from any revision to what the models say, and back, on both databases."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from canvas import db
from canvas.services import migrations
from canvas.settings import Settings


def schema(settings: Settings) -> dict[str, Any]:
    """Read back everything a database says about its tables."""
    inspector = sa.inspect(db.connect(settings))
    return {
        table: {
            "columns": sorted(
                (c["name"], str(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(table)
            ),
            "key": inspector.get_pk_constraint(table),
            "references": sorted(map(str, inspector.get_foreign_keys(table))),
            "unique": sorted(map(str, inspector.get_unique_constraints(table))),
            "checks": sorted(str((c["name"], c["sqltext"])) for c in inspector.get_check_constraints(table)),
            "indexes": sorted(map(index, inspector.get_indexes(table))),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def index(found: Any) -> str:
    options = {name: str(value) for name, value in found.get("dialect_options", {}).items()}
    return str((found["name"], found["column_names"], found["unique"], options))


def drop_everything(settings: Settings) -> None:
    migrations.downgrade(settings, "base")
    with db.connect(settings).begin() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))


def test_migrations_end_where_the_models_are(empty: Settings):
    """A database that was migrated and one made from the models are the same, constraints and their names included."""
    migrations.upgrade(empty)
    migrated = schema(empty)
    drop_everything(empty)
    SQLModel.metadata.create_all(db.connect(empty))

    assert set(SQLModel.metadata.tables) == set(migrated)
    assert schema(empty) == migrated


@pytest.mark.parametrize("revision", migrations.revisions())
def test_every_revision_leads_to_the_newest(empty: Settings, revision: str):
    """Whatever version of Canvas made the database, the upgrade ends with the same schema, and is idempotent."""
    migrations.upgrade(empty)
    expected = schema(empty)
    migrations.downgrade(empty, "base")
    migrations.upgrade(empty, revision)

    assert migrations.revisions()[-1] == migrations.upgrade(empty)
    assert expected == schema(empty)
    assert migrations.revisions()[-1] == migrations.upgrade(empty)
    assert [] == migrations.differences(empty)


def test_downgrading_leaves_nothing(empty: Settings):
    """Every migration can be taken back."""
    migrations.upgrade(empty)

    assert migrations.downgrade(empty, "base") is None
    assert {} == schema(empty)


def test_a_database_behind_is_told_apart(empty: Settings):
    """Before the upgrade the check says what to do."""
    (sentence,) = migrations.differences(empty)

    assert "canvas db upgrade" in sentence


def test_a_changed_schema_is_told_apart(empty: Settings):
    """A column that somebody dropped by hand is found."""
    migrations.upgrade(empty)
    with db.connect(empty).begin() as connection:
        connection.execute(sa.text("ALTER TABLE workflow DROP COLUMN created_by"))

    (sentence,) = migrations.differences(empty)

    assert "created_by" in sentence


def test_an_unknown_revision_is_refused(empty: Settings):
    """A revision that does not exist is named, and nothing changes."""
    with pytest.raises(migrations.UnknownRevision) as caught:
        migrations.upgrade(empty, "9999")

    assert "unknown_revision" == caught.value.code
    assert {} == schema(empty)


def test_foreign_keys_are_still_guarded_after_a_migration(empty: Settings):
    """Migrating switches SQLite's foreign keys off; they are on again for whoever gets the connection next."""
    migrations.upgrade(empty)
    with db.transaction(empty) as session, pytest.raises(sa.exc.IntegrityError):
        session.execute(
            sa.text(
                "INSERT INTO webhook"
                " (id, created_at, workflow_id, is_from_definition, path, methods, parameters, enabled)"
                " VALUES ('x', '2030-01-01', 'nobody', false, 'p', '[]', '{}', true)"
            )
        )
