"""What a service's own library wants to say over HTTP, said through the guarded client.

Libraries follow redirects with the token in hand, read answers without end and wait for as long as the other side
likes. Here every request of theirs is one exchange that is bounded in time and size and never redirected, and it ends
as a failure that people can act on, whatever the library would have made of it.
"""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import orjson

from canvas.actions.failures import ActionFailed

MAX_ANSWER_BYTES = 4 * 1024 * 1024
EXCERPT = 200
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
Result = TypeVar("Result")


class ServiceFailed(ActionFailed):
    """The service did not do what it was asked to."""

    code = "service_failed"


class Exchange:
    """One conversation with a service, for as long as one call of an action.

    Its last answer and its failure are kept, because libraries wrap them in errors of their own that tell less.
    """

    def __init__(self, client: httpx.AsyncClient, service: str, *, seconds: float, repeatable: bool) -> None:
        """Begin.

        Args:
            client: The guarded client; stays the caller's to close.
            service: What people call the other side.
            seconds: For each request, from connecting to the last byte of the answer.
            repeatable: Whether a request that may have arrived may be sent again without harm.
        """
        self.service = service
        self.failure: ActionFailed | None = None
        self.answer: httpx.Response | None = None
        self._client = client
        self._seconds = seconds
        self._repeatable = repeatable
        self._loop = asyncio.get_running_loop()
        self._in_flight: set[asyncio.Future[Any]] = set()
        self._is_over = False

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request and give the whole answer, whatever its status.

        Raises:
            ActionFailed: the service cannot be reached, does not answer in time, sends too much, or redirects.
        """
        self.answer = self.failure = None
        try:
            self.answer = await self._bounded(request)
        except ActionFailed as failure:
            self.failure = failure
            raise
        return self.answer

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Run blocking code of a library whose requests come back here through `send_from_thread`.

        When the caller is cancelled, requests in flight end and no further one is sent, so that the thread ends too.
        """
        try:
            return await asyncio.to_thread(work)
        except asyncio.CancelledError:
            self._is_over = True
            for future in self._in_flight:
                future.cancel()
            raise

    def send_from_thread(self, request: httpx.Request) -> httpx.Response:
        """Do what `send` does, for code that runs `in_thread`."""
        return asyncio.run_coroutine_threadsafe(self._send_if_wanted(request), self._loop).result()

    def refused(self, **sentences: str) -> ActionFailed:
        """Say what the last answer means, when it is not what was wanted.

        Args:
            sentences: What to say instead of the usual for a status, by `on_` and the status.
        """
        if self.failure is not None:
            return self.failure
        if self.answer is None:
            return ServiceFailed(f"{self.service} gave no answer that can be used.")
        status = self.answer.status_code
        if status < 300:
            return ServiceFailed(f"{self.service} answered something that cannot be understood.", status=status)
        usual = _SENTENCES.get(status, f"{{service}} answered {status}")
        sentence = sentences.get(f"on_{status}", usual).format(service=self.service)
        said = excerpt(self.answer)
        return ServiceFailed(
            f"{sentence}: {said}" if said else f"{sentence}.",
            retryable=status in (408, 425, 429) or status >= 500,
            retry_in=retry_after(self.answer),
            status=status,
        )

    async def _send_if_wanted(self, request: httpx.Request) -> httpx.Response:
        if self._is_over:
            raise asyncio.CancelledError
        task = asyncio.ensure_future(self.send(request))
        self._in_flight.add(task)
        try:
            return await task
        finally:
            self._in_flight.discard(task)

    async def _bounded(self, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(request)
        except _UNSENT as error:
            raise self._unreachable(request, error) from None
        except (TimeoutError, httpx.TimeoutException):
            raise self._unknown(f"did not answer within {self._seconds:g} s") from None
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError):
            told = f"{self.service} cannot be asked: its address or token has characters that are not allowed."
            raise ServiceFailed(told) from None
        except httpx.HTTPError as error:
            raise self._unknown(f"broke off the connection ({type(error).__name__})") from None

    async def _read(self, request: httpx.Request) -> httpx.Response:
        own = self._client.build_request(
            request.method,
            request.url,
            headers=request.headers,
            content=await request.aread(),
            timeout=self._seconds,
        )
        answer = await self._client.send(own, stream=True, follow_redirects=False)
        try:
            if answer.has_redirect_location:
                raise self._redirected(answer)
            content = await self._content(answer)
        finally:
            await answer.aclose()
        headers = [(k, v) for k, v in answer.headers.multi_items() if k.lower() not in _OF_THE_WIRE]
        return httpx.Response(answer.status_code, headers=headers, content=content, request=request)

    async def _content(self, answer: httpx.Response) -> bytes:
        read = bytearray()
        async for chunk in answer.aiter_bytes():
            read += chunk
            if len(read) > MAX_ANSWER_BYTES:
                raise ServiceFailed(f"{self.service} answered more than {MAX_ANSWER_BYTES >> 20} MB; this was cut off.")
        return bytes(read)

    def _redirected(self, answer: httpx.Response) -> ActionFailed:
        target = httpx.URL(answer.headers["location"])
        where = f"{target.scheme}://{target.netloc.decode()}" if target.host else "another page of its own"
        return ServiceFailed(
            f"{self.service} redirects to {where}. Nothing is sent there: "
            "if that is right, put its address into the connection.",
            status=answer.status_code,
        )

    def _unreachable(self, request: httpx.Request, error: Exception) -> ActionFailed:
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        if untrusted := certificate_fault(error):
            return ServiceFailed(f"The certificate of {origin} is not trusted: {untrusted}.")
        reason = str(error) or "it takes too long to connect"
        return ServiceFailed(f"{self.service} cannot be reached at {origin}: {reason}.", retryable=True)

    def _unknown(self, what: str) -> ActionFailed:
        doubt = "" if self._repeatable else " What was sent may have arrived: look before you try again."
        return ServiceFailed(f"{self.service} {what}.{doubt}", retryable=self._repeatable)


class ExchangeTransport(httpx.AsyncBaseTransport):
    """Lets an httpx client of a library speak through an exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        return await self._exchange.send(request)


def excerpt(answer: httpx.Response) -> str:
    """Give what an answer says in words: the message of a JSON error, else its beginning when it is text."""
    try:
        value = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        kind = answer.headers.get("content-type", "").partition(";")[0]
        return answer.text[:EXCERPT].strip() if kind in ("", "text/plain") else ""
    if isinstance(value, dict):
        value = value.get("message") or value.get("error_description") or value.get("error")
    if isinstance(value, dict):
        value = value.get("message")
    return value[:EXCERPT].strip() if isinstance(value, str) else ""


def retry_after(answer: httpx.Response) -> float | None:
    """Give the seconds until the other side wants to be asked again, from the header fields that say so."""
    if (text := answer.headers.get("retry-after", "")).isascii() and text.isdigit():
        return float(text)
    if answer.status_code != 429:
        return None
    for name in ("x-ratelimit-reset", "ratelimit-reset"):
        moment = _moment(answer.headers.get(name, ""))
        if moment is not None:
            return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    return None


def certificate_fault(error: BaseException | None) -> str:
    """Say why a certificate was not trusted; empty when that is not what went wrong."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message or "it cannot be verified"
        error = error.__cause__ or error.__context__
    return ""


_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection"})
_SENTENCES = {
    400: "{service} did not accept this",
    401: "{service} refused the login of the connection; it may have expired or been withdrawn",
    403: "{service} does not allow the connection's account to do this",
    404: "{service} does not know what was asked for",
    413: "{service} finds this too large",
    422: "{service} did not accept this",
    429: "{service} wants fewer requests",
}


def _moment(text: str) -> datetime | None:
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else None
