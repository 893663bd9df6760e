from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas.domain.definition import Definition, walk
from canvas.domain.dsl import content_hash, from_document, load_document, parse, to_document, to_json, to_yaml
from canvas.domain.dsl.kinds import same
from canvas.domain.dsl.yaml_writer import write_yaml
from tests.domain.strategies import definitions, json_values, layouts, texts

GRAMMAR_KEYS = ("parameters", "outputs", "triggers", "steps", "layout", "on")


def names_of(definition: Definition) -> list[str]:
    return [placed.step.name for placed in walk(definition.scope)]


@given(data=st.data(), definition=definitions())
def test_a_definition_survives_its_text(data: Any, definition: Definition) -> None:
    """definition → YAML or JSON → definition is the identity, layout included, with nothing to complain about."""
    layout = data.draw(layouts(names_of(definition)))

    for text in (to_yaml(definition, layout), to_json(definition, layout)):
        parsed = parse(text)

        assert () == parsed.problems
        assert definition == parsed.definition
        assert same(to_document(definition), to_document(parsed.definition))
        assert layout == parsed.layout


@given(definition=definitions(max_steps=6))
def test_canonical_text_is_a_fixed_point(definition: Definition) -> None:
    """Reading canonical text and writing it again changes no byte, whether it went by YAML or JSON."""
    text = to_yaml(definition)

    assert text == to_yaml(parse(text).definition)
    assert text == to_yaml(parse(to_json(definition)).definition)
    assert content_hash(definition) == content_hash(parse(text).definition)


@given(definition=definitions(max_steps=6))
def test_the_explicit_form_says_the_same(definition: Definition) -> None:
    """The form with every dependency written out reads back as the same definition."""
    document = to_document(definition, explicit=True)

    assert definition == from_document(document).definition


@settings(max_examples=300)
@given(document=st.dictionaries(texts() | st.sampled_from(GRAMMAR_KEYS), json_values(), max_size=4))
def test_any_json_survives_yaml(document: dict[str, Any]) -> None:
    """Every JSON value is written so that it reads back as exactly the same value and type."""
    read = load_document(write_yaml(document), format="yaml")

    assert () == read.problems
    assert same(document, read.data)


@settings(max_examples=200)
@given(document=st.dictionaries(texts() | st.sampled_from(GRAMMAR_KEYS), json_values(), max_size=4))
def test_other_yaml_readers_understand_what_is_written(document: dict[str, Any]) -> None:
    """A YAML 1.1 reader takes no text for a number, date or boolean; what it reads is the same."""
    read = yaml.safe_load(write_yaml(document))

    assert same(document, read)
