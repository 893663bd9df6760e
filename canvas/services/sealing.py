"""Rotating the keys that secrets are sealed with."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from canvas.db import transaction
from canvas.domain.errors import Conflict
from canvas.settings import Settings
from canvas.vault import Vault, VaultError
from models.columns import SEALED


class SecretsLocked(Conflict):
    """Something sealed opens with none of the keys."""

    code = "secrets_locked"


def rotate_keys(settings: Settings) -> int:
    """Seal everything with the newest key; gives how many values there are.

    With a key file of ours, a new key is made first and the old ones are dropped at the end; a crash in between leaves
    both, and everything readable. Processes that run follow by themselves. With `CANVAS_SECRET_KEYS`, put the new key
    first and keep the old one behind it until this is done.

    Raises:
        SecretsLocked: a value opens with none of the keys; nothing is changed, no key is dropped.
    """
    vault = Vault(settings)
    try:
        if vault.has_key_file:
            vault.add_key()
        with transaction(settings) as session:
            count = reseal_all(session, vault=vault)
        if vault.has_key_file:
            vault.drop_old_keys()
    except VaultError as error:
        raise SecretsLocked(str(error)) from None
    return count


def reseal_all(session: Session, *, vault: Vault) -> int:
    """Seal every sealed value of every table with the newest key; gives how many there are.

    Raises:
        SecretsLocked: one of them opens with none of the keys; names its row.
    """
    count = 0
    for table, column in sealed_columns():
        key = next(iter(table.primary_key))
        rows = session.execute(sa.select(key, column).where(column.is_not(None), column != "")).all()
        for row_key, sealed in rows:
            try:
                resealed = vault.reseal(sealed)
            except VaultError as error:
                raise SecretsLocked(f"{table.name}.{column.name} of {row_key}: {error}") from None
            session.execute(sa.update(table).where(key == row_key).values({column.name: resealed}))
        count += len(rows)
    return count


def sealed_columns() -> Iterator[tuple[sa.Table, sa.Column[Any]]]:
    """Give every column that holds sealed text."""
    for table in SQLModel.metadata.sorted_tables:
        for column in table.columns:
            if column.info.get(SEALED):
                yield table, column
