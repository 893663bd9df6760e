"""Taking secrets out of what an attempt gives and tells."""

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "•••"


class Masker:
    """Replaces every secret, as it is and as it may be written in URLs, headers and JSON."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        self._pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))) or r"(?!)")

    def text(self, text: str) -> str:
        """Mask a text."""
        return self._pattern.sub(MASK, text)

    def value(self, value: Any) -> Any:
        """Mask every text in a JSON value, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


def _forms(secret: str) -> set[str]:
    encoded = b64encode(secret.encode("utf-8", "replace")).decode()
    return {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), encoded} - {""}
