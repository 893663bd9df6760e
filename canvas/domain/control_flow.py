"""The step types that the catalogue lists beside the actions, because other systems have them as actions."""

from collections.abc import Mapping
from typing import Any, Final

from canvas.domain.catalog import ActionSpec
from canvas.domain.schema import step_schema
from canvas.domain.states import ActionOrigin, StepType

CATEGORY: Final = "Control flow"
ALIASES: Final[Mapping[StepType, str]] = {
    StepType.WAIT: "DELAY",
    StepType.CONDITION: "CONDITIONAL_BRANCH",
    StepType.LOOP: "LOOP",
}
"What these are called as actions elsewhere."
_COMMON = frozenset({"name", "title", "description"})
_NOTHING_TOUCHED = "Done by the engine itself: no code of an action runs, and nothing outside is touched."


def control_flow() -> Mapping[str, ActionSpec]:
    """Give waiting, branching and looping as entries of the catalogue, by step type."""
    return {
        spec.name: spec
        for spec in (
            _entry(
                StepType.WAIT,
                "timer",
                description="Waits for a time span or a moment. Holds no thread and no worker, and outlives a restart.",
                example={"for": [{"seconds": 3600}]},
                result={"until": ("string", "Until", "The moment the wait ended at, as text with an offset.")},
                example_result={"until": "2026-01-01T13:00:00+00:00"},
            ),
            _entry(
                StepType.CONDITION,
                "git-branch",
                description="Goes one way or the other: the steps after it wait for IF_TRUE or IF_FALSE.",
                example={"condition": "steps.check.output.status == 200"},
                result={"result": ("boolean", "Result", "What the condition came to.")},
                example_result={"result": True},
            ),
            _entry(
                StepType.LOOP,
                "repeat",
                description="Runs the steps inside for each item of a list, so many times, or while a condition holds.",
                example={"collection": "{{ workflow.parameters.servers }}", "item_variable": "server"},
                result={
                    "items": ("array", "Items", "The output of each turn, in the order of the list."),
                    "count": ("integer", "Count", "How many turns there were."),
                    "failed": ("integer", "Failed", "How many of them failed."),
                },
                example_result={"items": ["ok", "ok"], "count": 2, "failed": 0},
            ),
        )
    }


def _entry(
    step_type: StepType,
    icon: str,
    *,
    description: str,
    example: Mapping[str, Any],
    result: Mapping[str, tuple[str, str, str]],
    example_result: Any,
) -> ActionSpec:
    form = step_schema(step_type)
    own = {
        name: schema
        for name, schema in form["properties"].items()
        if name not in _COMMON and schema.get("x-group") != "advanced"
    }
    given = {name: {"type": kind, "title": title, "description": text} for name, (kind, title, text) in result.items()}
    return ActionSpec(
        name=step_type.value,
        title=form["title"],
        description=description,
        category=CATEGORY,
        icon=icon,
        arguments_schema={
            "type": "object",
            "properties": own,
            "required": [name for name in form["required"] if name in own],
            "additionalProperties": False,
        },
        result_schema={"type": "object", "properties": given, "required": list(given)},
        example_arguments=example,
        example_result=example_result,
        idempotent=True,
        touches_world=False,
        security=_NOTHING_TOUCHED,
        aliases=(ALIASES[step_type],),
        origin=ActionOrigin.STEP,
    )
