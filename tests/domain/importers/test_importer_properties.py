"""Whatever is imported: typed errors only, sound graphs, and the same steps run as before."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canvas.domain import dsl
from canvas.domain.importers import ImportRefused, import_document

WORDS = st.sampled_from(
    [
        "", "next", "end", "fail", "retry", "a", "b", "c d", "IF_TRUE", "IF_FALSE", "SWITCH_CASE", "DEFAULT", "action",
        "condition", "parallel", "loop", "workflow_link", "ACTION", "CONDITION", "TRIGGER", "LOOP", "DELAY", "schedule",
        "webhook", "{{ a }}", "{{ steps.a.result }} == 'b'", "'{{ x", "x === 1", "any", "\u00e9", "12",
    ]
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "name", "id", "type", "steps", "tool_name", "on_success", "on_failure", "on_true", "on_false", "condition",
        "branches", "branchType", "branchCondition", "value", "sequence", "dependencies", "config", "actionType",
        "parentStepId", "triggers", "parameters", "outputs", "properties", "required", "default", "enum", "collection",
        "item_variable", "retry_count", "timeout_seconds", "workflow_name", "cron", "path", "method", "event", "filter",
        "duration", "outputVariable", "version", "status", "tags", "children", "IF_TRUE", "template", "join", "retry",
        "until", "on", "field", "operator",
    ]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-3, 2**62) | st.floats(allow_nan=False) | WORDS | st.text(max_size=8)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=40
)
SHAPED = st.fixed_dictionaries(
    {"steps": st.lists(st.dictionaries(KEYS, ANYTHING, max_size=8), max_size=5)},
    optional={"name": WORDS, "triggers": ANYTHING},
)
FORMATS = st.sampled_from(["auto", "archon", "orb"])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=ANYTHING | SHAPED, format=FORMATS)
def test_any_json_imports_or_is_refused(document: Any, format: Any) -> None:
    """Nothing but ImportRefused comes out, and what is imported is a document whose graph is sound."""
    try:
        imported = import_document(document, format)
    except ImportRefused:
        return
    if imported.document.get("dsl") == "canvas/v1" and "dsl" not in (document if isinstance(document, dict) else {}):
        names: list[str] = []
        check_scope(imported.document, names)
        assert len(set(names)) == len(names)
        dsl.from_document(imported.document)


def check_scope(holder: dict[str, Any], names: list[str]) -> None:
    own = [step["name"] for step in holder.get("steps", [])]
    names += own
    before: str | None = None
    edges: dict[str, set[str]] = {}
    for step in holder.get("steps", []):
        given = step.get("depends_on")
        if given is None:
            given = [before] if before is not None and holder.get("type") != "parallel" else []
        edges[step["name"]] = {need if isinstance(need, str) else need["step"] for need in given}
        assert edges[step["name"]] <= set(own)
        before = step["name"]
        if "steps" in step:
            check_scope(step, names)
    while edges:
        free = [name for name, sources in edges.items() if not sources & edges.keys()]
        assert free, "a circle"
        for name in free:
            del edges[name]


# the same steps run

OUTCOMES = st.sampled_from(["true", "false", "failed"])


def run_graph(document: dict[str, Any], outcomes: dict[str, Any]) -> set[str]:
    """Run a canonical document by the rule of live and dead edges; give the steps that ran."""
    ran: set[str] = set()
    before: str | None = None
    for step in sorted_by_need(document["steps"]):
        given = step["depends_on"]
        if not given or any(is_live(need, ran, outcomes) for need in given):
            ran.add(step["name"])
        before = step["name"]
    assert before is not None
    return ran


def is_live(need: Any, ran: set[str], outcomes: dict[str, Any]) -> bool:
    source, branch = (need, "SUCCESS") if isinstance(need, str) else (need["step"], need["branch"])
    if source not in ran:
        return False
    outcome = outcomes.get(source, "true")
    return {
        "SUCCESS": outcome != "failed",
        "FAILURE": outcome == "failed",
        "ALWAYS": True,
        "IF_TRUE": outcome == "true",
        "IF_FALSE": outcome == "false",
        "DEFAULT": outcome == "default",
        "SWITCH_CASE": isinstance(need, dict) and outcome == need.get("value"),
    }[branch]


def sorted_by_need(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    explicit = []
    for index, step in enumerate(steps):
        implied = [steps[index - 1]["name"]] if index else []
        explicit.append({**step, "depends_on": step.get("depends_on", implied)})
    done: list[dict[str, Any]] = []
    while len(done) < len(explicit):
        names = {step["name"] for step in done}
        done += [
            step
            for step in explicit
            if step["name"] not in names
            and all((need if isinstance(need, str) else need["step"]) in names for need in step["depends_on"])
        ]
    return done


@st.composite
def templates(draw: st.DrawFn) -> list[dict[str, Any]]:
    count = draw(st.integers(1, 7))
    steps = []
    for index in range(count):
        later = [f"s{number}" for number in range(index + 1, count)]
        route = st.sampled_from(["next", "end", *later, *later])
        if draw(st.booleans()):
            step = {"type": "condition", "condition": "true", "on_true": draw(route), "on_false": draw(route)}
        else:
            step = {"type": "action", "tool_name": "t", "on_success": draw(route)}
        failure = draw(st.sampled_from(["", "fail", "next", "end", *later]))
        steps.append({"name": f"s{index}", **step, **({"on_failure": failure} if failure else {})})
    return steps


def run_template(steps: list[dict[str, Any]], outcomes: dict[str, str]) -> set[str]:
    """Run an Archon template by jumping from step to step."""
    ran, index = set(), 0
    while index < len(steps):
        step = steps[index]
        ran.add(step["name"])
        outcome = outcomes[step["name"]]
        if outcome == "failed":
            route = step.get("on_failure", "fail")
        elif step["type"] == "condition":
            route = step["on_true" if outcome == "true" else "on_false"]
        else:
            route = step["on_success"]
        if route in ("end", "fail"):
            break
        index = index + 1 if route == "next" else int(route[1:])
    return ran


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=templates(), data=st.data())
def test_jumps_and_graph_run_the_same_steps(steps: list[dict[str, Any]], data: st.DataObject) -> None:
    """For every outcome of every step, the imported graph runs exactly the steps that the jumps would visit."""
    outcomes = {step["name"]: data.draw(OUTCOMES) for step in steps}

    document = import_document({"name": "w", "steps": steps}, "archon").document

    ran = {name for name in run_graph(document, outcomes) if name in outcomes}
    assert run_template(steps, outcomes) == ran


def trees(depth: int) -> Any:
    """Rows of steps in Orb's shape; a decision holds rows."""
    action = st.just({"type": "ACTION", "config": {"actionType": "LOG_EVENT"}})
    if depth == 0:
        return st.lists(action, max_size=2)  # no step at all: the branch goes straight on
    row = trees(depth - 1)
    sides = st.lists(st.sampled_from(["IF_TRUE", "IF_FALSE"]), unique=True, min_size=1)
    condition = st.builds(
        lambda kinds, rows: {
            "type": "CONDITION",
            "config": {"condition": "true"},
            "branches": [{"branchType": kind, "steps": row} for kind, row in zip(kinds, rows, strict=False)],
        },
        sides,
        st.lists(row, min_size=2, max_size=2),
    )
    switch = st.builds(
        lambda values, rows, default: {
            "type": "CONDITION",
            "config": {"switchOn": "trigger.data.x"},
            "branches": [
                *(
                    {"branchType": "SWITCH_CASE", "branchCondition": v, "steps": r}
                    for v, r in zip(values, rows, strict=False)
                ),
                *([{"branchType": "DEFAULT", "steps": rows[-1]}] if default else []),
            ],
        },
        st.lists(st.sampled_from(["p", "q", "r"]), unique=True, min_size=1, max_size=2),
        st.lists(row, min_size=3, max_size=3),
        st.booleans(),
    )
    return st.lists(action | condition | switch, max_size=3)


def named(row: list[dict[str, Any]], counter: list[int]) -> list[dict[str, Any]]:
    """Give every step of a tree a name, an id and a sequence of its own."""
    found = []
    for position, step in enumerate(row):
        counter[0] += 1
        name = f"n{counter[0]}"
        branches = [{**branch, "steps": named(branch["steps"], counter)} for branch in step.get("branches", [])]
        found.append({**step, "id": name, "name": name, "sequence": position, "branches": branches})
    return found


def decisions(row: list[dict[str, Any]], draw: Any) -> dict[str, str]:
    found = {}
    for step in row:
        if "switchOn" in step["config"]:
            found[step["name"]] = draw(st.sampled_from(["p", "q", "r", "default"]))
            taken = [branch.get("branchCondition") for branch in step["branches"]]
            if found[step["name"]] not in taken:
                found[step["name"]] = "default"
        else:
            found[step["name"]] = draw(st.sampled_from(["true", "false"]))
        for branch in step["branches"]:
            found |= decisions(branch["steps"], draw)
    return found


def run_tree(row: list[dict[str, Any]], outcomes: dict[str, str]) -> set[str]:
    """Run an Orb row: one step after the other, and of a decision the branch that fits."""
    ran: set[str] = set()
    for step in row:
        ran.add(step["name"])
        outcome = outcomes[step["name"]]
        for branch in step["branches"]:
            kind = branch["branchType"]
            fits = {"IF_TRUE": "true", "IF_FALSE": "false", "DEFAULT": "default"}.get(
                kind, branch.get("branchCondition")
            )
            if fits == outcome:
                ran |= run_tree(branch["steps"], outcomes)
    return ran


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(row=trees(2).filter(bool), data=st.data())
def test_nested_branches_and_graph_run_the_same_steps(row: list[dict[str, Any]], data: st.DataObject) -> None:
    """For every decision, the imported graph runs exactly the steps of the branches that were taken."""
    row = named(row, [0])
    outcomes = decisions(row, data.draw)

    document = import_document({"name": "w", "steps": row}, "orb").document

    assert run_tree(row, outcomes) == run_graph(document, outcomes)
