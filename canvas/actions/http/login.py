"""Logging in at a service: the connection kind `http`, and what it adds to a request for its own origin."""

from base64 import b64encode
from enum import StrEnum
from typing import Any

import httpx
from pydantic import Field, SecretStr, field_validator, model_validator

from canvas.actions.connections import Config
from canvas.actions.context import Outside
from canvas.actions.http.addresses import origin_of, web_address
from canvas.actions.http.tokens import Grant, Tokens

TOKENS = Tokens()
_NO_SECRET = SecretStr("")


class Login(StrEnum):
    """How somebody shows who they are."""

    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"
    HEADER = "header"
    QUERY = "query"
    OAUTH2 = "oauth2"


_NEEDED = {
    Login.NONE: (),
    Login.BASIC: ("username", "password"),
    Login.BEARER: ("token",),
    Login.HEADER: ("name", "token"),
    Login.QUERY: ("name", "token"),
    Login.OAUTH2: ("token_url", "client_id", "client_secret"),
}
_HEADERS = dict.fromkeys((Login.BASIC, Login.BEARER, Login.OAUTH2), "Authorization")


def _for(*logins: Login) -> dict[str, Any]:
    """Let a form ask for a field only when one of these is chosen."""
    return {"x-when": {"login": [login.value for login in logins]}}


class HttpService(Config):
    """A web service and how to log in there. Its secrets are sent to the origin of its address and to no other."""

    url: str = Field(
        max_length=2_000,
        title="Address",
        description="Where the service is, such as https://api.example.com/v2. May be private.",
    )
    login: Login = Field(
        default=Login.NONE,
        description="basic: user name and password. bearer: a token. header, query: a key under a name. oauth2: client "
        "credentials, exchanged for a token.",
    )
    username: str = Field(
        default="", max_length=500, title="User name", description="For basic.", json_schema_extra=_for(Login.BASIC)
    )
    password: SecretStr = Field(default=_NO_SECRET, description="For basic.", json_schema_extra=_for(Login.BASIC))
    token: SecretStr = Field(
        default=_NO_SECRET,
        description="For bearer, header and query: the token or key.",
        json_schema_extra=_for(Login.BEARER, Login.HEADER, Login.QUERY),
    )
    name: str = Field(
        default="",
        max_length=200,
        title="Header or parameter",
        json_schema_extra=_for(Login.HEADER, Login.QUERY),
        pattern=r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]*$",
        description="For header and query: the name of the header field or of the parameter.",
    )
    token_url: str = Field(
        default="",
        max_length=2_000,
        title="Token address",
        description="For oauth2: where tokens are given.",
        json_schema_extra=_for(Login.OAUTH2),
    )
    client_id: str = Field(
        default="", max_length=500, title="Client id", description="For oauth2.", json_schema_extra=_for(Login.OAUTH2)
    )
    client_secret: SecretStr = Field(
        default=_NO_SECRET, description="For oauth2.", json_schema_extra=_for(Login.OAUTH2)
    )
    scope: str = Field(
        default="",
        max_length=2_000,
        description="For oauth2: what is asked for; often not needed.",
        json_schema_extra=_for(Login.OAUTH2),
    )
    test_path: str = Field(
        default="", max_length=2_000, description="What the test gets, below the address. Empty: the address itself."
    )

    _addresses = field_validator("url", "token_url")(web_address)

    @field_validator("password", "token", "client_secret")
    @classmethod
    def _is_one_line(cls, secret: SecretStr) -> SecretStr:
        if any(sign in secret.get_secret_value() for sign in "\r\n\0"):
            raise ValueError("a secret may have no line breaks")
        return secret

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "HttpService":
        missing = [name for name in _NEEDED[self.login] if not _plain(getattr(self, name))]
        if missing or not self.url:
            raise ValueError(f"login {self.login} needs {' and '.join(missing or ['url'])}")
        return self

    @property
    def grant(self) -> Grant:
        """What a token is asked for with."""
        return Grant(self.token_url, self.client_id, self.client_secret, self.scope)


class Credentials:
    """What a connection adds to requests for its own origin; what it adds that is secret goes into `secrets`."""

    def __init__(self, service: HttpService, outside: Outside, secrets: set[str], tokens: Tokens = TOKENS) -> None:
        self._service = service
        self._outside = outside
        self._tokens = tokens
        self._origin = origin_of(service.url)
        self._secrets = secrets

    def are_for(self, url: httpx.URL) -> bool:
        """Tell whether an address is of the connection's origin."""
        return origin_of(url) == self._origin

    async def sign(self, request: httpx.Request) -> None:
        """Add the credentials to a request for the connection's origin; take them out of any other.

        Raises:
            LoginRefused: no token is given for these credentials.
            RequestFailed: the service that gives tokens could not be asked.
        """
        name, value = await self._header() if self.are_for(request.url) else (self._header_name, "")
        if name and value:
            request.headers[name] = value
        elif name:
            request.headers.pop(name, None)
        if self._service.login is Login.QUERY:
            self._sign_query(request)

    def renew(self) -> bool:
        """After a refusal: tell whether there is something new to try, which is a token instead of an expired one."""
        if self._service.login is not Login.OAUTH2:
            return False
        self._tokens.forget(self._service.grant)
        return True

    @property
    def _header_name(self) -> str:
        login = self._service.login
        return self._service.name if login is Login.HEADER else _HEADERS.get(login, "")

    async def _header(self) -> tuple[str, str]:
        service = self._service
        match service.login:
            case Login.BASIC:
                pair = f"{service.username}:{service.password.get_secret_value()}"
                self._secrets.add(pair)
                value = f"Basic {b64encode(pair.encode()).decode()}"
            case Login.BEARER:
                value = f"Bearer {service.token.get_secret_value()}"
            case Login.OAUTH2:
                token = await self._tokens.get(service.grant, self._outside)
                self._secrets.add(token)
                value = f"Bearer {token}"
            case Login.HEADER:
                value = service.token.get_secret_value()
            case _:
                value = ""
        return self._header_name, value

    def _sign_query(self, request: httpx.Request) -> None:
        secret = self._service.token.get_secret_value()
        if self.are_for(request.url):
            request.url = request.url.copy_set_param(self._service.name, secret)
        else:
            request.url = request.url.copy_remove_param(self._service.name)


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
