"""Proofs of senders: what is signed or brings the token is taken, anything else is a typed refusal, never a crash."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from canvas.domain.signatures import BadSignature, StaleSignature, check_standard, check_token

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = b'{"n": 1}'


def signed(body=BODY, secret=SECRET, key="msg_1", at=None):
    moment = at or datetime.now(UTC)
    signature = Webhook(secret).sign(key, moment, body.decode())
    return {"webhook-id": key, "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}


def test_a_signed_request_is_taken():
    """With the newest secret or the one before, and beside signatures of others."""
    check_standard([SECRET], signed(), BODY)
    check_standard([OTHER, SECRET], signed(), BODY)
    headers = signed()
    of_another = Webhook(OTHER).sign("m", datetime.now(UTC), "x")
    headers["webhook-signature"] = f"v1a,abc {of_another} {headers['webhook-signature']}"
    check_standard([SECRET], headers, BODY)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, BODY),
        ({**signed(), "webhook-signature": ""}, BODY),
        (signed(), b'{"n": 2}'),
        (signed(secret=OTHER), BODY),
        ({**signed(), "webhook-id": "msg_2"}, BODY),
        ({**signed(), "webhook-signature": "v1"}, BODY),
        ({**signed(), "webhook-signature": "v1,é"}, BODY),
        ({**signed(), "webhook-signature": "v1,%%%"}, BODY),
        ({**signed(), "webhook-timestamp": "nan"}, BODY),
        ({**signed(), "webhook-timestamp": "inf"}, BODY),
        ({**signed(), "webhook-timestamp": "soon"}, BODY),
        ({**signed(), "webhook-signature": " ".join(["v1,AAAA"] * 21)}, BODY),
        ({**signed(), "webhook-signature": "v1," + "A" * 5_000}, BODY),
        (signed(), b"\xff\xfe"),
    ],
)
def test_anything_else_is_refused(headers, body):
    """Another body, id or secret, headers that are missing or cannot be read, a body that is no text."""
    with pytest.raises(BadSignature):
        check_standard([SECRET], headers, body)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_or_future_signature_is_stale(minutes):
    """Whoever recorded a request cannot send it again later."""
    with pytest.raises(StaleSignature):
        check_standard([SECRET], signed(at=datetime.now(UTC) + timedelta(minutes=minutes)), BODY)


@given(st.dictionaries(st.sampled_from(sorted(signed())), st.text()), st.binary())
def test_no_request_gets_through_or_breaks_it(headers, body):
    """Whatever somebody makes up."""
    with pytest.raises(BadSignature):
        check_standard([SECRET], headers, body)


@pytest.mark.parametrize(
    ("headers", "query"),
    [({"authorization": "Bearer s3"}, {}), ({"authorization": "bearer s3"}, {}), ({"x-canvas-token": "s3"}, {}),
     ({}, {"token": "s3"})],
)  # fmt: skip
def test_a_token_may_come_in_three_ways(headers, query):
    """As a bearer token, in a header of its own, in the address; also while it is the one before the newest."""
    check_token(["s3"], headers, query)
    check_token(["new", "s3"], headers, query)
    with pytest.raises(BadSignature):
        check_token(["other"], headers, query)
    with pytest.raises(BadSignature):
        check_token([], headers, query)


@pytest.mark.parametrize(
    ("headers", "query"),
    [({}, {}), ({"authorization": "Basic s3"}, {}), ({"authorization": "Bearer"}, {}), ({}, {"token": ["s3", "s3"]}),
     ({}, {"token": ""}), ({"authorization": "Bearer é"}, {})],
)  # fmt: skip
def test_no_token_is_no_proof(headers, query):
    """Nor is one in the wrong place, or given twice."""
    with pytest.raises(BadSignature):
        check_token(["s3"], headers, query)
