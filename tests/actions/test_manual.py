"""The manual's examples of actions are definitions that can be published."""

import re
from pathlib import Path

import pytest

from canvas.actions.registry import registry
from canvas.domain.catalog import Catalog
from canvas.domain.dsl import parse
from canvas.domain.validation import check

DOCS = Path(__file__).parents[2] / "docs"


def examples_of(page: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


EXAMPLES = examples_of("data-and-ai.md")


@pytest.mark.parametrize("steps", [*EXAMPLES, *examples_of("web.md")])
def test_an_example_is_valid(steps):
    """Nothing is wrong with it but the connection that nobody has made yet."""
    catalog = Catalog(actions={name: action.spec for name, action in registry().items()})

    problems = check(parse(f"dsl: canvas/v1\nname: manual\n{steps}"), catalog)

    assert {"unknown_connection"} >= {problem.code for problem in problems}


def test_a_template_in_sql_is_an_error():
    """Values are handed over beside the statement; text from outside never becomes part of it."""
    catalog = Catalog(actions={"database/execute": registry()["database/execute"].spec}, connections={"db": "database"})
    text = EXAMPLES[1].replace("connection: sales", "connection: db").replace("IN :ids", "IN ({{ trigger.data.ids }})")

    problems = check(parse(f"dsl: canvas/v1\nname: manual\n{text}"), catalog)

    assert ["template_not_allowed"] == [problem.code for problem in problems]
