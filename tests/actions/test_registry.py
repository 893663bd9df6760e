"""Every action says all there is to know about it, and what it says is true."""

from dataclasses import replace

import pytest

from canvas.actions.checks import kind_faults, spec_faults
from canvas.actions.connections import connection_kinds
from canvas.actions.registry import InvalidArguments, registry
from canvas.domain.catalog_search import search
from canvas.domain.control_flow import ALIASES, control_flow
from canvas.domain.importers.foreign_actions import FOREIGN_ACTIONS as FOREIGN
from canvas.domain.states import ActionPermission

ACTIONS = list(registry().values())
IDS = list(registry())


ENTRIES = [*(action.spec for action in ACTIONS), *control_flow().values()]


@pytest.mark.parametrize("spec", ENTRIES, ids=lambda spec: spec.name)
def test_everything_is_said(spec):
    """Title, description, category, security, each field's title and description; the examples fit the schemas."""
    faults = [fault for fault in spec_faults(spec) if not (spec.is_step and fault.startswith("its name"))]

    assert [] == faults
    assert spec.description.endswith(".")
    assert spec.security.endswith(".")


@pytest.mark.parametrize("kind", connection_kinds().values(), ids=lambda kind: kind.name)
def test_every_kind_of_connection_is_said(kind):
    """Its fields have words, and its example has no secret in it."""
    assert [] == kind_faults(kind)


@pytest.mark.parametrize("action", ACTIONS, ids=IDS)
def test_what_a_call_may_touch_fits_what_it_does(action):
    """Whatever touches nothing is really called in a dry run, and what touches the world says what of it."""
    spec = action.spec

    assert set(spec.permissions) <= set(ActionPermission)
    assert not spec.touches_world or spec.permissions


@pytest.mark.parametrize(("alias", "name"), {**FOREIGN, **{v: k.value for k, v in ALIASES.items()}}.items())
def test_the_names_of_other_systems_lead_to_ours(alias, name):
    """Those that the importer takes are those that the catalogue is searched by."""
    named = {spec.name for spec in ENTRIES if alias in spec.aliases}

    assert ({name}, name) == (named, search(ENTRIES, alias)[0].name)


def test_no_two_entries_have_one_alias():
    """A name of another system leads to one place."""
    aliases = [alias for spec in ENTRIES for alias in spec.aliases]

    assert len(aliases) == len(set(aliases))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"title": ""}, "no title"),
        ({"security": " "}, "no security"),
        ({"category": ""}, "no category"),
        ({"icon": "No Icon"}, "icon"),
        ({"name": "Big/Name"}, "namespace/name"),
        ({"example_arguments": {"message": 5}}, "example does not fit"),
        ({"example_result": {"level": "loud", "message": "x"}}, "example result does not fit"),
        ({"arguments_schema": {"type": "object", "properties": {"a": {"title": "A"}}}}, "a has no description"),
        ({"result_schema": {"type": "object", "properties": {"a": {"description": "A."}}}}, "a has no title"),
        (
            {
                "arguments_schema": {
                    "type": "object",
                    "properties": {
                        "a": {"title": "A", "description": "A.", "items": {"properties": {"b": {"title": "B"}}}}
                    },
                }
            },
            "a[].b has no description",
        ),
        ({"result_schema": {"type": "string"}}, "not that of an object"),
        ({"arguments_schema": {"type": "object", "properties": {"a": {"$ref": "#/x"}}}}, "refers to itself"),
    ],
)
def test_what_is_missing_is_noticed(broken, told):
    """By the name of what is missing."""
    assert any(told in fault for fault in spec_faults(replace(registry()["log/event"].spec, **broken)))


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
