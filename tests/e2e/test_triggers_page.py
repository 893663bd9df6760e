"""The Triggers page in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

WAYS = """
dsl: canvas/v1
name: three_ways
title: Three ways
parameters:
  who: {type: string, default: nobody}
triggers:
  - {type: schedule, cron: "0 2 * * *", timezone: Europe/Paris}
  - {type: webhook, path: three-ways, signature: token, parameters: {who: "{{ trigger.data.body.who }}"}}
  - {type: event, event: way.taken, filter: "event.data.number == 3"}
steps:
  - {name: greet, type: set, values: {said: "Hello {{ workflow.parameters.who }}"}}
"""


@pytest.fixture(autouse=True)
def _three_ways(page: Page) -> None:
    headers = {"Content-Type": "application/yaml"}
    answer = page.request.post("/api/workflows/import?publish=true&if_exists=update", data=WAYS, headers=headers)
    assert answer.ok, answer.text()


def open_trigger(page: Page, what: str) -> None:
    """Go to the detail of a trigger by its line in the list."""
    page.goto("/triggers/")
    page.get_by_role("row").filter(has_text="Three ways").filter(has_text=what).get_by_role("link", name=what).click()
    expect(page.get_by_test_id("trigger-detail")).to_be_visible()


def test_a_webhooks_secret_is_made_used_and_its_delivery_taken_again(page: Page):
    """The secret is shown once; the delivery with its body stands below, and starts another run."""
    open_trigger(page, "/api/hooks/three-ways")
    detail = page.get_by_test_id("trigger-detail")
    expect(detail.get_by_test_id("curl")).to_contain_text("Authorization: Bearer TOKEN")
    detail.get_by_role("button", name=re.compile("Make")).click()
    secret = page.get_by_test_id("secret").inner_text()
    page.get_by_role("button", name="I have it").click()
    expect(page.get_by_test_id("secret")).to_have_count(0)

    refused = page.request.post("/api/hooks/three-ways", data={"who": "Eve"})
    taken = page.request.post(
        "/api/hooks/three-ways", data={"who": "Ada"}, headers={"Authorization": f"Bearer {secret}"}
    )
    assert (401, 202) == (refused.status, taken.status)
    page.reload()
    deliveries = detail.get_by_test_id("delivery")
    expect(deliveries.nth(0)).to_contain_text("202")
    expect(deliveries.nth(1)).to_contain_text("401")
    deliveries.nth(0).get_by_role("button", name="What it brought").click()
    expect(deliveries.nth(0)).to_contain_text('"who"')
    assert secret not in page.content()

    deliveries.nth(0).get_by_role("button", name="Take it again").click()
    page.wait_for_url(re.compile(r"/runs/\w{26}/?$"))
    assert taken.json()["id"] not in page.url
    expect(page.get_by_test_id("node-trigger:1")).to_have_attribute("data-state", "completed")


def test_a_schedule_is_made_up_for(page: Page):
    """The dialog tells how many runs it would start, and starts them."""
    open_trigger(page, "every day at 02:00")
    detail = page.get_by_test_id("trigger-detail")
    expect(detail.get_by_test_id("next-times").get_by_role("listitem")).to_have_count(5)
    detail.get_by_role("button", name="Make up").click()
    expect(page.get_by_test_id("backfill-count")).to_contain_text("1 run would start")

    page.get_by_role("button", name="Start them").click()

    expect(page.get_by_text("1 started")).to_be_visible()
    expect(detail).to_contain_text("made up for")


def test_a_test_event_tells_what_it_started(page: Page):
    """The example can be changed; the answer leads to the run."""
    open_trigger(page, "way.taken")
    page.get_by_test_id("trigger-detail").get_by_role("button", name="Send a test event").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Data, as JSON").fill('{"number": 2}')
    dialog.get_by_role("button", name="Send").click()
    expect(page.get_by_test_id("event-outcome")).to_contain_text("no filter let it through")

    dialog.get_by_label("Data, as JSON").fill('{"number": 3}')
    dialog.get_by_role("button", name="Send").click()
    page.get_by_test_id("event-outcome").get_by_role("link", name="started a run").click()

    expect(page.get_by_test_id("node-trigger:2")).to_have_attribute("data-state", "completed")


def test_a_schedule_is_kept_by_hand(page: Page):
    """Made in a dialog that says what is typed in words, shown in detail, and deleted after asking."""
    page.goto("/triggers/")
    page.get_by_role("button", name="New").click()
    page.get_by_role("menuitem", name="Schedule").click()
    page.get_by_test_id("trigger-cron").fill("30 6 * * 1-5")
    expect(page.get_by_test_id("trigger-words")).to_have_text("every weekday at 06:30")
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name="three_ways", exact=True).click()
    page.get_by_role("button", name="Keep it").click()

    detail = page.get_by_test_id("trigger-detail")
    expect(detail).to_contain_text("every weekday at 06:30")
    detail.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(detail).to_have_count(0)
    expect(page.get_by_text("every weekday at 06:30")).to_have_count(0)
