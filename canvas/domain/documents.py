"""Reading a definition's document, the JSON form of its text, whether or not it makes sense yet."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from canvas.domain.states import Branch, StepType

StepDocument = dict[str, Any]


def is_container(step: Mapping[str, Any]) -> bool:
    """Tell whether a step holds steps of its own."""
    return step.get("type") in (StepType.PARALLEL, StepType.LOOP)


def steps_of(holder: Mapping[str, Any]) -> list[StepDocument]:
    """List the well-formed steps right inside a document or a container; what is no step is passed over."""
    steps = holder.get("steps")
    if not isinstance(steps, list):
        return []
    return [step for step in steps if isinstance(step, dict) and isinstance(step.get("name"), str)]


def every_step(holder: Mapping[str, Any]) -> Iterator[tuple[StepDocument, Mapping[str, Any]]]:
    """Visit every step at any depth with what holds it, in the order of the text."""
    for step in steps_of(holder):
        yield step, holder
        yield from every_step(step)


def dependencies(
    step: Mapping[str, Any], before: Mapping[str, Any] | None, *, in_parallel: bool
) -> list[dict[str, Any]]:
    """List a step's dependencies as `{step, branch[, value]}`, those that go without saying included.

    Args:
        step: The dependent step.
        before: The step before it in its list, if any: what it depends on when it does not say.
        in_parallel: Whether its list belongs to a `parallel`, where a step that does not say starts at once.
    """
    given = step.get("depends_on")
    if given is None:
        return [] if before is None or in_parallel else [{"step": before["name"], "branch": Branch.SUCCESS.value}]
    if not isinstance(given, Sequence) or isinstance(given, str):
        return []
    return [read for entry in given if (read := _dependency(entry)) is not None]


def scope_dependencies(holder: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Map each step right inside a document or container to its dependencies."""
    steps = steps_of(holder)
    in_parallel = holder.get("type") == StepType.PARALLEL
    return {
        step["name"]: dependencies(step, steps[index - 1] if index else None, in_parallel=in_parallel)
        for index, step in enumerate(steps)
    }


def _dependency(entry: Any) -> dict[str, Any] | None:
    if isinstance(entry, str):
        return {"step": entry, "branch": Branch.SUCCESS.value}
    if not isinstance(entry, Mapping) or not isinstance(entry.get("step"), str):
        return None
    read = {"step": entry["step"], "branch": entry.get("branch", Branch.SUCCESS.value)}
    return {**read, "value": entry["value"]} if "value" in entry else read
