"""An action of one's own, from its first argument to a run that breaks its invariant."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.drawing import Studio

pytestmark = pytest.mark.e2e


def settled(page: Page, told: str) -> None:
    """Wait until the server has judged what was typed."""
    expect(page.get_by_test_id("own-standing")).to_have_text(told)


def test_an_action_is_made_used_and_breaks_its_invariant(page: Page, studio: Studio):
    """Arguments, a body with templates, invariants; tried out, dropped from the palette, run, broken."""
    page.goto("/actions")
    page.get_by_test_id("new-action").click()
    page.get_by_test_id("own-title").fill("Say it loud")
    page.get_by_test_id("own-name").fill("team/Shout")
    expect(page.get_by_text("`team/Shout` is no name for an action.")).to_be_visible()
    page.get_by_test_id("own-name").fill("team/shout")

    page.get_by_test_id("add-argument").click()
    page.get_by_test_id("argument-name-0").fill("word")
    page.get_by_test_id("argument-name-0").press("Enter")
    page.get_by_test_id("argument-required-0").click()
    page.get_by_test_id("own-target").select_option(label="Log a message  ·  log/event")
    message = page.get_by_test_id("field-/body/parameters/message")
    message.press_sequentially("{{args.")
    expect(page.get_by_test_id("offer-word")).to_be_visible()
    message.press("Enter")
    message.press("End")
    message.press_sequentially("!")
    expect(message).to_have_value("{{ args.word }}!")

    page.get_by_test_id("add-invariant").click()
    page.get_by_test_id("invariant-0").fill("args.wrd != 'psst'")
    expect(page.get_by_test_id("own-invariants").get_by_text("There is no argument `wrd`.")).to_be_visible()
    page.get_by_test_id("invariant-0").fill("args.word != 'psst'")
    expect(page.get_by_test_id("invariant-way-0")).to_have_text("checked before")
    page.get_by_test_id("add-invariant").click()
    page.get_by_test_id("invariant-1").fill("Mind the neighbours")
    expect(page.get_by_test_id("invariant-way-1")).to_have_text("for people")
    settled(page, "Not saved yet")
    page.get_by_test_id("own-save").click()
    settled(page, "Saved")
    expect(page).to_have_url(re.compile(r"name=team/shout$"))

    page.get_by_test_id("field-/try/word").fill("hey")
    page.get_by_test_id("try-real").click()
    expect(page.get_by_test_id("try-result")).to_have_attribute("data-state", "completed", timeout=20_000)
    expect(page.get_by_test_id("try-output")).to_contain_text("hey!")

    canvas = studio()
    page.get_by_test_id("palette-search").fill("loud")
    canvas.drop("team/shout", 160, 160)
    expect(page.get_by_test_id("node-team_shout")).to_be_visible()
    canvas.fill("/parameters/word", "psst")
    expect(page.get_by_test_id("problems")).to_have_text("No problems")
    expect(page.get_by_test_id("saving")).to_have_attribute("data-state", "saved")
    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("node-team_shout")).to_have_attribute("data-state", "failed", timeout=20_000)
    expect(page.get_by_test_id("inspector")).to_contain_text("args.word != 'psst'")


def test_a_step_becomes_an_action_of_ones_own(page: Page, studio: Studio):
    """What it fills in from its run is asked for; the rest is in the body."""
    studio(
        "parameters: {who: {type: string}}\n"
        "steps:\n"
        "  - {name: greet, type: action, action: log/event,"
        ' parameters: {message: "Hello {{ workflow.parameters.who }}", level: warning}}'
    )
    page.get_by_test_id("node-greet").click()
    page.get_by_test_id("make-own").click()

    expect(page.get_by_test_id("argument-message")).to_be_visible()
    expect(page.get_by_test_id("field-/body/parameters/message")).to_have_value("{{ args.message }}")
    expect(page.get_by_test_id("field-/body/parameters/level")).to_have_value('"warning"')
    page.get_by_test_id("own-name").fill("team/greet")
    settled(page, "Not saved yet")
    page.get_by_test_id("own-save").click()
    settled(page, "Saved")

    page.get_by_test_id("own-more").click()
    page.get_by_test_id("own-archive").click()
    expect(page.get_by_text("archived", exact=True)).to_be_visible()
    expect(page.get_by_role("menu")).to_have_count(0)
    page.get_by_test_id("own-more").click()
    page.get_by_test_id("own-delete").click()
    page.get_by_test_id("own-delete-confirm").click()
    expect(page).to_have_url(re.compile(r"/actions/?$"))
    expect(page.get_by_text("team/greet")).to_have_count(0)
