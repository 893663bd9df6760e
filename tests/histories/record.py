"""Records runs: what happened to them and what the decider said each time. `python -m tests.histories.record`

A history is kept for ever. When a change of the decider alters what it says about an old one, either the change is
wrong, or runs that were under way during an upgrade would go on differently: then record it anew, knowing that.
"""

import random
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from canvas.domain import decider
from canvas.domain.decider import CancelRequested, Lost, Outcome, PauseRequested, ResumeRequested
from canvas.domain.definition import Definition
from canvas.domain.dsl import from_document, parse, to_document
from canvas.domain.states import RunStatus
from tests.domain.simulation import World

FOLDER = Path(__file__).parent
MIXED = """
dsl: canvas/v1
name: mixed
steps:
  - {name: first, type: action, action: test/work}
  - {name: is_first, type: condition, condition: "steps.first.output.at == 'first'"}
  - name: each
    type: loop
    times: 4
    concurrency: 2
    on_item_failure: continue
    depends_on: [{step: is_first, branch: IF_TRUE}]
    steps:
      - {name: one, type: action, action: test/work, retry: {max_attempts: 2}}
      - name: inside
        type: parallel
        steps:
          - {name: left, type: action, action: test/work}
          - {name: right, type: wait, for: [{seconds: 5}]}
  - {name: never, type: action, action: test/work, depends_on: [{step: is_first, branch: IF_FALSE}]}
  - name: race
    type: parallel
    depends_on: [each, never]
    join: {mode: any, others: cancel}
    steps:
      - {name: quick, type: action, action: test/work}
      - {name: slow, type: action, action: test/work}
  - {name: call, type: workflow_link, workflow: child, depends_on: [race]}
  - {name: repair, type: action, action: test/work, depends_on: [{step: call, branch: FAILURE}]}
  - {name: total, type: set, values: {count: "{{ steps.each.output.count }}"}, depends_on: [call, repair]}
  - name: kind
    type: switch
    on: "{{ context.count }}"
    cases: [4, 5]
  - {name: four, type: action, action: test/work, depends_on: [{step: kind, branch: SWITCH_CASE, value: 4}]}
  - {name: other, type: stop, status: failed, message: odd, depends_on: [{step: kind, branch: DEFAULT}]}
"""


LATER = frozenset({"call"})
"Fields that came after the first histories; left out while they say nothing, so that the old ones still compare."


def plain(value: Any) -> Any:
    """Turn facts and commands into JSON values; a dataclass carries its name."""
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        told = {name: one for name, one in named.items() if one is not None or name not in LATER}
        return {"is": type(value).__name__, **told}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return str(value) if isinstance(value, str) else value


def fact(told: dict[str, Any]) -> Outcome:
    """Read a fact back."""
    given = {key: value for key, value in told.items() if key != "is"}
    return getattr(decider, told["is"])(**given)


def definition_of(document: dict[str, Any]) -> Definition:
    parsed = from_document(document)
    assert parsed.definition is not None, parsed.problems
    return parsed.definition


def drawn_history(seed: int, *, failures: float, losses: float, people: bool) -> dict[str, Any]:
    """Play one run with a seeded chance and write everything down."""
    parsed = parse(MIXED)
    assert parsed.definition is not None, parsed.problems
    world, chance = World(parsed.definition), random.Random(seed)
    world.begin()
    while not world.status.is_terminal:
        world.tick()
        world.tell(*_next(world, chance, failures=failures, losses=losses, people=people))
    turns = []
    facts = iter(world.facts)
    for size, told in zip(world.batches, world.told, strict=True):
        batch = [next(facts) for _ in range(size)]
        turns.append({"at": plain(batch[0][1]), "facts": [plain(one) for one, _ in batch], "commands": plain(told)})
    return {"definition": to_document(world.definition), "end": str(world.status), "turns": turns}


def _next(world: World, chance: random.Random, *, failures: float, losses: float, people: bool) -> list[Outcome]:
    if world.status is RunStatus.PAUSED and chance.random() < 0.5:
        return [ResumeRequested()]
    if people and chance.random() < 0.05:
        return [chance.choice([PauseRequested(), CancelRequested()])]
    choices = world.choices()
    wanted = [one for one in choices if _is_wanted(one, chance, failures, losses)] or choices
    return [chance.choice(wanted)] if wanted else [ResumeRequested()]


def _is_wanted(outcome: Outcome, chance: random.Random, failures: float, losses: float) -> bool:
    if isinstance(outcome, Lost):
        return chance.random() < losses
    return not isinstance(outcome, decider.Failed) or chance.random() < failures


RECORDED = {
    "all_goes_well": {"seed": 1, "failures": 0.0, "losses": 0.0, "people": False},
    "some_fail": {"seed": 2, "failures": 0.4, "losses": 0.0, "people": False},
    "some_are_lost": {"seed": 3, "failures": 0.1, "losses": 0.3, "people": False},
    "people_interfere": {"seed": 5, "failures": 0.1, "losses": 0.0, "people": True},
    "everything_at_once": {"seed": 8, "failures": 0.3, "losses": 0.2, "people": True},
}


def main() -> None:
    """Record the histories that are missing; those that exist are left alone."""
    for name, how in RECORDED.items():
        file = FOLDER / f"{name}.json"
        if not file.exists():
            file.write_bytes(orjson.dumps(drawn_history(**how), option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
