"""JSON Schemas that people, workflows and models bring: compiled so that they can do no harm."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson


@lru_cache(maxsize=256)
def _validator(text: bytes) -> jsonschema_rs.Validator:
    # offline: a `$ref` would otherwise be fetched, from any address or file
    return jsonschema_rs.validator_for(orjson.loads(text), pattern_options=jsonschema_rs.RegexOptions(), offline=True)


def validator(schema: Mapping[str, Any]) -> jsonschema_rs.Validator:
    """Compile a JSON Schema whose patterns are linear in the text and which refers to nothing outside itself.

    Raises:
        ValueError: it is none.
    """
    return _validator(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS))
