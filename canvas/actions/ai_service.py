"""Services that speak OpenAI's interface: the kind of connection that holds one, and the way to ask it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import Field, SecretStr

from canvas.actions.connections import Config, connection_kind
from canvas.actions.context import Outside
from canvas.actions.exchange import Exchange, ExchangeTransport
from canvas.actions.failures import ActionFailed

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

CHECK_SECONDS = 15.0
_OUT_OF_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


class OpenAI(Config):
    """An AI service that speaks OpenAI's interface: OpenAI itself, or any other under its own address."""

    base_url: str = Field(
        default="https://api.openai.com/v1",
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
        max_length=500,
        title="Base URL",
        description="Where the interface begins, mostly ending in /v1. It may be a service of your own network.",
    )
    api_key: SecretStr | None = Field(
        default=None, title="API key", description="The key; services on your own machine often need none."
    )
    organization: str = Field(default="", max_length=200, description="Whose account is charged, if there are several.")
    model: str = Field(
        default="gpt-4.1-mini", min_length=1, max_length=200, description="The model that steps use if they name none."
    )


class AIFailed(ActionFailed):
    """The AI service gave no answer that can be used."""

    code = "ai_failed"


@connection_kind(
    "openai",
    title="AI service",
    icon="sparkles",
    example={"base_url": "https://api.openai.com/v1", "model": "gpt-4.1-mini"},
)
async def check(config: OpenAI, outside: Outside) -> str:
    """Ask for the list of models, and whether the default one is in it."""
    async with service(config, outside, CHECK_SECONDS) as asked:
        models = await asked.models()
    if config.model in models:
        return f"Connected; {config.model} is one of {len(models)} models."
    if not models:
        return "Connected; the service does not say which models it has."
    raise AIFailed(f"The service answers, but has no model {config.model}; it has {', '.join(sorted(models)[:5])}.")


class Service:
    """One conversation with a service, for as long as one call of an action."""

    def __init__(self, client: "AsyncOpenAI", exchange: Exchange) -> None:
        self._client = client
        self._exchange = exchange

    async def complete(self, request: Mapping[str, Any]) -> "ChatCompletion":
        """Let a model answer; what the service does not support of the request is said in another way.

        Raises:
            ActionFailed: The service cannot be reached, refuses, or answers nothing that can be used.
        """
        from openai import BadRequestError
        from openai.types.chat import ChatCompletion

        for _ in range(len(_OTHER_WAYS) + 1):
            try:
                answer = await self._ask(self._client.chat.completions.create(**request))
            except BadRequestError as error:
                other = _said_otherwise(request, error)
                if other is None:
                    raise self._refused() from None
                request = other
                continue
            if not isinstance(answer, ChatCompletion) or not answer.choices:
                raise AIFailed("The service answered something that is no chat completion.")
            return answer
        raise self._refused()

    async def moderate(self, text: str, model: str) -> Mapping[str, Any]:
        """Let the service judge a text; gives its first result as it stands.

        Raises:
            ActionFailed: The service cannot be reached, refuses, or answers nothing that can be used.
        """
        from openai import BadRequestError

        try:
            asked: dict[str, Any] = {"input": text, "model": model} if model else {"input": text}
            answer = await self._ask(self._client.moderations.create(**asked))
            return dict(answer.results[0].model_dump(by_alias=True, warnings=False))
        except BadRequestError:
            raise self._refused() from None
        except (AttributeError, IndexError, TypeError):
            raise AIFailed("The service answered something that is no moderation.") from None

    async def models(self) -> set[str]:
        """Name the service's models; none when it does not say.

        Raises:
            ActionFailed: The service cannot be reached or refuses.
        """
        try:
            page = await self._ask(self._client.models.list())
            return {model.id for model in page.data or ()}
        except ActionFailed as error:
            if error.details.get("status") in (404, 405, 501):
                return set()
            raise
        except (AttributeError, TypeError):
            return set()

    async def _ask(self, asking: Any) -> Any:
        from openai import BadRequestError, OpenAIError

        try:
            return await asking
        except BadRequestError:
            raise
        except (OpenAIError, ValueError):  # its words quote the request, prompt included
            raise self._refused() from None

    def _refused(self) -> ActionFailed:
        failure = self._exchange.refused(on_404="The service does not know this model, or does not offer this")
        if _code_of(self._exchange.answer) in _OUT_OF_MONEY:
            return AIFailed("The account of this connection has used up its credit.", status=429)
        return failure


@asynccontextmanager
async def service(config: OpenAI, outside: Outside, seconds: float) -> AsyncIterator[Service]:
    """Open the way to a service; each request of it is bounded in time, in size, and never redirected.

    Args:
        seconds: For each request, from connecting to the last byte of the answer.
    """
    library = await asyncio.to_thread(_library)  # reading it takes most of a second
    key = config.api_key.get_secret_value() if config.api_key else ""
    async with outside.client(config.base_url) as guarded:
        exchange = Exchange(guarded, "The AI service", seconds=seconds, repeatable=True)
        async with httpx.AsyncClient(transport=ExchangeTransport(exchange)) as http:
            client = library.AsyncOpenAI(
                api_key=key or "none", base_url=config.base_url, http_client=http, max_retries=0, timeout=seconds
            )
            client.organization = config.organization or None  # it would ask our environment for both
            client.project = None
            yield Service(client, exchange)


@cache
def _library() -> Any:
    logging.getLogger("openai").setLevel(logging.WARNING)  # it would log prompts
    return import_module("openai")


def _code_of(answer: httpx.Response | None) -> str:
    try:
        error = answer.json().get("error") if answer is not None else None
        return str(error.get("code") or error.get("type")) if isinstance(error, dict) else ""
    except (ValueError, AttributeError):
        return ""


# what not every service or model understands, by the word that a refusal mentions


def _tokens_by_their_new_name(request: dict[str, Any]) -> None:
    request["max_completion_tokens"] = request.pop("max_tokens")


def _without_temperature(request: dict[str, Any]) -> None:
    del request["temperature"]


def _schema_in_words(request: dict[str, Any]) -> None:
    schema = request.pop("response_format")["json_schema"]["schema"]
    request["messages"] = [*request["messages"], {"role": "system", "content": schema_in_words(schema)}]


_OTHER_WAYS = {
    "max_tokens": _tokens_by_their_new_name,
    "temperature": _without_temperature,
    "response_format": _schema_in_words,
}


def _said_otherwise(request: Mapping[str, Any], error: Any) -> dict[str, Any] | None:
    told = f"{getattr(error, 'param', '') or ''} {error}".lower().replace("json_schema", "response_format")
    for key, change in _OTHER_WAYS.items():
        if key in request and key in told:
            other = dict(request)
            change(other)
            return other
    return None


def schema_in_words(schema: Mapping[str, Any]) -> str:
    """Ask for an answer of this form."""
    import orjson

    return f"Answer with nothing but JSON that fits this JSON Schema: {orjson.dumps(schema).decode()}"
