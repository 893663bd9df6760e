"""Stand-ins for workflows that are not here, so that a dry run can go through a link to one."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from canvas.domain.definition import SCHEMA_ID, Definition, walk
from canvas.domain.steps import WorkflowLinkStep


def stand_ins(definition: Definition, known: set[str], fixtures: Mapping[str, Any]) -> Iterator[bytes]:
    """Write a workflow for each one that is linked to and not known: it takes what it is given, and answers at once.

    Args:
        fixtures: Answers by the name of the linking step; without one the answer is an empty object.
    """
    for placed in walk(definition.scope):
        step = placed.step
        if isinstance(step, WorkflowLinkStep) and step.workflow not in known:
            known.add(step.workflow)
            yield orjson.dumps(
                {
                    "dsl": SCHEMA_ID,
                    "name": step.workflow,
                    "parameters": {name: {"type": "any"} for name in step.parameters},
                    "steps": [{"name": "answer", "type": "stop", "output": fixtures.get(step.name, {})}],
                }
            )
