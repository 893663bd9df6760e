"""A server and a browser per test session, a browser context per test."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import chromium
from tests.e2e.drawing import Canvas, Studio
from tests.serving import Serving, serving


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """`canvas serve` with a database of its own."""
    with serving(Path(tmp_path_factory.mktemp("served"))) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium without a window."""
    path = chromium.find()
    assert path is not None, "no Chromium; run `make test`, which installs one"
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, live_server: Serving) -> Iterator[Page]:
    """A page in a context of its own, so that no state is shared; relative addresses lead to the server."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def studio(page: Page, live_server: Serving) -> Studio:
    """Open the editor with a workflow given as text, or with a new one."""

    def open_editor(text: str = "") -> Canvas:
        name = f"drawn_{uuid4().hex[:12]}"
        document = f"dsl: canvas/v1\nname: {name}\n{text or 'steps: []'}\n"
        answer = page.request.post("/api/workflows/import", data=document, headers={"Content-Type": "application/yaml"})
        assert answer.ok, answer.text()
        return Canvas(page, name)

    return open_editor
