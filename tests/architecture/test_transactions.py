"""Who owns a transaction: the entry point opens and ends it, services work inside."""

import ast
from pathlib import Path

import pytest

from canvas import services

FILES = sorted(Path(services.__path__[0]).rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_service_ends_a_transaction(file: Path):
    """Neither by committing nor by rolling back; savepoints are its own business."""
    calls = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
    names = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}

    assert not names & {"commit", "rollback"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_public_functions_take_the_session_first(file: Path):
    """So that any entry point can call them within its own transaction."""
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            arguments = [argument.arg for argument in node.args.args]
            assert "session" not in arguments[1:], node.name
