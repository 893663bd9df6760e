"""Forecasts of a weather service: importing this module registers all that the plug-in brings."""

import httpx
from pydantic import BaseModel, Field, SecretStr

from canvas.actions.connections import Config, connection_field, connection_kind
from canvas.actions.context import ActionContext, Outside
from canvas.actions.failures import ActionFailed
from canvas.actions.registry import Arguments, action
from canvas.domain.states import ActionPermission

SECONDS = 20.0


class WeatherService(Config):
    """An account at a weather service."""

    url: str = Field(title="Address", pattern="^https?://", description="Such as https://weather.example.com.")
    key: SecretStr = Field(title="API key", description="As the service shows it on the page of the account.")


class Forecast(Arguments):
    """What to ask for."""

    connection: str = connection_field("weather", description="The account to ask with.")
    city: str = Field(min_length=1, max_length=200, description="Where; in any language the service knows.")
    days: int = Field(default=1, ge=1, le=14, description="How many days ahead.")


class Weather(BaseModel):
    """What the service expects."""

    city: str = Field(description="The place as the service calls it.")
    high_celsius: float = Field(description="The highest temperature of these days.")
    rain: bool = Field(description="Whether it will rain.")


@connection_kind("weather", title="Weather service", icon="cloud", example={"url": "https://weather.example.com"})
async def check(service: WeatherService, outside: Outside) -> str:
    """Ask for the weather of one city."""
    weather = await _ask(service, outside, "Berlin", 1)
    return f"{service.url} answered: {weather.city} expects {weather.high_celsius:g} °C."


@action(
    "weather/forecast",
    title="Weather forecast",
    category="Data",
    icon="cloud",
    idempotent=True,
    permissions=(ActionPermission.NETWORK, ActionPermission.CONNECTION),
    security="Sends the name of the city to the weather service of the connection.",
    example=Forecast(connection="weather", city="Berlin", days=3),
    example_result=Weather(city="Berlin", high_celsius=24.5, rain=False),
)
async def forecast(args: Forecast, context: ActionContext) -> Weather:
    """Ask a weather service what the next days will be like."""
    service = await context.connection(args.connection, WeatherService)
    return await _ask(service, context, args.city, args.days)


async def _ask(service: WeatherService, outside: Outside, city: str, days: int) -> Weather:
    headers = {"X-Api-Key": service.key.get_secret_value()}
    try:
        async with outside.client(service.url) as client:
            url = f"{service.url.rstrip('/')}/forecast"
            reply = await client.get(url, params={"city": city, "days": days}, headers=headers, timeout=SECONDS)
    except httpx.HTTPError as error:
        raise ActionFailed(f"The weather service does not answer: {error}.", retryable=True) from None
    if reply.status_code == 401:
        raise ActionFailed("The weather service does not accept the key of the connection.")
    if reply.status_code != 200:
        told = f"The weather service answered {reply.status_code}."
        raise ActionFailed(told, retryable=reply.status_code >= 500)
    return Weather.model_validate(reply.json())
