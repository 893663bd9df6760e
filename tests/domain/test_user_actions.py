"""User-defined actions: what they are called with, their invariants, their text."""

from dataclasses import replace

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas.domain.actions import (
    Argument,
    Body,
    CallRefused,
    Invariant,
    UserAction,
    action_schema,
    arguments_schema,
    is_checked,
    prepare_call,
    read_action,
    read_arguments,
    write_action,
)
from canvas.domain.actions.arguments import argument_faults, argument_schema
from canvas.domain.actions.document import ARGUMENT_TYPES
from canvas.domain.catalog import ActionSpec, Catalog, WorkflowSignature
from canvas.domain.dsl import document_to_yaml, load_document
from canvas.domain.expressions import ExpressionError
from canvas.domain.problems import Report
from canvas.domain.states import ActionOrigin, ArgumentType
from canvas.domain.validation import validate_action
from tests.domain.action_strategies import any_value, arguments, user_actions, values
from tests.domain.strategies import json_values


def deploy(**more):
    fields = {
        "arguments": (
            Argument(name="host", required=True, pattern="^[a-z]+$"),
            Argument(name="replicas", type=ArgumentType.INTEGER, default=2, min_value=1, max_value=9),
        ),
        "body": Body(action="http/request", parameters={"url": "https://{{ args.host }}", "n": "{{ args.replicas }}"}),
    }
    return UserAction(name="team/deploy", **{**fields, **more})


def refusal(action, given):
    with pytest.raises(CallRefused) as caught:
        prepare_call(action).accept(given)
    return caught.value.error


# arguments


@settings(max_examples=400)
@given(action=user_actions(), data=st.data())
def test_the_schema_says_what_the_check_does(action, data):
    """What a form or an agent is told is allowed is what a call takes: another judge agrees, value by value."""
    action = replace(action, inputs_schema=None)
    names = [one.name for one in action.arguments]
    given = data.draw(st.dictionaries(st.sampled_from(["other", *names]), any_value.filter(lambda v: v is not None)))
    filled = {one.name: one.default for one in action.arguments if one.default is not None} | given

    _, faults = read_arguments(action, given)

    assert jsonschema_rs.validator_for(arguments_schema(action)).is_valid(filled) == (faults == [])


@settings(max_examples=300)
@given(argument=st.sampled_from(ARGUMENT_TYPES).flatmap(lambda kind: st.tuples(arguments("x", kind), values(kind))))
def test_a_value_on_a_bound_fits(argument):
    """One argument, one value of its type or right on a bound: the schema's judge agrees."""
    declared, value = argument
    tried = [value, declared.min_value, declared.max_value, "xbx", "a" * int(declared.max_value or 0)]

    for one in (value for value in tried if value is not None):
        fits = jsonschema_rs.validator_for(argument_schema(declared)).is_valid(one)
        assert fits == ([] == list(argument_faults(declared, one))), one


@given(action=user_actions(), given=st.dictionaries(st.text(max_size=3), json_values()))
def test_accepted_arguments_are_accepted_again_and_are_all_there(action, given):
    """A retry finds what the first attempt was given: checking changes nothing that was checked before."""
    action = replace(action, inputs_schema=None)
    values, faults = read_arguments(action, given)

    assert [one.name for one in action.arguments] == list(values)
    if not faults:
        assert (values, []) == read_arguments(action, values)


def test_every_fault_is_told_at_once():
    """With the argument's name and what it must be."""
    error = refusal(deploy(), {"host": "EX", "replicas": 12, "hots": 1})

    assert "invalid_arguments" == error["code"]
    assert not error["retryable"]
    for part in ("`hots`", "host, replicas", "^[a-z]+$", "at most 9, not 12"):
        assert part in error["message"]


def test_defaults_are_filled_in_and_null_counts_as_not_given():
    """So that a template which finds nothing leaves the default in force."""
    assert {"host": "a", "replicas": 2} == prepare_call(deploy()).accept({"host": "a", "replicas": None})
    assert "`host` is missing" in refusal(deploy(), {"host": None})["message"]


def test_whole_numbers_with_a_point_become_whole():
    """JSON has no other way to tell; an index must not be 3.0."""
    assert "3" == str(prepare_call(deploy()).accept({"host": "a", "replicas": 3.0})["replicas"])


@pytest.mark.parametrize(("text", "is_taken"), [("éa", True), ("éaé", False)])
def test_text_is_measured_in_characters(text, is_taken):
    """Not in bytes."""
    action = deploy(arguments=(Argument(name="host", max_value=2),))

    assert is_taken == (read_arguments(action, {"host": text})[1] == [])


@pytest.mark.parametrize(("pattern", "is_taken"), [("b", True), ("^b$", False), ("b+$", False), ("^x", True)])
def test_a_pattern_is_looked_for_anywhere(pattern, is_taken):
    """As JSON Schema says; the two marks pin it to the ends."""
    argument = Argument(name="host", pattern=pattern)

    assert is_taken == ([] == list(argument_faults(argument, "xbx")))
    assert is_taken == jsonschema_rs.validator_for(argument_schema(argument)).is_valid("xbx")


def test_a_pattern_that_takes_others_for_ever_is_quick():
    """RE2 is linear; the step of whoever calls is not held up."""
    action = deploy(arguments=(Argument(name="host", pattern="^(a+)+$"),))

    assert [] != read_arguments(action, {"host": "a" * 20_000 + "!"})[1]


def test_an_own_schema_is_judged_too():
    """What it says beyond the arguments holds for every call."""
    schema = {"type": "object", "properties": {"tags": {"type": "array", "minItems": 1}}, "required": ["tags"]}
    action = deploy(arguments=(), inputs_schema=schema)

    assert {"tags": ["a"]} == prepare_call(action).accept({"tags": ["a"]})
    assert "`tags`" in refusal(action, {"tags": []})["message"]
    assert schema == arguments_schema(action)


# invariants


@pytest.mark.parametrize(
    ("text", "checked"),
    [
        ("args.replicas <= 5", True),
        ("output.status == 200", True),
        ("Never deploy on a Friday", False),
        ("fast", False),
        ("steps.a.output == 1", False),
        ("1 == 1", False),
        ("args.replicas <=", False),
    ],
)
def test_sentences_and_expressions_are_told_apart(text, checked):
    """An expression reads as one and names what a call is given or gives; everything else is for people."""
    assert checked == is_checked(Invariant(text=text))
    assert is_checked(Invariant(text=text, is_expression=True))
    assert not is_checked(Invariant(text=text, is_expression=False))


def test_a_broken_invariant_over_the_arguments_refuses_the_call():
    """With its text; nothing has happened yet, and trying again would not help."""
    error = refusal(deploy(invariants=(Invariant(text="args.replicas <= 5"),)), {"host": "a", "replicas": 6})

    assert ("invariant_broken", "args.replicas <= 5", "before", False) == (
        error["code"],
        error["invariant"],
        error["when"],
        error["retryable"],
    )
    assert "args.replicas <= 5" in error["message"]


def test_an_invariant_that_cannot_be_evaluated_is_broken():
    """It does not hold as long as nobody can say that it does; the reason is told."""
    call = prepare_call(deploy(invariants=(Invariant(text="output.status == 200"), Invariant(text="args.host"))))

    assert "args.host" in refusal(call.action, {"host": "a"})["message"]
    broken = call.broken_after({"host": "a"}, {"state": 1})
    assert broken is not None
    assert "status" in broken.error["message"]
    assert call.broken_after({"host": "a"}, {"status": 200}) is None


def test_sentences_are_never_evaluated():
    """They hold whatever happens."""
    action = deploy(invariants=(Invariant(text="false", is_expression=False), Invariant(text="Be kind")))
    call = prepare_call(action)

    assert call.accept({"host": "a"})
    assert call.broken_after({}, None) is None


def test_an_expression_that_does_not_read_any_more_never_holds():
    """A flag that says expression is believed: nothing passes unseen."""
    assert (
        "invariant_broken"
        == refusal(deploy(invariants=(Invariant(text="args.", is_expression=True),)), {"host": "a"})["code"]
    )


def test_in_a_rehearsal_what_nobody_knows_passes():
    """Values that a dry run made up neither break an invariant nor an argument; those that are known do."""
    call = prepare_call(deploy(invariants=(Invariant(text="args.replicas <= 5"),)))

    assert {"host": {}, "replicas": {}} == call.accept({"host": {}, "replicas": {}}, is_rehearsal=True)
    with pytest.raises(CallRefused):
        call.accept({"host": "a", "replicas": 6}, is_rehearsal=True)


# the call


def test_templates_are_filled_in_from_the_arguments():
    """They keep their types; a parameter whose template finds nothing is left out."""
    body = Body(action="http/request", parameters={"url": "{{ args.host }}/x", "n": "{{ args.n }}", "all": None})
    call = prepare_call(deploy(arguments=(Argument(name="host"), Argument(name="n")), body=body))

    assert {"url": "a/x", "n": 3, "all": None} == call.call({"host": "a", "n": 3}).arguments
    assert {"url": "a/x", "all": None} == call.call({"host": "a", "n": None}).arguments


def test_a_mapping_that_is_no_template_fails_the_call_and_nothing_else():
    """Preparing a plan never raises."""
    call = prepare_call(deploy(body=Body(action="http/request", parameters={"url": "{{ args. }}"})))

    with pytest.raises(ExpressionError):
        call.call({})


# the text


@given(user_actions())
def test_an_action_survives_being_written_down(action):
    """As JSON and as YAML; the schema takes what is written."""
    report = Report()
    written = write_action(action)
    again = load_document(document_to_yaml(written)).data

    assert action == read_action(written, report)
    assert action == read_action(again, report)
    assert () == report.problems
    assert jsonschema_rs.validator_for(action_schema()).is_valid(written)


@given(json_values() | st.fixed_dictionaries({"name": st.text(), "body": json_values(), "arguments": json_values()}))
def test_whatever_is_sent_is_read_or_told(document):
    """No document raises; one that is no action says so."""
    report = Report()

    assert read_action(document, report) is not None or report.problems


def test_another_kind_of_document_is_told_apart():
    """A workflow is not half read as an action."""
    report = Report()
    read_action({"dsl": "canvas/v1", "kind": "workflow", "name": "a/b"}, report)

    assert ["/kind"] == [problem.pointer for problem in report.problems]


# whether it makes sense

SPEC = ActionSpec(
    name="http/request",
    title="Request",
    description="",
    category="Web",
    arguments_schema={
        "type": "object",
        "properties": {"url": {"type": "string"}, "n": {"type": "integer"}},
        "required": ["url"],
        "additionalProperties": False,
    },
    result_schema={},
    example_arguments={},
    example_result={},
    idempotent=False,
)
KNOWN = Catalog(
    actions={"http/request": SPEC},
    workflows={
        "hello": WorkflowSignature(name="hello", links=frozenset({"inner"})),
        "inner": WorkflowSignature(name="inner", calls=frozenset({"team/deploy"})),
        "other": WorkflowSignature(name="other"),
    },
)


def codes(action, known=KNOWN):
    return {(problem.code, problem.pointer) for problem in validate_action(action, known) if problem.is_error}


def test_a_sound_action_has_no_problems():
    """Nothing is invented."""
    assert () == validate_action(deploy(), KNOWN)


@given(user_actions())
def test_any_action_is_judged(action):
    """However odd it is; one without errors can be prepared, and its defaults fit."""
    problems = validate_action(action, KNOWN)

    if not any(problem.is_error for problem in problems):
        prepare_call(action)
        assert all("default" not in fault for fault in read_arguments(replace(action, inputs_schema=None), {})[1])


ARG = Argument(name="x", type=ArgumentType.INTEGER)
WRONG = [
    (replace(deploy(), name="Deploy"), ("bad_name", "/name")),
    (replace(deploy(), name="http/mine"), ("reserved_name", "/name")),
    (replace(deploy(), name="mcp/mine"), ("reserved_name", "/name")),
    (deploy(arguments=(ARG, ARG)), ("duplicate_name", "/arguments/0/name")),
    (deploy(arguments=(replace(ARG, name=""),)), ("bad_name", "/arguments/0/name")),
    (deploy(arguments=(replace(ARG, min_value=3, max_value=2),)), ("bad_bounds", "/arguments/0/min_value")),
    (deploy(arguments=(replace(ARG, pattern="a"),)), ("no_effect", "/arguments/0/pattern")),
    (deploy(arguments=(Argument(name="x", pattern="(a"),)), ("bad_pattern", "/arguments/0/pattern")),
    (deploy(arguments=(Argument(name="x", pattern=r"(?=a)"),)), ("bad_pattern", "/arguments/0/pattern")),
    (deploy(arguments=(Argument(name="x", min_value=-1),)), ("bad_bounds", "/arguments/0/min_value")),
    (
        deploy(arguments=(replace(ARG, type=ArgumentType.BOOLEAN, max_value=1),)),
        ("no_effect", "/arguments/0/max_value"),
    ),
    (deploy(arguments=(replace(ARG, default=9, max_value=2),)), ("bad_default", "/arguments/0/default")),
    (deploy(invariants=(Invariant(text=" "),)), ("missing_key", "/invariants/0")),
    (deploy(invariants=(Invariant(text="args.hots == 1"),)), ("unknown_argument", "/invariants/0")),
    (deploy(invariants=(Invariant(text="args.", is_expression=True),)), ("bad_expression", "/invariants/0")),
    (deploy(invariants=(Invariant(text="run.id == ''", is_expression=True),)), ("unknown_name", "/invariants/0")),
    (deploy(body=Body()), ("bad_body", "/body")),
    (deploy(body=Body(action="http/request", workflow="hello")), ("bad_body", "/body")),
    (deploy(body=Body(action="http/gone")), ("unknown_action", "/body/action")),
    (deploy(body=Body(action="http/request")), ("missing_parameter", "/body/parameters/url")),
    (deploy(body=Body(action="http/request", parameters={"url": 3})), ("bad_parameter", "/body/parameters/url")),
    (
        deploy(body=Body(action="http/request", parameters={"url": "{{ output.x }}"})),
        ("unknown_name", "/body/parameters/url"),
    ),
    (
        deploy(body=Body(action="http/request", parameters={"url": "{{ args.x }}"})),
        ("unknown_argument", "/body/parameters/url"),
    ),
    (deploy(body=Body(workflow="nowhere")), ("unknown_workflow", "/body/workflow")),
    (deploy(body=Body(workflow="other", parameters={"x": 1})), ("unknown_parameter", "/body/parameters/x")),
    (deploy(inputs_schema={"type": "array"}), ("bad_schema", "/inputs_schema/type")),
    (deploy(inputs_schema={"type": "object", "properties": 3}), ("bad_schema", "/inputs_schema")),
    (
        deploy(inputs_schema={"type": "object", "$ref": "http://10.0.0.1/x"}),
        ("bad_schema", "/inputs_schema/$ref"),
    ),
]


@pytest.mark.parametrize(("action", "expected"), WRONG, ids=[f"{code}-{at}" for _, (code, at) in WRONG])
def test_what_makes_no_sense_is_told_with_its_place(action, expected):
    """Each of these is found, and where it stands."""
    assert expected in codes(action)


def test_an_action_is_not_made_of_user_defined_ones():
    """One level is enough to follow; workflows are there to put calls together."""
    own = replace(SPEC, name="team/other", origin=ActionOrigin.USER)
    known = replace(KNOWN, actions={**KNOWN.actions, "team/other": own})

    assert {("nested_action", "/body/action")} == codes(deploy(body=Body(action="team/other")), known)


def test_going_round_in_circles_is_refused_with_the_way():
    """An action whose workflow leads back to the action would never end."""
    (problem,) = validate_action(deploy(body=Body(workflow="hello")), KNOWN)

    assert ("recursion", "/body/workflow") == (problem.code, problem.pointer)
    assert "team/deploy → hello → inner → team/deploy" in problem.text
