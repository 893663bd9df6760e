"""What goes into a database and comes out of it, as JSON values."""

import base64
import datetime as dt
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

_WHOLE = 2**63


def as_bound(value: Any) -> Any:
    """Turn a JSON value into what a driver can bind: objects become JSON text, everything else stays."""
    return orjson.dumps(value).decode() if isinstance(value, Mapping) else value


def as_json(value: Any) -> Any:
    """Turn a value of a row into a JSON value without losing anything of it.

    Exact numbers become numbers where that loses no digit, else text; dates and times ISO 8601 text; spans of time
    seconds; bytes base64 text; what JSON has no word for (NaN, networks, ranges) text.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [as_json(item) for item in value]
    return str(value)


def _number(value: int | float | Decimal) -> Any:
    if not math.isfinite(value):
        return str(Decimal(value))
    if isinstance(value, Decimal):
        if value == (whole := int(value)) and value.as_tuple().exponent == 0:
            value = whole
        else:
            return float(value) if Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, int):
        return value if -_WHOLE <= value < _WHOLE else str(value)
    return value


def unique_names(names: Sequence[str]) -> list[str]:
    """Give each column a name of its own: the second `id` becomes `id_2`."""
    taken = set(names)
    found: list[str] = []
    for name in names:
        unique, number = name, 1
        while unique in found:
            number += 1
            if f"{name}_{number}" not in taken:
                unique = f"{name}_{number}"
        found.append(unique)
    return found
