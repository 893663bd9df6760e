"""Every action says all there is to know about it, and what it says is true."""

import jsonschema_rs
import pytest

from canvas.actions.registry import InvalidArguments, registry

ACTIONS = list(registry().values())
IDS = list(registry())


@pytest.mark.parametrize("action", ACTIONS, ids=IDS)
def test_the_example_fits_the_schema(action):
    """What the catalogue shows can be used as it is."""
    jsonschema_rs.validate(action.spec.arguments_schema, action.spec.example_arguments)
    jsonschema_rs.validate(action.spec.result_schema, action.spec.example_result)


@pytest.mark.parametrize("action", ACTIONS, ids=IDS)
def test_everything_is_described(action):
    """The action and each argument has words of its own, and no reference has to be followed."""
    assert action.spec.title
    assert action.spec.description.endswith(".")
    assert "$ref" not in str(action.spec.arguments_schema)
    for name, schema in action.spec.arguments_schema["properties"].items():
        assert schema.get("description"), name


@pytest.mark.parametrize("action", ACTIONS, ids=IDS)
async def test_an_unknown_argument_is_refused(action, make_context):
    """A misspelt argument is told by name instead of being left out silently."""
    with pytest.raises(InvalidArguments, match="nonsense") as caught:
        await action.call({**action.spec.example_arguments, "nonsense": 1}, make_context())

    assert not caught.value.retryable


async def test_a_missing_argument_is_named(make_context):
    """The error says which argument of which action."""
    with pytest.raises(InvalidArguments, match=r"http/request .* url"):
        await registry()["http/request"].call({}, make_context())
