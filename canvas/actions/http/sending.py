"""Sending one request: redirects, credentials, and coming back when a busy service says when."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from canvas.actions.guard import CONNECT_SECONDS, MAX_REDIRECTS
from canvas.actions.http.failures import BadRedirect, NotSendable, failure_of, where
from canvas.actions.http.login import Credentials
from canvas.actions.http.reading import Answer, read_answer

BUSY = frozenset({429, 503})
pause = asyncio.sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """How the requests of one call are sent."""

    client: httpx.AsyncClient
    credentials: Credentials | None
    follow_redirects: bool
    retries: int
    is_repeatable: bool
    "Whether it may be sent again when nobody knows what became of it."
    deadline: float
    "Of the running loop's clock: how long may be waited for an answer, and before asking again."

    async def send(self, request: httpx.Request, *, max_bytes: int) -> Answer:
        """Send a request and read the answer, whatever its status.

        Raises:
            RequestFailed: nothing came back, or nothing that can be read.
            AddressRefused: it leads to a private address.
        """
        for left in range(self.retries, -1, -1):
            answer = await self._logged_in(request, max_bytes)
            seconds = retry_after(answer.headers) if answer.status in BUSY else None
            if not left or seconds is None or seconds >= self.deadline - asyncio.get_running_loop().time():
                break
            await pause(seconds)
        return answer

    async def _logged_in(self, request: httpx.Request, max_bytes: int) -> Answer:
        answer = await self._follow(request, max_bytes)
        if (
            answer.status == 401
            and self.credentials
            and self.credentials.are_for(answer.url)
            and self.credentials.renew()
        ):
            return await self._follow(request, max_bytes)
        return answer

    async def _follow(self, request: httpx.Request, max_bytes: int) -> Answer:
        place = where(request.method, request.url)
        for _ in range(MAX_REDIRECTS + 1):
            if self.credentials:
                await self.credentials.sign(request)
            async with self._sent(request, place) as answer:
                if not self.follow_redirects or answer.next_request is None:
                    return await read_answer(answer, max_bytes=max_bytes, place=place)
                request = answer.next_request
            if request.url.scheme not in ("http", "https"):
                raise BadRedirect(f"{place} redirects to something that is no web address.")
        raise BadRedirect(f"{place} redirects more than {MAX_REDIRECTS} times.")

    @asynccontextmanager
    async def _sent(self, request: httpx.Request, place: str) -> AsyncIterator[httpx.Response]:
        left = max(0.0, self.deadline - asyncio.get_running_loop().time())
        request.extensions["timeout"] = httpx.Timeout(left, connect=min(left, CONNECT_SECONDS)).as_dict()
        try:
            answer = await self.client.send(request, stream=True, follow_redirects=False)
            try:
                yield answer
            finally:
                await answer.aclose()
        except (httpx.LocalProtocolError, ValueError):  # their text quotes the header, which may be a secret
            raise NotSendable(f"{place} cannot be sent: a header has characters that are not allowed.") from None
        except httpx.InvalidURL:
            raise BadRedirect(f"{place} redirects to something that is no web address.") from None
        except httpx.HTTPError as error:
            if "location header" in str(error):
                raise BadRedirect(f"{place} redirects to something that is no web address.") from None
            raise failure_of(error, place, is_repeatable=self.is_repeatable) from None


def retry_after(headers: httpx.Headers) -> float | None:
    """Give how many seconds a service asks to wait; None when it does not say so.

    A moment is measured by the service's own clock, when it sends that along.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment = _moment(text)
    if moment is None:
        return None
    return max(0.0, (moment - (_moment(headers.get("date", "")) or datetime.now(UTC))).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
