"""Refreshes the table of functions in `expressions.md`: `python -m docs.expressions_table`."""

from pathlib import Path

from canvas.domain.expressions.guide import functions_markdown

PAGE = Path(__file__).parent / "expressions.md"
START = "<!-- functions: written from the table of functions; `python -m docs.expressions_table` refreshes it -->\n"
END = "<!-- end of functions -->"


def refreshed(text: str) -> str:
    """Put the present table between the page's two marks."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{functions_markdown()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(refreshed(PAGE.read_text("utf-8")), "utf-8")
