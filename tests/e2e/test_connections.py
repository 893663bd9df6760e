"""A connection as a person makes it: added, tested, named by a step, used, seen in use, and given up."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from canvas.actions.masking import MASK
from tests.doors import DoorServer, door_server
from tests.e2e.drawing import Canvas, Studio
from tests.serving import Serving, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

KEY = "Zq9-secret-of-the-warehouse"


@pytest.fixture
def door() -> Iterator[DoorServer]:
    """A service on the loopback that echoes its key in every way it can."""
    with door_server() as server:
        yield server


def test_a_connection_from_its_form_to_a_run(page: Page, studio: Studio, live_server: Serving, door: DoorServer):
    """The secret reaches the service and nobody else: no page, no answer, no file, no log of ours has it."""
    add(page, door)
    expect(row(page)).to_contain_text("works")
    expect(row(page)).to_contain_text("nothing yet")

    canvas = studio()
    canvas.drop("http/request", 300, 200)
    link = page.get_by_test_id("add-connection-http")
    expect(link).to_have_attribute("href", "/connections/?new=http")
    page.get_by_test_id("field-/parameters/connection").select_option(label="warehouse")
    canvas.fill("/parameters/url", f"{door.url}/echo")
    canvas.saved()
    expect(page.get_by_test_id("problems")).to_have_text("No problems")
    run = run_of(canvas)

    assert "completed" == run.json()["status"]
    assert MASK in run.text()
    assert [KEY, KEY] == door.keys
    assert_nowhere(page, live_server, run.text())

    page.goto("/connections/")
    name = canvas.name
    expect(row(page).get_by_role("link", name=name)).to_have_attribute("href", re.compile(f"/workflows/{name}"))
    page.get_by_role("button", name="Delete warehouse").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"{name}: http_request")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row(page)).to_have_count(0)

    page.goto(f"/workflows/{name}/")
    expect(page.get_by_test_id("problems")).not_to_have_text("No problems")
    canvas.node("http_request").click()
    expect(page.get_by_test_id("field-problem")).to_contain_text("There is no connection `warehouse`.")


def add(page: Page, door: DoorServer) -> None:
    """Fill in the form, first wrongly, and see the test pass."""
    page.goto("/connections/?new=http")
    form = page.get_by_role("dialog")
    form.get_by_label("Name", exact=True).fill("warehouse")
    form.get_by_label("Address").fill(door.url)
    form.get_by_role("combobox").click()
    page.get_by_role("option", name="header").click()
    form.get_by_role("button", name="Save and test").click()
    expect(form).to_contain_text("login header needs name and token")
    form.get_by_label("Header or parameter").fill("X-Key")
    form.get_by_label("Token").fill(KEY)
    form.get_by_role("button", name="Save and test").click()
    expect(form.get_by_role("status")).to_contain_text("answered 200")
    expect(form.get_by_label("Token")).to_have_value("")
    form.get_by_role("button", name="Done").click()


def row(page: Page):
    return page.get_by_test_id("connection-warehouse")


def run_of(canvas: Canvas):
    page = canvas.page
    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("runbar")).to_have_attribute("data-state", re.compile("completed|failed"))
    run_id = (page.get_by_test_id("open-run").get_attribute("href") or "").rstrip("/").rpartition("/")[2]
    answer = wait_for(lambda: page.request.get(f"/api/runs/{run_id}"))
    page.goto(f"/runs/{run_id}/")
    canvas.node("http_request").click()
    expect(page.locator("body")).to_contain_text(f"<<{MASK}>>")
    return answer


def assert_nowhere(page: Page, server: Serving, answer: str) -> None:
    """Look for the secret in what the browser has, what the API tells, and what the processes wrote."""
    places = {
        "the page": page.content(),
        "the run": answer,
        "the list": page.request.get("/api/connections").text(),
        "the connection": page.request.get("/api/connections/warehouse").text(),
        "the notifications": page.request.get("/api/notifications").text(),
    }
    for file in server.data.rglob("*"):
        if file.is_file() and not file.is_symlink() and "web" not in file.relative_to(server.data).parts[:1]:
            places[str(file)] = file.read_bytes().decode(errors="replace")
    assert any(name.endswith("canvas.db") for name in places)
    assert any(name.endswith("serve.log") for name in places)

    assert [] == [name for name, text in places.items() if KEY in text]
