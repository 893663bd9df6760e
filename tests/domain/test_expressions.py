"""What expressions mean."""

import pickle
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from canvas.domain.expressions import (
    FUNCTIONS,
    MACROS,
    ExpressionError,
    ExpressionLimitError,
    ExpressionSyntaxError,
    ExpressionTypeError,
    ExpressionValueError,
    MissingValue,
    compile_expression,
    evaluate_condition,
    functions_table,
)

CONTEXT = {
    "workflow": {"name": "deploy", "parameters": {"vm": "web-1", "count": 3, "ratio": 0.5, "on": True, "none": None}},
    "steps": {
        "create_vm": {"status": "completed", "output": {"vm_id": "i-1", "tags": ["a", "b"], "size": {"cpu": 2}}},
        "check": {"status": "failed", "output": None, "error": {"code": "timeout", "message": "too slow"}},
    },
    "previous_step": {"output": {"status": "success"}},
    "item": {"name": "x", "price": 2.5},
    "index": 1,
    "now": "2025-08-18T10:30:00.000Z",
}


def evaluate(text: str, context: Mapping[str, Any] = CONTEXT) -> Any:
    return compile_expression(text).evaluate(context)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("-1", -1),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-9223372036854775808", -(2**63)),
        ("'a\\n\\x41\\u00e9\\U0001F600\\''", "a\nAé😀'"),
        ('"it\'s"', "it's"),
        ("r'\\d+'", "\\d+"),
        ("true && True", True),
        ("null == None", True),
        ("[1, 'a', [true],]", [1, "a", [True]]),
        ("{'a': 1, b: 2, ('c' + 'd'): 3}", {"a": 1, "b": 2, "cd": 3}),
        ("{}", {}),
        ("{'a': {'b': 1}}", {"a": {"b": 1}}),
        ("  1\n+ 1", 2),
    ],
)
def test_literals(text: str, expected: Any) -> None:
    """Every literal gives its JSON value."""
    assert expected == evaluate(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3.5),
        ("7 % 3", 1),
        ("-7 % 3", -1),
        ("7.5 % 2", 1.5),
        ("1 + 0.5", 1.5),
        ("--3", 3),
        ("'a' + 'b' + 'c'", "abc"),
        ("[1] + [2]", [1, 2]),
        ("1 == 1.0", True),
        ("true == 1", False),
        ("workflow.parameters.on == 1", False),
        ("workflow.parameters.on != 1.0", True),
        ("1 != workflow.parameters.on", True),
        ("workflow.parameters.count == 3.0", True),
        ("workflow.parameters.count == '3'", False),
        ("1 == '1'", False),
        ("null == false", False),
        ("[1, 2] == [1, 2.0]", True),
        ("[true] == [1]", False),
        ("{'a': [1]} == {'a': [1]}", True),
        ("{'a': 1} != {'a': 2}", True),
        ("'b' > 'a'", True),
        ("2 >= 1.5", True),
        ("!true || not false", True),
        ("not 1 == 2", True),
        ("not not true", True),
        ("1 == 2 || 2 == 2 && 3 == 3", True),
        ("true or false and false", True),
        ("1 < 2 ? 'yes' : 'no'", "yes"),
        ("false ? 1 : false ? 2 : 3", 3),
        ("2 in [1, 2]", True),
        ("3 not in [1, 2]", True),
        ("not 3 in [1, 2]", True),
        ("'ell' in 'hello'", True),
        ("'a' in {'a': 1}", True),
        ("1 in {'a': 1}", False),
        ("'hello' contains 'ell'", True),
        ("[1, 2] contains 2", True),
        ("{'a': 1} contains 'a'", True),
        ("{'a': 1}.a ?? 2 > 0", True),
        ("null ?? null ?? 3", 3),
    ],
)
def test_operators(text: str, expected: Any) -> None:
    """Operators bind and compute as the manual says."""
    found = evaluate(text)

    assert (expected, type(expected)) == (found, type(found))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("workflow.parameters.vm", "web-1"),
        ("workflow['parameters']['vm']", "web-1"),
        ("steps.create_vm.output.tags[1]", "b"),
        ("steps.create_vm.output.tags[-1]", "b"),
        ("steps.create_vm.output.tags[4 / 2 - 1]", "b"),
        ("steps['create' + '_vm'].output.vm_id", "i-1"),
        ("workflow.parameters[item.name ?? 'x'] ?? 'nothing'", "nothing"),
        ("{{ previous_step.output.status }} == 'success'", True),
        ("{{previous_step.output.status}} == 'success' && {{index}} == 1", True),
        ("{{ {'a': {'b': 1}} }}.a.b", 1),
        ("item", {"name": "x", "price": 2.5}),
        ("now", "2025-08-18T10:30:00.000Z"),
        ("now()", "2025-08-18T10:30:00.000Z"),
        ("{'in': 1, 'size': 2}.in", 1),
    ],
)
def test_names_and_paths(text: str, expected: Any) -> None:
    """Names come from the context; members and indexes lead into it."""
    assert expected == evaluate(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("has(workflow.parameters.vm)", True),
        ("has(workflow.parameters.none)", True),
        ("has(workflow.nope.deeper.still)", False),
        ("has(steps.check.output.vm_id)", False),
        ("has(workflow.name.x)", False),
        ("has(nobody)", False),
        ("has(steps.create_vm.output.tags[5])", False),
        ("workflow.parameters.nope ?? 'x'", "x"),
        ("workflow.parameters.none ?? 'x'", "x"),
        ("nobody.at.all ?? workflow.nope ?? 7", 7),
        ("default(workflow.parameters.nope, 0) + 1", 1),
        ("workflow.parameters.nope.default('d')", "d"),
        ("first([]) ?? 'empty'", "empty"),
        ("(item.nope + 1) ?? 5", 5),
        ("item.name ?? nobody", "x"),
    ],
)
def test_asking_for_what_may_be_missing(text: str, expected: Any) -> None:
    """`has`, `??` and `default` opt out of the error for a missing value."""
    assert expected == evaluate(text)


@pytest.mark.parametrize(
    ("text", "column", "sentence"),
    [
        ("workflow.parameter.vm", 10, "There is no `parameter` in `workflow`. Did you mean `parameters`?"),
        ("steps.create_wm.output", 7, "There is no `create_wm` in `steps`. Did you mean `create_vm`?"),
        ("steps.check.output.vm_id", 20, "`steps.check.output` is null and has no `vm_id`."),
        ("steps.create_vm.output.tags.x", 29, "`steps.create_vm.output.tags` is a list and has no `x`."),
        (
            "steps.create_vm.output.tags[-3]",
            29,
            "There is no element -3 in `steps.create_vm.output.tags`, which has 2.",
        ),
        ("steps.create_vm.output.tags[7]", 29, "There is no element 7 in `steps.create_vm.output.tags`, which has 2."),
        ("1 + stpes.x", 5, "There is no `stpes` here. Did you mean `steps`?"),
        ("item.NAME", 6, "There is no `NAME` in `item`. Did you mean `name`?"),
        ("[item].map(i, i.nme)", 17, "There is no `nme` in `i`. Did you mean `name`?"),
        ("workflow[item.name]", 10, "There is no `x` in `workflow`."),
        ("{'a': 1}.b", 10, "There is no `b` in `(…)`."),
        ("first([])", 1, "This list is empty and has no first element."),
    ],
)
def test_a_missing_value_says_where_and_what_is_near(text: str, column: int, sentence: str) -> None:
    """The error names the deepest part that is there, the column, and similar names."""
    with pytest.raises(MissingValue) as caught:
        evaluate(text)

    assert column == caught.value.details["column"]
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith(f"(column {column})")
    assert "expression_missing" == caught.value.code


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("'a' + 1", 5),
        ("true + 1", 6),
        ("-'a'", 1),
        ("!1", 1),
        ("1 && true", 1),
        ("true && 'x'", 9),
        ("0 && true", 1),
        ("1 || false", 1),
        ("1.0 || false", 1),
        ("1 ? 2 : 3", 1),
        ("1 < 'a'", 3),
        ("[1] < [2]", 5),
        ("null < 1", 6),
        ("1 in 5", 3),
        ("1 in 'abc'", 3),
        ("'a' * 3", 5),
        ("upper(1)", 1),
        ("[3, 'a'].sort()", 10),
        ("[1].map(i, i.x + 'a')", 14),
        ("[1].filter(i, i)", 15),
        ("5.map(i, i)", 3),
        ("{1: 2}", 2),
        ("item[1]", 6),
        ("steps.create_vm.output.tags[0.5]", 29),
        ("steps.create_vm.output.tags[true]", 29),
    ],
)
def test_a_wrong_type_is_an_error_with_its_column(text: str, column: int) -> None:
    """Nothing is converted silently, and the error points at the operator or argument."""
    with pytest.raises((ExpressionTypeError, MissingValue)) as caught:
        evaluate(text)

    assert column == caught.value.details["column"]


@pytest.mark.parametrize(
    "text",
    [
        "9223372036854775807 + 1",
        "-9223372036854775807 - 2",
        "--9223372036854775808",
        "4611686018427387904 * 2",
        "1e308 * 10",
        "1 / 0",
        "1 % 0",
        "1.0 % 0.0",
        "int('x')",
        "int(1e300)",
        "double('nan')",
        "double('inf')",
        "bool('yes')",
        "parseJson('{')",
        "round(1.5, 99)",
        "range(1, 2, 0)",
        "timestamp('yesterday')",
        "timestamp(1e300)",
        "addTime('9999-12-31', '1w')",
        "formatTime(0, '%Q')",
        "formatTime(0, '%Y', '../../etc/passwd')",
        "timePart(0, 'century')",
        "duration('1 fortnight')",
        "'a'.matches('(' + '')",
        "{'a': 1, 'a': 2}",
        "sum([1e308, 1e308])",
        "sum([9223372036854775807, 1])",
    ],
)
def test_a_value_that_cannot_be_used_is_an_error(text: str) -> None:
    """Numbers stay within 64 bits and finite; unreadable texts are refused."""
    with pytest.raises(ExpressionValueError) as caught:
        evaluate(text)

    assert "column" in caught.value.details


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("", 1, "no expression"),
        ("   ", 1, "no expression"),
        ("1 +", 4, "ends here"),
        ("1 2", 3, "operator missing"),
        ("a = 1", 3, "`==`"),
        ("a & b", 3, "`&&`"),
        ("a | b", 3, "`||`"),
        ("'abc", 1, "never closed"),
        ("a ? b", 6, "`:` was expected"),
        ("(1", 3, "`)` was expected"),
        ("[1", 3, "`,` was expected"),
        ("1 < 2 < 3", 7, "do not follow one another"),
        ("1u", 1, "no number"),
        ("12abc", 1, "no number"),
        ("99999999999999999999", 1, "64 bits"),
        ("1e999", 1, "too large"),
        ("'\\q'", 2, "no escape"),
        ("'\\ud800'", 2, "no escape"),
        ("a.1", 2, "operator missing"),
        ("a.'b'", 3, "member's name"),
        ("len([1])", 1, "`size`"),
        ("uppr('a')", 1, "`upper`"),
        ("upper()", 1, "upper(text: string)"),
        ("upper('a', 'b')", 1, "2 arguments"),
        ("has(1)", 1, "one path"),
        ("default(1)", 1, "stands in"),
        ("[1].map(1, 2)", 5, "takes a name"),
        ("[1].map(x)", 5, "takes a name"),
        ("a not b", 7, "`not in`"),
        ("{{ a }", 6, "`}}` was expected"),
        ("{{ a } }", 6, "`}}` was expected"),
        ("and", 1, "value was expected"),
        ("'a'.matches('(')", 13, "no pattern"),
        ("'a'.matches('\\\\1')", 13, "no pattern"),
        ("#", 1, "cannot stand here"),
    ],
)
def test_text_that_is_no_expression_is_refused_with_its_column(text: str, column: int, part: str) -> None:
    """A syntax error says where it is and, where that is known, what to write."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)

    assert column == caught.value.details["column"]
    assert part in str(caught.value)


def test_a_place_in_several_lines_has_a_line() -> None:
    """In a text of several lines the column counts within its line."""
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_expression("1 +\n  2 = 3")

    assert (2, 5, 8) == tuple(caught.value.details[key] for key in ("line", "column", "offset"))
    assert "line 2, column 5" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2, 3].map(i, i * 2).filter(i, i > 2)", [4, 6]),
        ("[1, 2, 3].map(i, i > 1, i * 10)", [20, 30]),
        ("filter([1, 2], i, i == 2)", [2]),
        ("{'a': 1, 'b': 2}.map(k, k)", ["a", "b"]),
        ("[[1, 2], [3]].map(row, row.map(i, i + size(row)))", [[3, 4], [4]]),
        ("[1, 2].map(index, index) == [1, 2] && index == 1", True),
        ("[1].map(x, [2].map(x, x))", [[2]]),
        ("[].all(i, false)", True),
        ("[].exists(i, true)", False),
        ("[1, 2].exists(i, i == 1)", True),
        ("[1, 2].all(i, i == 1)", False),
        ("[1, 1].exists_one(i, i == 1)", False),
        ("[1, 2].exists_one(i, i == 1)", True),
        ("[{'p': 1}, {}].map(i, i.p ?? 0)", [1, 0]),
    ],
)
def test_macros(text: str, expected: Any) -> None:
    """Macros see the element under their own name, which hides others only inside."""
    assert expected == evaluate(text)


@pytest.mark.parametrize("entry", [*FUNCTIONS.values(), *MACROS.values()], ids=lambda entry: entry.name)
def test_every_example_of_the_manual_is_true(entry: Any) -> None:
    """What the table of functions shows is what happens."""
    assert entry.result == evaluate(entry.example)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("string(1.0)", "1"),
        ("string(1.5)", "1.5"),
        ("string(1e20)", "1e+20"),
        ("string(null)", "null"),
        ("string([1, {'a': 'é'}])", '[1,{"a":"é"}]'),
        ("'a,b'.split('')", ["a", ",", "b"]),
        ("round(2.5)", 3),
        ("round(-2.5)", -3),
        ("round(1e300, 2)", 1e300),
        ("int(-1.9)", -1),
        ("int(true)", 1),
        ("slice('hello', 1, -1)", "ell"),
        ("slice([1, 2, 3], -2)", [2, 3]),
        ("range(5, 1, -2)", [5, 3]),
        ("range(0)", []),
        ("sort(['b', 'a'])", ["a", "b"]),
        ("distinct([1, 1.0, true, '1', [1], [1], {'a': 1}, {'a': 1.0}])", [1, True, "1", [1], {"a": 1}]),
        ("max(['a', 'b'])", "b"),
        ("min(2, 1.5)", 1.5),
        ("sum([])", 0),
        ("size('😀')", 1),
        ("range(4 / 2)", [0, 1]),
        ("timestamp(0)", "1970-01-01T00:00:00.000Z"),
        ("timestamp('2025-01-01')", "2025-01-01T00:00:00.000Z"),
        ("addTime(now, -60) < now", True),
        ("duration('-1h30m 5s')", -5405),
        ("duration('250ms')", 0.25),
        ("timePart(now, 'hour', 'Asia/Kolkata')", 16),
        ("formatTime(now, '%a %d %b %Y %I:%M %p %j %%')", "Mon 18 Aug 2025 10:30 AM 230 %"),
        ("parseJson('{\"a\": [1]}').a[0]", 1),
        ("'x'.matches('y') || 'vm-7'.matches('[0-9]$')", True),
        ("merge()", {}),
    ],
)
def test_functions_at_their_edges(text: str, expected: Any) -> None:
    """Functions keep their promises for unusual arguments too."""
    assert expected == evaluate(text)


def test_short_circuits_leave_the_rest_alone() -> None:
    """What decides an answer ends it: later operands are not evaluated."""
    assert evaluate("false && nobody.x") is False
    assert evaluate("true || nobody.x") is True
    assert 1 == evaluate("true ? 1 : nobody.x")
    assert evaluate("[1, 'a'].exists(i, i == 1 || i > 3)") is True


@pytest.mark.parametrize("text", ["1", "'true'", "null", "[]", "workflow"])
def test_a_condition_is_true_or_false_and_nothing_else(text: str) -> None:
    """There is no truthiness: what is neither true nor false is an error."""
    with pytest.raises(ExpressionTypeError):
        evaluate_condition(compile_expression(text), CONTEXT)


def test_a_condition_gives_a_boolean() -> None:
    """A condition that is true or false gives just that."""
    assert evaluate_condition(compile_expression("index == 1"), CONTEXT) is True
    assert evaluate_condition(compile_expression("index == 2"), CONTEXT) is False


def test_data_is_never_evaluated_nor_substituted() -> None:
    """Braces and operators inside data stay data."""
    context = {"a": "' || true || '", "b": "{{ secret }}", "secret": 1}

    assert evaluate("{{a}} == 'x'", context) is False
    assert "{{ secret }}" == evaluate("b", context)


class Lazy(Mapping[str, Any]):
    """Loads an entry when it is asked for, and remembers that."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data, self.loaded = data, list[str]()

    def __getitem__(self, key: str) -> Any:
        value = self.data[key]
        self.loaded.append(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


def test_steps_may_load_on_access() -> None:
    """Only the steps that an expression names are loaded."""
    steps = Lazy({"a": Lazy({"output": {"x": 1}, "error": None}), "b": {"output": 2}})
    context = Lazy({"steps": steps, "unused": 1})

    assert 1 == compile_expression("steps.a.output.x").evaluate(context)
    assert ["a"] == steps.loaded
    assert "unused" not in context.loaded
    assert {"output": {"x": 1}, "error": None} == compile_expression("steps.a").evaluate(context)
    assert ["a", "b"] == compile_expression("keys(steps)").evaluate(context)
    assert compile_expression("has(steps.b) && !has(steps.c)").evaluate(context)
    with pytest.raises(MissingValue, match=r"There is no `c` in `steps`"):
        compile_expression("steps.c.output").evaluate(context)


def test_references_are_known_before_the_run() -> None:
    """Roots, paths, columns and steps are static; macro variables are not among them."""
    program = compile_expression("steps.a.output.x + steps['b'].output[0] > (item.n ?? 0) && vars.map(v, v.y)[0]")

    assert frozenset({"steps", "item", "vars"}) == program.roots
    assert frozenset({"a", "b"}) == program.step_names
    assert not program.reads_any_step
    assert [
        (("steps", "a", "output", "x"), (1, 7, 9, 16), False),
        (("steps", "b", "output", 0), (20, 26, 31, 38), False),
        (("item", "n"), (44, 49), True),
        (("vars",), (60,), False),
    ] == [(found.path, found.columns, found.is_optional) for found in program.references]


@pytest.mark.parametrize("text", ["steps[item.name].output", "steps", "size(steps)", "steps.map(s, steps[s].output)"])
def test_a_computed_step_name_may_read_any_step(text: str) -> None:
    """When a step's name is not constant, the program says that it may read them all."""
    assert compile_expression(text).reads_any_step


def test_the_same_text_is_compiled_once() -> None:
    """Programs are kept."""
    assert compile_expression("workflow.name == 'kept'") is compile_expression("workflow.name == 'kept'")


def test_errors_survive_pickling() -> None:
    """An error keeps its sentence, its code and its details across a process boundary."""
    with pytest.raises(ExpressionError) as caught:
        evaluate("1 + nope")

    copy = pickle.loads(pickle.dumps(caught.value))

    assert (str(caught.value), caught.value.details, MissingValue) == (str(copy), copy.details, type(copy))


def test_a_result_that_is_no_json_is_refused() -> None:
    """A foreign object in the context does not travel through an expression that builds something."""
    with pytest.raises(ExpressionTypeError):
        evaluate("[a]", {"a": object()})


def test_functions_table_names_everything_once() -> None:
    """The editor's completion sees every function and macro, each with its five fields."""
    names = [row["name"] for row in functions_table()]

    assert sorted([*FUNCTIONS, *MACROS]) == sorted(names)
    assert all(all(row.values()) for row in functions_table())


def test_limit_errors_are_errors_of_the_family() -> None:
    """Whoever catches ExpressionError catches limits too."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression("a" * 20_000)

    assert isinstance(caught.value, ExpressionLimitError)
