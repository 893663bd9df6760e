"""What servers say about their tools is made fit for forms, checks and examples, whatever it is."""

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.actions.mcp.commands import Command, allowed_commands, find_command
from canvas.actions.mcp.failures import CommandNotAllowed
from canvas.actions.mcp.kind import Mcp
from canvas.actions.mcp.samples import sample
from canvas.actions.mcp.schemas import arguments_schema, cleaned_schema, faults_against
from canvas.actions.mcp.tools import action_name, is_tool_name, parse_action_name, read_tool, tool_spec
from canvas.domain.errors import Invalid
from canvas.domain.states import ActionOrigin, ActionPermission
from canvas.settings import Settings

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["object", "string", "#/$defs/a", "#", "http://x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "$ref", "$defs", "anyOf", "enum", "x-connection", "a", "required"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@given(JSON)
def test_any_schema_becomes_one_that_works(schema):
    """It compiles, refers to nothing, has no marks of ours, and its own sample can be made."""
    cleaned = arguments_schema(schema)

    jsonschema_rs.validator_for(cleaned)
    assert "object" == cleaned["type"]
    assert isinstance(cleaned["properties"], dict)
    assert isinstance(sample(cleaned, required_only=True), dict | int | str | bool | list | None)


def test_references_are_put_in_their_places():
    """So that a form needs to follow none; what the property is called does not matter."""
    schema = {
        "type": "object",
        "properties": {"$defs": {"$ref": "#/$defs/a~1b", "title": "T"}, "x-y": {"type": "string"}},
        "$defs": {"a/b": {"type": "integer", "x-widget": "connection"}},
        "x-connection": "smtp",
    }

    assert {
        "type": "object",
        "properties": {"$defs": {"type": "integer", "title": "T"}, "x-y": {"type": "string"}},
    } == cleaned_schema(schema)


def test_data_in_a_schema_is_left_alone():
    """An enum may hold anything, also what looks like a reference."""
    schema = {"type": "object", "properties": {"a": {"enum": [{"$ref": "#/x"}, "x-1"]}}}

    assert schema == cleaned_schema(schema)


@pytest.mark.parametrize("reference", ["http://127.0.0.1:9/x", "file:///etc/passwd", "other.json", "#/nowhere", 7])
def test_no_reference_leads_out(reference):
    """A server cannot make Canvas fetch anything."""
    assert {"properties": {"a": {}}, "type": "object"} == cleaned_schema(
        {"type": "object", "properties": {"a": {"$ref": reference}}}
    )


def test_a_schema_within_itself_ends():
    """Trees of any depth are cut."""
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#/properties/left"}}}

    assert cleaned_schema({**tree, "$defs": {}}) is not None
    loop = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    assert {} == cleaned_schema(loop)


@pytest.mark.parametrize(
    "schema",
    [
        None,
        [],
        "object",
        {"type": "objet"},
        {"type": "object", "description": "x" * 70_000},
        {"pattern": "("},
        {"type": "array"},
    ],
)
def test_what_is_no_schema_of_arguments_becomes_any_object(schema):
    """The tool can still be called."""
    assert {"type": "object", "properties": {}} == arguments_schema(schema)


def test_a_sample_fits():
    """Examples, defaults and bounds are used."""
    schema = {
        "type": "object",
        "required": ["a", "b", "c", "d", "e"],
        "properties": {
            "a": {"type": "string", "examples": ["x"]},
            "b": {"type": ["null", "integer"], "minimum": 5},
            "c": {"type": "array", "items": {"enum": ["q"]}, "minItems": 1},
            "d": {"properties": {"z": {"default": 1}}},
            "e": {"const": "k"},
            "f": {"type": "string"},
        },
    }

    assert {"a": "x", "b": 5, "c": ["q"], "d": {}, "e": "k"} == sample(schema, required_only=True)
    assert [] == faults_against(schema, sample(schema))


@given(st.text(max_size=20), st.text(max_size=20))
def test_names_come_apart_as_they_were_put_together(connection, tool):
    """Any tool of any connection has one name."""
    if "/" not in connection and connection and tool:
        assert (connection, tool) == parse_action_name(action_name(connection, tool))


@pytest.mark.parametrize("name", ["mcp.x", "mcp./y", "mcp.x/", "tool/x", "http/request", "", "/"])
def test_other_names_are_no_tools_of_a_connection(name):
    """They are looked for elsewhere."""
    assert parse_action_name(name) is None


def test_which_names_can_stand_in_a_workflow():
    """Those the protocol recommends."""
    assert ["a.b", "A-1", "x/y"] == [
        n for n in ("a.b", "A-1", "x/y", "a b", "", "ä", "x" * 129, "a@1", "a\n") if is_tool_name(n)
    ]


@pytest.mark.parametrize(
    ("hints", "repeatable"),
    [({}, False), ({"readOnlyHint": True}, True), ({"idempotentHint": True}, True), ({"idempotentHint": "yes"}, False)],
)
def test_a_tool_as_an_action(hints, repeatable):
    """Repeated after a crash only if the server says that this does no harm."""
    spec = tool_spec("box", read_tool("do-it", "", "", ({"type": "object"}, None), hints), starts_command=True)

    assert ("mcp.box/do-it", "do-it", "MCP: box", repeatable) == (spec.name, spec.title, spec.category, spec.idempotent)
    assert (ActionOrigin.MCP, "box") == (spec.origin, spec.origin_detail)
    assert (ActionPermission.CONNECTION, ActionPermission.COMMANDS) == spec.permissions
    assert spec.security


def test_commands_are_read_as_a_shell_would():
    """With variables of their own before the program."""
    settings = Settings(mcp_commands="a=prog 'one word' x;\n b = KEY=v OTHER='w w' /bin/prog;")

    assert {
        "a": Command(("prog", "one word", "x"), {}),
        "b": Command(("/bin/prog",), {"KEY": "v", "OTHER": "w w"}),
    } == allowed_commands(settings)
    with pytest.raises(CommandNotAllowed, match="Allowed are a, b"):
        find_command(settings, "c")


@pytest.mark.parametrize("text", ["prog", "=prog", "a=", "a='", "A=prog", "a=KEY=v"])
def test_a_setting_that_cannot_be_read_is_told(text):
    """By the name of the variable."""
    with pytest.raises(Invalid, match="CANVAS_MCP_COMMANDS"):
        allowed_commands(Settings(mcp_commands=text))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"url": "", "command": ""},
        {"url": "http://x", "command": "a"},
        {"url": "ftp://x"},
        {"command": "a", "bearer": "t"},
    ],
)
def test_a_connection_leads_to_one_server(values):
    """Either an address or a program, and secrets only to an address."""
    with pytest.raises(ValueError):
        Mcp(**values)
