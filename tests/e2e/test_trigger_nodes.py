"""What starts a workflow, drawn on its canvas."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.drawing import Canvas, Studio, exported

pytestmark = pytest.mark.e2e

TWO = """
triggers:
  - {type: schedule, cron: "0 9 * * *", timezone: UTC}
  - {type: webhook, path: two-ways}
steps:
  - {name: first, type: set, values: {a: 1}}
"""
HOOKED = """
dsl: canvas/v1
name: hooked
parameters:
  who: {type: string, default: nobody}
triggers:
  - {type: schedule, cron: "0 9 * * *", enabled: false}
  - {type: webhook, path: hooked, parameters: {who: "{{ trigger.data.body.who }}"}}
steps:
  - {name: greet, type: set, values: {said: "Hello {{ workflow.parameters.who }}"}}
"""


def node(canvas: Canvas, index: int | str) -> Locator:
    """The node of a trigger."""
    return canvas.node(f"trigger:{index}")


def test_a_schedule_is_dragged_in_and_told_in_words(studio: Studio):
    """Its form says what is typed in words, with the next five times, and what is wrong with it."""
    canvas = studio("steps:\n  - {name: first, type: set, values: {a: 1}}")
    page = canvas.page
    canvas.drop("trigger:schedule", 400, 300)

    canvas.fill("/cron", "30 7 * * 1-5")
    canvas.fill("/timezone", "Europe/Paris")
    expect(page.get_by_test_id("due")).to_contain_text("every weekday at 07:30")
    expect(page.get_by_test_id("due").get_by_role("listitem")).to_have_count(5)
    expect(node(canvas, 0)).to_contain_text("every weekday at 07:30")

    canvas.fill("/cron", "30 7 * *")
    expect(page.get_by_test_id("inspector")).to_contain_text("five fields")
    page.get_by_test_id("cron-presets").select_option(label="Every hour")
    expect(page.get_by_test_id("due")).to_contain_text("every hour")
    text = exported(canvas)
    assert "type: schedule" in text
    assert "0 * * * *" in text
    assert "Europe/Paris" in text
    assert canvas.edges() == 0, "a trigger is nothing that steps wait for"


def test_a_webhook_gives_the_run_what_was_sent(studio: Studio):
    """Found by typing, with a free path; its parameters are completed from what a request brings."""
    canvas = studio("parameters:\n  who: {type: string}\nsteps: []")
    page = canvas.page
    canvas.press("a")
    page.get_by_test_id("quick-search").fill("webh")
    page.keyboard.press("Enter")

    canvas.fill("/path", "greetings")
    field = page.get_by_test_id("field-/parameters/who")
    field.click()
    page.keyboard.type("{{trigger.data.bo")
    page.get_by_test_id("offer-body").click()
    page.keyboard.type(".name")

    expect(node(canvas, 0)).to_contain_text("POST /api/hooks/greetings")
    assert "{{ trigger.data.body.name }}" in exported(canvas)


def test_triggers_are_edited_with_the_keyboard(studio: Studio):
    """Arrows reach them, E switches, Ctrl D copies, Delete deletes, and every edit can be taken back."""
    canvas = studio(TWO)
    page = canvas.page
    canvas.node("first").click()

    canvas.press("ArrowLeft", "ArrowLeft")
    expect(node(canvas, 0)).to_have_attribute("aria-selected", "true")
    canvas.press("ArrowDown", "Control+d")
    expect(node(canvas, 2)).to_contain_text("two-ways-2")
    canvas.press("e")
    assert "enabled: false" in exported(canvas)
    canvas.press("Delete")
    expect(node(canvas, 2)).to_have_count(0)
    canvas.press("Control+z", "Control+z", "Control+z")
    expect(page.locator(".node.entry")).to_have_count(3)
    assert "two-ways-2" not in exported(canvas)


def test_triggers_are_copied_with_the_steps_they_start(studio: Studio, page: Page):
    """Copy and paste carries them, each with a path of its own."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    canvas = studio(TWO)
    node(canvas, 1).click()
    page.keyboard.down("Control")
    canvas.node("first").click()
    page.keyboard.up("Control")
    canvas.press("Control+c", "Control+v")

    expect(canvas.node("first_2")).to_be_visible()
    expect(node(canvas, 2)).to_contain_text("two-ways-2")


def test_the_start_leads_to_all_triggers(studio: Studio):
    """It lists what starts the workflow and adds more; it cannot be deleted."""
    canvas = studio(TWO)
    node(canvas, "start").click()
    canvas.press("Delete")
    canvas.page.get_by_test_id("add-trigger-event").click()

    canvas.fill("/event", "order.created")
    canvas.fill("/filter", "event.data.total > 10")
    expect(node(canvas, 2)).to_contain_text("order.created")
    assert "event.data.total > 10" in exported(canvas)
    node(canvas, "start").click()
    expect(canvas.page.get_by_test_id("inspector")).to_contain_text("order.created")


def test_a_problem_of_a_trigger_leads_to_its_field(studio: Studio):
    """The badge is on its node; a click in the list of problems goes to the field."""
    canvas = studio(
        'triggers:\n  - {type: webhook, path: "not good"}\nsteps:\n  - {name: a, type: set, values: {a: 1}}'
    )
    page = canvas.page
    expect(page.get_by_test_id("problem-trigger:0")).to_be_visible()

    page.get_by_test_id("problems").click()
    page.get_by_test_id("problem-list").get_by_role("button", name="cannot be the path").click()

    expect(page.get_by_test_id("field-/path")).to_be_focused()


def test_a_run_shows_what_started_it(page: Page):
    """The trigger's node and its line are marked, and its data stand beside them."""
    headers = {"Content-Type": "application/yaml"}
    page.request.post("/api/workflows/import?publish=true", data=HOOKED, headers=headers)
    answer = page.request.post("/api/hooks/hooked", data={"who": "Ada"})
    assert answer.ok, answer.text()

    page.goto(f"/runs/{answer.json()['id']}/")
    expect(page.get_by_test_id("node-greet")).to_have_attribute("data-state", "completed")
    expect(page.get_by_test_id("node-trigger:1")).to_have_attribute("data-state", "completed")
    expect(page.get_by_test_id("node-trigger:0")).to_have_attribute("data-state", "idle")

    page.get_by_test_id("node-trigger:1").click()
    expect(page.get_by_test_id("trigger-data")).to_contain_text("Ada")
    page.get_by_test_id("node-trigger:0").click()
    expect(page.get_by_test_id("origin")).to_contain_text("did not start this run")
