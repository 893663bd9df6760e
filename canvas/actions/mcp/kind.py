"""Connections of kind `mcp`: a server, and the test that lists its tools."""

import asyncio
from importlib import import_module
from typing import Any

from pydantic import Field, SecretStr, field_validator, model_validator

from canvas.actions.connections import Config, connection_kind
from canvas.actions.context import Outside


class Mcp(Config):
    """A server of the Model Context Protocol, at an address or started as a program; its tools become actions."""

    url: str | None = Field(
        default=None, max_length=2_000, title="URL", description="Where it listens for streamable HTTP."
    )
    command: str | None = Field(
        default=None, max_length=63, description="Or a program to start: its name in CANVAS_MCP_COMMANDS."
    )
    bearer: SecretStr | None = Field(default=None, title="Bearer token", description="Sent to the address.")
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="More header fields for the address.")
    timeout_seconds: float = Field(default=60, gt=0, le=3_600, description="For one call.")

    @field_validator("url", "command", mode="before")
    @classmethod
    def _left_empty(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("an address begins with http:// or https://")
        return value

    @model_validator(mode="after")
    def _is_one_server(self) -> "Mcp":
        if (self.url is None) == (self.command is None):
            raise ValueError("give either a url or a command")
        if self.command is not None and (self.bearer or self.headers):
            raise ValueError("a bearer token and headers are for a url")
        return self


@connection_kind("mcp", title="MCP server", icon="plug", example={"url": "https://mcp.example.com/mcp"})
async def check(config: Mcp, outside: Outside) -> str:
    """List the server's tools."""
    link = await asyncio.to_thread(import_module, "canvas.actions.mcp.link")
    listing = await link.list_tools(config, outside.settings)
    outside.found["listing"] = listing
    tools = f"{len(listing.tools)} tool{'' if len(listing.tools) == 1 else 's'}"
    left_out = f" {listing.left_out} more cannot be used." if listing.left_out else ""
    return f"{listing.server} offers {tools} (protocol {listing.protocol_version}).{left_out}"
