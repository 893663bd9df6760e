"""Reading and writing files inside the configured folder."""

import asyncio
import base64
import binascii
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson
from pydantic import BaseModel, Field

from canvas.actions.context import ActionContext
from canvas.actions.folder import MAX_PATH, FileFailed, Folder
from canvas.actions.registry import Arguments, action
from canvas.domain.states import ActionPermission

MAX_BYTES = 10 * 1024 * 1024
_SECURITY = (
    "Off until an administrator sets CANVAS_FILES_DIR. Only that folder can be reached: no path leads out of it, links "
    "are not followed, and it must not hold Canvas's own data. Every workflow shares it."
)


class Format(StrEnum):
    """How a file's content stands in the workflow."""

    TEXT = "text"
    JSON = "json"
    BASE64 = "base64"


class Mode(StrEnum):
    """What to do about a file that is there already."""

    REPLACE = "replace"
    CREATE = "create"
    APPEND = "append"


class Read(Arguments):
    """The file to read."""

    path: str = Field(
        min_length=1, max_length=MAX_PATH, description="From the configured folder on, for example reports/may.csv."
    )
    format: Format = Field(
        default=Format.TEXT,
        description="text: UTF-8 text as it stands. json: read as values. base64: any bytes, such as a picture.",
    )


class Content(BaseModel):
    """What the file holds."""

    path: str = Field(description="The file.")
    content: Any = Field(description="Text, values, or base64 text, as asked for.")
    size: int = Field(description="Bytes.")
    modified_at: datetime = Field(description="When it was last written.")


class Write(Arguments):
    """The file to write and what to write."""

    path: str = Field(
        min_length=1, max_length=MAX_PATH, description="From the configured folder on, for example reports/may.csv."
    )
    content: Any = Field(
        description="What to write: text, any values for json, or base64 text.", json_schema_extra={"x-widget": "value"}
    )
    format: Format = Field(
        default=Format.TEXT,
        description="text: as it stands, in UTF-8; values that are no text as JSON. json: as JSON, when appending one "
        "line for each value. base64: the bytes it stands for.",
    )
    mode: Mode = Field(
        default=Mode.REPLACE,
        description="replace: the file is new as a whole or stays as it was. create: fails when it is there already. "
        "append: adds to its end.",
    )
    make_folders: bool = Field(default=False, description="Make the folders of the path that are not there yet.")


class Written(BaseModel):
    """What was written."""

    path: str = Field(description="The file.")
    size: int = Field(description="Bytes in the file now.")
    created: bool = Field(description="Whether the file was not there before.")


@action(
    "file/read",
    title="Read a file",
    category="Files and commands",
    icon="file-text",
    idempotent=True,
    permissions=(ActionPermission.FILES,),
    security=_SECURITY,
    example=Read(path="reports/may.json", format=Format.JSON),
    example_result=Content(
        path="reports/may.json", content={"total": 120}, size=14, modified_at=datetime(2026, 5, 31, 22, 0, tzinfo=UTC)
    ),
)
async def read(args: Read, context: ActionContext) -> Content:
    """Read a file of the configured folder, as text, as JSON values, or as base64.

    At most 10 MB.
    """
    folder = Folder.of(context.settings)
    content, facts = await asyncio.to_thread(folder.read, args.path, MAX_BYTES)
    modified_at = datetime.fromtimestamp(facts.st_mtime, UTC)
    return Content(path=args.path, content=_decoded(args, content), size=len(content), modified_at=modified_at)


@action(
    "file/write",
    title="Write a file",
    category="Files and commands",
    icon="pencil",
    idempotent=False,
    repeatable=lambda args: args.mode is Mode.REPLACE,
    permissions=(ActionPermission.FILES,),
    security=_SECURITY,
    example=Write(path="reports/may.json", content={"total": 120}, format=Format.JSON, make_folders=True),
    example_result=Written(path="reports/may.json", size=18, created=True),
)
async def write(args: Write, context: ActionContext) -> Written:
    """Write a file of the configured folder: anew, only if it is not there yet, or at its end.

    A file that is replaced or created is complete or not there at all, even when the machine stops in between. New
    files can be read by Canvas's own user alone; one that is replaced keeps its permissions. At most 10 MB.
    """
    folder = Folder.of(context.settings)
    content = _encoded(args)
    if len(content) > MAX_BYTES:
        raise FileFailed(f"That is more than {MAX_BYTES >> 20} MB, the most that is written.")
    if args.mode is Mode.APPEND:
        size = await asyncio.to_thread(folder.append, args.path, content, MAX_BYTES, make=args.make_folders)
        return Written(path=args.path, size=size, created=size == len(content))
    replace = args.mode is Mode.REPLACE
    created = await asyncio.to_thread(folder.put, args.path, content, replace=replace, make=args.make_folders)
    return Written(path=args.path, size=len(content), created=created)


def _decoded(args: Read, content: bytes) -> Any:
    if args.format is Format.BASE64:
        return base64.b64encode(content).decode()
    try:
        if args.format is Format.JSON:
            return orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
        return content.decode("utf-8-sig")
    except orjson.JSONDecodeError as error:
        raise FileFailed(f"{args.path} is no JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except UnicodeDecodeError as error:
        raise FileFailed(f"{args.path} is no UTF-8 text (byte {error.start}); read it as base64.") from None


def _encoded(args: Write) -> bytes:
    if args.format is Format.BASE64:
        try:
            return base64.b64decode(str(args.content), validate=True)
        except (binascii.Error, ValueError):
            raise FileFailed("The content is no base64.") from None
    if args.format is Format.TEXT and isinstance(args.content, str):
        return args.content.encode()
    if args.format is Format.JSON and args.mode is Mode.APPEND:
        return orjson.dumps(args.content) + b"\n"
    return orjson.dumps(args.content, option=orjson.OPT_INDENT_2 if args.format is Format.JSON else None)
