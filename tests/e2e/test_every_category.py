"""A workflow with one action of each category, built in the browser and run against real services on the loopback."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, Page, expect

from tests.actions.mail_server import MailServer, mail_server
from tests.actions.mastodon_service import TOKEN, Mastodon
from tests.actions.service import Answer, Request, Service
from tests.actions.service import serving as speaking
from tests.actions.test_ai import KEY, Models
from tests.e2e.drawing import Canvas
from tests.serving import Serving, serving

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


class Weather(Service):
    """Says how it is."""

    def answer(self, request: Request) -> Answer:
        return Answer({"city": request.query["city"][0], "sky": "clear"})


@pytest.fixture
def weather() -> Iterator[Service]:
    """A service on the web."""
    with speaking(Weather()) as service:
        yield service


@pytest.fixture
def models() -> Iterator[Models]:
    """A model behind OpenAI's interface."""
    with speaking(Models()) as service:
        service.says = ["Clear skies over Lisbon"]
        yield service


@pytest.fixture
def mastodon() -> Iterator[Mastodon]:
    """A Mastodon server."""
    with speaking(Mastodon()) as service:
        yield service


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(mail_server()) as server:
        yield server


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A database file with an empty table."""
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE forecast (city TEXT, said TEXT)")
    connection.close()
    return path


@pytest.fixture
def server(tmp_path: Path, weather: Service) -> Iterator[Serving]:
    """`canvas serve` that may reach the weather and write into a folder."""
    (tmp_path / "files").mkdir()
    (tmp_path / "data").mkdir()
    origin = weather.url.removeprefix("http://")
    folder = str(tmp_path / "files")
    with serving(tmp_path / "data", CANVAS_HTTP_ALLOWED_ORIGINS=origin, CANVAS_FILES_DIR=folder) as server:
        yield server


@pytest.fixture
def page(browser: Browser, server: Serving) -> Iterator[Page]:
    """A page of that server."""
    context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def connect(page: Page, kind: str, name: str, *, security: str = "", **fields: str) -> None:
    """Add a connection by its form and see its test pass."""
    page.goto(f"/connections/?new={kind}")
    form = page.get_by_role("dialog")
    form.get_by_label("Name", exact=True).fill(name)
    for label, value in fields.items():
        form.get_by_label(label.replace("_", " ")).fill(value)
    if security:
        form.get_by_role("combobox").click()
        page.get_by_role("option", name=security).click()
    form.get_by_role("button", name="Save and test").click()
    expect(form.get_by_role("button", name="Done")).to_be_visible()
    form.get_by_role("button", name="Done").click()


def add(canvas: Canvas, action: str, **fields: str) -> None:
    """Add an action after the selection from the palette, and fill in its form."""
    canvas.page.get_by_test_id(f"palette-{action}").dblclick()
    expect(canvas.page.get_by_test_id("field-/action")).to_have_value(f'"{action}"')
    for name, value in fields.items():
        canvas.fill(f"/parameters/{name}", value)


def test_one_action_of_each_category(
    page: Page, models: Models, mastodon: Mastodon, mail: MailServer, ledger: Path, tmp_path: Path, weather: Service
):
    """Web, AI, social, data, messages and files: each does in the world what its form says."""
    connect(page, "openai", "writer", Base_URL=f"{models.url}/v1", API_key=KEY, Model="small")
    connect(page, "mastodon", "account", Server=mastodon.url, Token=TOKEN)
    connect(page, "database", "ledger", Address=f"sqlite:///{ledger}")
    connect(page, "smtp", "office", Host="127.0.0.1", Port=str(mail.port), From="canvas@example.org", security="none")
    page.request.post("/api/workflows", data={"name": "morning", "title": "Good morning"})
    canvas = Canvas(page, "morning")

    add(canvas, "http/request", url=f"{weather.url}/today?city=Lisbon")
    add(canvas, "ai/generate", prompt="Say nicely: {{ steps.http_request.output.body.sky }}")
    choose(canvas, "writer")
    add(canvas, "social/post", text="{{ steps.ai_generate.output.text }}!")
    choose(canvas, "account")
    add(canvas, "database/execute", statement="INSERT INTO forecast VALUES (:city, :said)")
    choose(canvas, "ledger")
    bind(canvas, 0, "city", "{{ steps.http_request.output.body.city }}")
    bind(canvas, 1, "said", "{{ steps.ai_generate.output.text }}")
    add(canvas, "email/send", subject="Forecast", text="{{ steps.social_post.output.url }}")
    choose(canvas, "office")
    page.get_by_test_id("add-/parameters/to").click()
    canvas.fill("/parameters/to/0", "ada@example.org")
    add(canvas, "file/write", path="forecast.txt", content="{{ steps.ai_generate.output.text }}")
    canvas.saved()
    expect(page.get_by_test_id("problems")).to_have_text("No problems")

    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("runbar")).to_have_attribute("data-state", "completed", timeout=60_000)

    assert "Say nicely: clear" in str(models.chats[-1])
    (post,) = mastodon.forms
    assert "Clear skies over Lisbon!" == post["status"]
    with sqlite3.connect(ledger) as connection:
        assert [("Lisbon", "Clear skies over Lisbon")] == connection.execute("SELECT * FROM forecast").fetchall()
    connection.close()
    (message,) = mail.taken
    assert ("Forecast", "ada@example.org") == (message["subject"], message["to"])
    assert "https://loop.example/@canvas/" in message.get_content()
    assert "Clear skies over Lisbon" == (tmp_path / "files" / "forecast.txt").read_text()


def choose(canvas: Canvas, connection: str) -> None:
    """Choose the connection of the selected step."""
    canvas.page.get_by_test_id("field-/parameters/connection").select_option(label=connection)


def bind(canvas: Canvas, index: int, name: str, value: str) -> None:
    """Give a statement one of its values."""
    page = canvas.page
    page.get_by_test_id("add-/parameters/parameters").click()
    key = page.get_by_test_id(f"key-/parameters/parameters-{index}")
    key.fill(name)
    key.press("Enter")
    canvas.fill(f"/parameters/parameters/{name}", value)
