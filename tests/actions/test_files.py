"""`file/read` and `file/write`: inside the configured folder, complete or not at all."""

import base64
import os
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.actions import files
from canvas.actions.folder import FileFailed, Folder
from canvas.actions.registry import registry
from tests.serving import wait_for


def names(folder: Path) -> list[str]:
    return sorted(it.name for it in folder.iterdir())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The configured folder; beside it lies what nobody may reach."""
    (tmp_path / "files").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    return tmp_path / "files"


@pytest.fixture
def call(make_context, root: Path):
    """Call an action with files switched on."""
    context = make_context(files_dir=str(root), data_dir=root.parent / "data")

    async def call(name: str, **arguments):
        return await registry()[name].call(arguments, context)

    return call


async def test_what_is_written_is_read(call):
    """Text, values and bytes come back as they were."""
    for format, content in [
        ("text", "grüße\n"),
        ("json", {"a": [1, None]}),
        ("base64", base64.b64encode(b"\0\xff").decode()),
    ]:
        written = await call("file/write", path=f"a/b/{format}", content=content, format=format, make_folders=True)
        result = await call("file/read", path=f"a/b/{format}", format=format)

        assert (content, True, written["size"]) == (result["content"], written["created"], result["size"])


async def test_values_written_as_text_are_json(call, root):
    """A template that gives an object ends up readable in the file."""
    await call("file/write", path="a", content={"b": 1})

    assert '{"b":1}' == (root / "a").read_text()


async def test_modes(call, root):
    """Replace, create-only and append do what they say; JSON is appended line by line."""
    assert not (await call("file/write", path="a", content="one") and await call("file/write", path="a", content="2"))[
        "created"
    ]
    with pytest.raises(FileFailed, match="a is there already"):
        await call("file/write", path="a", content="three", mode="create")
    assert (await call("file/write", path="a", content="+", mode="append")) == {
        "path": "a",
        "size": 2,
        "created": False,
    }
    assert "2+" == (root / "a").read_text()

    assert (await call("file/write", path="new", content="x", mode="create"))["created"]
    assert (await call("file/write", path="log", content={"n": 1}, format="json", mode="append"))["created"]
    await call("file/write", path="log", content={"n": 2}, format="json", mode="append")
    assert '{"n":1}\n{"n":2}\n' == (root / "log").read_text()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("../secret.txt", "leads upwards"),
        ("a/../../secret.txt", "leads upwards"),
        ("/etc/passwd", "is absolute"),
        ("//etc/passwd", "is absolute"),
        ("a//b", "is no path to a file"),
        ("a/", "is no path to a file"),
        (".", "is no path|is a folder"),
        ("a\0b", "is no path to a file"),
        ("/".join("a" * 40), "is no path to a file"),
        ("link.txt", "is a link"),
        ("dangling", "is a link"),
        ("linked/secret.txt", "or through a link"),
        ("folder", "is a folder"),
        ("file/inside", "no folder"),
        ("pipe", "no regular file"),
        ("x" * 300, "File name too long"),
        ("nowhere", "There is no nowhere"),
    ],
)
async def test_no_path_leads_out(call, root, path, told):
    """Not upwards, not from the root, not through a link, and only to regular files: for reading as for writing."""
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    (root / "dangling").symlink_to(root.parent / "new.txt")
    (root / "linked").symlink_to(root.parent / "outside")
    (root / "folder").mkdir()
    (root / "file").write_text("")
    os.mkfifo(root / "pipe")

    with pytest.raises(FileFailed, match=told) as caught:
        await call("file/read", path=path)
    assert not caught.value.retryable
    if path != "nowhere":
        for mode in ("replace", "create", "append"):
            with pytest.raises(FileFailed, match=f"{told}|is there already"):
                await call("file/write", path=path, content="x", mode=mode)

    assert ["files", "outside", "secret.txt"] == names(root.parent)
    assert "secret" == (root.parent / "secret.txt").read_text()
    assert not [name for name in names(root) if name.startswith(".canvas-")]


@given(st.lists(st.sampled_from(["..", ".", "a", "b", "", "/", "\0", "linked", "é"]), max_size=6).map("/".join))
def test_any_path_stays_inside(tmp_path_factory, path):
    """Whatever the path: either a file inside the folder is written, or nothing is."""
    base = tmp_path_factory.mktemp("any")
    (base / "files").mkdir()
    (base / "outside").mkdir()
    (base / "files" / "linked").symlink_to(base / "outside")

    try:
        Folder(base / "files").put(path, b"x", replace=True, make=True)
    except FileFailed:
        pass
    else:
        assert b"x" == (base / "files" / path).read_bytes()

    assert [] == names(base / "outside")
    assert ["files", "outside"] == names(base)


SWAPPING = """
import os, sys
os.chdir(sys.argv[1])
while True:
    os.unlink("a")
    os.rename("real", "a")
    os.rename("a", "real")
    os.symlink("../outside", "a")
"""


def test_swapping_a_folder_for_a_link_gains_nothing(root):
    """Somebody who changes the tree while it is walked never has a file outside read or written."""
    (root / "real").mkdir()
    (root / "real" / "secret.txt").write_text("inside")
    (root / "a").symlink_to("../outside")
    folder, seen = Folder(root), set()

    def work() -> None:
        for attempt in (
            lambda: seen.add(folder.read("a/secret.txt", 100)[0]),
            lambda: folder.put("a/written", b"x", replace=True, make=False),
            lambda: folder.append("a/secret.txt", b"", 100, make=False),
        ):
            with suppress(FileFailed):
                attempt()

    with subprocess.Popen([sys.executable, "-I", "-c", SWAPPING, str(root)]) as swapping:
        try:
            for _ in range(2_000):
                work()
            wait_for(lambda: work() or seen, seconds=60)
        finally:
            swapping.kill()

    assert {b"inside"} == seen
    assert ["secret.txt"] == names(root.parent / "outside")


async def test_a_file_is_replaced_as_a_whole(call, root, monkeypatch):
    """When writing breaks off, what was there is still there, and nothing is left lying about."""
    await call("file/write", path="a", content="before")
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    with pytest.raises(FileFailed, match="No space left") as caught:
        await call("file/write", path="a", content="after")

    assert caught.value.retryable
    assert ("before", ["a"]) == ((root / "a").read_text(), names(root))


async def test_a_reader_never_sees_half_a_file(call, root):
    """While one file is replaced again and again, each read gives one of its versions."""
    versions = [letter * 200_000 for letter in "ab"]
    folder, ended = Folder(root), threading.Event()
    folder.put("a", versions[0].encode(), replace=True, make=False)

    def rewrite() -> None:
        while not ended.is_set():
            for version in versions:
                folder.put("a", version.encode(), replace=True, make=False)

    thread = threading.Thread(target=rewrite)
    thread.start()
    try:
        seen = {(await call("file/read", path="a"))["content"] for _ in range(200)}
    finally:
        ended.set()
        thread.join()

    assert seen <= set(versions)


async def test_only_one_of_many_creates(root):
    """Create-only is decided by the file system: of sixteen at once one succeeds."""
    folder, outcomes, start = Folder(root), [], threading.Barrier(16)

    def create(number: int) -> None:
        start.wait()
        try:
            outcomes.append(folder.put("a", b"%d" % number, replace=False, make=False))
        except FileFailed:
            outcomes.append(False)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == sum(outcomes)
    assert ["a"] == names(root)


async def test_permissions(call, root):
    """A new file is for our own user alone; one that is replaced keeps what it had."""
    await call("file/write", path="d/new", content="x", make_folders=True)
    (root / "old").write_text("x")
    (root / "old").chmod(0o644)
    await call("file/write", path="old", content="y")

    modes = [stat.S_IMODE((root / path).stat().st_mode) for path in ("d", "d/new", "old")]
    assert [0o700, 0o600, 0o644] == modes


async def test_sizes_are_bounded(call, root, monkeypatch):
    """Too large a file is refused before it is read or written, also when it would only grow too large."""
    monkeypatch.setattr(files, "MAX_BYTES", 1 << 20)
    (root / "large").write_bytes(b"x" * ((1 << 20) + 1))

    with pytest.raises(FileFailed, match="large has more than 1 MB"):
        await call("file/read", path="large")
    with pytest.raises(FileFailed, match="more than 1 MB"):
        await call("file/write", path="a", content="x" * ((1 << 20) + 1))
    with pytest.raises(FileFailed, match="would grow beyond 1 MB"):
        await call("file/write", path="large", content="x", mode="append")


async def test_content_that_does_not_fit_the_format(call, root):
    """Bytes that are no text, no JSON and no base64 are told as such."""
    (root / "bytes").write_bytes(b"ab\xff")

    for arguments, told in [
        ({"path": "bytes"}, r"no UTF-8 text \(byte 2\); read it as base64"),
        ({"path": "bytes", "format": "json"}, "is no JSON"),
    ]:
        with pytest.raises(FileFailed, match=told):
            await call("file/read", **arguments)
    with pytest.raises(FileFailed, match="is no base64"):
        await call("file/write", path="a", content="not base64!", format="base64")


async def test_files_are_off_by_default(make_context):
    """Without the setting there are no files, and the message says which setting that is."""
    with pytest.raises(FileFailed, match="CANVAS_FILES_DIR"):
        await registry()["file/read"].call({"path": "a"}, make_context())


@pytest.mark.parametrize(
    "settings", [{"data_dir": "files/data"}, {"database_url": "sqlite:///{}/files/c.db"}, {"data_dir": "files"}]
)
async def test_canvas_own_data_is_never_opened(make_context, tmp_path, settings):
    """A folder that holds the database or the key is refused: workflows would read every secret."""
    values = {"data_dir": tmp_path / settings.get("data_dir", "data")}
    if "database_url" in settings:
        values["database_url"] = settings["database_url"].format(tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "files")

    for folder in ("files", "link"):
        with pytest.raises(FileFailed, match="Canvas's own data"):
            await registry()["file/read"].call({"path": "a"}, make_context(files_dir=str(tmp_path / folder), **values))


async def test_a_missing_folder_is_told(make_context, tmp_path):
    """The setting's folder is not made for you."""
    with pytest.raises(FileFailed, match="CANVAS_FILES_DIR cannot be used: No such file"):
        await registry()["file/read"].call({"path": "a"}, make_context(files_dir=str(tmp_path / "none")))


@pytest.mark.parametrize(("mode", "expected"), [("replace", True), ("create", False), ("append", False)])
def test_only_replacing_may_be_repeated(mode, expected):
    """Appending twice doubles, and creating twice fails; writing a file anew does no harm."""
    action = registry()["file/write"]

    assert expected == action.is_idempotent({"path": "a", "content": "x", "mode": mode})
