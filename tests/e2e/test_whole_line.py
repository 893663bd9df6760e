"""From nothing to two finished runs, as a person would do it, with the engine killed in the middle."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.test_editor import Canvas
from tests.serving import Serving, serving, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.crash, pytest.mark.timeout(300)]

ITEMS = 8


class Counted(ThreadingHTTPServer):
    """A service that counts the calls for each item and takes a moment to answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: Counter[str] = Counter()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Counted

    def do_GET(self) -> None:
        item = parse_qs(urlsplit(self.path).query)["item"][0]
        self.server.calls[item] += 1
        threading.Event().wait(0.3)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def counted() -> Iterator[Counted]:
    """The service, on a free port."""
    server = Counted()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def server(tmp_path: Path, counted: Counted) -> Iterator[Serving]:
    """`canvas serve` that may call the service."""
    with serving(tmp_path, CANVAS_HTTP_ALLOWED_ORIGINS=counted.url) as server:
        yield server


@pytest.fixture
def page(browser: Browser, server: Serving) -> Iterator[Page]:
    """A page of that server."""
    context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def test_from_nothing_to_two_finished_runs(page: Page, server: Serving, counted: Counted) -> None:
    """Draw, run, watch, kill, resume, export, import: every piece holds, and no finished step runs again."""
    canvas = create(page, "Check every item")
    draw(canvas)
    configure(canvas, counted.url)
    run_id = run(canvas)

    wait_for(lambda: counted.calls["3"])
    finished = completed_paths(server, run_id)
    expect(canvas.node("condition")).to_have_attribute("data-state", "completed")
    expect(canvas.node("loop")).to_have_attribute("data-state", "running")
    server.kill_engine()

    for name, state in {"http_request": "completed", "loop": "completed", "log_event": "completed"}.items():
        expect(canvas.node(name)).to_have_attribute("data-state", state, timeout=30_000)
    expect(canvas.node("log_event_2")).to_have_attribute("data-state", "skipped")
    expect(page.get_by_test_id("runbar")).to_have_attribute("data-state", "completed")
    assert_nothing_finished_ran_twice(server, run_id, finished, counted)

    text = export_yaml(canvas)
    import_and_run(page, text.replace("name: check_every_item", "name: checked_again"))
    find_both_runs(page)


def create(page: Page, title: str) -> Canvas:
    page.goto("/")
    page.get_by_role("button", name="New workflow").first.click()
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Create").click()
    page.wait_for_url(re.compile("/workflows/check_every_item"))
    return Canvas(page, "check_every_item")


def draw(canvas: Canvas) -> None:
    """An if/else whose one arm is a loop around a call, and a last step after the loop."""
    canvas.drop("condition", 150, 340)
    canvas.drop("loop", 420, 160)
    canvas.drop("http/request", 420, 175)
    canvas.drop("log/event", 690, 160)
    canvas.drop("log/event", 420, 520)
    canvas.connect("condition", "IF_TRUE", "loop")
    canvas.connect("condition", "IF_FALSE", "log_event_2")
    canvas.connect("loop", "SUCCESS", "log_event")
    assert 3 == canvas.edges()


def configure(canvas: Canvas, url: str) -> None:
    page = canvas.page
    canvas.press("Escape")
    page.get_by_test_id("add-parameter").click()
    page.get_by_test_id("parameter-name-0").fill("items")
    page.get_by_test_id("parameter-name-0").press("Enter")
    page.get_by_test_id("parameter-type-items").select_option(label="integer")

    canvas.node("condition").click()
    canvas.fill("/condition", "workflow.parameters.items > 3")
    canvas.node("loop").click(position={"x": 60, "y": 15})
    page.get_by_test_id("loop-times").click()
    canvas.fill("/times", "{{ workflow.parameters.items }}")
    canvas.node("http_request").click()
    canvas.fill("/parameters/url", url + "/?item={{ index }}")
    page.get_by_test_id("fold-trouble").click()
    page.get_by_test_id("field-/on_lost").select_option(label="retry")
    canvas.node("log_event").click()
    canvas.fill("/parameters/message", "Checked {{ steps.loop.output.count }} items")
    canvas.node("log_event_2").click()
    canvas.fill("/parameters/message", "Too few to check")
    canvas.saved()
    expect(page.get_by_test_id("problems")).to_contain_text("No problems")


def run(canvas: Canvas) -> str:
    """Start a run from the editor and stay there; gives its id."""
    page = canvas.page
    page.get_by_test_id("run").click()
    canvas.fill("/items", str(ITEMS))
    page.get_by_test_id("run-start").click()
    expect(page.get_by_test_id("runbar")).to_have_attribute("data-state", "running")
    address = page.get_by_test_id("open-run").get_attribute("href")
    assert address is not None
    return address.rstrip("/").rpartition("/")[2]


def executions(server: Serving, run_id: str) -> dict[str, dict[str, Any]]:
    """The last attempt at every step of a run, by path."""
    return httpx.get(f"{server.url}/api/runs/{run_id}", timeout=10).raise_for_status().json()["step_executions"]


def completed_paths(server: Serving, run_id: str) -> set[str]:
    return {path for path, step in executions(server, run_id).items() if step["status"] == "completed"}


def assert_nothing_finished_ran_twice(server: Serving, run_id: str, finished: set[str], counted: Counted) -> None:
    """What had completed before the kill has one attempt and one call; what was cut off was called again, once."""
    found = executions(server, run_id)
    calls = {f"loop[{item}]/http_request": times for item, times in counted.calls.items()}

    assert {f"loop[{index}]/http_request" for index in range(3)} <= finished
    assert dict.fromkeys(finished, 1) == {path: found[path]["attempt"] for path in finished}
    assert {1} == {times for path, times in calls.items() if path in finished}
    assert {f"loop[{index}]/http_request" for index in range(ITEMS)} == set(calls)
    assert ITEMS <= sum(calls.values()) <= ITEMS + 1


def export_yaml(canvas: Canvas) -> str:
    page = canvas.page
    page.get_by_test_id("export").click()
    with page.expect_download() as download:
        page.get_by_test_id("export-yaml").click()
    return download.value.path().read_text()


def import_and_run(page: Page, text: str) -> None:
    """Import a file as a workflow of its own and run it with too few items, so that the other arm is taken."""
    page.goto("/")
    page.get_by_role("button", name="Import").first.click()
    page.get_by_role("textbox", name="Definition").fill(text)
    page.get_by_role("dialog").get_by_role("button", name="Import").click()
    page.wait_for_url(re.compile("/workflows/checked_again"))
    canvas = Canvas(page, "checked_again")
    page.get_by_test_id("run").click()
    canvas.fill("/items", "1")
    page.get_by_test_id("run-start").click()

    expect(canvas.node("log_event_2")).to_have_attribute("data-state", "completed")
    expect(canvas.node("loop")).to_have_attribute("data-state", "skipped")


def find_both_runs(page: Page) -> None:
    page.goto("/runs/")
    for name in ("check_every_item", "checked_again"):
        row = page.get_by_role("row").filter(has_text=name)
        expect(row).to_have_count(1)
        expect(row).to_contain_text("completed")
