"""Tokens in a real browser: made, copied once, used by a program, revoked."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.serving import Serving

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def test_a_token_is_made_shown_once_and_revoked(page: Page, live_server: Serving):
    """Its secret works from when it is shown until it is revoked, and is nowhere on the page afterwards."""
    page.goto("/settings")
    page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("build server")
    dialog.get_by_role("button", name="Create").click()
    secret = dialog.locator("[data-secret=token]").inner_text()
    dialog.get_by_role("button", name="Done").click()

    row = page.get_by_role("row").filter(has_text="build server")
    expect(row).to_contain_text(secret[:13])
    assert secret not in page.content()
    assert 200 == _status(live_server, secret)

    row.get_by_role("button", name="Revoke build server").click()
    page.get_by_role("alertdialog").or_(page.get_by_role("dialog")).get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert 401 == _status(live_server, secret)


def _status(server: Serving, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    return httpx.get(f"{server.url}/api/workflows", headers=headers, timeout=30).status_code
