"""The pages around the canvas, in a real browser against a real server."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.serving import Serving, wait_for

pytestmark = pytest.mark.e2e

GREET = """dsl: canvas/v1
name: {name}
title: Greet {name}
tags: [demo]
parameters:
  who: {{type: string, default: you}}
triggers:
  - {{type: schedule, cron: "0 2 * * *", timezone: Europe/Paris, enabled: false}}
  - {{type: webhook, path: "{name}", methods: [POST]}}
steps:
  - {{name: remember, type: set, values: {{greeting: "Hello {{{{ workflow.parameters.who }}}}"}}}}
  - {{name: pause, type: wait, for: [{{seconds: 0.2}}]}}
  - {{name: note, type: action, action: log/event, parameters: {{message: "{{{{ context.greeting }}}}"}}}}
"""


@pytest.fixture
def greet(live_server: Serving, request: pytest.FixtureRequest) -> str:
    """A published workflow, named after the test."""
    name = re.sub(r"\W", "_", request.node.name)[:60]
    answer = httpx.post(
        f"{live_server.url}/api/workflows/import?publish=true", content=GREET.format(name=name), timeout=10
    )
    assert answer.is_success, answer.text
    return name


def _start(server: Serving, name: str) -> str:
    answer = httpx.post(f"{server.url}/api/workflows/{name}/runs", json={"parameters": {}}, timeout=10)
    assert 202 == answer.status_code, answer.text
    return answer.json()["id"]


def test_a_workflow_is_imported_run_and_found_on_the_dashboard(page: Page):
    """Paste, import, see the card, press run, and the run is listed as completed without a reload."""
    page.goto("/")
    page.get_by_role("button", name="Import").first.click()
    page.get_by_role("textbox", name="Definition").fill(GREET.format(name="pasted"))
    page.get_by_text("Publish at once").click()
    page.get_by_role("dialog").get_by_role("button", name="Import").click()
    page.wait_for_url(re.compile(r"/workflows/pasted/?$"))

    page.goto("/")
    page.get_by_role("button", name="Run Greet pasted", exact=True).click()
    page.wait_for_url(re.compile(r"/runs/\w{26}/?$"))

    page.goto("/runs/?workflow=pasted")
    expect(page.get_by_role("row").filter(has_text="pasted")).to_contain_text("completed")


def test_the_dashboard_moves_by_itself(page: Page, live_server: Serving, greet: str):
    """A run started elsewhere appears and ends while the page is open."""
    page.goto(f"/runs/?workflow={greet}")
    expect(page.get_by_text("No run fits")).to_be_visible()

    run_id = _start(live_server, greet)

    row = page.locator(f"a[href*='{run_id}']")
    expect(row).to_contain_text("completed")
    expect(row).to_contain_text("3/3")


def test_problems_of_a_file_are_shown_with_their_lines(page: Page, tmp_path: Path):
    """A broken file says where it is broken and is not imported."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(GREET.format(name="broken").replace("type: wait", "type: wit"))

    page.goto("/")
    page.get_by_role("button", name="Import").first.click()
    page.locator("input[type=file]").set_input_files(broken)
    expect(page.get_by_role("dialog")).to_contain_text("broken.yaml")
    page.get_by_text("Publish at once").click()
    page.get_by_role("dialog").get_by_role("button", name="Import").click()

    expect(page.get_by_role("alert")).to_contain_text("Not imported")
    expect(page.get_by_role("alert")).to_contain_text("line 12:")
    expect(page.get_by_role("alert")).to_contain_text("Did you mean `wait`?")


def test_a_new_workflow_opens_in_the_editor(page: Page):
    """Title, name, editor."""
    page.goto("/")
    page.get_by_role("button", name="New").first.click()
    page.get_by_role("textbox", name="Title").fill("Made by hand")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("made_by_hand")
    page.get_by_role("button", name="Create").click()

    page.wait_for_url(re.compile(r"/workflows/made_by_hand/?$"))


def test_triggers_are_told_and_switched(page: Page, live_server: Serving, greet: str):
    """The schedule speaks in words, is switched on, and stays on after a reload; the webhook shows its address."""
    page.goto("/triggers/")
    row = page.get_by_role("row").filter(has_text=f"Greet {greet}").filter(has_text="every day at 02:00")
    expect(row.get_by_role("switch")).not_to_be_checked()

    row.get_by_role("switch").click()
    expect(row).to_contain_text(" hr")
    page.reload()
    expect(row.get_by_role("switch")).to_be_checked()
    expect(page.get_by_role("row").filter(has_text=f"/api/hooks/{greet}")).to_contain_text("POST")
    del live_server


def test_deleting_asks_first(page: Page, greet: str):
    """Keeping keeps; deleting deletes."""
    card = page.get_by_role("button", name=f"More about Greet {greet}", exact=True)
    page.goto("/")

    card.click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Keep it").click()
    expect(card).to_be_visible()

    card.click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)


def test_an_export_is_a_file_that_can_be_imported_again(page: Page, live_server: Serving, greet: str):
    """The menu of a card gives the canonical text."""
    page.goto("/")
    page.get_by_role("button", name=f"More about Greet {greet}", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export YAML").click()

    text = download.value.path().read_text()
    assert f"{greet}.yaml" == download.value.suggested_filename
    answer = httpx.post(f"{live_server.url}/api/workflows/validate", content=text, timeout=10)
    assert (200, True) == (answer.status_code, answer.json()["valid"])


@pytest.mark.parametrize("path", ["/", "/runs/", "/triggers/"])
def test_pages_fit_a_phone(page: Page, greet: str, path: str):
    """Nothing is wider than the screen, and the places are reachable."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    expect(page.get_by_role("navigation", name="Places").last).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth")


def test_the_engine_may_die_without_the_pages_noticing(page: Page, live_server: Serving, greet: str):
    """After SIGKILL the engine comes back, the web process is the same, and runs go on."""
    page.goto("/runs/")
    web = live_server.web_pid

    live_server.kill_engine()

    assert web == live_server.web_pid
    run_id = _start(live_server, greet)
    status = f"{live_server.url}/api/runs/{run_id}"
    wait_for(lambda: httpx.get(status, timeout=10).json()["status"] == "completed")
    expect(page.locator(f"a[href*='{run_id}']")).to_contain_text("completed")


def test_no_page_complains_in_the_console(page: Page, live_server: Serving, greet: str):
    """No errors, no warnings, nothing fetched from elsewhere."""
    _start(live_server, greet)
    complaints: list[str] = []
    elsewhere: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: elsewhere.append(request.url) if "127.0.0.1" not in request.url else None)

    for path in ("/", "/runs/", "/triggers/"):
        page.goto(path)
        expect(page.get_by_text(greet).first).to_be_visible()

    assert [] == complaints
    assert [] == [url for url in elsewhere if not url.startswith(("data:", "blob:"))]
