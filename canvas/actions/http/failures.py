"""How a request can fail, each with a code of its own, and what a person can do about it."""

import ssl
from collections.abc import Iterator

import httpx

from canvas.actions.failures import ActionFailed


class RequestFailed(ActionFailed):
    """The request did not come through or was not answered as expected."""

    code = "http_failed"


class NotAnAddress(RequestFailed):
    """The url is not an address with http:// or https://."""

    code = "http_address"


class NotSendable(RequestFailed):
    """The request has something that HTTP cannot carry."""

    code = "http_not_sendable"


class TimedOut(RequestFailed):
    """The exchange took too long."""

    code = "http_timeout"


class Unreachable(RequestFailed):
    """Nobody answers at the address."""

    code = "http_unreachable"


class NotTrusted(RequestFailed):
    """There is no secure connection to the service."""

    code = "http_not_trusted"


class BrokenOff(RequestFailed):
    """The connection ended before the answer did."""

    code = "http_broken_off"


class AnswerTooLarge(RequestFailed):
    """The answer is larger than it may be."""

    code = "http_too_large"


class AnswerUnreadable(RequestFailed):
    """The answer is not what it says it is."""

    code = "http_unreadable"


class BadRedirect(RequestFailed):
    """The service redirects where nobody can follow."""

    code = "http_redirect"


class LoginRefused(RequestFailed):
    """The service does not accept the credentials."""

    code = "http_login_refused"


class UnexpectedStatus(RequestFailed):
    """The status of the answer is none that counts as success."""

    code = "http_status"


def where(method: str, url: httpx.URL | str) -> str:
    """Name a request without what may be secret in it: user, password and query."""
    bare = httpx.URL(url).copy_with(username=None, password=None, query=None, fragment=None)
    return f"{method} {bare}"


def failure_of(error: httpx.HTTPError, place: str, *, is_repeatable: bool) -> RequestFailed:
    """Turn an error of the client into one that people read.

    Args:
        place: Names the request.
        is_repeatable: Whether the request may be sent again although nobody knows what became of it.
    """
    certificate = next((each for each in _causes(error) if isinstance(each, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        return NotTrusted(
            f"{place}: the certificate is not trusted, {certificate.verify_message}. If an authority of your own "
            "signed it, name that authority's file in CANVAS_HTTP_CA_FILE."
        )
    if any(isinstance(each, ssl.SSLError) for each in _causes(error)) and isinstance(error, httpx.ConnectError):
        return NotTrusted(f"{place}: no secure connection. Does the service really speak https there?")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Unreachable(f"{place}: nobody answers, {_reason(error)}.", retryable=True)
    doubt = "" if is_repeatable else f" {DOUBT}"
    if isinstance(error, httpx.TimeoutException):
        return TimedOut(f"{place}: {_reason(error)}.{doubt}", retryable=is_repeatable)
    return BrokenOff(f"{place} was broken off: {_reason(error)}.{doubt}", retryable=is_repeatable)


DOUBT = (
    "It may have been carried out, so it is not tried again; set safe_to_repeat when the service takes no harm from a "
    "repetition."
)
"""Said where a request was sent and its outcome is unknown."""


def _reason(error: httpx.HTTPError) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
