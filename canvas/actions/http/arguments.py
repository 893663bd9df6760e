"""What `http/request` is called with and what it gives."""

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic.config import JsonDict

from canvas.actions.connections import connection_field
from canvas.actions.http.reading import BodyKind
from canvas.actions.registry import Arguments, Text

MAX_BYTES = 40 * 1024 * 1024
DEFAULT_BYTES = 10 * 1024 * 1024
Scalar = str | int | float | bool
_EXPRESSION: JsonDict = {"x-widget": "expression"}
_FRAMING = frozenset({"connection", "content-length", "te", "trailer", "transfer-encoding", "upgrade"})
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class Method(StrEnum):
    """The method of a request."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"

    @property
    def is_repeatable(self) -> bool:
        """Whether the standard promises that twice does what once does."""
        return self not in (Method.POST, Method.PATCH)


class AnswerKind(StrEnum):
    """What the body of the answer is given as."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"
    BASE64 = "base64"

    @property
    def wanted(self) -> BodyKind | None:
        """The kind that is insisted on; None leaves it to what the answer says it is."""
        return None if self is AnswerKind.AUTO else BodyKind(self.value)


class PageStyle(StrEnum):
    """How a service says where the next page is."""

    LINK = "link"
    NEXT_URL = "next_url"
    CURSOR = "cursor"
    PAGE = "page"
    OFFSET = "offset"


class File(Arguments):
    """A file to upload."""

    field: str = Field(default="file", min_length=1, max_length=200, description="The form field it belongs to.")
    filename: str = Field(min_length=1, max_length=255, description="What it is called.")
    content: str = Field(description="What is in it, in base64.", json_schema_extra={"contentEncoding": "base64"})
    content_type: str = Field(
        default="application/octet-stream",
        pattern=r"^[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w.\"-]+)*$",
        max_length=200,
        description="What kind of file it is, such as text/csv.",
    )


class Pages(Arguments):
    """How to get one page after the other."""

    by: PageStyle = Field(
        description="link: the Link header names the next page. next_url: `next` gives its address. cursor: `next` "
        "gives what `parameter` has to be. page and offset: `parameter` counts pages, or items."
    )
    next: str = Field(
        default="",
        title="Next page",
        description="For next_url and cursor: where the next page is, as an expression over `response` (status, "
        "headers, body), such as `response.body.next`. Null or empty ends it.",
        json_schema_extra=_EXPRESSION,
    )
    parameter: str = Field(
        default="", max_length=200, description="For cursor, page and offset: its name in the query."
    )
    start: int | None = Field(
        default=None, ge=0, description="For page and offset: where to start. Empty: page 1, or offset 0."
    )
    items: str = Field(
        default="",
        description="What to gather of each page, an expression over `response` that gives a list, such as "
        "`response.body.items`. Needed for page and offset, which end with an empty page.",
        json_schema_extra=_EXPRESSION,
    )
    max_pages: int = Field(default=10, ge=1, le=1_000, description="Stop after so many.")
    max_items: int = Field(
        default=10_000, ge=1, le=100_000, description="Stop after so many items; the rest is left out."
    )

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "Pages":
        if self.by in (PageStyle.NEXT_URL, PageStyle.CURSOR) and not self.next.strip():
            raise ValueError(f"paging by {self.by} needs `next`")
        if self.by in (PageStyle.CURSOR, PageStyle.PAGE, PageStyle.OFFSET) and not self.parameter:
            raise ValueError(f"paging by {self.by} needs `parameter`")
        if self.by in (PageStyle.PAGE, PageStyle.OFFSET) and not self.items.strip():
            raise ValueError(f"paging by {self.by} needs `items`: it ends with an empty page")
        return self


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():  # values may be secret: no message quotes one
        if not _TOKEN.fullmatch(name):
            raise ValueError("the name of a header may have letters, digits and hyphens, nothing else")
        if any(sign in value for sign in "\r\n\0"):
            raise ValueError(f"the header {name} has a line break, which no header may have")
        if name.lower() in _FRAMING:
            raise ValueError(f"the header {name} is written by Canvas itself")
    return headers


Headers = Annotated[dict[str, Text], AfterValidator(_sendable)]
"""Header fields that can be sent as they are and do not change how the request is framed."""


class Request(Arguments):
    """One request."""

    method: Method = Field(default=Method.GET, description="What to do with the address.")
    url: str = Field(
        min_length=1,
        max_length=8_000,
        title="URL",
        description="The whole address, with http:// or https://; with a connection, what follows its address.",
    )
    connection: str | None = connection_field(
        "http",
        description="Logs in at the service. Its secrets go to the connection's own address and nowhere else.",
        required=False,
    )
    headers: Headers = Field(default_factory=dict, description="Header fields to send, by name.")
    query: dict[str, Scalar | list[Scalar]] = Field(
        default_factory=dict, description="Added to the address after the question mark; a list repeats its name."
    )
    json_: Any = Field(default=None, alias="json", title="JSON", description="Sent as the body, as JSON.")
    form: dict[str, Scalar | list[Scalar]] = Field(
        default_factory=dict, description="Sent as the body, as a form; with `files`, as a form in parts."
    )
    files: list[File] = Field(
        default_factory=list, max_length=100, description="Files to upload, sent as a form in parts."
    )
    body: Text = Field(
        default="",
        description="Sent as the body as it stands, when there is no JSON.",
        json_schema_extra={"x-widget": "text"},
    )
    body_base64: str = Field(
        default="",
        title="Binary body",
        description="Sent as the body after decoding it from base64.",
        json_schema_extra={"contentEncoding": "base64"},
    )
    timeout_seconds: float = Field(
        default=30, gt=0, le=600, description="For the whole exchange: redirects, pages and waiting included."
    )
    expect_status: list[int] = Field(
        default_factory=list, description="Statuses that count as success. Empty: any from 200 to 299."
    )
    follow_redirects: bool = Field(
        default=True,
        description="Whether to go where the service redirects to, at most 5 times. Off: the redirect is the answer.",
    )
    retries: int = Field(
        default=2,
        ge=0,
        le=10,
        description="How often to ask again within this attempt when the service is busy (429 or 503) and says in "
        "Retry-After when to come back, if that is within the time limit.",
    )
    safe_to_repeat: bool = Field(
        default=False,
        description="Whether the service takes no harm from the same POST or PATCH twice. It is then tried again also "
        "when nobody knows whether it arrived. Other methods always are.",
    )
    answer: AnswerKind = Field(
        default=AnswerKind.AUTO,
        description="What the answer's body is given as. auto: JSON as values, images and such in base64, else text.",
    )
    max_bytes: int = Field(
        default=DEFAULT_BYTES,
        ge=1,
        le=MAX_BYTES,
        description="A longer answer fails, counted after unpacking; pages together.",
    )
    pages: Pages | None = Field(default=None, description="Get all pages of a list. Off: just this one address.")

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows what became of it."""
        return self.method.is_repeatable or self.safe_to_repeat

    @model_validator(mode="after")
    def _one_body(self) -> "Request":
        bodies = {"json": self.json_ is not None, "form": self.form or self.files, "body_base64": self.body_base64}
        given = [name for name, value in {**bodies, "body": self.body}.items() if value]
        if len(given) > 1:
            raise ValueError(f"give one body, not {' and '.join(given)}")
        return self


class Response(BaseModel):
    """What the other side answered."""

    status: int = Field(description="The status code.")
    headers: dict[str, str] = Field(description="Header fields, names in lower case.")
    body: Any = Field(description="The body, as body_kind says; of the last page when there are several.")
    body_kind: BodyKind = Field(description="json: values. text: text. base64: bytes, in base64.")
    url: str = Field(description="Where the answer came from, after redirects; without its query.")
    pages: int = Field(default=1, description="How many pages were read.")
    items: list[Any] | None = Field(
        default=None, description="What was gathered of all pages; null without `pages.items`."
    )
    has_more: bool = Field(default=False, description="Whether a limit of `pages` ended it before the last page.")
    elapsed_ms: float = Field(description="How long it took, in milliseconds.")
