"""The automatic layout: readable, stable, quick."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.documents import every_step, scope_dependencies
from canvas.domain.layout import HEADER, PADDING, STEP_HEIGHT, STEP_WIDTH, arrange, container_sizes


@st.composite
def documents(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    """Drafts with containers, any dependencies inside each scope, circles included."""
    counter = iter(range(10_000))

    def scope(level: int) -> list[dict[str, Any]]:
        names = [f"s{next(counter)}" for _ in range(draw(st.integers(0, 6)))]
        steps = []
        for name in names:
            wanted = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
            step = {
                "name": name,
                "type": draw(st.sampled_from(["set", "set", "loop", "parallel"])),
                "depends_on": wanted,
            }
            if step["type"] != "set" and level < depth:
                step["steps"] = scope(level + 1)
            steps.append(step)
        return steps

    return {"steps": scope(0)}


@given(document=documents())
def test_nothing_lies_on_anything_else(document: dict[str, Any]) -> None:
    """Two steps of one scope never overlap, and a container holds its steps below its header."""
    places = arrange(document)
    sizes = container_sizes(document, places)
    holders = [document, *(step for step, _ in every_step(document))]

    assert {step["name"] for step, _ in every_step(document)} == set(places)
    for holder in holders:
        boxes = [
            (*places[s["name"]], *sizes.get(s["name"], (STEP_WIDTH, STEP_HEIGHT))) for s in holder.get("steps", [])
        ]
        for i, (x, y, w, h) in enumerate(boxes):
            assert all(x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y for x2, y2, w2, h2 in boxes[i + 1 :])
            if holder is not document:
                width, height = sizes[holder["name"]]
                assert x >= PADDING and y >= HEADER
                assert x + w <= width and y + h <= height


@given(document=documents())
def test_the_same_document_gives_the_same_picture(document: dict[str, Any]) -> None:
    """Tidying up twice moves nothing."""
    assert arrange(document) == arrange(document)


@given(size=st.integers(2, 30), data=st.data())
def test_a_step_lies_to_the_right_of_what_it_waits_for(size: int, data: st.DataObject) -> None:
    """Time runs from left to right."""
    steps = [
        {
            "name": f"s{i}",
            "depends_on": [f"s{j}" for j in data.draw(st.sets(st.integers(0, i - 1), max_size=3))] if i else [],
        }
        for i in range(size)
    ]
    document = {"steps": [{**step, "type": "set"} for step in steps]}
    places = arrange(document)

    for name, wanted in scope_dependencies(document).items():
        assert all(places[name][0] > places[d["step"]][0] for d in wanted)


def test_true_lies_above_false() -> None:
    """The arms of a condition keep their order whatever order they were drawn in."""
    places = arrange(
        {
            "steps": [
                {"name": "ask", "type": "condition", "condition": "true"},
                {"name": "no", "type": "set", "depends_on": [{"step": "ask", "branch": "IF_FALSE"}]},
                {"name": "yes", "type": "set", "depends_on": [{"step": "ask", "branch": "IF_TRUE"}]},
            ]
        }
    )

    assert places["yes"][0] == places["no"][0]
    assert places["yes"][1] < places["no"][1]


def test_a_chain_is_a_straight_line() -> None:
    """Steps one after the other share one height."""
    places = arrange({"steps": [{"name": f"s{i}", "type": "set"} for i in range(20)]})

    assert {0.0} == {y for _, y in places.values()}
    assert [i * 300.0 for i in range(20)] == [x for x, _ in places.values()]


def test_an_edge_that_skips_a_layer_gets_room_to_pass() -> None:
    """The way around an arm is not drawn through the step in it."""
    places = arrange(
        {
            "steps": [
                {"name": "ask", "type": "condition", "condition": "true"},
                {"name": "arm", "type": "set", "depends_on": [{"step": "ask", "branch": "IF_TRUE"}]},
                {"name": "meet", "type": "set", "depends_on": [{"step": "ask", "branch": "IF_FALSE"}, "arm"]},
            ]
        }
    )

    assert places["arm"][1] < places["ask"][1]


def test_steps_that_make_no_sense_are_passed_over() -> None:
    """A draft may hold anything; what can be placed is."""
    assert {"a"} == set(arrange({"steps": [3, None, {"type": "set"}, {"name": "a", "depends_on": [7, "nobody", "a"]}]}))
    assert {} == arrange({"steps": "rubbish"})
    assert {} == arrange({})
