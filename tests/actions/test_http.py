"""`http/request` against a real server: what it sends, what it gives back, and how it fails."""

import pytest

from canvas.actions.failures import ActionFailed
from canvas.actions.http import RequestFailed
from canvas.actions.http.arguments import DEFAULT_BYTES
from canvas.actions.registry import registry

SECRET = "s3cr3t-t0ken"


async def call(context, **arguments):
    return await registry()["http/request"].call(arguments, context)


async def test_the_request_is_sent_as_described(context, server):
    """Method, query, header fields and JSON body arrive; what was in the address already stays."""
    answer = await call(
        context,
        method="POST",
        url=f"{server.url}/echo?a=1",
        query={"b": "zwei", "c": 3, "d": True},
        headers={"X-Token": "t"},
        json={"vm": ["a", 1, None]},
    )

    sent = answer["body"]
    assert {"a": ["1"], "b": ["zwei"], "c": ["3"], "d": ["true"]} == sent["query"]
    assert '{"vm":["a",1,null]}' == sent["body"]
    assert ("t", "application/json") == (sent["headers"]["x-token"], sent["headers"]["content-type"])
    assert (200, "POST") == (answer["status"], sent["method"])
    assert answer["elapsed_ms"] > 0


async def test_what_is_not_repeatable_carries_its_idempotency_key(context, server):
    """A service that understands the header never does the same thing twice."""
    posted = await call(context, method="POST", url=f"{server.url}/echo")
    got = await call(context, url=f"{server.url}/echo")

    assert "01JZ:ask" == posted["body"]["headers"]["idempotency-key"]
    assert "idempotency-key" not in got["body"]["headers"]


async def test_only_repeatable_methods_count_as_idempotent():
    """After a crash a GET may be sent again; a POST may not."""
    request = registry()["http/request"]

    assert [True, True, False, False] == [
        request.is_idempotent({"url": "http://x", "method": method}) for method in ("GET", "DELETE", "POST", "PATCH")
    ]


async def test_text_is_read_in_its_own_encoding(context, server):
    """An answer that is not JSON comes as text."""
    assert "ünïcode" == (await call(context, url=f"{server.url}/text"))["body"]


async def test_an_answer_that_only_claims_to_be_json_is_text(context, server):
    """A wrong content type is no failure."""
    assert "{not json" == (await call(context, url=f"{server.url}/liar"))["body"]


@pytest.mark.parametrize(
    ("status", "retryable", "retry_in"),
    [(400, False, None), (404, False, None), (429, True, 7.0), (500, True, None), (503, True, 7.0)],
)
async def test_an_unexpected_status_is_a_failure(context, server, status, retryable, retry_in):
    """The failure says whether trying again can help, and when the service asked for it."""
    with pytest.raises(RequestFailed) as caught:
        await call(context, url=f"{server.url}/status/{status}", retries=0)

    assert (retryable, retry_in) == (caught.value.retryable, caught.value.retry_in)
    assert status == caught.value.details["status"]
    assert "so it is" in str(caught.value)


async def test_an_expected_status_is_an_answer(context, server):
    """`expect_status` turns a 404 into something to branch on, and 200 into a failure when it is not listed."""
    answer = await call(context, url=f"{server.url}/status/404", expect_status=[404])

    assert 404 == answer["status"]
    with pytest.raises(RequestFailed):
        await call(context, url=f"{server.url}/echo", expect_status=[404])


async def test_the_time_limit_holds(context, server):
    """A service that does not answer in time fails the attempt, and trying again may help."""
    with pytest.raises(RequestFailed, match="longer than") as caught:
        await call(context, url=f"{server.url}/slow", timeout_seconds=0.1)

    assert caught.value.retryable


async def test_a_decompression_bomb_is_cut_off(context, server):
    """30 MB that arrive as 30 kB count as 30 MB."""
    with pytest.raises(RequestFailed, match=f"more than {DEFAULT_BYTES:,} bytes"):
        await call(context, url=f"{server.url}/bomb")


async def test_redirects_are_followed_up_to_five(context, server):
    """Five hops arrive; a sixth is one too many."""
    assert 200 == (await call(context, url=f"{server.url}/hop/4"))["status"]
    with pytest.raises(RequestFailed, match="more than 5 times"):
        await call(context, url=f"{server.url}/hop/5")


async def test_a_port_nobody_listens_on_may_be_tried_again(make_context, server):
    """A refused connection is retryable: the service may just be starting."""
    with pytest.raises(RequestFailed) as caught:
        await call(make_context(http_allow_private=True), url="http://127.0.0.1:1/")

    assert caught.value.retryable


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "//nowhere", "just words", "http://", "file:///etc/passwd", "http://[::1"]
)
async def test_only_web_addresses_are_called(context, url):
    """Another scheme, or none, fails at once and for good."""
    with pytest.raises(RequestFailed) as caught:
        await call(context, url=url)

    assert not caught.value.retryable


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "{server}/status/500", "headers": {"Authorization": f"Bearer {SECRET}"}},
        {"url": "{server}/echo", "headers": {"X-Key": f"{SECRET}\r\nInjected: yes"}},
        {"url": "{server}/status/500", "query": {"token": SECRET}},
        {"url": "http://user:" + SECRET + "@127.0.0.1:1/"},
    ],
)
async def test_no_failure_quotes_a_secret(make_context, server, caplog, arguments):
    """Header values, queries and passwords appear in no error and no log."""
    caplog.set_level("DEBUG", "httpx")
    context = make_context(http_allow_private=True)
    with pytest.raises(ActionFailed) as caught:
        await call(context, **{**arguments, "url": arguments["url"].replace("{server}", server.url)})

    assert SECRET not in f"{caught.value} {caught.value.details} {caplog.text}"
