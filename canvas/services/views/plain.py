"""Rows as dictionaries, for answers that add to them."""

from dataclasses import fields
from typing import Any


def as_plain(row: Any) -> dict[str, Any]:
    """Give a frozen row's fields by name; values inside stay as they are."""
    return {field.name: getattr(row, field.name) for field in fields(row)}
