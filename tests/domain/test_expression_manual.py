"""The manual of the expression language says what is."""

from docs import expressions_table


def test_the_manual_lists_the_functions_that_are() -> None:
    """`docs/expressions.md` holds the present table of functions; the module beside it refreshes the page."""
    page = expressions_table.PAGE.read_text("utf-8")

    assert expressions_table.refreshed(page) == page
