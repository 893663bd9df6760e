"""Getting one page after the other, bounded in pages, items and bytes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from canvas.actions.http.arguments import Pages, PageStyle
from canvas.actions.http.failures import RequestFailed
from canvas.actions.http.reading import Answer, BodyKind
from canvas.domain.expressions import ExpressionError, Program, compile_expression


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the answer, and its body as a value."""

    answer: Answer
    kind: BodyKind
    body: Any


Fetch = Callable[[httpx.URL], Awaitable[Page]]


class PagingFailed(RequestFailed):
    """The pages cannot be read as asked."""

    code = "http_pages"


@dataclass(slots=True)
class Gathered:
    """What all pages gave."""

    last: Page
    pages: int = 0
    items: list[Any] = field(default_factory=list)
    has_more: bool = False


class Pager:
    """Knows where the next page is. Raises PagingFailed when an expression of it cannot be read."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._next = _compiled("next", pages.next)
        self._items = _compiled("items", pages.items)
        self._seen: set[str] = set()

    async def gather(self, url: httpx.URL, fetch: Fetch) -> Gathered:
        """Get all pages from an address on.

        Raises:
            PagingFailed: an expression gives something else than it should, or the pages go round in circles.
            RequestFailed: a page could not be got.
        """
        here: httpx.URL | None = self._first(url)
        gathered = None
        while here is not None:
            page = await fetch(here)
            gathered = gathered or Gathered(page)
            gathered.last = page
            gathered.pages += 1
            items = self._items_of(page)
            gathered.items += items
            here = self._following(here, page, items)
            if here is not None and self._is_enough(gathered):
                gathered.has_more, here = True, None
        assert gathered is not None
        if len(gathered.items) > self._pages.max_items:
            gathered.has_more = True
            del gathered.items[self._pages.max_items :]
        return gathered

    def _is_enough(self, gathered: Gathered) -> bool:
        return gathered.pages >= self._pages.max_pages or len(gathered.items) >= self._pages.max_items

    def _first(self, url: httpx.URL) -> httpx.URL:
        if self._pages.by in (PageStyle.PAGE, PageStyle.OFFSET):
            return url.copy_set_param(self._pages.parameter, self._start)
        return url

    @property
    def _start(self) -> int:
        given = self._pages.start
        return given if given is not None else 1 if self._pages.by is PageStyle.PAGE else 0

    def _following(self, here: httpx.URL, page: Page, items: list[Any]) -> httpx.URL | None:
        pages, answer = self._pages, page.answer
        match pages.by:
            case PageStyle.LINK:
                told = httpx.Response(200, headers=answer.headers).links.get("next", {}).get("url")
                return self._unseen(told, here, answer)
            case PageStyle.NEXT_URL:
                return self._unseen(self._value(self._next, "next", page), here, answer)
            case PageStyle.CURSOR:
                return self._at(here, self._value(self._next, "next", page))
            case PageStyle.PAGE | PageStyle.OFFSET:
                step = 1 if pages.by is PageStyle.PAGE else len(items)
                return here.copy_set_param(pages.parameter, int(here.params[pages.parameter]) + step) if items else None

    def _at(self, here: httpx.URL, cursor: Any) -> httpx.URL | None:
        if cursor in (None, ""):
            return None
        if isinstance(cursor, bool | list | dict):
            raise PagingFailed("`next` has to give a text or a number, or null at the end.")
        self._note(str(cursor))
        return here.copy_set_param(self._pages.parameter, cursor)

    def _unseen(self, told: Any, here: httpx.URL, answer: Answer) -> httpx.URL | None:
        if told in (None, ""):
            return None
        try:
            following = answer.url.join(told)
        except (httpx.InvalidURL, TypeError):
            raise PagingFailed("The address of the next page is none.") from None
        self._seen.add(str(here))
        self._note(str(following))
        return following

    def _note(self, place: str) -> None:
        if place in self._seen:
            raise PagingFailed("The pages go round in circles: the next one was already read.")
        self._seen.add(place)

    def _items_of(self, page: Page) -> list[Any]:
        if self._items is None:
            return []
        items = self._value(self._items, "items", page)
        if not isinstance(items, list):
            raise PagingFailed("`items` has to give a list.")
        return items

    def _value(self, program: Program | None, name: str, page: Page) -> Any:
        assert program is not None
        response = {"status": page.answer.status, "headers": dict(page.answer.headers), "body": page.body}
        try:
            return program.evaluate({"response": response})
        except ExpressionError as error:
            raise PagingFailed(f"`{name}` cannot be worked out: {error}", hint=error.details.get("hint")) from None


def _compiled(name: str, text: str) -> Program | None:
    try:
        return compile_expression(text) if text.strip() else None
    except ExpressionError as error:
        raise PagingFailed(f"`{name}` cannot be read: {error}", hint=error.details.get("hint")) from None
