"""A kind's JSON Schema as rows of a form, and what was filled in as values. Secrets are asked for, never shown."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from canvas.services.views import ConnectionDetail, KindRow

FIELD: Final = "config:"
"Stands before the name of each field in the form, so that none is taken for the connection's own name."
REMOVE: Final = "remove:"
"Before the name of a secret that is to be taken away."
_QUOTED: Final = re.compile("`([^`]*)`")
_PAIRS: Final = ("pairs", "secret pairs")
_WIDE: Final = ("lines", "long text", *_PAIRS)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of the form."""

    name: str
    label: str
    help: str
    control: str
    "`text`, `long text`, `number`, `choice`, `switch`, `secret`, `lines`, `pairs` or `secret pairs`."
    value: str
    placeholder: str
    options: list[str] = field(default_factory=list)
    is_required: bool = False
    is_kept: bool = False
    "For a secret: whether it is set already, and stays when nothing is entered."
    problem: str = ""
    depends_on: str = ""
    "The choice that says whether it is asked for; empty for always."
    depends_values: list[str] = field(default_factory=list)
    is_wide: bool = False


def choices_of(rows: Sequence[FieldRow]) -> dict[str, str]:
    """Give what is chosen in each field that has options: other fields may depend on it."""
    return {row.name: row.value for row in rows if row.control == "choice"}


def form_of(
    kind: KindRow, detail: ConnectionDetail | None = None, problems: Mapping[str, str] | None = None
) -> list[FieldRow]:
    """Give the fields of a kind, those that are required first.

    Args:
        detail: The connection to be changed; None for a new one.
        problems: What is wrong, by field.
    """
    required = set(kind.schema.get("required", ()))
    rows = [
        _row(name, _shape(schema), kind, detail, name in required, (problems or {}).get(name, ""))
        for name, schema in kind.schema.get("properties", {}).items()
    ]
    return sorted(rows, key=lambda row: not row.is_required)


def config_from(kind: KindRow, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read what was filled in; a secret that was left empty is left out, one that is to go is None."""
    config: dict[str, Any] = {}
    for name, schema in kind.schema.get("properties", {}).items():
        control = _control(name, _shape(schema), kind)
        if control == "switch":
            config[name] = given.get(FIELD + name) in (True, "on", "true")
            continue
        value = _read(control, str(given.get(FIELD + name) or ""), _shape(schema))
        if value not in ("", [], {}):
            config[name] = value
        elif given.get(REMOVE + name):
            config[name] = None
    return config


def _row(
    name: str,
    schema: Mapping[str, Any],
    kind: KindRow,
    detail: ConnectionDetail | None,
    is_required: bool,
    problem: str,
) -> FieldRow:
    control, kept = _control(name, schema, kind), detail.secrets if detail else {}
    is_secret = name in kind.secret_fields
    when: Mapping[str, Sequence[Any]] = schema.get("x-when", {})
    return FieldRow(
        name=name,
        label=_label(name, schema),
        help=_QUOTED.sub(r"“\1”", str(schema.get("description", ""))),
        control=control,
        value="".join(f"{part}=\n" for part in kept.get(name, ()))
        if is_secret
        else _shown(control, name, schema, detail),
        placeholder="" if is_secret else _text(kind.example.get(name, "")),
        options=[str(option) for option in schema.get("enum", ())],
        is_required=is_required,
        is_kept=name in kept,
        problem=problem,
        depends_on=next(iter(when), ""),
        depends_values=[str(value) for values in when.values() for value in values],
        is_wide=control in _WIDE,
    )


def _parts(names: Sequence[str]) -> str:
    return "".join(f"{name}=\n" for name in names)


def _shown(control: str, name: str, schema: Mapping[str, Any], detail: ConnectionDetail | None) -> str:
    value = (detail.config if detail else {}).get(name, schema.get("default"))
    if control == "lines" and isinstance(value, Sequence):
        return "\n".join(map(str, value))
    if control == "pairs" and isinstance(value, Mapping):
        return "\n".join(f"{key}={item}" for key, item in value.items())
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None or isinstance(value, list | dict) else str(value)


def _label(name: str, schema: Mapping[str, Any]) -> str:
    """Take the title somebody wrote; the one that pydantic makes of a name is capitalised like a headline."""
    words = name.replace("_", " ")
    title = str(schema.get("title", ""))
    return title if title and title != words.title() else words[:1].upper() + words[1:]


def _shape(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Look through "or null"."""
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return {**options[0], **schema} if len(options) == 1 else schema


def _control(name: str, schema: Mapping[str, Any], kind: KindRow) -> str:
    if name in kind.secret_fields:
        return "secret pairs" if schema.get("type") == "object" else "secret"
    if "enum" in schema:
        return "choice"
    if schema.get("type") == "string" and schema.get("x-widget") in ("text", "long_text", "code"):
        return "long text"
    kinds = {"boolean": "switch", "integer": "number", "number": "number", "array": "lines", "object": "pairs"}
    return kinds.get(str(schema.get("type")), "text")


def _read(control: str, text: str, schema: Mapping[str, Any]) -> Any:
    if control == "number":
        return _number(text.strip(), schema)
    if control == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if control in _PAIRS:
        return dict(_pairs(text, is_secret=control == "secret pairs"))
    return text if control == "secret" else text.strip()


def _number(text: str, schema: Mapping[str, Any]) -> Any:
    try:
        return int(text) if schema.get("type") == "integer" else float(text)
    except ValueError:
        return text  # the kind says what is wrong with it


def _pairs(text: str, *, is_secret: bool) -> Iterator[tuple[str, str | None]]:
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, value = line.partition("=")
        yield name.strip(), value.strip() or (None if is_secret else "")
