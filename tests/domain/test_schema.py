from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas.domain.definition import Definition, walk
from canvas.domain.dsl import from_document, to_document
from canvas.domain.dsl.grammar import STEPS
from canvas.domain.schema import DRAFT, definition_schema, parameters_schema, step_schema
from canvas.domain.states import StepType
from canvas.domain.validation import check, check_parameters
from tests.domain.strategies import CATALOG, definitions, json_values, layouts
from tests.domain.test_validation_properties import damage

SCHEMA = jsonschema_rs.Draft202012Validator(definition_schema())


def test_the_schema_is_a_schema() -> None:
    """It is well-formed draft 2020-12, and plain JSON."""
    schema = definition_schema()

    assert DRAFT == schema["$schema"]
    assert jsonschema_rs.meta.is_valid(schema)
    assert orjson.loads(orjson.dumps(schema)) == schema


@given(definition=definitions(), data=st.data())
def test_every_valid_document_fits(definition: Definition, data: Any) -> None:
    """What is written, in either form and with a layout, fits the schema."""
    layout = data.draw(layouts([placed.step.name for placed in walk(definition.scope)]))

    assert [] == list(SCHEMA.iter_errors(to_document(definition, layout)))
    assert [] == list(SCHEMA.iter_errors(to_document(definition, explicit=True)))


@settings(max_examples=400)
@given(definition=definitions(max_steps=5), data=st.data())
def test_schema_and_reader_agree_on_damaged_documents(definition: Definition, data: Any) -> None:
    """What the reader refuses does not fit the schema, and what is altogether right does."""
    document = to_document(definition, data.draw(layouts([p.step.name for p in walk(definition.scope)])))
    damage(document, data)

    parsed = from_document(document)
    fits = SCHEMA.is_valid(document)

    if parsed.errors:
        assert not fits, parsed.errors
    if not any(problem.is_error for problem in check(parsed, CATALOG)):
        assert fits, list(SCHEMA.iter_errors(document))


@pytest.mark.parametrize("step_type", StepType)
def test_a_form_names_what_it_asks_for(step_type: StepType) -> None:
    """Every field of a step's form has a title; the step's own keys are all there, in canonical order."""
    schema = step_schema(step_type)

    assert jsonschema_rs.meta.is_valid(schema)
    assert all(told["title"] for told in schema["properties"].values())
    assert [one.key for one in STEPS[step_type].fields if one.key != "depends_on"] == list(schema["properties"])


def test_a_form_says_how_a_field_is_edited() -> None:
    """Expressions, templates and arguments are marked, so that the editor can complete them."""
    widgets = {
        (step_type, key): told.get("x-widget")
        for step_type, key in (
            ("condition", "condition"),
            ("loop", "while"),
            ("loop", "collection"),
            ("action", "parameters"),
        )
        for told in [step_schema(StepType(step_type))["properties"][key]]
    }

    assert ["expression", "expression", "template", "arguments"] == list(widgets.values())


@given(
    definition=definitions(max_steps=2),
    given=st.dictionaries(st.sampled_from(["count", "mode", "free", "x"]), json_values()),
)
def test_the_run_form_and_the_check_agree(definition: Definition, given: dict[str, Any]) -> None:
    """What the form's schema takes can start a run, and the other way round."""
    given = {name: value for name, value in given.items() if value is not None}
    validator = jsonschema_rs.Draft202012Validator(parameters_schema(definition))

    _, problems = check_parameters(definition.parameters, given)

    assert validator.is_valid(given) == (not problems)
