"""The command that calls a webhook, ready to be pasted into a terminal."""

import shlex
from typing import Final

from canvas.domain.states import Signature

_BODY: Final = '{"id": 1}'
_TYPE: Final = "-H 'Content-Type: application/json'"
_SIGNED: Final = """SECRET='whsec_…'
ID="msg_$(date +%s)"; NOW=$(date +%s); BODY='{body}'
KEY=$(printf %s "${{SECRET#whsec_}}" | base64 -d | od -An -v -tx1 | tr -d ' \\n')
SIGNATURE=$(printf %s "$ID.$NOW.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)
curl -X {method} {url} {type} -d "$BODY" \\
  -H "webhook-id: $ID" -H "webhook-timestamp: $NOW" -H "webhook-signature: v1,$SIGNATURE\""""


def curl_example(url: str, methods: list[str], signature: str) -> str:
    """Give a command for a shell that starts a run; a secret stands in it as a placeholder.

    Args:
        url: The whole address of the webhook.
        methods: What it takes; the first is used.
        signature: How the sender proves who it is: `none`, `token` or `standard`.
    """
    method, place = methods[0] if methods else "POST", shlex.quote(url)
    if signature == Signature.STANDARD:
        return _SIGNED.format(body=_BODY, method=method, url=place, type=_TYPE)
    proof = " -H 'Authorization: Bearer TOKEN'" if signature == Signature.TOKEN else ""
    body = "" if method in ("GET", "DELETE") else f" {_TYPE} -d '{_BODY}'"
    return f"curl -X {method} {place}{proof}{body}"
