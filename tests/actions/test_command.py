"""`command/run`: only what is allowed, never a shell, and nothing it started is left."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from canvas.actions import process
from canvas.actions.command import CommandFailed, allowed_commands
from canvas.actions.folder import FileFailed
from canvas.actions.registry import InvalidArguments, registry
from canvas.settings import Settings
from tests.serving import wait_for

PYTHON = f"python={sys.executable}"
DETACHED = """
import os, sys, time
for _ in range(2):                       # a daemon: forks twice, in a session of its own, deaf to polite words
    if os.fork(): {parent}
    os.setsid()
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(sys.argv[1] + ".new", "w") as file: file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(600)
"""


@pytest.fixture
def call(make_context):
    """Run Python, which is allowed here, with the given code."""

    async def call(code: str, *arguments: str, settings: dict | None = None, **given):
        context = make_context(**{"commands": PYTHON, **(settings or {})})
        return await registry()["command/run"].call(
            {"command": "python", "arguments": ["-c", code, *arguments], **given}, context
        )

    return call


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def pid_in(file: Path) -> int:
    return wait_for(lambda: file.exists() and int(file.read_text()))


async def test_what_goes_in_and_out(call):
    """Arguments are passed as they stand, input is read, both outputs and the exit code come back."""
    code = "import sys; print(sys.argv[1:]); sys.stderr.write(sys.stdin.read()); sys.exit(3)"
    hostile = ["; rm -rf /", "$(id)", "a b", "'", "", "*", "ü"]

    result = await call(code, *hostile, stdin="grüße", expect_exit=[3])

    assert (f"{hostile}\n", "grüße", 3, False) == tuple(
        result[key] for key in ("stdout", "stderr", "exit_code", "is_truncated")
    )


async def test_an_unexpected_exit_code_fails(call):
    """The failure carries the code and the end of what was written to the error output."""
    with pytest.raises(CommandFailed, match=r"(?s)python ended with exit code 4: x+\nthe reason") as caught:
        await call("import sys; sys.stderr.write('x' * 10_000 + '\\nthe reason'); sys.exit(4)")

    assert 4 == caught.value.details["exit_code"]
    assert 4 == (await call("raise SystemExit(4)", expect_exit=[]))["exit_code"]


async def test_a_signal_is_told_as_such(call):
    """A command that was killed did not just exit."""
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    with pytest.raises(CommandFailed, match="ended with signal 9"):
        await call(code)
    assert -9 == (await call(code, expect_exit=[-9]))["exit_code"]


async def test_a_chatty_command_is_drained_and_cut(call, monkeypatch):
    """Output beyond the limit is thrown away as it comes: the command is not held up, and memory is not filled."""
    monkeypatch.setattr(process, "MAX_OUTPUT_BYTES", 1_000)
    code = "import sys\nfor stream in (sys.stdout, sys.stderr):\n    for _ in range(200): stream.write('y' * 100_000)"

    result = await call(code, stdin="never read" * 100_000)

    assert (1_000, 1_000, True) == (len(result["stdout"]), len(result["stderr"]), result["is_truncated"])


async def test_output_that_is_no_text_is_shown_as_far_as_it_goes(call):
    """Bytes that are no UTF-8 become replacement characters."""
    assert "a\ufffdb" == (await call("import os; os.write(1, b'a\\xffb')"))["stdout"]


async def test_the_time_limit_ends_everything(call, tmp_path):
    """Also children that detached themselves and ignore SIGTERM."""
    monitored = tmp_path / "pid"

    with pytest.raises(CommandFailed, match="longer than 1 s and was ended") as caught:
        await call(DETACHED.format(parent="time.sleep(600)"), str(monitored), timeout_seconds=1)

    assert caught.value.retryable
    assert not monitored.exists() or is_gone(pid_in(monitored))


async def test_what_a_command_leaves_behind_ends_with_it(call, tmp_path):
    """A daemon that holds the output open neither survives nor keeps the step waiting."""
    monitored = tmp_path / "pid"
    patience = "\n        while not os.path.exists(sys.argv[1]): pass\n        os._exit(0)"

    result = await call(DETACHED.format(parent=patience), str(monitored))

    assert 0 == result["exit_code"]
    assert is_gone(pid_in(monitored))


async def test_cancelling_ends_everything(call, tmp_path):
    """A cancelled attempt is over when its processes are."""
    monitored = tmp_path / "pid"
    attempt = asyncio.create_task(call(DETACHED.format(parent="time.sleep(600)"), str(monitored)))
    pid = await asyncio.to_thread(pid_in, monitored)

    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt

    assert is_gone(pid)


async def test_cancelling_at_any_moment_leaves_nothing(call):
    """Also while the program is just being started."""
    for moment in range(12):
        attempt = asyncio.create_task(call("import time; time.sleep(600)"))
        for _ in range(moment):
            await asyncio.sleep(0)

        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt

        assert not [one for one in psutil.Process(os.getpid()).children() if "keeper.py" in " ".join(one.cmdline())]


async def test_a_command_is_asked_before_it_is_killed(call, tmp_path):
    """SIGTERM comes first, with time to tidy up."""
    ready, tidied = tmp_path / "ready", tmp_path / "tidied"
    code = (
        "import signal, sys, time\n"
        "def tidy(*_):\n    with open(sys.argv[2], 'w') as file: file.write('done')\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, tidy); open(sys.argv[1], 'w'); time.sleep(600)"
    )
    attempt = asyncio.create_task(call(code, str(ready), str(tidied)))
    await asyncio.to_thread(wait_for, ready.exists)

    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt

    assert "done" == tidied.read_text()


def test_the_death_of_the_engine_ends_everything(tmp_path):
    """Killed with SIGKILL, the engine cannot tidy up; the kernel tells the keeper, and the keeper does."""
    monitored = tmp_path / "pid"
    engine = f"""
import asyncio
from pathlib import Path
from canvas.actions.process import Program, run_program
program = Program(Path({sys.executable!r}), ["-c", {DETACHED.format(parent="time.sleep(600)")!r}, {str(monitored)!r}],
                  {{}}, "/", b"")
asyncio.run(run_program(program, 600))
"""
    running = subprocess.Popen([sys.executable, "-c", engine])
    pid = pid_in(monitored)
    family = psutil.Process(running.pid).children(recursive=True)
    assert pid in {one.pid for one in family}

    running.send_signal(signal.SIGKILL)
    running.wait()

    wait_for(lambda: all(is_gone(one.pid) for one in family))


async def test_the_environment_holds_no_secrets(call, monkeypatch):
    """Neither our own settings nor anything else of the engine's environment reaches a command."""
    monkeypatch.setenv("CANVAS_SECRET_KEYS", "hidden")
    monkeypatch.setenv("DATABASE_URL", "hidden")
    monkeypatch.setenv("LANG", "C.UTF-8")

    shown = eval((await call("import os; print(dict(os.environ))"))["stdout"])

    assert "hidden" not in str(shown)
    assert set(process._KEPT_VARIABLES) >= shown.keys() - {"LC_CTYPE"}  # Python itself adds that one
    assert "C.UTF-8" == shown["LANG"]


async def test_variables_are_allowed_by_name(call):
    """A workflow may set what the administrator named, and nothing that makes a program load code."""
    code = "import os; print(os.environ['REGION'])"

    with pytest.raises(CommandFailed, match="LD_PRELOAD may not be set here"):
        await call(code, environment={"REGION": "eu", "LD_PRELOAD": "x.so"}, settings={"command_variables": "REGION"})
    assert (
        "eu\n"
        == (await call(code, environment={"REGION": "eu"}, settings={"command_variables": "A, REGION"}))["stdout"]
    )


async def test_where_it_runs(call, tmp_path):
    """In an empty temporary folder; with files on, in their folder or one inside it, and in none outside."""
    code = "import os; print(os.getcwd(), os.listdir())"
    (tmp_path / "files" / "sub").mkdir(parents=True)
    (tmp_path / "files" / "link").symlink_to(tmp_path)
    files = {"files_dir": str(tmp_path / "files"), "data_dir": tmp_path / "data"}

    temporary, listed = (await call(code))["stdout"].split()
    assert "[]" == listed
    assert not Path(temporary).exists()
    assert f"{tmp_path}/files" == (await call(code, settings=files))["stdout"].split()[0]
    assert f"{tmp_path}/files/sub []\n" == (await call(code, settings=files, folder="sub"))["stdout"]
    for folder in ("..", "link", "/etc", "none"):
        with pytest.raises(FileFailed):
            await call(code, settings=files, folder=folder)
    with pytest.raises(FileFailed, match="CANVAS_FILES_DIR"):
        await call(code, folder="sub")


async def test_only_what_is_allowed(make_context):
    """Off without the setting; with it, by name only."""
    run = registry()["command/run"]

    with pytest.raises(CommandFailed, match="switched off here: set CANVAS_COMMANDS"):
        await run.call({"command": "python"}, make_context())
    with pytest.raises(CommandFailed, match=r"'/bin/sh' is not allowed here; CANVAS_COMMANDS allows python\."):
        await run.call({"command": "/bin/sh"}, make_context(commands=PYTHON))
    with pytest.raises(CommandFailed, match="is no program on this machine"):
        await run.call({"command": "a"}, make_context(commands="a=/nowhere/a"))
    with pytest.raises(InvalidArguments, match="null character"):
        await run.call({"command": "a", "arguments": ["\0"]}, make_context())


@pytest.mark.parametrize("text", ["python", "python=", "=/bin/ls", "ls=bin/ls"])
def test_an_allow_list_that_cannot_be_read(text):
    """A typing error opens nothing."""
    with pytest.raises(CommandFailed, match="is no `name=/absolute/path`"):
        allowed_commands(Settings(commands=text))


async def test_many_at_once(call):
    """Commands do not hold one another up, and none is mistaken for another."""
    results = await asyncio.gather(*(call(f"import time; time.sleep(0.2); print({number})") for number in range(8)))

    assert [f"{number}\n" for number in range(8)] == [result["stdout"] for result in results]
    assert not [child for child in psutil.Process(os.getpid()).children() if child.status() == psutil.STATUS_ZOMBIE]
