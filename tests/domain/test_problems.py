"""What is wrong, where, and what it is called: one bad document after the other."""

from dataclasses import replace

import pytest

from canvas.domain.catalog import Catalog, WorkflowSignature
from canvas.domain.definition import Parameter
from canvas.domain.dsl import parse
from canvas.domain.problems import MAX_PROBLEMS, Problem, Report
from canvas.domain.states import ParameterType
from canvas.domain.validation import check
from tests.domain.strategies import CATALOG as DRAWN
from tests.yardstick import effort

STRICT = replace(
    DRAWN.actions["test/echo"],
    name="test/strict",
    arguments_schema={
        "type": "object",
        "properties": {
            "count": {"type": "integer"},
            "label": {"type": "string", "description": "What to call it."},
            "code": {"type": "string", "x-literal": True},
        },
        "required": ["label"],
        "additionalProperties": False,
    },
)
CATALOG = Catalog(
    actions={**DRAWN.actions, "test/strict": STRICT},
    workflows={
        "child": WorkflowSignature(
            name="child",
            parameters={
                "city": Parameter(type=ParameterType.STRING, required=True, enum=("Paris", "Rome")),
                "count": Parameter(type=ParameterType.INTEGER),
            },
        ),
        "back": WorkflowSignature(name="back", links=frozenset({"further"})),
        "further": WorkflowSignature(name="further", links=frozenset({"w"})),
    },
)
HEAD = "dsl: canvas/v1\nname: w\n"
A = "  - {name: a, type: set, values: {v: 1}}\n"
C = "  - {name: c, type: condition, condition: 1 < 2}\n"
ELSE = "{step: s, branch: DEFAULT}"
B = "  - {name: b, type: set, values: {v: 1}, "
S = "  - {name: s, type: switch, on: 1 + 1, cases: [1, 2]}\n"

BAD_TEXTS = {
    "nothing": ("", "empty_document", 1, 1),
    "a tab": ("dsl: canvas/v1\nsteps:\n\t- x", "syntax", 3, 1),
    "open quote": ('name: "x\n', "syntax", 2, 1),
    "bad JSON": ('{"dsl": "canvas/v1",\n "name": }', "syntax", 2, 10),
    "NaN in JSON": ('{"name": NaN}', "syntax", 1, 10),
    "a list": ("- a\n- b", "wrong_type", 1, 1),
    "a NUL": ("dsl: x\nname: a\0b", "bad_character", 2, 8),
    "no UTF-8": (b"dsl: \xff", "not_text", 1, 1),
    "half a surrogate": ("name: \ud800", "not_text", 1, 1),
    "two documents": ("a: 1\n---\nb: 1\n", "several_documents", 2, 1),
    "a tag": (HEAD + "title: !!python/name:os.system x", "yaml_tag", 3, 8),
    "a cycle of aliases": (HEAD + "tags: &t [*t]", "alias_cycle", 3, 11),
    "an unknown alias": (HEAD + "title: *t", "unknown_alias", 3, 8),
    "a key given twice": (HEAD + "title: a\ntitle: b", "duplicate_key", 4, 1),
    "a key given twice in JSON": ('{"dsl": "canvas/v1",\n "dsl": "canvas/v1"}', "duplicate_key", 2, 2),
    "a list as key": (HEAD + "? [a]\n: b", "bad_key", 3, 3),
    "braces without quotes": (HEAD + "title: {{ a }}", "bad_key", 3, 9),
    "a number beyond 64 bits": (HEAD + "settings: {max_retries: 9223372036854775808}", "number_too_large", 3, 25),
    "the same in JSON": ('{"a": [1,\n  -9223372036854775809]}', "number_too_large", 2, 3),
    "infinity": (HEAD + "settings: {timeout_minutes: .inf}", "not_finite", 3, 29),
    "minus infinity": ("-.INF", "not_finite", 1, 1),
    "10 MB": ("a" * 10_000_000, "text_too_large", 1, 1),
    "deep nesting": ("a: " + "[" * 500_000, "too_deep", 1, 67),
    "deep nesting in JSON": ("[" * 100 + "]" * 100, "too_deep", 1, 65),
    "deeper than JSON readers go": ("[" * 500_000, "too_deep", 1, 1026),
    "too many values": ("a:\n" + "- a\n" * 200_001, "too_many_values", 199_999, 3),
    "another form": ("dsl: canvas/v2\nname: w", "unsupported_dsl", 1, 6),
    "no form": ("name: w", "missing_key", 1, 1),
}
BOMB = "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD_TEXTS["a bomb"] = (HEAD + "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + BOMB, "too_many_aliases", 6, 8)

BAD_DOCUMENTS = {
    "unknown key": ("titel: x", "unknown_key", 3, 1),
    "wrong type": ("title: 7", "wrong_type", 3, 8),
    "a boolean for text": ("title: true", "wrong_type", 3, 8),
    "nothing for text": ("title:", "wrong_type", 3, 7),
    "bad word": ("status: activ", "bad_word", 3, 9),
    "bad version": ("version: '1.0'", "bad_version", 3, 10),
    "text for a list": ("tags: a", "wrong_type", 3, 7),
    "parameter without type word": ("parameters:\n  a: {type: text}", "bad_word", 4, 13),
    "default of the wrong type": ("parameters:\n  a: {type: integer, default: x}", "wrong_type", 4, 31),
    "default that is no choice": ("parameters:\n  a: {enum: [x], default: y}", "not_a_choice", 4, 27),
    "choice of the wrong type": ("parameters:\n  a: {type: integer, enum: [1, x]}", "wrong_type", 4, 32),
    "bad parameter name": ("parameters:\n  A b: {}", "bad_name", 4, 8),
    "out of bounds": ("settings: {max_retries: -1}", "out_of_bounds", 3, 25),
    "bad cron": ("triggers:\n  - {type: schedule, cron: 61 * * * *}", "bad_cron", 4, 28),
    "cron that is never due": ("triggers:\n  - {type: schedule, cron: 0 0 30 2 *}", "bad_cron", 4, 28),
    "bad timezone": ("triggers:\n  - {type: schedule, cron: 0 0 * * *, timezone: Mars}", "bad_timezone", 4, 49),
    "cron and interval": (
        "triggers:\n  - {type: schedule, cron: 0 0 * * *, interval_seconds: 60}",
        "bad_schedule",
        4,
        57,
    ),
    "neither of them": ("triggers:\n  - {type: schedule}", "bad_schedule", 4, 5),
    "too short an interval": ("triggers:\n  - {type: schedule, interval_seconds: 0}", "out_of_bounds", 4, 40),
    "unknown trigger": ("triggers:\n  - {type: shedule}", "bad_word", 4, 12),
    "webhook without path": ("triggers:\n  - {type: webhook}", "missing_key", 4, 5),
    "bad path": ("triggers:\n  - {type: webhook, path: /a b}", "bad_path", 4, 27),
    "path given twice": (
        "triggers:\n  - {type: webhook, path: a}\n  - {type: webhook, path: a}",
        "duplicate_path",
        5,
        27,
    ),
    "bad method": ("triggers:\n  - {type: webhook, path: a, methods: [SPY]}", "bad_word", 4, 40),
    "bad event": ("triggers:\n  - {type: event, event: Task Done}", "bad_event", 4, 26),
    "filter that names no event": (
        "triggers:\n  - {type: event, event: a, filter: run.id == 'x'}",
        "unknown_name",
        4,
        37,
    ),
    "trigger without a required parameter": (
        "parameters: {a: {required: true}}\ntriggers:\n  - {type: event, event: a}",
        "missing_parameter",
        5,
        5,
    ),
    "trigger with an unknown parameter": (
        "triggers:\n  - {type: event, event: a, parameters: {x: 1}}",
        "unknown_parameter",
        4,
        45,
    ),
    "place of no step": ("layout: {x: [1, 2]}", "unknown_step", 3, 13),
    "place of one number": (f"steps:\n{A}layout: {{a: [1]}}", "wrong_type", 5, 13),
    "steps that are no list": ("steps: {a: 1}", "wrong_type", 3, 8),
    "step that is no mapping": ("steps: [a]", "wrong_type", 3, 9),
    "step without type": ("steps:\n  - name: a", "missing_key", 4, 5),
    "step without name": ("steps:\n  - {type: set, values: {v: 1}}", "missing_key", 4, 5),
    "unknown type": ("steps:\n  - {name: a, type: acton}", "unknown_step_type", 4, 21),
    "unknown key of a step": ("steps:\n  - {name: a, type: set, values: {v: 1}, retries: 3}", "unknown_key", 4, 42),
    "steps in a step that holds none": (
        "steps:\n  - {name: a, type: set, values: {v: 1}, steps: []}",
        "unknown_key",
        4,
        42,
    ),
    "name given twice": (f"steps:\n{A}{A}", "duplicate_name", 5, 12),
    "bad name": ("steps:\n  - {name: My Step, type: set, values: {v: 1}}", "bad_name", 4, 12),
    "unknown dependency": (
        f"steps:\n{A}{B}depends_on: [aa]}}",
        "unknown_step",
        5,
        55,
    ),
    "waits for itself": ("steps:\n  - {name: a, type: set, values: {v: 1}, depends_on: [a]}", "self_dependency", 4, 55),
    "cycle": (
        "steps:\n  - {name: a, type: set, values: {v: 1}, depends_on: [b]}\n"
        "  - {name: b, type: set, values: {v: 1}, depends_on: [a]}",
        "cycle",
        4,
        54,
    ),
    "waits for a step inside": (
        "steps:\n  - name: p\n    type: parallel\n    steps: [{name: i, type: set, values: {v: 1}}]\n"
        "  - {name: b, type: set, values: {v: 1}, depends_on: [i]}",
        "dependency_out_of_scope",
        7,
        55,
    ),
    "same outcome twice": (
        f"steps:\n{A}{B}depends_on: [a, a]}}",
        "duplicate_dependency",
        5,
        58,
    ),
    "branch that is not offered": (
        f"steps:\n{A}{B}depends_on: [{{step: a, branch: IF_TRUE}}]}}",
        "unknown_branch",
        5,
        55,
    ),
    "unknown case": (
        f"steps:\n{S}{B}depends_on: [{{step: s, branch: SWITCH_CASE, value: 3}}, {ELSE}]}}",
        "unknown_case",
        5,
        55,
    ),
    "missing DEFAULT": (
        f"steps:\n{S}{B}depends_on: [{{step: s, branch: SWITCH_CASE, value: 1}}]}}",
        "missing_default",
        4,
        5,
    ),
    "case given twice": ("steps:\n  - {name: s, type: switch, on: 1 + 1, cases: [1, 1.0]}", "duplicate_case", 4, 51),
    "outcome in small letters": ("steps:\n  - {name: t, type: task, outcomes: [yes]}", "bad_name", 4, 38),
    "outcome that is a branch": ("steps:\n  - {name: t, type: task, outcomes: [SUCCESS]}", "bad_name", 4, 38),
    "outcome given twice": ("steps:\n  - {name: t, type: task, outcomes: [A, A]}", "duplicate_outcome", 4, 41),
    "priority out of range": ("steps:\n  - {name: t, type: task, priority: 6}", "wrong_type", 4, 37),
    "due that is no moment": ("steps:\n  - {name: t, type: task, due: tomorrow}", "wrong_type", 4, 32),
    "form that is no schema": ("steps:\n  - {name: t, type: task, form: {type: nonsense}}", "bad_form", 4, 33),
    "form from elsewhere": ('steps:\n  - {name: t, type: task, form: {$ref: "http://127.0.0.1/x"}}', "bad_form", 4, 33),
    "outcome the task has not": (
        f"steps:\n  - {{name: t, type: task, outcomes: [A]}}\n{B}depends_on: [{{step: t, branch: AB}}]}}",
        "unknown_branch",
        5,
        55,
    ),
    "outcome of a step that has none": (
        f"steps:\n{A}{B}depends_on: [{{step: a, branch: APPROVED}}]}}",
        "unknown_branch",
        5,
        55,
    ),
    "no cases": ("steps:\n  - {name: s, type: switch, on: 1 + 1, cases: []}", "no_cases", 4, 47),
    "case without on": ("steps:\n  - {name: s, type: switch, cases: [1]}", "missing_key", 4, 5),
    "join of too many": (
        f"steps:\n{A}{B}join: {{mode: n_of_m, n: 2}}}}",
        "bad_join",
        5,
        66,
    ),
    "join of more ends than there are": (
        "steps:\n  - name: p\n    type: parallel\n    join: {mode: n_of_m, n: 2}\n    steps:\n"
        "    - {name: a, type: set, values: {v: 1}}\n"
        "    - {name: b, type: set, values: {v: 1}, depends_on: [a]}",
        "bad_join",
        6,
        29,
    ),
    "join without n": (
        f"steps:\n{A}{B}join: {{mode: n_of_m}}}}",
        "bad_join",
        5,
        48,
    ),
    "after a stop": (f"steps:\n  - {{name: e, type: stop}}\n{A}", "unreachable_step", 5, 5),
    "both ways at once": (
        f"steps:\n{C}  - name: b\n    type: set\n    values: {{v: 1}}\n    join: {{mode: all}}\n"
        "    depends_on: [{step: c, branch: IF_TRUE}, {step: c, branch: IF_FALSE}]",
        "unreachable_step",
        5,
        5,
    ),
    "loop over nothing": ("steps:\n  - name: l\n    type: loop\n    steps:\n    " + A.strip(), "bad_loop", 4, 5),
    "loop over two things": (
        "steps:\n  - name: l\n    type: loop\n    times: 2\n    while: run.id == ''\n    steps:\n    " + A.strip(),
        "bad_loop",
        6,
        12,
    ),
    "loop without steps": ("steps:\n  - {name: l, type: loop, times: 2, steps: []}", "empty_container", 4, 44),
    "loop without end": (
        "steps:\n  - name: l\n    type: loop\n    while: 1 < 2\n    steps:\n    " + A.strip(),
        "unbounded_loop",
        6,
        12,
    ),
    "loop bounded by nothing": (
        "steps:\n  - name: l\n    type: loop\n    times: 1\n    max_iterations: 0\n    steps:\n    " + A.strip(),
        "out_of_bounds",
        7,
        21,
    ),
    "loop too long": (
        "steps:\n  - name: l\n    type: loop\n    times: 3\n    max_iterations: 2\n    steps:\n    " + A.strip(),
        "loop_too_long",
        6,
        12,
    ),
    "collection that is text": (
        "steps:\n  - name: l\n    type: loop\n    collection: run.id\n    steps:\n    " + A.strip(),
        "wrong_type",
        6,
        17,
    ),
    "item called like a root": (
        "steps:\n  - name: l\n    type: loop\n    times: 1\n    item_variable: steps\n    steps:\n    " + A.strip(),
        "bad_name",
        7,
        20,
    ),
    "wait for less than nothing": ("steps:\n  - {name: w, type: wait, for: [{seconds: -1}]}", "wrong_type", 4, 43),
    "wait until never": ("steps:\n  - {name: w, type: wait, for: [{until: tomorrow}]}", "wrong_type", 4, 41),
    "wait for a moment without offset": (
        "steps:\n  - {name: w, type: wait, for: [{until: '2030-01-01T00:00:00'}]}",
        "wrong_type",
        4,
        41,
    ),
    "wait for the unknown": ("steps:\n  - {name: w, type: wait, for: [{second: 1}]}", "unknown_key", 4, 34),
    "stop that retries": ("steps:\n  - {name: e, type: stop, retry: {max_attempts: 2}}", "no_effect", 4, 34),
    "bad expression": ("steps:\n  - {name: c, type: condition, condition: 1 <}", "bad_expression", 4, 43),
    "bad template": ("steps:\n  - {name: a, type: set, values: {v: 'x {{ 1 + }}'}}", "bad_expression", 4, 38),
    "unknown name": ("steps:\n  - {name: c, type: condition, condition: item == 1}", "unknown_name", 4, 43),
    "unknown parameter": (
        "steps:\n  - {name: c, type: condition, condition: workflow.parameters.x == 1}",
        "unknown_parameter",
        4,
        43,
    ),
    "unknown field": ("steps:\n  - {name: c, type: condition, condition: run.ids == 1}", "unknown_field", 4, 43),
    "unknown context": ("steps:\n  - {name: c, type: condition, condition: context.x == 1}", "unknown_context", 4, 43),
    "nothing before": (
        "steps:\n  - {name: c, type: condition, condition: previous_step.output.x == 1}",
        "no_previous_step",
        4,
        43,
    ),
    "step that is not there": (
        "steps:\n  - {name: c, type: condition, condition: steps.x.output == 1}",
        "unknown_step",
        4,
        43,
    ),
    "step that comes later": (
        f"steps:\n  - {{name: c, type: condition, condition: steps.a.output == 1}}\n{A}",
        "reference_not_before",
        4,
        43,
    ),
    "step inside another": (
        "steps:\n  - name: p\n    type: parallel\n    steps: [{name: i, type: set, values: {v: 1}}]\n"
        "  - {name: c, type: condition, condition: steps.i.output.v == 1}",
        "reference_out_of_scope",
        7,
        43,
    ),
    "step's unknown field": (
        f"steps:\n{A}  - {{name: c, type: condition, condition: steps.a.result == 1}}",
        "unknown_field",
        5,
        43,
    ),
    "action without a name": ("steps:\n  - {name: a, type: action}", "missing_key", 4, 5),
    "unknown action": ("steps:\n  - {name: a, type: action, action: test/ecko}", "unknown_action", 4, 37),
    "unknown version of an action": (
        "steps:\n  - {name: a, type: action, action: test/echo@7}",
        "unknown_action_version",
        4,
        37,
    ),
    "missing argument": ("steps:\n  - {name: a, type: action, action: test/strict}", "missing_parameter", 4, 5),
    "unknown argument": (
        "steps:\n  - {name: a, type: action, action: test/strict, parameters: {label: x, lable: y}}",
        "unknown_parameter",
        4,
        80,
    ),
    "argument of the wrong type": (
        "steps:\n  - {name: a, type: action, action: test/strict, parameters: {label: 7}}",
        "bad_parameter",
        4,
        70,
    ),
    "template where text is taken literally": (
        "steps:\n  - {name: a, type: action, action: test/strict, parameters: {label: x, code: 'DROP {{ 1 + 1 }}'}}",
        "template_not_allowed",
        4,
        79,
    ),
    "unknown workflow": ("steps:\n  - {name: a, type: workflow_link, workflow: childd}", "unknown_workflow", 4, 46),
    "workflow that starts itself": ("steps:\n  - {name: a, type: workflow_link, workflow: w}", "recursion", 4, 46),
    "workflows that start each other": (
        "steps:\n  - {name: a, type: workflow_link, workflow: back}",
        "recursion",
        4,
        46,
    ),
    "missing parameter of a workflow": (
        "steps:\n  - {name: a, type: workflow_link, workflow: child}",
        "missing_parameter",
        4,
        5,
    ),
    "wrong parameter of a workflow": (
        "steps:\n  - {name: a, type: workflow_link, workflow: child, parameters: {city: Oslo}}",
        "bad_parameter",
        4,
        72,
    ),
    "output that names no step": ("outputs:\n  o: {value: '{{ steps.x.output }}'}", "unknown_step", 4, 14),
}


def problems_of(text: str | bytes) -> tuple[Problem, ...]:
    return check(parse(text), CATALOG)


@pytest.mark.parametrize(("text", "code", "line", "column"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_a_text_that_is_no_document_says_so(text: str | bytes, code: str, line: int, column: int) -> None:
    """Malformed and hostile text gets one clear problem at the place where it goes wrong, and at once."""
    found = [(p.code, p.line, p.column) for p in problems_of(text)]

    assert (code, line, column) in found


@pytest.mark.parametrize(("rest", "code", "line", "column"), BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS)
def test_what_is_wrong_is_found_at_its_place(rest: str, code: str, line: int, column: int) -> None:
    """Each mistake is reported as what it is, where it is, and nothing else is blamed for it."""
    found = [(p.code, p.line, p.column) for p in problems_of(HEAD + rest) if p.code != "no_steps"]

    assert [(code, line, column)] == found


def test_everything_is_reported_at_once() -> None:
    """One reading tells all: form, names, lines, expressions and calls, in the order of the text."""
    text = HEAD + (
        "titel: x\nstatus: aktive\nsteps:\n"
        "  - {name: a, type: action, action: test/ekko, depends_on: [b]}\n"
        "  - {name: B, type: condition, condition: steps.aa.output}\n"
        "  - {name: c, type: stop, message: '{{ 1 + }}'}\n"
    )

    found = [(p.code, p.line) for p in problems_of(text)]

    assert [
        ("unknown_key", 3),
        ("bad_word", 4),
        ("unknown_action", 6),
        ("unknown_step", 6),
        ("bad_name", 7),
        ("unknown_step", 7),
        ("bad_expression", 8),
    ] == found


HINTS = {
    "titel: x": "Did you mean `title`?",
    "status: Active": "Did you mean `active`?",
    "version: 1.0": 'Put it in quotes: "1.0".',
    f"steps:\n{A}{B}depends_on: [aa]}}": "Did you mean `a`?",
    "steps:\n  - {name: a, type: acton}": "Did you mean `action`?",
    "steps:\n  - {name: a, type: action, action: test/ecko}": "Did you mean `test/echo`?",
    f"steps:\n{A}  - {{name: c, type: condition, condition: a.v == 1}}": "Did you mean `steps.a.output`?",
    f"steps:\n{A}  - {{name: c, type: condition, condition: steps.a.v == 1}}": (
        "What it gave is in `output`: `steps.NAME.output.v`."
    ),
    "parameters: {p: {}}\nsteps:\n  - {name: c, type: condition, condition: p == 1}": (
        "Did you mean `workflow.parameters.p`?"
    ),
    f"steps:\n{A}  - {{name: c, type: condition, condition: v == 1}}": "Did you mean `context.v`?",
    f"steps:\n  - name: l\n    type: loop\n    times: size\n    steps:\n    {A.strip()}": (
        "An expression needs braces: `{{ size }}`."
    ),
}


@pytest.mark.parametrize(("rest", "hint"), HINTS.items())
def test_a_hint_says_what_to_do(rest: str, hint: str) -> None:
    """Where the remedy can be guessed it is offered."""
    (problem,) = (one for one in problems_of(HEAD + rest) if one.code != "no_steps")

    assert hint == problem.hint


def test_a_cycle_is_told_with_its_path() -> None:
    """A circle is named step by step, in the direction of the run, from its first step in the text."""
    rest = "".join(
        f"  - {{name: {name}, type: set, values: {{v: 1}}, depends_on: [{before}]}}\n"
        for name, before in (("x", "b"), ("a", "c"), ("b", "a"), ("c", "b"))
    )

    (problem,) = problems_of(f"{HEAD}steps:\n{rest}")

    assert "These steps wait for each other: a → b → c → a." == problem.text
    assert "a" == problem.step


def test_a_column_inside_the_expression_is_given() -> None:
    """A bad expression says where in its text it goes wrong."""
    rest = "steps:\n  - {name: c, type: condition, condition: run.id == 'x' && nothing}"

    (problem,) = problems_of(HEAD + rest)

    assert ("unknown_name", 18, "c") == (problem.code, problem.expression_column, problem.step)


def test_a_dry_run_takes_actions_that_nobody_registered() -> None:
    """With `allow_unregistered` an unknown action is only worth a warning."""
    parsed = parse(HEAD + "steps:\n  - {name: a, type: action, action: other/thing, parameters: {x: 1}}")

    problems = check(parsed, CATALOG, allow_unregistered=True)

    assert [("unknown_action", "warning")] == [(p.code, p.severity) for p in problems]


def test_templates_stand_for_any_type() -> None:
    """An argument that is a template is not judged by its type; missing and unknown ones are still found."""
    parameters = "{count: '{{ run.id }}', label: 'x {{ run.id }}', more: '{{ run.id }}'}"
    rest = f"steps:\n  - {{name: a, type: action, action: test/strict, parameters: {parameters}}}"

    assert ["unknown_parameter"] == [p.code for p in problems_of(HEAD + rest)]


def test_the_number_of_problems_is_bounded() -> None:
    """A document full of mistakes is answered with the first of them, and with the word that there are more."""
    problems = problems_of(HEAD + "".join(f"wrong_{index}: 1\n" for index in range(2_000)))

    assert 2 * (MAX_PROBLEMS + 1) >= len(problems)
    assert "too_many_problems" in {p.code for p in problems}


def test_a_workflow_has_at_most_5_000_steps() -> None:
    """One more is one problem."""
    steps = "".join(f"  - {{name: s{index}, type: set, values: {{v: 1}}}}\n" for index in range(5_001))

    assert [("too_many_steps", 5_004, 5)] == [(p.code, p.line, p.column) for p in problems_of(f"{HEAD}steps:\n{steps}")]


@pytest.mark.parametrize(("depth", "codes"), [(20, []), (21, ["steps_too_deep", "empty_container"])])
def test_steps_nest_at_most_twenty_deep(depth: int, codes: list[str]) -> None:
    """The twentieth level is still fine; the list of the twenty-first is not read."""
    lines = []
    for level in range(depth - 1):
        pad = "    " * level
        lines += [f"{pad}  - name: p{level}", f"{pad}    type: parallel", f"{pad}    steps:"]
    lines.append("    " * (depth - 1) + "  - {name: a, type: set, values: {v: 1}}")

    problems = problems_of(HEAD + "steps:\n" + "\n".join(lines))

    assert sorted(codes) == sorted(p.code for p in problems)


@pytest.mark.parametrize("text", [text for text, *_ in BAD_TEXTS.values()], ids=BAD_TEXTS)
def test_hostile_text_is_answered_at_once(text: str | bytes) -> None:
    """No text keeps the reader busy: the slowest of these takes a fraction of a second of processor time."""
    assert effort(lambda: parse(text)) < 2


def test_near_names_cost_little_however_many_there_are() -> None:
    """Suggestions are bounded in number and effort."""
    report = Report()
    hints: list[str] = []

    def suggest() -> None:
        hints.extend(report.near(f"step_x{index}", (f"step_{n}" for n in range(5_000))) for index in range(2_000))

    assert effort(suggest) < 5
    assert hints[0] and not hints[-1]


def test_a_step_that_can_be_reached_another_way_is_fine() -> None:
    """A dependency on a step that ends the run hurts only where it is the only one, or all are needed."""
    rest = (
        f"steps:\n{C}  - {{name: e, type: stop, depends_on: [{{step: c, branch: IF_TRUE}}]}}\n"
        f"{B}depends_on: [e, {{step: c, branch: IF_FALSE}}]JOIN}}\n"
    )

    assert () == problems_of(HEAD + rest.replace("JOIN", ""))
    assert ["unreachable_step"] == [p.code for p in problems_of(HEAD + rest.replace("JOIN", ", join: {mode: all}"))]


def test_a_bound_is_inclusive() -> None:
    """A loop may turn as often as `max_iterations` says, and a join may need all there are."""
    loop = "  - name: l\n    type: loop\n    times: 2\n    max_iterations: 2\n    steps:\n    " + A.strip()
    join = f"\n{B}depends_on: [l], join: {{mode: n_of_m, n: 1}}}}"

    assert () == problems_of(f"{HEAD}steps:\n{loop}{join}")
