"""What a request carries: the body in its form, with the content type that belongs to it."""

from base64 import b64decode
from binascii import Error
from typing import Any

import orjson

from canvas.actions.http.arguments import File, Request
from canvas.actions.http.failures import NotSendable


def body_of(args: Request) -> dict[str, Any]:
    """Give what the client needs to build the body: `content`, `data` or `files`, and `headers` it implies.

    Raises:
        NotSendable: something that should be base64 is not.
    """
    if args.json_ is not None:
        return {"content": orjson.dumps(args.json_), "headers": {"Content-Type": "application/json"}}
    if args.files:
        return {"data": args.form, "files": [(file.field, _part(file)) for file in args.files]}
    if args.form:
        return {"data": args.form}
    if args.body_base64:
        kind = {"Content-Type": "application/octet-stream"}
        return {"content": _bytes(args.body_base64, "body_base64"), "headers": kind}
    return {"content": args.body.encode()} if args.body else {}


def _part(file: File) -> tuple[str, bytes, str]:
    return file.filename, _bytes(file.content, f"the content of {file.filename}"), file.content_type


def _bytes(text: str, name: str) -> bytes:
    try:
        return b64decode("".join(text.split()), validate=True)
    except (Error, ValueError):
        raise NotSendable(f"Nothing was sent: {name} is not base64.") from None
