"""Keys are rotated for everything or for nothing, while processes run."""

from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet

from canvas import db
from canvas.services import connections, sealing
from canvas.services.sealing import SecretsLocked
from canvas.settings import Settings
from canvas.vault import KEY_FILE, Vault
from tests.doors import doors


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    with doors():
        yield


def keep(settings: Settings, *names: str) -> None:
    with db.transaction(settings) as session:
        for name in names:
            config = {"address": "x", "key": f"key-of-{name}"}
            connections.create_connection(session, name, kind="door", config=config, vault=Vault(settings))


def key_of(settings: Settings, name: str, vault: Vault | None = None) -> object:
    with db.reading(settings) as session:
        return connections.open_for_test(session, name, vault=vault or Vault(settings)).values["key"]


def with_keys(settings: Settings, *keys: str) -> Settings:
    return Settings(data_dir=settings.data_dir, secret_keys=",".join(keys))


def test_the_key_file_is_rotated_under_processes_that_run(database):
    """A process that has read the old key follows the new one; afterwards there is one key, another than before."""
    keep(database, "one", "two")
    running, before = Vault(database), (database.data_dir / KEY_FILE).read_text()
    assert "key-of-one" == key_of(database, "one", running)

    assert 2 == sealing.rotate_keys(database)

    after = (database.data_dir / KEY_FILE).read_text()
    assert (1, True) == (len(after.split()), before != after)
    assert ["key-of-one", "key-of-two"] == [key_of(database, name, running) for name in ("one", "two")]
    with db.transaction(database) as session:
        connections.change_connection(session, "one", config={"address": "y", "key": "new"}, vault=running)
    assert "new" == key_of(database, "one")
    assert [KEY_FILE] == [path.name for path in database.data_dir.iterdir() if KEY_FILE in path.name]
    assert 0o600 == (database.data_dir / KEY_FILE).stat().st_mode & 0o777


def test_what_a_running_process_seals_after_a_rotation_opens_without_the_old_key(database):
    """It reads the key anew each time, or what it seals would be lost."""
    running = Vault(database)
    running.seal("one", {"key": "before"})
    sealing.rotate_keys(database)

    sealed = running.seal("one", {"key": "after"})

    assert {"key": "after"} == Vault(database).open("one", sealed)


def test_a_rotation_that_was_cut_off_leaves_everything_readable(database, monkeypatch):
    """Between the new key and the end both are in the file; the next rotation finishes the work."""
    keep(database, "one")
    with monkeypatch.context() as patch:
        patch.setattr(sealing, "reseal_all", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sealing.rotate_keys(database)

    assert 2 == len((database.data_dir / KEY_FILE).read_text().split())
    assert "key-of-one" == key_of(database, "one")
    assert 1 == sealing.rotate_keys(database)
    assert 1 == len((database.data_dir / KEY_FILE).read_text().split())
    assert "key-of-one" == key_of(database, "one")


def test_keys_of_the_setting_are_rotated(database):
    """The new one first, the old one behind it; afterwards the old one is not needed."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    keep(with_keys(database, old), "one")

    assert 1 == sealing.rotate_keys(with_keys(database, new, old))

    assert "key-of-one" == key_of(with_keys(database, new), "one")
    assert not (database.data_dir / KEY_FILE).exists()


def test_what_opens_with_none_of_the_keys_stops_the_rotation(database):
    """Nothing is changed and no key is dropped; the row is named."""
    keep(database, "one", "two")
    with db.transaction(database) as session:
        connections.find_connection(session, "two").sealed = "damaged"

    with pytest.raises(SecretsLocked, match=r"connection.sealed of 01"):
        sealing.rotate_keys(database)

    assert "key-of-one" == key_of(database, "one")
    assert 2 == len((database.data_dir / KEY_FILE).read_text().split())


def test_every_sealed_column_is_known():
    """Whoever seals into a new column declares it with `sealed_field`."""
    expected = {("connection", "sealed"), ("webhook", "secret"), ("webhook", "previous_secret")}

    assert expected == {(table.name, column.name) for table, column in sealing.sealed_columns()}
