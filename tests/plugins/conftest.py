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

    def run(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        own = {"PYTHONPATH": f"{folder}{os.pathsep}{frontend.ROOT}", "CANVAS_DATA_DIR": str(data)}
        return subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, **own},
            cwd=data,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=check,
        )

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
