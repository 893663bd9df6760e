"""Every action, setting, command and route is documented, and the pages say what the code says."""

import re
from pathlib import Path

import pytest

from canvas.actions.registry import registry
from canvas.domain.catalog import Catalog
from canvas.domain.dsl import parse
from canvas.domain.validation import check
from docs import reference

ROOT = Path(reference.__file__).parent.parent
WORKFLOWS = {
    f"{page.stem} {number}": text
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for number, text in enumerate(re.findall(r"```yaml\n(dsl: .*?)```", page.read_text("utf-8"), re.DOTALL))
    if "kind: action" not in text
}
ABOUT_OTHERS = {"unknown_workflow", "unknown_connection"}


@pytest.mark.parametrize("file", reference.pages(), ids=lambda file: file.name)
def test_the_reference_is_up_to_date(file):
    """`python -m docs.reference` would change nothing."""
    assert reference.pages()[file] == file.read_text("utf-8")


@pytest.mark.parametrize("text", WORKFLOWS.values(), ids=WORKFLOWS)
def test_the_workflows_in_the_manual_are_valid(text):
    """Whoever copies one from a page can import it as it stands."""
    catalog = Catalog(actions={name: action.spec for name, action in registry().items()})

    assert [] == [p for p in check(parse(text), catalog) if p.is_error and p.code not in ABOUT_OTHERS]
