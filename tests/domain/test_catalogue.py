"""Finding entries of the catalogue, and their schemas as tables."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.catalog import ActionSpec, Catalog
from canvas.domain.catalog_search import search
from canvas.domain.control_flow import control_flow
from canvas.domain.dsl import parse
from canvas.domain.schema_fields import fields_of, type_words
from canvas.domain.validation import validate

MAIL = ActionSpec(
    name="email/send",
    title="Send e-mail",
    description="Send one message to everyone.",
    category="Messages",
    arguments_schema={},
    result_schema={},
    example_arguments={},
    example_result=None,
    idempotent=False,
    aliases=("SEND_EMAIL",),
)
POST = replace(MAIL, name="social/post", title="Post", description="Also by e-mail.", category="Social", aliases=())
SPECS = [POST, MAIL]
WORDS = st.sampled_from(["send", "E-MAIL", "social", "post_to_social", "message", "nonsense", "  ", "Also"])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["social/post", "email/send"]),
        ("SEND_EMAIL", ["email/send"]),
        ("send_email", ["email/send"]),
        ("e-mail", ["email/send", "social/post"]),
        ("one MESSAGE", ["email/send"]),
        ("message nonsense", []),
        ("messages", ["email/send"]),
    ],
)
def test_words_and_foreign_names_find(query, names):
    """Every word has to be somewhere; the best fit comes first."""
    assert names == [spec.name for spec in search(SPECS, query)]


def test_a_category_narrows_the_search():
    """With and without words."""
    assert [POST] == search(SPECS, category="Social")
    assert [] == search(SPECS, "SEND_EMAIL", category="Social")


@given(st.lists(WORDS, max_size=4), WORDS)
def test_another_word_never_finds_more(words, more):
    """Searching on narrows; letters' case and spaces do not matter."""
    found = search(SPECS, " ".join(words))
    narrowed = search(SPECS, "  ".join([*words, more]).upper())

    assert {spec.name for spec in narrowed} <= {spec.name for spec in found}


@pytest.mark.parametrize(("alias", "name"), [("DELAY", "wait"), ("CONDITIONAL_BRANCH", "condition"), ("LOOP", "loop")])
def test_control_flow_is_found_by_its_foreign_names(alias, name):
    """First of all, whatever else has the word."""
    rival = replace(MAIL, name="mail/later", title=f"{alias.title()} a mail")

    assert name == search([rival, *control_flow().values()], alias)[0].name


def test_a_foreign_name_in_a_definition_is_answered_with_ours():
    """The problem says what the action is called here."""
    parsed = parse("{dsl: canvas/v1, name: w, steps: [{name: a, type: action, action: SEND_EMAIL}]}")
    assert parsed.definition is not None
    (problem,) = validate(parsed.definition, Catalog(actions={MAIL.name: MAIL}))

    assert ("unknown_action", "Here it is called `email/send`.") == (problem.code, problem.hint)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "string"),
        ({}, "any"),
        ({"enum": ["a", 1, None]}, "a | 1 | null"),
        ({"const": "x"}, "x"),
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({"type": "array", "items": {}}, "list"),
        ({"type": "array"}, "list"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "string"}]}, "string or integer"),
        ({"type": ["string", "null"]}, "string"),
    ],
)
def test_types_are_told_in_words(schema, words):
    """That null is possible is not worth a word."""
    assert words == type_words(schema)


def test_fields_inside_of_fields_follow_them():
    """With the way to them, through objects, lists and what may be null."""
    inner: dict[str, Any] = {
        "type": "object",
        "properties": {"b": {"type": "string", "maxLength": 5}},
        "required": ["b"],
    }
    schema = {"properties": {"a": {"anyOf": [inner, {"type": "null"}]}, "c": {"type": "array", "items": inner}}}

    rows = [(field.path, field.type, field.is_required, field.limits) for field in fields_of(schema)]
    b = ("string", True, "at most 5 characters")
    assert [("a", "object", False, ""), ("a.b", *b), ("c", "list of object", False, ""), ("c[].b", *b)] == rows
