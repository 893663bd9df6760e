"""Recorded runs, replayed: a changed decider must say the same about them."""

from datetime import datetime

import orjson
import pytest

from tests.domain.simulation import World
from tests.histories.record import FOLDER, definition_of, fact, plain

HISTORIES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
def test_a_recorded_run_is_decided_as_it_was(file):
    """Equal facts at equal times lead to the commands that were recorded, one by one."""
    history = orjson.loads(file.read_bytes())
    world = World(definition_of(history["definition"]))

    for turn in history["turns"]:
        world.now = datetime.fromisoformat(turn["at"])
        commands = world.tell(*[fact(one) for one in turn["facts"]])

        assert turn["commands"] == plain(commands)

    assert history["end"] == world.status


def test_there_are_histories():
    """An empty folder would prove nothing."""
    assert 5 <= len(HISTORIES)
