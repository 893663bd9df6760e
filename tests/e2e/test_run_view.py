"""A run watched on its canvas, in a real browser. The test ids are those that `test_editor.py` lists."""

import os
import signal

import pytest
from playwright.sync_api import Page, expect

from tests.serving import Serving, wait_for

pytestmark = pytest.mark.e2e

WORKFLOW = """
dsl: canvas/v1
name: watched
parameters:
  seconds: {type: number, default: 0}
  bad: {type: boolean, default: false}
outputs:
  doubled: {type: list, value: "{{ steps.each.output.items }}"}
steps:
  - {name: rest, type: wait, for: [{seconds: "{{ workflow.parameters.seconds }}"}]}
  - {name: is_bad, type: condition, condition: workflow.parameters.bad}
  - {name: fails, type: stop, status: failed, message: As asked, depends_on: [{step: is_bad, branch: IF_TRUE}]}
  - name: each
    type: loop
    collection: [1, 2, 3]
    depends_on: [{step: is_bad, branch: IF_FALSE}]
    steps:
      - {name: note, type: action, action: log/event, parameters: {message: "Number {{ item }}"}}
      - {name: double, type: set, values: {it: "{{ item * 2 }}"}}
"""


@pytest.fixture
def start(page: Page):
    """Start a run of the workflow above; gives its id."""
    headers = {"Content-Type": "application/yaml"}
    page.request.post("/api/workflows/import?publish=true&if_exists=update", data=WORKFLOW, headers=headers)

    def go(**parameters: object) -> str:
        answer = page.request.post("/api/workflows/watched/runs", data={"parameters": parameters})
        assert answer.status == 202, answer.text()
        return answer.json()["id"]

    return go


def open_run(page: Page, run_id: str) -> None:
    """Go to the page of a run."""
    page.goto(f"/runs/{run_id}/")
    expect(page.get_by_test_id("canvas")).to_be_visible()


def state(page: Page, name: str, expected: str) -> None:
    """Wait until a node shows a state."""
    expect(page.get_by_test_id(f"node-{name}")).to_have_attribute("data-state", expected)


def test_every_node_reaches_its_state_live(page: Page, start):
    """The page is there before the run goes on; states come without a reload."""
    open_run(page, start(seconds=2))
    state(page, "rest", "waiting")
    state(page, "each", "idle")

    for name in ("rest", "is_bad", "each", "note", "double"):
        state(page, name, "completed")
    state(page, "fails", "skipped")
    expect(page.get_by_test_id("run-status")).to_have_text("completed")
    expect(page.get_by_test_id("run-cancel")).to_have_count(0)


def test_a_step_shows_what_it_was_given_and_gave_for_each_iteration(page: Page, start):
    """Input, output, attempts and lines of one iteration, chosen from a list."""
    open_run(page, start())
    expect(page.get_by_test_id("run-status")).to_have_text("completed")
    page.get_by_test_id("node-note").click()
    page.get_by_test_id("iteration").select_option(label="each[1] · completed")

    expect(page.get_by_test_id("step-input")).to_contain_text("Number 2")
    expect(page.get_by_test_id("log-lines")).to_contain_text("Number 2")
    page.get_by_test_id("back-to-steps").click()
    page.get_by_test_id("tab-values").click()
    expect(page.get_by_test_id("run-output")).to_contain_text("doubled")


def test_a_failed_run_says_why(page: Page, start):
    """The message stands above the steps, and the step that ended the run is marked."""
    open_run(page, start(bad=True))

    expect(page.get_by_test_id("run-status")).to_have_text("failed")
    expect(page.get_by_test_id("run-error")).to_contain_text("As asked")
    state(page, "each", "idle")


def test_a_run_is_paused_resumed_and_cancelled_from_the_page(page: Page, start):
    """Each button asks the engine; the page shows what came of it."""
    open_run(page, start(seconds=600))
    state(page, "rest", "waiting")
    page.get_by_test_id("run-pause").click()
    expect(page.get_by_test_id("run-status")).to_have_text("paused")
    page.get_by_test_id("run-resume").click()
    expect(page.get_by_test_id("run-status")).to_have_text("running")
    page.get_by_test_id("run-cancel").click()

    expect(page.get_by_test_id("run-status")).to_have_text("cancelled")
    state(page, "rest", "cancelled")


def test_a_run_from_the_editor_is_watched_on_the_same_canvas(page: Page, start):
    """Run asks for the parameters, then the nodes go through their states where they were drawn."""
    start()
    page.goto("/workflows/watched/")
    page.get_by_test_id("run").click()
    page.get_by_test_id("field-/seconds").fill("0.2")
    page.get_by_test_id("run-start").click()

    expect(page.get_by_test_id("runbar")).to_have_attribute("data-state", "completed")
    state(page, "double", "completed")
    page.get_by_test_id("open-run").click()
    expect(page.get_by_test_id("run-view")).to_be_visible()


def test_the_page_survives_a_restart_of_the_web_process(page: Page, start, live_server: Serving):
    """The feed comes back by itself and shows what happened meanwhile."""
    open_run(page, start(seconds=4))
    state(page, "rest", "waiting")
    old = live_server.web_pid
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: live_server.web_pid != old)

    expect(page.get_by_test_id("run-status")).to_have_text("completed", timeout=30_000)
    state(page, "double", "completed")


def test_on_a_phone_the_steps_stand_under_the_canvas(page: Page, start):
    """Nothing is cut off at 390 pixels, and a step opens with a touch."""
    page.set_viewport_size({"width": 390, "height": 844})
    open_run(page, start())
    expect(page.get_by_test_id("run-status")).to_have_text("completed")
    page.get_by_test_id("step-double").click()

    expect(page.get_by_test_id("iteration")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
