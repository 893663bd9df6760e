"""How the sender of a webhook proves who it is: a token, or a Standard Webhooks signature. Both in constant time."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from standardwebhooks import Webhook, WebhookVerificationError

from canvas.domain.errors import Unauthorized

TOKEN_HEADER: Final = "x-canvas-token"  # noqa: S105  (a header's name, no token)
TOKEN_PARAMETER: Final = "token"  # noqa: S105  (a parameter's name, no token)
PROOFS: Final = frozenset({"authorization", "proxy-authorization", "cookie", TOKEN_HEADER, "webhook-signature"})
"Headers that are for us and not for the workflow; never kept."
_MAX_SIGNATURES: Final = 20
_MAX_HEADER: Final = 4_096


class BadSignature(Unauthorized):
    """The sender could not prove that the request comes from it."""

    code = "bad_signature"


class StaleSignature(BadSignature):
    """The signature is too old or too new: the request may have been repeated by somebody else."""

    code = "stale_signature"


def check_token(secrets: Sequence[str], headers: Mapping[str, str], query: Mapping[str, Any]) -> None:
    """Make sure that a request brings one of the secrets: as bearer token, in `X-Canvas-Token`, or as `?token=`.

    Raises:
        BadSignature: it brings none, or another one.
    """
    given = _token(headers, query)
    if given is None:
        raise BadSignature("This webhook needs its token: as bearer token, in `X-Canvas-Token` or as `?token=`.")
    matches = [hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets]
    if not any(matches):
        raise BadSignature("The token is not this webhook's.")


def check_standard(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> None:
    """Make sure that a request is signed with one of the secrets as Standard Webhooks says, within five minutes.

    Args:
        headers: Names in small letters.
        body: Exactly as it came.

    Raises:
        BadSignature: a header is missing or wrong, the body is not UTF-8, or nothing in it fits.
        StaleSignature: it is too old or too new.
    """
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    given = {name: headers.get(name, "") for name in names}
    if missing := [name for name, value in given.items() if not value]:
        raise BadSignature(f"This webhook takes signed requests only; the header {missing[0]} is missing.")
    if any(len(value) > _MAX_HEADER for value in given.values()):
        raise BadSignature("The headers of the signature are too long.")
    if given["webhook-signature"].count(" ") >= _MAX_SIGNATURES:
        raise BadSignature(f"A request has at most {_MAX_SIGNATURES} signatures.")
    faults = [_fault(secret, given, body) for secret in secrets]
    if None in faults:
        return
    told = next((fault for fault in faults if fault), "No matching signature found")
    if "timestamp too" in told:
        raise StaleSignature(f"{told}: look at the clocks on both sides, or send it again.")
    raise BadSignature(f"The signature does not fit: {told.lower()}.")


def _token(headers: Mapping[str, str], query: Mapping[str, Any]) -> str | None:
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret:
        return secret.strip()
    given = headers.get(TOKEN_HEADER) or query.get(TOKEN_PARAMETER)
    return given if isinstance(given, str) and given else None


def _fault(secret: str, headers: dict[str, str], body: bytes) -> str | None:
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except WebhookVerificationError as error:
        return str(error)
    except UnicodeDecodeError:
        return "The body is not UTF-8"
    except (ValueError, OverflowError, TypeError):  # headers that are not even formed like a signature
        return "The header webhook-signature cannot be read"
    return None
