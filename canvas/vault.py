"""Sealing what nobody may read in the database: authenticated encryption with keys kept outside of it."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from canvas.domain.errors import CanvasError
from canvas.settings import Settings

KEY_FILE = "secret.key"


class VaultError(CanvasError):
    """A sealed value cannot be opened with the keys that are here."""

    code = "vault_error"


class Vault:
    """Seals and opens values; each is bound to the name it was sealed for, so that it opens nowhere else.

    Keys are Fernet keys (32 random bytes, URL-safe base64): those of `CANVAS_SECRET_KEYS`, the newest first, else those
    in the file `secret.key` of the data directory, one a line, which is made on first use and readable by its owner
    only. The file is read again when it may have changed, so that processes which run follow a rotation.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys: MultiFernet | None = None

    @property
    def has_key_file(self) -> bool:
        """Whether the keys are in a file of ours rather than in a setting."""
        return not self._settings.secret_keys

    def seal(self, name: str, value: Mapping[str, Any]) -> str:
        """Encrypt a value for a name, with the newest key.

        Raises:
            VaultError: there is a key, but it cannot be read.
        """
        self._keys = self._read()
        return self._keys.encrypt(orjson.dumps({"for": name, "value": dict(value)})).decode()

    def open(self, name: str, sealed: str) -> dict[str, Any]:
        """Decrypt what was sealed for this name.

        Raises:
            VaultError: it was sealed with another key or for another name, or was changed.
        """
        content = orjson.loads(self._opened(sealed))
        if content["for"] != name:
            raise VaultError("The secrets were sealed for something else. Enter them again.")
        value: dict[str, Any] = content["value"]
        return value

    def reseal(self, sealed: str) -> str:
        """Encrypt with the newest key what any of the keys opens.

        Raises:
            VaultError: none of the keys opens it.
        """
        if self._keys is None:
            self._keys = self._read()
        try:
            return self._keys.rotate(sealed.encode()).decode()
        except InvalidToken:
            raise VaultError("A sealed value cannot be opened with any of the keys.") from None

    def add_key(self) -> None:
        """Put a new key before those in the key file; what is sealed from now on is sealed with it.

        Raises:
            VaultError: the file cannot be read.
        """
        self._write([Fernet.generate_key().decode(), *self._from_file()])
        self._keys = None

    def drop_old_keys(self) -> None:
        """Keep only the newest key in the key file: what only an older one opens is lost.

        Raises:
            VaultError: the file cannot be read.
        """
        self._write(self._from_file()[:1])
        self._keys = None

    def _opened(self, sealed: str) -> bytes:
        for keys in (self._keys, None):
            self._keys = keys or self._read()
            try:
                return self._keys.decrypt(sealed.encode())
            except InvalidToken:
                continue
        raise VaultError(
            "The secrets cannot be opened: they were sealed with another key, or damaged. Bring the old key back "
            f"(CANVAS_SECRET_KEYS, else {self._file}), or enter them again."
        )

    def _read(self) -> MultiFernet:
        texts = self._from_file() if self.has_key_file else self._settings.secret_keys.split(",")
        try:
            return MultiFernet([Fernet(text.strip()) for text in texts])
        except ValueError:
            raise VaultError(
                f"A key of CANVAS_SECRET_KEYS or {self._file} is none: 32 bytes in URL-safe base64 are expected."
            ) from None

    @property
    def _file(self) -> Path:
        return self._settings.data_dir / KEY_FILE

    def _from_file(self) -> list[str]:
        """Read the key file, or make it; of several processes that make it at once, one wins and all read that one."""
        try:
            if not self._file.exists():
                self._settings.data_dir.mkdir(parents=True, exist_ok=True)
                draft = self._draft([Fernet.generate_key().decode()])
                with suppress(FileExistsError):  # another process was faster
                    os.link(draft, self._file)
                draft.unlink()
            return self._file.read_text("ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise VaultError(f"The key file {self._file} cannot be read: {error}.") from None

    def _write(self, keys: list[str]) -> None:
        """Put keys in the place of those in the file, all at once: a crash leaves the old file or the new one."""
        self._draft(keys).replace(self._file)

    def _draft(self, keys: list[str]) -> Path:
        handle, draft = mkstemp(prefix=KEY_FILE, dir=self._settings.data_dir)  # readable by its owner only
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(keys))
            file.flush()
            os.fsync(file.fileno())
        return Path(draft)
