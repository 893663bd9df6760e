"""Access tokens by OAuth2 client credentials: fetched when needed, kept until they expire."""

import time
from dataclasses import dataclass, field

import httpx
import orjson
from pydantic import SecretStr

from canvas.actions.context import Outside
from canvas.actions.http.failures import LoginRefused, RequestFailed, failure_of, where
from canvas.actions.http.reading import ACCEPTED_ENCODINGS, Answer, read_answer

MAX_TOKEN_BYTES = 64 * 1024
MARGIN_SECONDS = 30.0
"A token is renewed so long before it expires: what is sent must still be valid when it arrives."
UNKNOWN_LIFETIME_SECONDS = 300.0
_MAX_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Grant:
    """Who asks for a token, where, and what for."""

    token_url: str
    client_id: str
    client_secret: SecretStr
    scope: str


@dataclass(slots=True)
class Tokens:
    """The tokens of this process. They are never written down."""

    _kept: dict[Grant, tuple[str, float]] = field(default_factory=dict)

    async def get(self, grant: Grant, outside: Outside) -> str:
        """Give a token, a kept one if it is still good.

        Raises:
            LoginRefused: the service gives none for these credentials.
            RequestFailed: it could not be asked.
        """
        token, expires = self._kept.get(grant, ("", 0.0))
        if not token or time.monotonic() >= expires:
            token, lifetime = await _fetch(grant, outside)
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[grant] = token, time.monotonic() + max(lifetime - MARGIN_SECONDS, lifetime / 2)
        return token

    def forget(self, grant: Grant) -> None:
        """Drop a token that the service does not take any more."""
        self._kept.pop(grant, None)


async def _fetch(grant: Grant, outside: Outside) -> tuple[str, float]:
    place = where("POST", grant.token_url)
    form = {"grant_type": "client_credentials", **({"scope": grant.scope} if grant.scope else {})}
    secret = grant.client_secret.get_secret_value()
    async with outside.client(grant.token_url) as client:
        answer = await _ask(client, grant, form, place, auth=httpx.BasicAuth(grant.client_id, secret))
        if answer.status in (400, 401):  # some services take the client's secret in the form only
            form |= {"client_id": grant.client_id, "client_secret": secret}
            answer = await _ask(client, grant, form, place, auth=None)
    return _read(answer, place)


async def _ask(
    client: httpx.AsyncClient, grant: Grant, form: dict[str, str], place: str, *, auth: httpx.BasicAuth | None
) -> Answer:
    headers = {"Accept": "application/json", "Accept-Encoding": ACCEPTED_ENCODINGS}
    request = client.build_request("POST", grant.token_url, data=form, headers=headers)
    try:
        reply = await client.send(request, auth=auth, stream=True, follow_redirects=False)
        try:
            return await read_answer(reply, max_bytes=MAX_TOKEN_BYTES, place=place)
        finally:
            await reply.aclose()
    except httpx.HTTPError as error:
        raise failure_of(error, place, is_repeatable=True) from None


def _read(answer: Answer, place: str) -> tuple[str, float]:
    try:
        told = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        told = None
    told = told if isinstance(told, dict) else {}
    if answer.status in (400, 401, 403):
        reason = str(told.get("error_description") or told.get("error") or answer.status)[:200]
        raise LoginRefused(f"{place} gives no token: {reason}. Look at the connection's client id and secret.")
    token, lifetime = told.get("access_token"), told.get("expires_in", UNKNOWN_LIFETIME_SECONDS)
    if answer.status != 200 or not isinstance(token, str) or not token:
        raise RequestFailed(f"{place} answered {answer.status} without a token.", retryable=answer.status >= 500)
    try:
        return token, max(0.0, float(lifetime))
    except (TypeError, ValueError):
        return token, UNKNOWN_LIFETIME_SECONDS
