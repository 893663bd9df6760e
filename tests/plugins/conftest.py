"""Packages that bring plug-ins: the example, really installed, and small ones that misbehave."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from canvas import frontend

EXAMPLE = frontend.ROOT / "examples" / "plugin"
GOOD = """
from pydantic import BaseModel, Field
from canvas.actions.registry import Arguments, action

class Given(Arguments):
    text: str = Field(description="What to say.")

class Said(BaseModel):
    text: str = Field(description="What was said.")

def register(name="greet/say", **more):
    known = dict(title="Say", category="Data", idempotent=True, touches_world=False, permissions=(),
                 security="Computes only.", example=Given(text="hi"), example_result=Said(text="hi"))
    @action(name, **{**known, **more})
    async def say(args: Given, context) -> Said:
        "Say something."
        return Said(text=args.text)
    return say
"""
Canvas = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the example is installed in by pip, without a network."""
    source, target = tmp_path_factory.mktemp("source") / "plugin", tmp_path_factory.mktemp("installed")
    shutil.copytree(EXAMPLE, source)  # building leaves traces
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", target, source], check=True, capture_output=True, text=True)
    return target


@pytest.fixture(scope="session")
def make_package() -> Callable[..., Path]:
    """Make a package as it lies in an environment: a module, and the entry point that names it; gives its folder."""

    def make(folder: Path, name: str, code: str, version: str = "0.1") -> Path:
        about = folder / f"{name}-{version}.dist-info"
        about.mkdir(parents=True)
        (folder / f"{name}.py").write_text(f"{GOOD}\n{code}\n")
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (about / "entry_points.txt").write_text(f"[canvas.actions]\nmain = {name}\n")
        return folder

    return make


@pytest.fixture(scope="session")
def run_python(tmp_path_factory: pytest.TempPathFactory) -> Canvas:
    """Run Python with some folder on its path and data of its own; gives what it did."""
    data = tmp_path_factory.mktemp("data")

    def run(folder: Path, *arguments: str, check: bool = True, given: str = "") -> subprocess.CompletedProcess:
        own = {"PYTHONPATH": f"{folder}{os.pathsep}{frontend.ROOT}", "CANVAS_DATA_DIR": str(data)}
        return subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, **own},
            cwd=data,
            input=given,
            capture_output=True,
            text=True,
            check=check,
        )

    return run


@pytest.fixture(scope="session")
def canvas_with(run_python: Canvas) -> Callable[..., list[tuple[int, str, str]]]:
    """Run `canvas` commands in one process with some folder on its path; gives exit code and both outputs of each.

    A last word that begins with `<` is what the command reads.
    """
    code = """
import sys, orjson
from click.testing import CliRunner
from canvas.cli import canvas
calls = orjson.loads(sys.stdin.read())
done = [CliRunner().invoke(canvas, arguments, input=given) for arguments, given in calls]
sys.stdout.buffer.write(orjson.dumps([[one.exit_code, one.stdout, one.stderr] for one in done]))
"""

    def run(folder: Path, *commands: list[str]) -> list[tuple[int, str, str]]:
        calls = [(command[:-1], command[-1][1:]) if command[-1][:1] == "<" else (command, "") for command in commands]
        ran = run_python(folder, "-c", code, given=orjson.dumps(calls).decode())
        return [tuple(each) for each in orjson.loads(ran.stdout)]

    return run


@pytest.fixture(scope="session")
def look_at(run_python: Canvas) -> Callable[[Path], tuple[dict, list[str]]]:
    """Tell what a process makes of the plug-ins in a folder: the report of each by package, and all actions' names."""
    code = (
        "import orjson, sys; from canvas.actions.registry import plugins, registry; "
        "sys.stdout.buffer.write(orjson.dumps([plugins(), list(registry())]))"
    )

    def look(folder: Path) -> tuple[dict, list[str]]:
        found, names = orjson.loads(run_python(folder, "-c", code).stdout)
        return {plugin["package"]: plugin for plugin in found}, names

    return look
