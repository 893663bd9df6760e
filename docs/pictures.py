"""Takes the pictures in `docs/images` from the running product: `python -m docs.pictures`.

Starts Canvas and the demo service on free ports with a database of their own, loads the examples, runs a few, and
photographs pages in a real Chromium.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from tests import chromium
from tests.serving import Serving, free_port, serving, wait_for

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
_USES = """
dsl: canvas/v1
name: order_confirmation
title: Order confirmation
steps:
  - name: stock
    type: action
    action: http/request
    parameters: {connection: warehouse, url: "https://example.com"}
  - name: confirm
    type: action
    action: email/send
    parameters: {connection: office-mail, to: [ann@example.com], subject: Your order, text: On its way}
"""


def take_pictures() -> None:
    """Write every picture; takes about a minute."""
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        _demo_service() as demo,
        serving(Path(folder), CANVAS_HTTP_ALLOWED_ORIGINS=demo) as server,
        sync_playwright() as playwright,
    ):
        server.canvas("import", *map(str, sorted((ROOT / "examples").glob("*.yaml"))), "--publish")
        runs = {name: _run(server, name, demo) for name in ("enrich_customers", "order_triage", "sales_report")}
        _connections(server, demo)
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.FLAGS)
        for scheme in ("light", "dark"):
            size = {"width": 1280, "height": 800}
            context = browser.new_context(base_url=server.url, viewport=size, color_scheme=scheme)
            page = context.new_page()
            _photograph(page, "/", f"workflows-{scheme}")
            _photograph(page, "/workflows/api_health_check/", f"editor-{scheme}", select="is_healthy")
            _photograph(page, f"/runs/{runs['enrich_customers']}/", f"run-{scheme}", select="look_up")
            _photograph(page, "/runs/", f"runs-{scheme}")
            _photograph(page, "/connections/", f"connections-{scheme}")
            context.close()
        browser.close()


def _photograph(page: Page, address: str, name: str, *, select: str = "") -> None:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    if select:
        page.get_by_test_id(f"node-{select}").click()
    page.wait_for_timeout(800)
    page.screenshot(path=IMAGES / f"{name}.png")


def _connections(server: Serving, demo: str) -> None:
    """Keep a connection that works, one that does not, and one that nobody uses, with a workflow that names them."""
    api = f"{server.url}/api"
    for name, kind, config, description in (
        ("office-mail", "smtp", {"host": "127.0.0.1", "port": 1, "sender": "orders@example.com"}, "What customers get"),
        ("team-chat", "slack", {"token": "xoxb-not-a-token"}, ""),
        ("warehouse", "http", {"url": f"{demo}/health"}, "Stock and deliveries"),
    ):
        body = {"name": name, "kind": kind, "config": config, "description": description}
        httpx.post(f"{api}/connections", json=body).raise_for_status()
    httpx.post(f"{api}/workflows/import", content=_USES).raise_for_status()
    for name in ("office-mail", "warehouse"):
        httpx.post(f"{api}/connections/{name}/test", timeout=40).raise_for_status()


def _run(server: Serving, name: str, demo: str) -> str:
    body = {"parameters": {"service_url": demo}}
    answer = httpx.post(f"{server.url}/api/workflows/{name}/runs?wait=30", json=body, timeout=40)
    return answer.raise_for_status().json()["id"]


@contextmanager
def _demo_service() -> Iterator[str]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = subprocess.Popen([sys.executable, "-m", "examples.demo_service", str(port)], cwd=ROOT)
    try:
        wait_for(lambda: _answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    take_pictures()
