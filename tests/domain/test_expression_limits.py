"""Hostile expressions: every one ends soon, small, and with one typed error."""

import tracemalloc
from typing import Any

import pytest

from canvas.domain.expressions import ExpressionError, ExpressionLimitError, compile_expression, compile_template
from tests.yardstick import effort

PROMISED_SECONDS = 0.020
PATIENCE = 5
"How much slower than the promise a busy machine may be; only time on the processor counts."

HUNDRED = "range(100)"
HOSTILE = {
    "long literal repeated": "'a' * 1000000000",
    "huge range": "range(1000000000)",
    "huge negative range": "range(0, -1000000000, -1)",
    "comprehensions 100^4": f"{HUNDRED}.map(a, {HUNDRED}.map(b, {HUNDRED}.map(c, {HUNDRED}.map(d, a + d))))",
    "comprehensions without a result": f"{HUNDRED}.all(a, {HUNDRED}.all(b, {HUNDRED}.all(c, c >= 0)))",
    "nested searches": "rows.all(a, rows.all(b, rows.all(c, true)))",
    "nested filters": "rows.filter(a, rows.filter(b, true) == rows)",
    "one-element comprehensions": "range(90000).map(a, 1)",
    "string doubling": "['aaaaaaaaaaaaaaaa']" + ".map(s, s + s)" * 30,
    "string joining": "range(2000).map(i, big + big).join('')",
    "list doubling": "[[1]]" + ".map(s, s + s)" * 30,
    "shared nesting written out": "string([['aaaaaaaa']" + ".map(s, [s, s])" * 30 + "])",
    "shared nesting as the result": "[['aaaaaaaa']" + ".map(s, [s, s])" * 30 + "]",
    "shared nesting compared": "[['a']" + ".map(s, [s, s])" * 20 + "] == [['a']" + ".map(s, [s, s])" * 20 + "]",
    "shared nesting distinct": "[['a']" + ".map(s, [s, s])" * 30 + "].distinct()",
    "shared nesting flattened": "[['a']]" + ".map(s, [s, s])" * 20 + ".flatten()" * 20,
    "replace grows": "big.replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')",
    "split into characters": "range(100).map(i, big.split(''))",
    "search in long texts": "range(100).all(i, !(big contains 'b'))",
    "in a long list": "range(1000).all(i, !('x' in rows))",
    "regex bomb": "(big + 'b').matches('^(a+)+$')",
    "regex with a large machine": "big.matches('(((a?){10}){10}){10}c')",
    "regex that thrashes": "big.matches('(a|b)*a(a|b){200}c')",
    "many patterns": "range(1000).filter(i, 'x'.matches('[a-z]{200}' + string(i)))",
    "long pattern": "'a'.matches('" + "a" * 2_000 + "')",
    "too large a pattern": "'a'.matches('((x{100}){100}){100}')",
    "brackets": "(" * 16_000,
    "list brackets": "[" * 16_000,
    "nested objects": "{'a':" * 3_000,
    "braces": "{{" * 8_000,
    "unary minus": "-" * 16_000 + "1",
    "not": "!" * 16_000 + "true",
    "words not": "not " * 4_000 + "true",
    "members": "a" + ".b" * 8_000,
    "indexes": "rows" + "[0]" * 5_000,
    "method chain": "big" + ".trim()" * 2_000,
    "ternary ladder": "true ? 1 : " * 1_400 + "1",
    "long sum": "+".join(["1"] * 8_000),
    "long or": " || ".join(["false"] * 1_600),
    "long alternatives": "a" + " ?? b" * 3_000,
    "megabyte of text": "1 + " * 250_000 + "1",
    "megabyte of name": "a" * 1_000_000,
    "dunder": "''.__class__.__mro__",
    "python": "__import__('os').system('true')",
    "format": "'{0.__class__}'.format(1)",
    "attribute of a value": "rows.append(1)",
    "deep json": "parseJson('" + "[" * 8_000 + "')",
    "much json": "range(100).map(i, parseJson(json(rows)))",
    "many missing names": "range(20000).map(i, has(wide.nope) ? 1 : (wide.nope.deeper ?? 2))",
    "many missing names inside a macro": "range(5000).map(i, rows.map(r, r.nope) ?? 0)",
    "sort again and again": "range(1000).map(i, sort(rows))",
    "near names of a wide object": "wide.nope",
    "keys of a wide object": "range(100).map(i, keys(wide))",
    "distinct of much": "range(100).map(i, distinct(rows))",
    "times": "range(30000).map(i, formatTime(i, '%A %B %Y', 'Europe/Paris'))",
    "time pattern": "range(1000).map(i, formatTime(0, big.slice(0, 20000)))",
    "large number text": "int(big)",
    "half a character": "half.matches('a') || urlEncode(half) == json(half)",
}
CONTEXT: dict[str, Any] = {
    "big": "a" * 250_000,
    "rows": [f"row {index}" for index in range(5_000)],
    "wide": {f"name_{index}": index for index in range(20_000)},
    "half": "\ud800",
}


def attempt(text: str) -> None:
    try:
        compile_expression(text).evaluate(CONTEXT)
    except ExpressionError as error:
        assert error.details["column"] >= 1
        assert len(str(error)) < 500


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_expression_ends_soon_and_typed(name: str) -> None:
    """It gives a small result or one ExpressionError, within the promised time."""
    assert min(effort(lambda: attempt(HOSTILE[name])) for _ in range(3)) < PROMISED_SECONDS * PATIENCE


@pytest.mark.parametrize(
    "name", [name for name in HOSTILE if "doubling" in name or "shared" in name or "joining" in name or "grows" in name]
)
def test_a_hostile_expression_stays_small(name: str) -> None:
    """The memory bound is counted in advance: no more than a few times the promised 4 MiB are ever taken."""
    tracemalloc.start()
    try:
        attempt(HOSTILE[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 16 * 1024 * 1024


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("1" + " " * 20_000, "text"),
        ("[" + "1," * 3_000 + "]", "nodes"),
        ("(" * 49 + "1" + ")" * 49, "depth"),
        ("range(2000).map(a, range(100))", "work"),
        ("range(40).map(i, big.upper())", "memory"),
        ("[big, big, big, big, big]", "result"),
        ("big + big + big + big + big", "result"),
        ("'a'.matches('" + "a" * 1_025 + "')", "pattern"),
    ],
)
def test_each_limit_is_named(text: str, limit: str) -> None:
    """A limit error says which limit it was."""
    with pytest.raises(ExpressionLimitError) as caught:
        compile_expression(text).evaluate(CONTEXT)

    assert limit == caught.value.details["limit"]
    assert "expression_limit" == caught.value.code


@pytest.mark.parametrize(
    "text",
    [
        "(" * 46 + "1" + ")" * 46,
        "+".join(["1"] * 900),
        " && ".join(["true"] * 900),
        "steps" + ".a" * 1_500 + " ?? 1",
        "range(10000).map(i, i * 2).filter(i, i % 3 == 0).size() > 0",
    ],
)
def test_reasonable_expressions_are_within_the_limits(text: str) -> None:
    """Long but harmless expressions just work."""
    compile_expression(text).evaluate(CONTEXT)


def test_limits_hold_for_templates_too() -> None:
    """All expressions of one field share the limit of nodes, each has that of text; plain text has neither."""
    assert "x" * 100_000 == compile_template("x" * 100_000).evaluate({})
    assert 200_001 == len(compile_template("x" * 200_000 + "{{ 1 }}").evaluate({}))
    with pytest.raises(ExpressionLimitError):
        compile_template("{{ 1 }}" * 2_500)
    with pytest.raises(ExpressionLimitError):
        compile_template("{{ 1" + " " * 20_000 + "}}")


def test_what_is_only_passed_on_has_no_size() -> None:
    """A path to something large costs nothing: the limits are for what an expression builds."""
    value = ["x" * 1_000] * 5_000

    assert value is compile_expression("v").evaluate({"v": value})
