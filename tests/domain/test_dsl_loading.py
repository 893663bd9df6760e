"""Reading text as plain data: what YAML's words mean, where values stand, what aliases may do."""

from typing import Any

import pytest

from canvas.domain.dsl import from_document, load_document, parse
from canvas.domain.dsl.document import MAX_DEPTH


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-0x1F", "-0x1F"),
        ("0x1F", 31),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("12:30:00", "12:30:00"),
        ("2024-01-01", "2024-01-01"),
        ("'12'", "12"),
        ("|\n  12\n", "12\n"),
    ],
)
def test_words_mean_what_yaml_1_2_says(text: str, value: Any) -> None:
    """Only true and false are booleans, dates and times are text, quoted text is text."""
    read = load_document(f"key: {text}").data["key"]

    assert (type(value), value) == (type(read), read)


def test_keys_are_text_as_written() -> None:
    """A key is never taken for a number, a boolean or nothing."""
    data = load_document("on: 1\n12: 1\ntrue: 1\n0x1F: 1\nnull: 1\n<<: 1").data

    assert ["on", "12", "true", "0x1F", "null", "<<"] == list(data)


@pytest.mark.parametrize(
    "text", ["a:\n  - b: 1\n    'c/d~': [x, y]\n", '{"a":\n  [{"b": 1,\n    "c/d~": ["x", "y"]}]}\n']
)
def test_every_value_has_its_place(text: str) -> None:
    """A pointer leads to its value or key, in YAML and JSON alike; one too long leads to what is around it."""
    document = load_document(text)
    lines = text.splitlines()

    line, column = document.locate("/a/0/c~1d~0/1")
    key_line, key_column = document.locate("/a/0/c~1d~0", key=True)

    assert lines[line - 1][column - 1 :].strip('"').startswith("y")
    assert lines[key_line - 1][key_column - 1 :].strip("'\"").startswith("c/d~")
    assert document.locate("/a/0") == document.locate("/a/0/nothing/here")
    assert document.locate("/a") == document.locate("/a/7")


def test_json_is_found_by_its_looks() -> None:
    """Text that begins with a brace is JSON, unless it is YAML in braces."""
    assert "json" == load_document('{"a": 1}').format
    assert "yaml" == load_document("{a: 1}").format
    assert {"a": 1} == load_document("{a: 1}").data
    assert "This is not JSON" in load_document('{"a": 1,}').problems[0].text


def test_a_byte_order_mark_is_no_character() -> None:
    """Text written by Windows reads like any other."""
    assert {"a": 1} == load_document(b"\xef\xbb\xbfa: 1").data


def test_aliases_are_copies() -> None:
    """A value used twice is two values: changing one leaves the other."""
    data = load_document("a: &x [1]\nb: *x\nc: *x\n").data
    data["b"].append(2)

    assert {"a": [1], "b": [1, 2], "c": [1]} == data


def test_aliases_cannot_build_what_may_not_be_written() -> None:
    """Depth is counted through aliases."""
    half = MAX_DEPTH // 2 + 1
    document = load_document(f"a: &x {'[' * half}{']' * half}\nb: {'[' * half}*x{']' * half}\n")

    assert ["too_deep"] == [problem.code for problem in document.problems]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "wrong_type"),
        ("text", "wrong_type"),
        ({1: 2}, "bad_key"),
        ({"k" * 161: 1}, "bad_key"),
        ({"a\ud800": 1}, "bad_key"),
        ({"a": "\ud800"}, "bad_character"),
        ({"a": float("nan")}, "not_finite"),
        ({"a": 2**63}, "number_too_large"),
        ({"a": {1, 2}}, "bad_value"),
        ({"a": [0] * 200_001}, "too_many_values"),
    ],
)
def test_data_that_is_no_document_is_refused(data: Any, code: str) -> None:
    """The body of a request is held to the same bounds as a text."""
    assert code in [problem.code for problem in from_document(data).problems]


def test_what_can_be_read_is_built() -> None:
    """Mistakes in one place do not keep the rest from being built; every step keeps its place."""
    parsed = parse(
        "dsl: canvas/v1\nname: w\ntitle: 7\nsteps:\n- 7\n- {name: b, type: nonsense}\n- {name: c, type: stop}"
    )

    assert parsed.definition is not None
    assert ["step_at_steps_0", "b", "c"] == [step.name for step in parsed.definition.scope.steps]
    assert "" == parsed.definition.title
    assert ["wrong_type", "wrong_type", "unknown_step_type"] == [problem.code for problem in parsed.errors]
