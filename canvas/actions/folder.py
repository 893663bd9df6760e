"""A folder that no path leads out of: every part of a path is opened on its own, and no link is followed.

A check before the opening could be outrun by somebody who swaps a folder for a link in between; here the descriptor
that was opened is the one that is used.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EEXIST, EISDIR, ELOOP, ENOSPC, ENOTDIR, ENXIO
from pathlib import Path
from secrets import token_hex

from canvas.actions.failures import ActionFailed
from canvas.settings import Settings

MAX_PATH = 1_000
MAX_DEPTH = 32
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WORDS = {
    ELOOP: "is a link, and links are not followed",
    ENOTDIR: "leads through something that is no folder, or through a link",
    EISDIR: "is a folder",
    EEXIST: "is there already",
    ENXIO: "is no regular file",
}


class FileFailed(ActionFailed):
    """The file cannot be read or written."""

    code = "file_failed"


class Folder:
    """The configured folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @classmethod
    def of(cls, settings: Settings) -> "Folder":
        """Take the folder the settings name.

        Raises:
            FileFailed: There is none, or it would open Canvas's own data.
        """
        if not settings.files_dir:
            raise FileFailed("Files are switched off here: set CANVAS_FILES_DIR to a folder that workflows may use.")
        root = Path(settings.files_dir).expanduser().absolute()
        own = [settings.data_dir]
        if settings.url.startswith("sqlite") and (path := settings.url.partition(":///")[2]):
            own.append(Path(path))
        if any(one.resolve().is_relative_to(root.resolve()) for one in own):
            raise FileFailed("CANVAS_FILES_DIR holds Canvas's own data, keys included; name another folder.")
        return cls(root)

    def read(self, path: str, limit: int) -> tuple[bytes, os.stat_result]:
        """Read a file of at most `limit` bytes.

        Raises:
            FileFailed: It is not there, too large, no regular file, or the path is not allowed.
        """
        with self._file(path, os.O_RDONLY) as (descriptor, facts), open(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1) if facts.st_size <= limit else None
        if content is None or len(content) > limit:
            raise FileFailed(f"{path} has more than {limit >> 20} MB, the most that is read.")
        return content, facts

    def append(self, path: str, content: bytes, limit: int, *, make: bool) -> int:
        """Add to the end of a file, which is made when it is not there; gives its size afterwards.

        Raises:
            FileFailed: It would grow beyond `limit` bytes, is no regular file, or the path is not allowed.
        """
        with self._file(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, make=make) as (descriptor, facts):
            if facts.st_size + len(content) > limit:
                raise FileFailed(f"{path} would grow beyond {limit >> 20} MB, the most that is written.")
            _pour(descriptor, content)
            return os.fstat(descriptor).st_size

    def put(self, path: str, content: bytes, *, replace: bool, make: bool) -> bool:
        """Write a file as a whole: whoever reads it sees all of it or what was there before, also after a crash.

        A new file is for Canvas's own user alone; one that is replaced keeps its permissions.

        Returns:
            Whether the file is new.

        Raises:
            FileFailed: It is there and must not be replaced, is no regular file, or the path is not allowed.
        """
        with self._place(path, make=make) as (parent, name):
            before = _facts(parent, name)
            if before is not None:
                if not replace:
                    raise FileExistsError(EEXIST, "")
                _expect_file(before, path)
            temporary = f".canvas-{token_hex(8)}"
            try:
                _write_new(parent, temporary, content, 0o600 if before is None else stat.S_IMODE(before.st_mode))
                if replace:
                    os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
                else:  # unlike a rename, a link never takes the place of what somebody else made meanwhile
                    os.link(temporary, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)
            os.fsync(parent)
            return before is None

    @contextmanager
    def inside(self, path: str) -> Iterator[int]:
        """Open a folder inside this one, or this one itself for an empty path; gives its descriptor.

        Raises:
            FileFailed: It is not there, is no folder, or the path is not allowed.
        """
        parts = [] if path in ("", ".") else _parts(path)
        with _in_words(path or "The folder"):
            descriptor = self._descend(parts, make=False)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _file(self, path: str, flags: int, *, make: bool = False) -> Iterator[tuple[int, os.stat_result]]:
        with self._place(path, make=make) as (parent, name):
            descriptor = os.open(name, flags | _FILE, 0o600, dir_fd=parent)
            try:
                facts = os.fstat(descriptor)
                _expect_file(facts, path)
                yield descriptor, facts
            finally:
                os.close(descriptor)

    @contextmanager
    def _place(self, path: str, *, make: bool) -> Iterator[tuple[int, str]]:
        *folders, name = _parts(path)
        with _in_words(path):
            parent = self._descend(folders, make=make)
            try:
                yield parent, name
            finally:
                os.close(parent)

    def _descend(self, parts: list[str], *, make: bool) -> int:
        try:
            here = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise FileFailed(f"The folder of CANVAS_FILES_DIR cannot be used: {error.strerror}.") from error
        for part in parts:
            try:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, 0o700, dir_fd=here)
                below = os.open(part, _FOLDER, dir_fd=here)
            finally:
                os.close(here)
            here = below
        return here


def _parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part != "."]
    if path.startswith("/"):
        raise FileFailed(f"{path} is absolute; name the file from the configured folder on, such as reports/may.csv.")
    if ".." in parts:
        raise FileFailed(f"{path} leads upwards; only what is inside the configured folder can be reached.")
    if not parts or not all(parts) or "\0" in path or len(path) > MAX_PATH or len(parts) > MAX_DEPTH:
        raise FileFailed(f"{path[:100]!r} is no path to a file, such as reports/may.csv.")
    return parts


def _facts(parent: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _expect_file(facts: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(facts.st_mode):
        kind = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link"}.get(stat.S_IFMT(facts.st_mode), "no regular file")
        raise FileFailed(f"{path} is {kind}.")


def _write_new(parent: int, name: str, content: bytes, mode: int) -> None:
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, mode, dir_fd=parent)
    try:
        os.fchmod(descriptor, mode)  # what the umask took away from a file that is replaced
        _pour(descriptor, content)
    finally:
        os.close(descriptor)


def _pour(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)


@contextmanager
def _in_words(path: str) -> Iterator[None]:
    """Say the system's errors as failures that name the path as the workflow does."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileFailed(f"There is no {path} in the configured folder.") from error
    except PermissionError as error:
        raise FileFailed(f"Canvas's user is not allowed to use {path}.") from error
    except OSError as error:
        told = _WORDS.get(error.errno or 0) or f"cannot be used: {os.strerror(error.errno or 0)}"
        raise FileFailed(f"{path} {told}.", retryable=error.errno == ENOSPC) from error
