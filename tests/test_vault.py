"""What is sealed opens with the right keys, for what it was sealed for, and for nothing else."""

import threading

import pytest
from cryptography.fernet import Fernet

from canvas.settings import Settings
from canvas.vault import Vault, VaultError


def test_what_is_sealed_is_opened_again(tmp_path):
    """The key is made on first use, readable by its owner only, and used by the next process too."""
    sealed = Vault(Settings(data_dir=tmp_path)).seal("one", {"password": "hunter2"})

    assert "hunter2" not in sealed
    assert 0o600 == (tmp_path / "secret.key").stat().st_mode & 0o777
    assert {"password": "hunter2"} == Vault(Settings(data_dir=tmp_path)).open("one", sealed)


def test_a_sealed_value_opens_only_for_its_name(tmp_path):
    """Copying the ciphertext of one connection to another gives nothing."""
    vault = Vault(Settings(data_dir=tmp_path))

    with pytest.raises(VaultError, match="something else"):
        vault.open("two", vault.seal("one", {"a": "b"}))


@pytest.mark.parametrize(
    "change", [lambda text: text[:-2], lambda text: "x", lambda text: text.swapcase(), lambda _: "ü"]
)
def test_a_changed_value_is_refused(tmp_path, change):
    """It is authenticated, not only encrypted."""
    vault = Vault(Settings(data_dir=tmp_path))

    with pytest.raises(VaultError, match="another key"):
        vault.open("one", change(vault.seal("one", {"a": "b"})))


def test_keys_are_rotated_without_losing_anything(tmp_path):
    """Old values open while the old key is in the list; resealed ones open without it."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = Vault(Settings(data_dir=tmp_path, secret_keys=old)).seal("one", {"a": "b"})
    both = Vault(Settings(data_dir=tmp_path, secret_keys=f"{new}, {old}"))

    resealed = both.reseal(sealed)

    assert {"a": "b"} == both.open("one", sealed)
    assert {"a": "b"} == Vault(Settings(data_dir=tmp_path, secret_keys=new)).open("one", resealed)
    with pytest.raises(VaultError):
        Vault(Settings(data_dir=tmp_path, secret_keys=new)).open("one", sealed)


def test_a_bad_key_is_told_with_its_place(tmp_path):
    """Nobody has to guess which setting is wrong."""
    with pytest.raises(VaultError, match="CANVAS_SECRET_KEYS"):
        Vault(Settings(data_dir=tmp_path, secret_keys="short")).seal("one", {})


def test_processes_that_start_at_once_agree_on_the_key(tmp_path):
    """Whoever makes the key file first wins, and the others read it."""
    barrier = threading.Barrier(8)
    sealed: list[str] = []

    def start() -> None:
        barrier.wait()
        sealed.append(Vault(Settings(data_dir=tmp_path)).seal("one", {"a": "b"}))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [{"a": "b"}] * 8 == [Vault(Settings(data_dir=tmp_path)).open("one", text) for text in sealed]
    assert ["secret.key"] == [path.name for path in tmp_path.iterdir()]
