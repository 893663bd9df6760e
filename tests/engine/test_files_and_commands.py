"""Files and commands as the engine runs them: their results reach the next step, and a cancelled run leaves nothing."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from canvas.actions.registry import registry
from canvas.domain.dsl import parse
from tests.engine.conftest import CANCELLED, COMPLETED
from tests.serving import wait_for

REPORT = """
dsl: canvas/v1
name: report
outputs: {lines: {value: "{{ steps.count.output.stdout }}"}}
steps:
  - {name: orders, type: set, values: {all: "{{ [{'net': 100}, {'net': 50}, {'net': 300}] }}"}}
  - name: large
    type: action
    action: data/filter
    parameters: {input: "{{ steps.orders.output.all }}", where: item.net >= 100, sort: [{by: item.net}]}
  - name: write
    type: action
    action: file/write
    parameters: {path: out/large.json, format: json, content: "{{ steps.large.output.items }}", make_folders: true}
  - name: count
    type: action
    action: command/run
    parameters:
      command: python
      arguments: [-c, "import json; print([row['net'] for row in json.load(open('large.json'))])"]
      folder: out
"""
ENDLESS = """
dsl: canvas/v1
name: endless
steps:
  - name: wait
    type: action
    action: command/run
    parameters:
      command: python
      arguments:
        - -c
        - import os, time; open('new', 'w').write(str(os.getpid())); os.rename('new', 'pid'); time.sleep(600)
"""


@pytest.fixture
def settings(settings, tmp_path):
    """Files and one command are switched on."""
    (tmp_path / "files").mkdir()
    return replace(
        settings, data_dir=tmp_path / "data", database_url=settings.url, files_dir=str(tmp_path / "files"),
        commands=f"python={sys.executable}",
    )  # fmt: skip


@pytest.fixture
def actions():
    """The actions there really are."""
    return dict(registry())


def test_results_reach_the_next_step(house):
    """A list is filtered, written to a file, and read by a command."""
    run = house.run(parse(REPORT).definition)

    assert (COMPLETED, {"lines": "[100, 300]\n"}) == (run.status, run.output)


def test_a_cancelled_run_leaves_no_process(house, tmp_path):
    """When the run is over, what its command started is, too."""
    house.publish(parse(ENDLESS).definition)
    engine = house.engine()
    run_id = house.accept("endless")
    file = Path(tmp_path / "files" / "pid")
    pid = wait_for(lambda: file.exists() and int(file.read_text()))

    house.wish(run_id, cancel_requested=True)
    engine.wait(run_id, 60)

    assert CANCELLED == house.row(run_id).status
    wait_for(lambda: not psutil.pid_exists(pid))
    assert not [one for one in psutil.Process(os.getpid()).children() if "keeper.py" in " ".join(one.cmdline())]
