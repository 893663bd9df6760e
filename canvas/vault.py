"""Sealing what nobody may read in the database: authenticated encryption with keys kept outside of it."""

import os
from collections.abc import Mapping
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

    Keys are Fernet keys (32 random bytes, URL-safe base64): those of `CANVAS_SECRET_KEYS`, the newest first, else the
    one in the file `secret.key` of the data directory, which is made on first use and readable by its owner only.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys: MultiFernet | None = None

    def seal(self, name: str, value: Mapping[str, Any]) -> str:
        """Encrypt a value for a name.

        Raises:
            VaultError: there is a key, but it cannot be read.
        """
        return self._fernet().encrypt(orjson.dumps({"for": name, "value": dict(value)})).decode()

    def open(self, name: str, sealed: str) -> dict[str, Any]:
        """Decrypt what was sealed for this name.

        Raises:
            VaultError: it was sealed with another key or for another name, or was changed.
        """
        try:
            content = orjson.loads(self._fernet().decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            raise VaultError(
                f"The secrets of {name!r} cannot be opened: they were sealed with another key. "
                "Bring the old key back, or enter them again."
            ) from None
        if content["for"] != name:
            raise VaultError(f"The secrets of {name!r} were sealed for something else. Enter them again.")
        value: dict[str, Any] = content["value"]
        return value

    def reseal(self, sealed: str) -> str:
        """Encrypt with the newest key what any of the keys opens.

        Raises:
            VaultError: none of the keys opens it.
        """
        try:
            return self._fernet().rotate(sealed.encode()).decode()
        except InvalidToken:
            raise VaultError("A sealed value cannot be opened with any of the keys.") from None

    def _fernet(self) -> MultiFernet:
        if self._keys is None:
            texts = self._settings.secret_keys.split(",") if self._settings.secret_keys else [self._from_file()]
            try:
                self._keys = MultiFernet([Fernet(text.strip()) for text in texts])
            except ValueError:
                raise VaultError(
                    f"A key of CANVAS_SECRET_KEYS or {self._file} is none: 32 bytes in URL-safe base64 are expected."
                ) from None
        return self._keys

    @property
    def _file(self) -> Path:
        return self._settings.data_dir / KEY_FILE

    def _from_file(self) -> str:
        """Read the key file, or make it; of several processes that make it at once, one wins and all read that one."""
        self._settings.data_dir.mkdir(parents=True, exist_ok=True)
        if not self._file.exists():
            handle, draft = mkstemp(prefix=KEY_FILE, dir=self._settings.data_dir)  # readable by its owner only
            with os.fdopen(handle, "wb") as file:
                file.write(Fernet.generate_key())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, self._file)
            except FileExistsError:
                pass  # another process was faster
            finally:
                Path(draft).unlink()
        return self._file.read_text().strip()
