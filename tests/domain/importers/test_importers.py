"""Documents of other shapes become canonical ones, and what was interpreted is said."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest

from canvas.domain import dsl
from canvas.domain.catalog import Catalog
from canvas.domain.importers import ImportRefused, detect_format, import_document
from canvas.domain.validation import validate

DATA = Path(__file__).parents[2] / "data"
SAMPLES = sorted(path for shape in ("archon", "orb") for path in (DATA / shape).glob("*.json"))


def told(warnings: Any) -> str:
    return "".join(f"{it.severity} {it.code} {it.pointer or '/'}: {it.text}\n" for it in warnings)


def codes(warnings: Any) -> set[str]:
    return {it.code for it in warnings}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_samples_import_as_recorded(path: Path) -> None:
    """Each sample has its shape recognised, gives the recorded canonical text, and the recorded warnings."""
    source = orjson.loads(path.read_bytes())
    before = deepcopy(source)

    imported = import_document(source)

    assert path.parent.name == detect_format(source)
    assert dsl.load_document(path.with_suffix(".canvas.yaml").read_text("utf-8")).data == imported.document
    assert path.with_suffix(".warnings.txt").read_text("utf-8") == told(imported.warnings)
    assert before == source


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_samples_are_canonical_afterwards(path: Path) -> None:
    """What comes out reads without a problem, and is written as it came."""
    document = import_document(orjson.loads(path.read_bytes())).document

    parsed = dsl.from_document(document)

    assert () == parsed.problems
    assert parsed.definition is not None
    assert document == dsl.to_document(parsed.definition)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_samples_are_valid_afterwards(path: Path) -> None:
    """The validator finds no error but workflows that are not there."""
    definition = dsl.from_document(import_document(orjson.loads(path.read_bytes())).document).definition
    assert definition is not None

    problems = validate(definition, Catalog(), allow_unregistered=True)

    assert {it.code for it in problems if it.is_error} <= {"unknown_workflow"}


def test_what_is_canonical_stays_as_it_is() -> None:
    """Our own documents pass through untouched, right or wrong."""
    document = {"dsl": "canvas/v1", "name": "x", "steps": [{"name": "a", "type": "nonsense"}]}

    imported = import_document(document)

    assert document is imported.document
    assert () == imported.warnings


@pytest.mark.parametrize(
    ("document", "format"),
    [
        (None, "auto"),
        ("text", "archon"),
        ({}, "orb"),
        ({"steps": {}}, "archon"),
        ({"steps": "a"}, "orb"),
        ({"steps": [{"tool_name": float("nan")}]}, "auto"),
    ],
)
def test_what_is_no_workflow_is_refused(document: Any, format: Any) -> None:
    """A document without steps, or that is no JSON, gives one typed error with a pointer."""
    with pytest.raises(ImportRefused) as caught:
        import_document(document, format)

    assert isinstance(caught.value.details["pointer"], str)
    assert "import_refused" == caught.value.code


def nested(depth: int) -> Any:
    return [] if depth == 0 else [nested(depth - 1)]


def test_what_is_nested_too_deep_is_refused() -> None:
    """Depth is bounded before recursion is."""
    with pytest.raises(ImportRefused):
        import_document({"steps": nested(300)}, "archon")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'{{ a }}' == 'b'", "{{ a }} == 'b'"),
        ("'vm-{{ a }}' == 'vm-1'", "('vm-' + string( a )) == 'vm-1'"),
        ("{{ a }} === 'x===y'", "{{ a }} == 'x===y'"),
        ("{{ a }} !== null", "{{ a }} != null"),
        ("{{ a.length }} > 2", "{{ a.size() }} > 2"),
        ("steps.x.result.ok", "steps.x.output.ok"),
        ("steps['x'].result['ok']", "steps['x'].output['ok']"),
        ("previous_step.result.ok", "previous_step.output.ok"),
        ("context.ready", "workflow.parameters.ready"),
        ("parameters['ready']", "workflow.parameters['ready']"),
        ("steps.Old Name.output.ok", "steps.old_name.output.ok"),
        ("{{a}} contains 'b'", "{{a}} contains 'b'"),
        ("{{a}} not in ['b']", "{{a}} not in ['b']"),
        ("a = b", "a = b"),
    ],
)
def test_conditions_are_said_in_our_words(source: str, expected: str) -> None:
    """Names, spellings and quoted braces are rewritten; what cannot be read is left for the validator."""
    steps = [{"name": "x", "tool_name": "x"}, {"name": "Old Name", "tool_name": "y"}]

    document = import_document({"steps": [*steps, {"name": "c", "condition": source}]}, "archon").document

    assert expected == document["steps"][2]["condition"]


def step(name: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, "type": "action", "tool_name": name, **keys}


def needs(document: dict[str, Any]) -> dict[str, Any]:
    return {it["name"]: it.get("depends_on") for it in document["steps"]}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"on_failure": "retry", "retry_count": 3}, {"retry": {"max_attempts": 4}}),
        ({"on_failure": "retry"}, {"retry": {"max_attempts": 4}}),
        ({"retry_count": 2, "retry_delay_seconds": 5}, {"retry": {"max_attempts": 3, "delay_seconds": 5}}),
        ({"on_failure": "fail"}, {}),
        ({"on_failure": "next"}, {"on_error": "continue"}),
        ({"timeout_seconds": 30}, {"timeout_seconds": 30}),
        ({"timeout_minutes": 2}, {"timeout_seconds": 120}),
        ({"enabled": False}, {"enabled": False}),
        ({"parameters": {"a": "{{ steps.a.result }}"}}, {"parameters": {"a": "{{ steps.a.output }}"}}),
    ],
)
def test_archon_step_keys(keys: dict[str, Any], expected: dict[str, Any]) -> None:
    """Retries, limits and failure routes of a last step become its own keys."""
    document = import_document({"name": "w", "steps": [step("a", **keys)]}, "archon").document

    assert [{"name": "a", "type": "action", "action": "tool/a", **expected}] == document["steps"]


def test_archon_tools_that_are_our_actions() -> None:
    """A tool that goes by the name another system has for an action is that action, without a warning."""
    imported = import_document({"name": "w", "steps": [{**step("a"), "tool_name": "SEND_EMAIL"}]}, "archon")

    assert "email/send" == imported.document["steps"][0]["action"]
    assert "tool_as_action" not in codes(imported.warnings)


def test_names_stay_unique() -> None:
    """A number is put behind a name that is taken, also behind one that such a number made."""
    source = {"steps": [step("a"), step("a"), step("a_2"), step("A"), step("x" * 80), step("x" * 80)]}

    found = list(needs(import_document(source, "archon").document))

    assert ["a", "a_2", "a_2_2", "a_3", "x" * 64, f"{'x' * 62}_2"] == found


def test_archon_failure_routes() -> None:
    """`next`, `end` and names on failure become edges; a second step stays where it is."""
    source = {
        "name": "w",
        "steps": [step("a", on_failure="next"), step("b", on_failure="end"), step("c", on_failure="d")],
    }
    source["steps"].append(step("d"))

    document = import_document(source, "archon").document

    assert {
        "a": None,
        "b": [{"step": "a", "branch": "ALWAYS"}],
        "c": None,
        "d": [{"step": "c", "branch": "ALWAYS"}],
        "end_after_b": [{"step": "b", "branch": "FAILURE"}],
    } == needs(document)


def test_a_condition_without_on_false_goes_on() -> None:
    """An inline step is optional: the step behind the condition runs either way."""
    inline = {"type": "action", "tool_name": "extra"}
    source = {"name": "w", "steps": [{"name": "c", "condition": "true", "on_true": inline}, step("d")]}

    imported = import_document(source, "archon")

    assert [{"step": "c", "branch": "IF_FALSE"}, "extra"] == needs(imported.document)["d"]
    assert "implied_branch" in codes(imported.warnings)


def test_inline_lists_and_nested_conditions() -> None:
    """Several steps inside a route follow one another, and all ends meet behind the condition."""
    inner = {"name": "i", "condition": "true", "on_true": step("x"), "on_false": step("y")}
    source = {"name": "w", "steps": [{"name": "c", "condition": "true", "on_true": [inner, step("z")]}, step("d")]}

    found = needs(import_document(source, "archon").document)

    assert ["x", "y"] == found["z"]
    assert [{"step": "c", "branch": "IF_FALSE"}, "z"] == found["d"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"a": {"type": "string", "required": True}}, {"a": {"type": "string", "required": True}}),
        (
            {"type": "object", "properties": {"a": {"type": "array"}}, "required": ["a"]},
            {"a": {"type": "list", "required": True}},
        ),
        (
            [{"name": "a", "type": "int", "default": 3, "options": [3, 4]}],
            {"a": {"type": "integer", "default": 3, "enum": [3, 4]}},
        ),
        ({"a": "bool"}, {"a": {"type": "boolean"}}),
        ({"a": 5}, {"a": {"type": "integer", "default": 5}}),
        ({"a": {"type": "quaternion"}}, {"a": {"type": "any"}}),
        ("nonsense", None),
    ],
)
def test_parameters_in_every_form(parameters: Any, expected: Any) -> None:
    """A mapping, a JSON Schema and a list all describe parameters."""
    document = import_document({"name": "w", "parameters": parameters, "steps": [step("a")]}, "archon").document

    assert expected == document.get("parameters")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"duration": 1500}, 1.5),
        ({"duration": 2, "unit": "minutes"}, 120),
        ({"seconds": 5}, 5),
        ({"duration": "1h"}, "{{ duration('1h') }}"),
        ({"duration": "{{ trigger.data.ms }}"}, "{{ {{ trigger.data.ms }} * 0.001 }}"),
    ],
)
def test_orb_delays(config: dict[str, Any], expected: Any) -> None:
    """A DELAY is a wait in seconds; Orb counts milliseconds unless it says otherwise."""
    source = {"name": "w", "steps": [{"name": "d", "type": "ACTION", "config": {"actionType": "DELAY", **config}}]}

    assert [{"seconds": expected}] == import_document(source).document["steps"][0]["for"]


@pytest.mark.parametrize(
    ("action_type", "action"),
    [
        ("POST_TO_SOCIAL", "social/post"),
        ("SCHEDULE_POST", "social/schedule"),
        ("REPLY_TO_COMMENT", "social/reply"),
        ("SEND_EMAIL", "email/send"),
        ("SEND_SLACK_MESSAGE", "slack/send"),
        ("CREATE_NOTIFICATION", "notify/create"),
        ("GENERATE_CONTENT", "ai/generate"),
        ("ANALYZE_SENTIMENT", "ai/sentiment"),
        ("MODERATE_CONTENT", "ai/moderate"),
        ("UPDATE_DATABASE", "database/execute"),
        ("LOG_EVENT", "log/event"),
        ("TRIGGER_WEBHOOK", "webhook/send"),
        ("trigger_webhook", "webhook/send"),
        ("PAINT_A_PICTURE", "tool/paint_a_picture"),
    ],
)
def test_orb_actions(action_type: str, action: str) -> None:
    """Each action type has its action; an unknown one is kept as a tool, with a warning."""
    source = {"name": "w", "steps": [{"name": "a", "type": "ACTION", "config": {"actionType": action_type, "aKey": 1}}]}

    imported = import_document(source)

    step = imported.document["steps"][0]
    assert (action, 1) == (step["action"], step["parameters"]["a_key"])
    assert action.startswith("tool/") == ("tool_as_action" in codes(imported.warnings))


def configured(action_type: str, **config: Any) -> Any:
    source = {"name": "w", "steps": [{"name": "a", "type": "ACTION", "config": {"actionType": action_type, **config}}]}
    return import_document(source).document["steps"][0]["parameters"]


@pytest.mark.parametrize(
    ("action_type", "config", "expected"),
    [
        (
            "GENERATE_CONTENT",
            {
                "prompt": "Hi {{ trigger.payload.x }}",
                "maxTokens": 50,
                "temperature": 0,
                "systemPrompt": "Be kind",
            },
            {"prompt": "Hi {{ trigger.data.x }}", "max_tokens": 50, "temperature": 0, "system": "Be kind"},
        ),
        ("GENERATE_CONTENT", {"parameters": {"userPrompt": "Hi"}}, {"prompt": "Hi"}),
        ("ANALYZE_SENTIMENT", {"content": "{{ triggerData.text }}"}, {"text": "{{ trigger.data.text }}"}),
        ("MODERATE_CONTENT", {"message": "x", "text": "y"}, {"text": "y"}),
        ("UPDATE_DATABASE", {"query": "DELETE FROM a"}, {"statement": "DELETE FROM a"}),
        (
            "UPDATE_DATABASE",
            {"sql": "UPDATE a SET b = :b", "params": {"b": "{{ input.x }}"}, "connection": "db"},
            {
                "connection": "db",
                "statement": "UPDATE a SET b = :b",
                "parameters": {"b": "{{ workflow.parameters.x }}"},
            },
        ),
        (
            "UPDATE_DATABASE",
            {"query": "UPDATE a SET b = '{{ x['y'] }}', c = 'it''s {{ z }}', d = 'e' WHERE f = {{ g }}"},
            {
                "statement": "UPDATE a SET b = :p1, c = :p2, d = 'e' WHERE f = :p3",
                "parameters": {"p1": "{{ x['y'] }}", "p2": "it's {{ z }}", "p3": "{{ g }}"},
            },
        ),
        (
            "UPDATE_DATABASE",
            {"query": "UPDATE a SET b = ?, c = '?' WHERE d = ? AND e = ?", "params": [1, "two"]},
            {
                "statement": "UPDATE a SET b = :p1, c = '?' WHERE d = :p2 AND e = ?",
                "parameters": {"p1": 1, "p2": "two"},
            },
        ),
        (
            "UPDATE_DATABASE",
            {"query": "UPDATE a SET b = $2 WHERE c = $1", "values": [1, 2]},
            {"statement": "UPDATE a SET b = :p1 WHERE c = :p2", "parameters": {"p1": 2, "p2": 1}},
        ),
        (
            "UPDATE_DATABASE",
            {"query": "SELECT {{ a }}, :p2", "params": {"p2": 1}},
            {"statement": "SELECT :p3, :p2", "parameters": {"p2": 1, "p3": "{{ a }}"}},
        ),
        (
            "UPDATE_DATABASE",
            {"table": "posts", "operation": "UPDATE", "data": {"state": "live"}, "where": {"id": "{{ variables.id }}"}},
            {
                "statement": "UPDATE posts SET state = :set_state WHERE id = :where_id",
                "parameters": {"set_state": "live", "where_id": "{{ workflow.parameters.id }}"},
            },
        ),
        (
            "UPDATE_DATABASE",
            {"table": "app.posts", "data": {"a": 1, "b": 2}},
            {
                "statement": "INSERT INTO app.posts (a, b) VALUES (:set_a, :set_b)",
                "parameters": {"set_a": 1, "set_b": 2},
            },
        ),
        (
            "UPDATE_DATABASE",
            {"table": "posts", "operation": "delete", "where": {"id": 1}},
            {"statement": "DELETE FROM posts WHERE id = :where_id", "parameters": {"where_id": 1}},
        ),
        ("UPDATE_DATABASE", {"table": "posts", "operation": "delete"}, {"table": "posts", "operation": "delete"}),
        ("UPDATE_DATABASE", {"table": "a; b", "data": {"c": 1}}, {"table": "a; b", "data": {"c": 1}}),
    ],
)
def test_orb_configurations(action_type: str, config: dict[str, Any], expected: Any) -> None:
    """Each action's keys become the arguments of ours; of SQL every value becomes a bound parameter."""
    assert expected == configured(action_type, **config)


def test_orb_variables_are_found_in_outputs() -> None:
    """What a step kept in a variable is read from its output: of generated content its text."""
    write = {"name": "write", "type": "ACTION", "config": {"actionType": "GENERATE_CONTENT", "outputVariable": "draft"}}
    judge = {"name": "judge", "type": "ACTION", "config": {"actionType": "ANALYZE_SENTIMENT", "outputVariable": "mood"}}
    words = "{{ draft }} {{ draft.content }} {{ variables.draft }} {{ draft.usage.total_tokens }} {{ mood.score }}"
    log = {"name": "log", "type": "ACTION", "config": {"actionType": "LOG_EVENT", "message": words}}

    document = import_document({"name": "w", "steps": [write, judge, log]}).document

    text = "{{ steps.write.output.text }}"
    assert (
        f"{text} {text} {text} {{{{ steps.write.output.usage.total_tokens }}}} {{{{ steps.judge.output.score }}}}"
    ) == document["steps"][2]["parameters"]["message"]


def test_orb_shapes_of_branches() -> None:
    """Nested, pointing to their parent, by key, in snake or camel case: the same workflow comes out."""
    yes = {"id": "y", "type": "ACTION", "name": "yes", "config": {"actionType": "LOG_EVENT"}}
    no = {"id": "n", "type": "ACTION", "name": "no", "config": {"actionType": "LOG_EVENT"}}
    decide = {"id": "c", "type": "CONDITION", "name": "c", "config": {"condition": "true"}}
    nested_form = [{"branchType": "IF_TRUE", "steps": [yes]}, {"branchType": "IF_FALSE", "steps": [no]}]
    snake_form = [{"branch_type": "IF_TRUE", "steps": [yes]}, {"branch_type": "IF_FALSE", "steps": [no]}]
    forms = [
        [{**decide, "branches": nested_form}],
        [{**decide, "branches": snake_form}],
        [{**decide, "branches": {"IF_TRUE": [yes], "IF_FALSE": [no]}}],
        [{**decide, "trueBranch": [yes], "falseBranch": [no]}],
        [
            decide,
            *({**it, "parentStepId": "c", "branchType": kind} for it, kind in ((yes, "IF_TRUE"), (no, "IF_FALSE"))),
        ],
    ]

    documents = [import_document({"name": "w", "steps": steps}).document for steps in forms]

    assert all(documents[0] == document for document in documents[1:])
    assert [{"step": "c", "branch": "IF_FALSE"}] == needs(documents[0])["no"]


def test_orb_rows_follow_their_sequence_and_dependencies() -> None:
    """Order is by sequence; steps of one number stand beside each other; dependencies may point anywhere before."""
    log = {"type": "ACTION", "config": {"actionType": "LOG_EVENT"}}
    steps = [
        {**log, "id": "4", "name": "d", "sequence": 3, "dependencies": ["1"]},
        {**log, "id": "2", "name": "b", "sequence": 2},
        {**log, "id": "3", "name": "c", "sequence": 2},
        {**log, "id": "1", "name": "a", "sequence": 1},
        {**log, "id": "5", "name": "e", "sequence": 4, "dependencies": ["nobody"]},
    ]

    imported = import_document({"name": "w", "steps": steps})

    assert {"a": None, "b": None, "c": ["a"], "d": ["a"], "e": None} == needs(imported.document)
    assert "unknown_dependency" in codes(imported.warnings)
