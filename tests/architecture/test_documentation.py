"""Every action, setting, command and route is documented, and the pages say what the code says."""

import pytest

from docs import reference


@pytest.mark.parametrize("file", reference.pages(), ids=lambda file: file.name)
def test_the_reference_is_up_to_date(file):
    """`python -m docs.reference` would change nothing."""
    assert reference.pages()[file] == file.read_text("utf-8")
