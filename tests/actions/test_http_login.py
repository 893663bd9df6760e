"""Connections of the kind http: what they add to a request, and where that never goes."""

from base64 import b64encode
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from canvas.actions.connections import InvalidConnection, WrongConnectionKind, connection_kinds
from canvas.actions.context import Outside
from canvas.actions.failures import ActionFailed
from canvas.actions.http import HttpService, failures
from canvas.actions.http.login import TOKENS
from canvas.actions.registry import registry
from tests.actions.web import web

SECRET = "s3cr3t-t0ken"
LOGINS = {
    "basic": ({"username": "ada", "password": SECRET}, ("authorization", "Basic YWRhOnMzY3IzdC10MGtlbg==")),
    "bearer": ({"token": SECRET}, ("authorization", f"Bearer {SECRET}")),
    "header": ({"token": SECRET, "name": "X-Api-Key"}, ("x-api-key", SECRET)),
}  # fmt: skip


async def call(context, **arguments):
    return await registry()["http/request"].call({"connection": "api", "timeout_seconds": 10, **arguments}, context)


@pytest.fixture(autouse=True)
def no_tokens(monkeypatch):
    """Each test starts without tokens from another."""
    monkeypatch.setattr(TOKENS, "_kept", {})


def service_at(url: str, login: str, **more) -> HttpService:
    fields, _ = LOGINS.get(login, ({}, None))
    return HttpService(url=url, login=login, **{**fields, **more})


def oauth(server, **more) -> HttpService:
    given = {"token_url": f"{server.url}/token", "client_id": "me", "client_secret": SECRET, **more}
    return HttpService(url=server.url, login="oauth2", **given)


class Issuer:
    """Gives tokens `t1`, `t2` … and takes only the newest."""

    def __init__(self, expires_in: object = 3600, in_form: bool = False) -> None:
        self.given = 0
        self.expires_in = expires_in
        self.in_form = in_form

    def __call__(self, talk) -> None:
        if talk.seen.path == "/token":
            self._give(talk)
        elif talk.seen.headers.get("authorization") == f"Bearer t{self.given}":
            talk.reply(200, {"ok": True})
        else:
            talk.reply(401, {"error": "expired"})

    def _give(self, talk) -> None:
        form = parse_qs(talk.seen.body.decode())
        basic = talk.seen.headers.get("authorization") == f"Basic {b64encode(f'me:{SECRET}'.encode()).decode()}"
        in_form = form.get("client_secret") == [SECRET]
        if form["grant_type"] != ["client_credentials"] or not (in_form if self.in_form else basic):
            talk.reply(401, {"error": "invalid_client", "error_description": "who are you?"})
            return
        self.given += 1
        talk.reply(200, {"access_token": f"t{self.given}", "expires_in": self.expires_in, "token_type": "bearer"})


@pytest.mark.parametrize("login", LOGINS)
async def test_a_connection_logs_in(make_context, login):
    """Its secret arrives in the form the service wants, at a private address too; the rest of the path is enough."""
    with web(lambda talk: talk.reply(200, "in")) as service:
        context = make_context({"api": service_at(f"{service.url}/v2/", login)})
        await call(context, url="orders", headers={"Authorization": "mine", "X-Api-Key": "mine"})

    name, value = LOGINS[login][1]
    assert ("/v2/orders", value) == (service.arrived[0].path, service.arrived[0].headers[name])
    assert any(SECRET in each for each in context.secrets)


async def test_an_address_in_the_query_is_part_of_the_path(make_context):
    """Only what begins like an address is one of its own."""
    with web(lambda talk: talk.reply()) as service:
        context = make_context({"api": service_at(service.url, "bearer")})
        await call(context, url="/go?to=http://elsewhere.example/")

    assert ("/go", {"to": "http://elsewhere.example/"}) == (service.arrived[0].path, service.arrived[0].query)


async def test_a_key_in_the_query_is_added_and_shown_nowhere(make_context):
    """The address in the result and in failures has no query."""
    with web(lambda talk: talk.reply(404 if talk.seen.path == "/no" else 200)) as service:
        context = make_context({"api": service_at(service.url, "query", name="key", token=SECRET)})
        answer = await call(context, url="/yes", query={"a": 1})
        with pytest.raises(ActionFailed) as caught:
            await call(context, url="/no")

    assert {"a": "1", "key": SECRET} == service.arrived[0].query
    assert f"{service.url}/yes" == answer["url"]
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("login", [*LOGINS, "query"])
async def test_a_redirect_elsewhere_takes_no_secret_along(make_context, login):
    """The other origin is asked, without the credentials; back home they are there again."""
    elsewhere = web(lambda talk: talk.reply(302, b"", location=talk.seen.query["back"]))
    with elsewhere as other:

        def answer(talk):
            back = f"{other.url}/x?back={home.url}/end&key=kept"
            talk.reply(*((200,) if talk.seen.path == "/end" else (302, b"")), location=back)

        with web(answer) as home:
            more = {"name": "key", "token": SECRET} if login == "query" else {}
            allowed = f"127.0.0.1:{other.server_port}"
            context = make_context({"api": service_at(home.url, login, **more)}, http_allowed_origins=allowed)
            answered = await call(context, url="/start")

    assert 200 == answered["status"]
    told = str(other.arrived[0])
    assert SECRET not in told
    assert (login == "query") != ("key" in other.arrived[0].query), "a service that echoes the key hands it on"
    assert b64encode(f"ada:{SECRET}".encode()).decode() not in told
    sent = [str(each) for each in home.arrived]
    assert ["/start", "/end"] == [each.path for each in home.arrived]
    assert all(SECRET in each or b64encode(f"ada:{SECRET}".encode()).decode() in each for each in sent)


async def test_another_port_of_the_host_is_another_origin(make_context, server):
    """A url that is not the connection's own is refused before anything is sent."""
    context = make_context({"api": service_at("http://127.0.0.1:1", "bearer")})
    with pytest.raises(failures.NotAnAddress, match="somewhere else"):
        await call(context, url=f"{server.url}/echo")

    assert [] == server.arrived


async def test_a_connection_opens_its_own_address_only(make_context, server):
    """A private address that the connection names is reached; a redirect to another private one is not."""
    with web(lambda talk: talk.reply(302, b"", location=f"{server.url}/echo")) as service:
        context = make_context({"api": service_at(service.url, "none")})
        with pytest.raises(ActionFailed, match="private address"):
            await call(context, url="/")

    assert ([], 1) == (server.arrived, len(service.arrived))


async def test_the_next_call_without_the_connection_is_guarded_again(make_context):
    """No open connection to a private address is left over for whoever names it in a workflow."""
    with web(lambda talk: talk.reply()) as service:
        context = make_context({"api": service_at(service.url, "none")})
        await call(context, url="/")
        with pytest.raises(ActionFailed, match="private address"):
            await call(context, url=service.url, connection=None)

    assert 1 == len(service.arrived)


async def test_a_refused_login_names_the_connection(make_context):
    """Trying again cannot help; a person has to look at it."""
    with web(lambda talk: talk.reply(401, {"error": "bad token"})) as service:
        context = make_context({"api": service_at(service.url, "bearer")})
        with pytest.raises(failures.LoginRefused, match="`api`") as caught:
            await call(context, url="/")

    assert not caught.value.retryable
    assert 1 == len(service.arrived)


@pytest.mark.parametrize("in_form", [False, True])
async def test_a_token_is_fetched_once_and_kept(make_context, in_form):
    """By client credentials, as Basic or, where the service wants that, in the form; masked like the secret itself."""
    issuer = Issuer(in_form=in_form)
    with web(issuer) as service:
        context = make_context({"api": oauth(service)})
        for _ in range(3):
            assert 200 == (await call(context, url="/x"))["status"]

    assert (1, "t1" in context.secrets) == (issuer.given, True)


async def test_an_expired_token_is_renewed_once(make_context):
    """A 401 fetches a new token and asks again, POST included: a refused request was not carried out."""
    issuer = Issuer()
    with web(issuer) as service:
        context = make_context({"api": oauth(service)})
        await call(context, url="/x")
        issuer.given = 7
        assert 200 == (await call(context, url="/x", method="POST"))["status"]

    assert 8 == issuer.given
    assert ["/token", "/x", "/x", "/token", "/x"] == [each.path for each in service.arrived]


async def test_a_token_that_is_refused_at_once_ends_it(make_context):
    """No third try: the service does not want these credentials here."""

    def answer(talk):
        talk.reply(*((200, {"access_token": "t"}) if talk.seen.path == "/token" else (401, None)))

    with web(answer) as service:
        context = make_context({"api": oauth(service)})
        with pytest.raises(failures.LoginRefused):
            await call(context, url="/x")

    assert ["/token", "/x", "/token", "/x"] == [each.path for each in service.arrived]


async def test_a_token_is_not_used_beyond_its_life(make_context):
    """One that lives for no time is fetched for each call."""
    issuer = Issuer(expires_in=0)
    with web(issuer) as service:
        context = make_context({"api": oauth(service)})
        await call(context, url="/x")
        await call(context, url="/x")

    assert 2 == issuer.given


async def test_what_the_issuer_says_against_it_is_told(make_context):
    """With the words of the issuer, without the secret."""
    with web(Issuer()) as service:
        context = make_context({"api": oauth(service, client_id="nobody")})
        with pytest.raises(failures.LoginRefused, match="who are you") as caught:
            await call(context, url="/x")

    assert not caught.value.retryable
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "retryable"),
    [((500, None), True), ((200, b"<html>"), False), ((200, {"access_token": 5}), False), ((302, b""), False)],
)
async def test_an_issuer_that_gives_no_token_is_told(make_context, reply, retryable):
    """Whatever it answers instead."""
    with web(lambda talk: talk.reply(*reply, location="http://127.0.0.1:1/")) as service:
        context = make_context({"api": oauth(service)})
        with pytest.raises(failures.RequestFailed, match="without a token") as caught:
            await call(context, url="/x")

    assert retryable == caught.value.retryable


@pytest.mark.parametrize(
    "fields",
    [
        {"login": "basic", "username": "x"}, {"login": "bearer"}, {"login": "header", "token": "x"},
        {"login": "header", "token": "x", "name": "a b"}, {"login": "bearer", "token": "a\nb"}, {"url": "ftp://x"},
        {"login": "oauth2", "client_id": "a", "client_secret": "b"}, {"url": "http://u:p@x"}, {"url": "http://x?k=1"},
        {"url": ""}, {"login": "nonsense"}, {"nonsense": 1},
    ],
)  # fmt: skip
def test_a_connection_that_cannot_work_is_refused(fields):
    """When it is saved, not when a run needs it; no message quotes a secret."""
    with pytest.raises(InvalidConnection) as caught:
        connection_kinds()["http"].read({"url": "http://x", **fields})

    assert "a\nb" not in str(caught.value)
    with pytest.raises(ValidationError):
        HttpService(**{"url": "http://x", **fields})


async def test_another_kind_of_connection_is_refused(make_context):
    """The failure says which kind is needed."""

    class Other(HttpService):
        kind = "other"

    with pytest.raises(WrongConnectionKind, match="Web service"):
        await call(make_context({"api": Other(url="http://x")}), url="/")


@pytest.mark.parametrize(("path", "told"), [("/good", "answered 200"), ("/bad", "403"), ("/none", "404")])
async def test_the_test_button_asks_the_service(make_context, path, told):
    """It tells what came back, or what to change."""
    answers = {"/good": 200, "/bad": 403, "/none": 404}
    with web(lambda talk: talk.reply(answers[talk.seen.path])) as service:
        config = service_at(service.url, "bearer", test_path=path)
        outside = make_context()
        try:
            said = await connection_kinds()["http"].check(config, Outside(http=outside.http, settings=outside.settings))
        except ActionFailed as failure:
            said = str(failure)

    assert told in said
    assert f"Bearer {SECRET}" == service.arrived[0].headers["authorization"]
