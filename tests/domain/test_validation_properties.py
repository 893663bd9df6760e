from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.definition import Definition, walk
from canvas.domain.dsl import from_document, parse, to_document, to_yaml
from canvas.domain.states import StepType
from canvas.domain.steps import Dependency, Scope, Step
from canvas.domain.validation import check, validate
from tests.domain.strategies import CATALOG, definitions, json_values, texts
from tests.yardstick import effort


@given(definition=definitions())
def test_a_valid_definition_has_no_errors(definition: Definition) -> None:
    """Whatever is well-formed is accepted: any nesting, branch, join and expression that can be seen."""
    errors = [problem for problem in validate(definition, CATALOG) if problem.is_error]

    assert [] == errors


@given(definition=definitions(types=(StepType.ACTION, StepType.SET, StepType.PARALLEL, StepType.LOOP)), data=st.data())
def test_a_circle_is_always_found(definition: Definition, data: Any) -> None:
    """Wherever a line is drawn back from a later step to one it comes from, a cycle is reported, once."""
    scopes = [definition.scope, *(p.step.scope for p in walk(definition.scope) if p.step.scope is not None)]
    scope = data.draw(st.sampled_from([one for one in scopes if len(one.steps) > 1] or [definition.scope]))
    if len(scope.steps) < 2:
        return
    chained = _chain(scope)
    looped = Scope((_waiting_for(chained.steps[0], chained.steps[-1].name), *chained.steps[1:]))

    problems = validate(replace(definition, scope=_with(definition.scope, scope, looped)), CATALOG)

    assert 1 == sum(problem.code == "cycle" for problem in problems)


def _chain(scope: Scope) -> Scope:
    first, *others = scope.steps
    names = [step.name for step in scope.steps]
    linked = (_waiting_for(step, before) for step, before in zip(others, names, strict=False))
    return Scope((replace(first, depends_on=()), *linked))


def _waiting_for(step: Step, name: str) -> Step:
    return replace(step, depends_on=(Dependency(name),))


def _with(scope: Scope, old: Scope, new: Scope) -> Scope:
    if scope is old:
        return new
    return Scope(tuple(replace(s, steps=_with(s.scope, old, new)) if s.scope else s for s in scope.steps))


@given(definition=definitions(max_steps=6), data=st.data())
def test_any_change_of_a_document_is_read_and_judged_without_raising(definition: Definition, data: Any) -> None:
    """However a document is damaged, the answer is a list of problems with pointers and places, never an error."""
    document = to_document(definition)
    for _ in range(data.draw(st.integers(1, 4))):
        damage(document, data)

    problems = check(from_document(document), CATALOG)

    for problem in problems:
        assert problem.text.endswith((".", "…", ")", ":")) and problem.code
        assert problem.pointer == "" or problem.pointer.startswith("/")


def damage(document: Any, data: Any) -> None:
    """Replace, remove or add something at a random place."""
    here: Any = document
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if isinstance(here[key], dict | list) and here[key] and data.draw(st.integers(0, 2)):
            here = here[key]
            continue
        if data.draw(st.booleans()):
            del here[key]
        else:
            here[key] = data.draw(json_values())
        return
    if isinstance(here, dict):
        here[data.draw(texts())] = data.draw(json_values())


@given(text=st.text(alphabet=st.characters(exclude_categories=[]), max_size=60) | texts())
def test_any_text_is_answered_with_problems(text: str) -> None:
    """No text makes the reader raise, and text that is no workflow always has an error with a place."""
    parsed = parse(text)

    assert parsed.errors
    assert all((p.line or 0) >= 1 and (p.column or 0) >= 1 for p in parsed.problems)


@given(junk=st.binary(max_size=60))
def test_any_bytes_are_answered_with_problems(junk: bytes) -> None:
    """The same goes for bytes that are no text."""
    assert parse(junk).errors


@given(definition=definitions())
def test_every_problem_of_a_text_has_its_place_in_it(definition: Definition) -> None:
    """Problems found by meaning are put at the line of the value they are about, in the order of the text."""
    broken = replace(definition, name="Not a name", version="one")
    text = to_yaml(broken)

    problems = check(parse(text), CATALOG)

    by_code = {problem.code: problem for problem in problems}
    lines = text.splitlines()
    assert lines[by_code["bad_name"].line - 1].startswith("name:")
    assert lines[by_code["bad_version"].line - 1].startswith("version:")
    assert [p.line for p in problems] == sorted(p.line or 0 for p in problems)


def test_cost_grows_with_the_number_of_steps() -> None:
    """Ten times the steps take about ten times as long, also when every line is wrong."""
    small, large = _seconds(200), _seconds(2_000)

    assert large < 40 * small


def _seconds(count: int) -> float:
    lines = ["dsl: canvas/v1", "name: long", "steps:"]
    for index in range(count):
        lines += [f"  - name: s{index}", "    type: set", f"    values: {{v: '{{{{ steps.s{index - 1}.outpt }}}}'}}"]
        lines += [f"    depends_on: [x{index}]"]
    parsed = parse("\n".join(lines))
    return min(effort(lambda: check(parsed, CATALOG)) for _ in range(3))
