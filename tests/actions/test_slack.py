"""`slack/send` against a service that speaks Slack's Web API and webhooks: what it is sent, and how it fails."""

import pytest

from canvas.actions.connections import InvalidConnection, connection_kinds
from canvas.actions.exchange import ServiceFailed
from canvas.actions.failures import ActionFailed
from canvas.actions.registry import InvalidArguments, registry
from canvas.actions.slack_workspace import Slack, SlackFailed
from tests.actions.service import Answer, Request, Service, serving

TOKEN = "xoxb-1234-s3cr3t"
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Hello*"}}]


class Workspace(Service):
    """The parts of Slack that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.channels = {"#orders": "C01", "C01": "C01"}
        self.refusal: Answer | None = None

    def answer(self, request: Request) -> Answer:
        if self.refusal is not None:
            return self.refusal
        if request.path == "/services/T0/B0/hook":
            return self.hook(request.json)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer({"ok": False, "error": "invalid_auth"})
        return {"/api/chat.postMessage": self.post, "/api/auth.test": self.test}[request.path](request)

    def hook(self, body: dict) -> Answer:
        return Answer(b"ok") if body.get("text") or body.get("blocks") else Answer(b"no_text", 400)

    def test(self, request: Request) -> Answer:
        return Answer({"ok": True, "user": "canvas", "team": "Example"})

    def post(self, request: Request) -> Answer:
        channel = self.channels.get(request.json["channel"])
        if channel is None:
            return Answer({"ok": False, "error": "channel_not_found"})
        return Answer({"ok": True, "channel": channel, "ts": "1760000000.000100"})

    @property
    def messages(self) -> list[dict]:
        return [request.json for request in self.asked("chat.postMessage")]


@pytest.fixture
def slack():
    with serving(Workspace()) as service:
        yield service


@pytest.fixture
def send(make_context, slack):
    """Send through the service as a bot, or with other connection values."""

    async def send(arguments: dict | None = None, **values: object) -> dict:
        own = values or {"token": TOKEN, "base_url": f"{slack.url}/api/"}
        context = make_context(connections={"slack": Slack.model_validate({"timeout_seconds": 5, **own})})
        hello = {"connection": "slack", "channel": "#orders", "text": "Hello"}
        return await registry()["slack/send"].call({**hello, **(arguments or {})}, context)

    return send


@pytest.fixture
def hook(slack):
    return {"webhook_url": f"{slack.url}/services/T0/B0/hook"}


async def test_a_bot_writes_to_a_channel(send, slack):
    """Text, layout and thread arrive; the result says where the message is."""
    result = await send({"text": "Grüße", "blocks": BLOCKS, "thread": "1759999999.000200"})

    assert {"channel": "C01", "ts": "1760000000.000100"} == result
    expected = {"channel": "#orders", "text": "Grüße", "blocks": BLOCKS, "thread_ts": "1759999999.000200"}
    assert [expected] == slack.messages


async def test_the_base_url_needs_no_slash(send, slack):
    """Both ways to write it lead to the same place."""
    assert "C01" == (await send(token=TOKEN, base_url=f"{slack.url}/api"))["channel"]


async def test_a_webhook_writes_to_its_own_channel(send, slack, hook):
    """The address is all it needs."""
    assert {"channel": "", "ts": ""} == await send({"channel": "", "blocks": BLOCKS}, **hook)
    assert {"text": "Hello", "blocks": BLOCKS} == slack.requests[0].json


@pytest.mark.parametrize("arguments", [{"channel": "#orders"}, {"channel": "", "thread": "1.2"}])
async def test_a_webhook_cannot_choose(send, slack, hook, arguments):
    """A channel or thread that Slack would silently ignore is told instead."""
    with pytest.raises(SlackFailed, match="its own channel"):
        await send(arguments, **hook)

    assert [] == slack.requests


async def test_a_bot_needs_a_channel(send, slack):
    """Only a webhook has one of its own."""
    with pytest.raises(SlackFailed, match="which channel"):
        await send({"channel": ""})


async def test_the_test_button(make_context, slack, hook):
    """A token is told by its owner; a webhook is found to be there without writing anything."""
    check = connection_kinds()["slack"].check
    bot = Slack.model_validate({"token": TOKEN, "base_url": f"{slack.url}/api/"})

    assert "Signed in as canvas in Example." == await check(bot, make_context())
    assert "The webhook is there." == await check(Slack.model_validate(hook), make_context())
    slack.refusal = Answer(b"no_service", 404)
    with pytest.raises(SlackFailed, match="no longer there"):
        await check(Slack.model_validate(hook), make_context())


# how it fails


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("invalid_auth", "does not accept the token"),
        ("token_expired", "does not accept the token"),
        ("channel_not_found", "no such channel"),
        ("not_in_channel", "Invite it"),
        ("missing_scope", "chat:write"),
        ("something_new", "did not take the message"),
    ],
)
async def test_what_slack_refuses_is_told_in_words(send, slack, code, words):
    """Each failure says what to do, names Slack's own word, and is not tried again."""
    slack.refusal = Answer({"ok": False, "error": code})
    with pytest.raises(SlackFailed, match=words) as caught:
        await send()

    assert (False, code) == (caught.value.retryable, caught.value.details["slack_error"])
    assert TOKEN not in f"{caught.value} {caught.value.details}"


async def test_a_wrong_token(send, slack):
    """The service itself says so."""
    with pytest.raises(SlackFailed, match="does not accept the token"):
        await send(token="xoxb-wrong", base_url=f"{slack.url}/api/")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, b"no_service", "no longer there"),
        (403, b"invalid_token", "no longer there"),
        (403, b"action_prohibited", "administrators"),
        (410, b"channel_is_archived", "archived"),
        (400, b"invalid_payload", "does not understand"),
    ],
)
async def test_what_a_webhook_refuses(send, slack, hook, status, body, words):
    """A webhook's plain words mean the same as those of the API."""
    slack.refusal = Answer(body, status)
    with pytest.raises(SlackFailed, match=words) as caught:
        await send({"channel": ""}, **hook)

    assert not caught.value.retryable
    assert "B0/hook" not in f"{caught.value} {caught.value.details}"


@pytest.mark.parametrize("way", ["bot", "webhook"])
async def test_a_rate_limit_is_kept(send, slack, hook, way):
    """Retry-After becomes the pause before the next attempt."""
    slack.refusal = Answer({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "17"})
    with pytest.raises(SlackFailed, match="fewer messages") as caught:
        await (send() if way == "bot" else send({"channel": ""}, **hook))

    assert (True, 17.0) == (caught.value.retryable, caught.value.retry_in)


@pytest.mark.parametrize(
    ("fault", "words", "retryable"),
    [
        ("broken", "answered 500: internal_error", True),
        ("page", "answered 502", True),
        ("slow", r"did not answer within 1.5 s.*may have arrived", False),
        ("drip", r"did not answer within 1.5 s.*may have arrived", False),
        ("drop", r"broke off.*may have arrived", False),
        ("endless", "more than 4 MB", False),
        ("redirect", "redirects to http://169.254.169.254", False),
        ("nonsense", "cannot be understood", False),
    ],
)
@pytest.mark.parametrize("way", ["bot", "webhook"])
async def test_a_service_that_misbehaves(send, slack, hook, way, fault, words, retryable):
    """Each fault ends in bounded time; what may have been written is not written again."""
    if (way, fault) == ("webhook", "nonsense"):
        words = "did not take the message|cannot be understood"
    slack.faults = {"chat.postMessage": fault, "hook": fault}
    short = {"timeout_seconds": 1.5} if fault in ("slow", "drip") else {}
    own = {"token": TOKEN, "base_url": f"{slack.url}/api/"} if way == "bot" else hook
    with pytest.raises(ActionFailed, match=words) as caught:
        await send({} if way == "bot" else {"channel": ""}, **own, **short)

    assert retryable == caught.value.retryable
    assert len(slack.requests) <= 1


async def test_a_service_that_is_not_there(send):
    """A refused connection may be tried again: nothing was written."""
    with pytest.raises(ServiceFailed, match=r"cannot be reached at http://127\.0\.0\.1:1") as caught:
        await send(token=TOKEN, base_url="http://127.0.0.1:1/api/")

    assert caught.value.retryable


async def test_a_token_that_cannot_be_sent(send, slack):
    """A line break in a token is told without the token."""
    with pytest.raises(ServiceFailed, match="not allowed") as caught:
        await send(token="xoxb\r\nX: s3cr3t", base_url=f"{slack.url}/api/")

    assert "s3cr3t" not in str(caught.value)
    assert [] == slack.requests


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"token": "a", "webhook_url": "https://hooks.slack.com/x"},
        {"webhook_url": "hooks.slack.com/x"},
        {"webhook_url": "file:///etc/passwd"},
        {"token": "a", "base_url": "https://user:pass@slack.com/api"},
        {"token": "a", "base_url": "ftp://slack.com"},
    ],
)
def test_a_connection_that_cannot_work_is_refused(values):
    """One way in, at a web address."""
    with pytest.raises(InvalidConnection):
        connection_kinds()["slack"].read(values)


@pytest.mark.parametrize("arguments", [{"text": "  "}, {"thread": "today"}, {"blocks": [{}] * 51}])
async def test_bad_input(send, slack, arguments):
    """Nothing to say, or no thread: told before Slack is asked."""
    with pytest.raises(InvalidArguments):
        await send(arguments)

    assert [] == slack.requests
