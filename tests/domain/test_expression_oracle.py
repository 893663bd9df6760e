"""The shared subset of the language against Google's CEL, and mutated texts against the promise of typed errors."""

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from cel_expr_python import cel

from canvas.domain.expressions import ExpressionError, compile_expression, compile_template
from tests.yardstick import effort

CONTEXT: dict[str, Any] = {
    "i": 7,
    "j": -3,
    "f": 2.5,
    "s": "hello",
    "t": "",
    "b": True,
    "n": None,
    "li": [3, 1, 2],
    "ls": ["a", "bb", ""],
    "m": {"a": 1, "b": {"c": "deep"}, "l": [1, 2], "nil": None},
    "rows": [{"id": 1, "name": "x", "ok": True}, {"id": 2, "name": "y", "ok": False}],
}
ENVIRONMENT = cel.NewEnv(variables=dict.fromkeys(CONTEXT, cel.Type.DYN))


class Generator:
    """Random expressions of one type each, from the subset that means the same in both languages."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.variables: list[tuple[str, str]] = []
        self.fresh = 0

    def make(self, kind: str, depth: int) -> str:
        options: list[Callable[[int], str]] = getattr(self, f"_{kind}")() if depth > 0 else []
        leaves = self._leaves(kind)
        return self.random.choice(options)(depth - 1) if options and self.random.random() < 0.85 else self.pick(leaves)

    def pick(self, choices: list[str]) -> str:
        return self.random.choice(choices)

    def _leaves(self, kind: str) -> list[str]:
        leaves = {
            "int": ["0", "1", "2", "-5", "0x10", "i", "j", "m.a", "li[1]", "m['a']", "m.l[0]", "rows[0].id"],
            "float": ["0.0", "1.5", "-2.25", "1e3", "f"],
            "string": [
                "''",
                "'a'",
                '"q\'\\n"',
                "'\\u00e9\\U0001F600'",
                "r'\\d'",
                "s",
                "t",
                "m.b.c",
                "ls[1]",
                "rows[1].name",
            ],
            "bool": ["true", "false", "b", "rows[0].ok", "has(m.a)", "has(m.zzz)", "n == null"],
            "ints": ["li", "[]", "[1, 2]", "m.l"],
            "strings": ["ls", "['x']", "[]"],
        }[kind]
        return leaves + [name for name, of in self.variables if of == kind] * 3

    def _int(self) -> list[Callable[[int], str]]:
        sign, divisor = self.pick(["+", "-", "*"]), self.pick(["2", "3", "-4"])
        return [
            lambda d: f"({self.make('int', d)} {sign} {self.make('int', d)})",
            lambda d: f"{self.make('int', d)} % {divisor}",
            lambda d: f"-({self.make('int', d)})",
            lambda d: f"size({self.make(self.pick(['string', 'ints', 'strings']), d)})",
            lambda d: f"{self.make('string', d)}.size()",
            lambda d: self._choice("int", d),
            lambda d: f"int({self.make('float', d)})",
            lambda d: f"({self.make('ints', d)} + [9])[0]",
        ]

    def _float(self) -> list[Callable[[int], str]]:
        sign = self.pick(["+", "-", "*"])
        return [
            lambda d: f"({self.make('float', d)} {sign} {self.make('float', d)})",
            lambda d: f"{self.make('float', d)} / 2.0",
            lambda d: f"double({self.make('int', d)})",
            lambda d: self._choice("float", d),
        ]

    def _string(self) -> list[Callable[[int], str]]:
        return [
            lambda d: f"({self.make('string', d)} + {self.make('string', d)})",
            lambda d: f"string({self.make('int', d)})",
            lambda d: f"string({self.make('bool', d)})",
            lambda d: self._choice("string", d),
        ]

    def _bool(self) -> list[Callable[[int], str]]:
        kind = self.pick(["int", "float", "string"])
        order, equal = self.pick(["<", "<=", ">", ">="]), self.pick(["==", "!="])
        call = self.pick(["contains", "startsWith", "endsWith"])
        pattern = self.pick(["'^h'", "'[a-z]+'", "'l{2}'", "'^$'"])
        list_kind = self.pick(["int", "string"])
        other = self.pick(["int", "string", "bool", "ints", "strings"])
        return [
            lambda d: f"{self.make(kind, d)} {order} {self.make(kind, d)}",
            lambda d: f"({self.make(other, d)}) {equal} ({self.make(self.pick([other, other, 'bool']), d)})",
            lambda d: f"({self.make('bool', d)} && {self.make('bool', d)})",
            lambda d: f"({self.make('bool', d)} || {self.make('bool', d)})",
            lambda d: f"!({self.make('bool', d)})",
            lambda d: f"{self.make(list_kind, d)} in {self.make(list_kind + 's', d)}",
            lambda d: f"{self.make('string', d)} in m",
            lambda d: f"{self.make('string', d)}.{call}({self.make('string', d)})",
            lambda d: f"{self.make('string', d)}.matches({pattern})",
            lambda d: self._macro(self.pick(["all", "exists", "exists_one"]), list_kind, "bool", d),
            lambda d: f"rows.exists(r, r.id == {self.make('int', d)})",
            lambda d: f"{{'k': {self.make('int', d)}}} == {{'k': {self.make('int', d)}}}",
            lambda d: self._choice("bool", d),
        ]

    def _ints(self) -> list[Callable[[int], str]]:
        return self._lists("int")

    def _strings(self) -> list[Callable[[int], str]]:
        return self._lists("string")

    def _lists(self, kind: str) -> list[Callable[[int], str]]:
        source = self.pick(["int", "string"])
        return [
            lambda d: f"[{self.make(kind, d)}, {self.make(kind, d)}]",
            lambda d: f"({self.make(kind + 's', d)} + {self.make(kind + 's', d)})",
            lambda d: self._macro("filter", kind, "bool", d),
            lambda d: self._macro("map", source, kind, d),
            lambda d: self._choice(kind + "s", d),
        ]

    def _choice(self, kind: str, depth: int) -> str:
        return f"({self.make('bool', depth)} ? {self.make(kind, depth)} : {self.make(kind, depth)})"

    def _macro(self, name: str, of: str, body: str, depth: int) -> str:
        items = self.make(of + "s", depth)
        self.fresh += 1
        variable = f"v{self.fresh}"
        self.variables.append((variable, of))
        inside = self.make(body, depth)
        self.variables.pop()
        return f"({items}).{name}({variable}, {inside})"


def ours(text: str) -> Any:
    try:
        return compile_expression(text).evaluate(CONTEXT)
    except ExpressionError:
        return ExpressionError


def theirs(text: str) -> Any:
    try:
        found = ENVIRONMENT.compile(text, disable_check=True).eval(data=CONTEXT)
    except RuntimeError:
        return ExpressionError
    return ExpressionError if found.type() == cel.Type.ERROR else found.plain_value()


def typed(value: Any) -> Any:
    """A value that differs where a type does: 1, 1.0 and true are three things."""
    return [typed(item) for item in value] if isinstance(value, list) else (type(value), value)


@pytest.mark.parametrize("kind", ["int", "float", "string", "bool", "ints", "strings"])
def test_the_shared_subset_means_what_cel_says(kind: str) -> None:
    """Thousands of random expressions give the same value of the same type in both languages."""
    for seed in range(1_500):
        text = Generator(seed).make(kind, 1 + seed % 5)

        assert typed(theirs(text)) == typed(ours(text)), text


@pytest.mark.parametrize(
    "text",
    [
        "9223372036854775807 + 1",
        "-9223372036854775808 - 1",
        "9223372036854775807 * 2",
        "-(-9223372036854775808)",
        "i % 0",
        "1.0 + 'a'",
        "m.zzz",
        "li[17]",
        "s.x",
        "n.x",
        "!i",
        "i ? 1 : 2",
        "'a' < 1",
        "li < li",
        "i.map(x, x)",
        "li.filter(x, x)",
        "{1: 2}[2]",
        "int('x')",
        "double('x')",
        "{'a': 1, 'a': 2}",
    ],
)
def test_what_is_an_error_in_cel_is_one_here(text: str) -> None:
    """Overflow, division by zero, missing members and wrong types are errors in both languages."""
    assert ExpressionError is theirs(text)
    assert ExpressionError is ours(text)


SEEDS = [
    "workflow.parameters.backup_enabled == true && steps.step_0.output.code < 400",
    "{{ previous_step.output.status }} == 'success' or not (a in [1, 2, 'x'])",
    "items.filter(i, i.size > 3).map(i, {'n': i.name ?? '-', b: i['k'][0]})",
    "has(a.b.c) ? default(a.b, 0x1f) / 2.5e3 : -1 % 3",
    "'a\\n\\u00e9'.replace(\"x\", r'\\d').matches('^[a-z]+$') contains 'q'",
    "json(merge({'a': [1]}, m)).split(',').join('-').upper().slice(0, -1)",
    "formatTime(addTime(now, '1d2h'), '%Y-%m-%d %H:%M', 'Europe/Paris')",
    "range(1, 10, 2).exists_one(x, x == max(1, sum([1, 2]))) || round(avg(l), 2) > 0",
]
FRAGMENTS = [
    *"(){}[].,?:+-*/%<>=!&|'\"\\ \n\t0123456789eExXaz_é😀\x00\ud800",
    "{{", "}}", "??", "&&", "||", "==", "not in", " in ", ".map(x,", ".filter(", "has(", "default(", "null", "true",
    "9223372036854775808", "1e309", "a.b", "['k']", "[-1]", "range(9)", "now()", "'\\u0041'", "r'", "0x", ".5", "1.",
]  # fmt: skip
DATA: dict[str, Any] = {
    "workflow": {"parameters": {"backup_enabled": True}},
    "steps": {"step_0": {"output": {"code": 200}}},
    "items": [{"name": "x", "size": 5, "k": [None]}, {"size": 9.5, "k": []}],
    "a": {"b": {"c": 1}},
    "m": {"z": "\ud800"},
    "l": [1, 2.5],
    "x": "text",
    "now": "2025-08-18T10:30:00Z",
}
SLOW = 0.020
"Seconds that no text may take, measured again if it did: the machine may have been busy."


def mutate(source: random.Random, text: str) -> str:
    for _ in range(source.randint(1, 6)):
        at = source.randrange(len(text) + 1)
        choice = source.random()
        if choice < 0.4:
            text = text[:at] + source.choice(FRAGMENTS) + text[at:]
        elif choice < 0.7:
            text = text[:at] + text[at + source.randint(1, 8) :]
        elif choice < 0.85:
            text = text[:at] + text[at : at + 20] * source.randint(2, 4) + text[at + 20 :]
        else:
            other = source.choice(SEEDS)
            text = text[:at] + other[source.randrange(len(other)) :]
    return text


def seconds(text: str, compile_text: Callable[[str], Any]) -> float:
    started = time.thread_time()
    try:
        compile_text(text).evaluate(DATA)
    except ExpressionError as error:
        column = error.details["column"]
        assert isinstance(column, int)
        assert 1 <= column <= len(text) + 1, text
    return time.thread_time() - started


@pytest.mark.parametrize("compile_text", [compile_expression, compile_template])
@pytest.mark.parametrize("seed", range(4))
def test_only_expression_errors_come_out_of_mutated_texts(seed: int, compile_text: Callable[[str], Any]) -> None:
    """Thousands of broken texts: each gives a JSON value or an ExpressionError with a column, and soon."""
    source = random.Random(seed)
    for _ in range(12_000):
        text = mutate(source, source.choice(SEEDS))
        if seconds(text, compile_text) > SLOW:
            assert min(effort(lambda text=text: seconds(text, compile_text)) for _ in range(3)) < SLOW, text
