"""The catalogue in a real browser."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e


def test_an_action_is_found_and_explained(page: Page):
    """Typing another system's name finds it; its page has an address of its own, with fields, example and back."""
    page.goto("/actions")
    page.get_by_role("textbox", name="Search actions").or_(page.get_by_role("searchbox")).fill("TRIGGER_WEBHOOK")
    rows = page.locator(".action-row")
    expect(rows).to_have_count(1)
    rows.first.click()

    page.wait_for_url("**/actions?name=webhook/send")
    detail = page.get_by_test_id("action-detail")
    expect(detail.get_by_role("heading", name="Send a webhook")).to_be_visible()
    expect(detail.get_by_role("table", name="Arguments")).to_contain_text("connection")
    expect(detail.get_by_label("Example", exact=True)).to_contain_text("action: webhook/send")
    page.go_back()
    expect(detail).to_have_count(0)


def test_categories_narrow_the_list(page: Page):
    """The step types that other systems have as actions are one of them."""
    page.goto("/actions")
    page.get_by_role("button", name="Control flow").click()

    expect(page.locator(".action-row")).to_have_count(3)
    page.locator('a[href="/actions?name=condition"]').click()
    expect(page.get_by_test_id("action-detail")).to_contain_text("CONDITIONAL_BRANCH")
