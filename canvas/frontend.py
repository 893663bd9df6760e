"""Builds the pages from a checkout, but only when what they are made of has changed: `python -m canvas.frontend`."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import orjson

ROOT: Final = Path(__file__).resolve().parent.parent
WEB: Final = ROOT / ".web"

_STAMP: Final = WEB / "canvas-build.stamp"
_SOURCES: Final = (
    "rxconfig.py",
    "canvas/canvas.py",
    "canvas/build_plugin.py",
    "canvas/ui/**/*",
    "canvas/domain/problems.py",
    "canvas/services/views/*",
    "assets/**/*",
    "requirements/run.lock",
)
_LOCK: Final = ("reflex.lock/*",)


def is_built() -> bool:
    """Whether the built pages are those of the present sources."""
    return _STAMP.exists() and _STAMP.read_text() == _fingerprint(_SOURCES) + _fingerprint(_LOCK)


def build() -> bool:
    """Build the pages if they are missing or stale. Takes 10 to 40 seconds; several callers wait for one build.

    Returns:
        Whether anything had to be built.

    Raises:
        RuntimeError: The build failed; the message ends with what it printed last.
    """
    WEB.mkdir(exist_ok=True)
    with _one_at_a_time(WEB / "canvas-build.lock"):
        if is_built():
            return False
        _STAMP.unlink(missing_ok=True)
        sources = _fingerprint(_SOURCES)
        _export()  # completes the lock when a page needs a new package
        _settle_lock()
        _STAMP.write_text(sources + _fingerprint(_LOCK))
    return True


def _fingerprint(patterns: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for path in _files(patterns):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _files(patterns: Iterable[str]) -> list[Path]:
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    generated = ROOT / "assets" / "external"
    return sorted(p for p in found if "__pycache__" not in p.parts and generated not in p.parents)


def _export() -> None:
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    done = subprocess.run(  # noqa: S603 (a fixed command of our own interpreter)
        command, cwd=ROOT, env=_build_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError("the frontend build failed:\n" + (done.stdout + done.stderr)[-4000:])


def _settle_lock() -> None:
    """Sort what Reflex writes in the order it met things, so that a build that adds no package changes no file."""
    manifest = ROOT / "reflex.lock" / "package.json"
    content = orjson.loads(manifest.read_bytes())
    manifest.write_bytes(
        orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )


def _build_environment() -> dict[str, str]:
    """Use the node of the virtual environment and the package registry that npm is configured for."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "REFLEX_USE_NPM": "1",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "npm_config_omit_lockfile_registry_resolved": "true",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
    }
    if "NPM_CONFIG_REGISTRY" not in environment:
        environment["NPM_CONFIG_REGISTRY"] = _configured_registry(environment)
    return environment


def _configured_registry(environment: dict[str, str]) -> str:
    command = ["npm", "config", "get", "registry"]
    answer = subprocess.run(  # noqa: S603 (npm of the environment that the build itself uses)
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        print("frontend built" if build() else "frontend is up to date")  # noqa: T201 (this is the command's answer)
    except RuntimeError as error:
        sys.exit(str(error))
