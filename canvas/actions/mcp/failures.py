"""How calls of MCP servers fail, each with what to do about it."""

from canvas.actions.failures import ActionFailed


class McpFailed(ActionFailed):
    """The MCP server could not be used."""

    code = "mcp_failed"


class McpUnreachable(McpFailed):
    """The server cannot be reached or started."""

    code = "mcp_unreachable"


class McpRefused(McpFailed):
    """The server does not accept the connection's credentials."""

    code = "mcp_refused"


class McpServerDied(McpFailed):
    """The server ended in the middle of a call."""

    code = "mcp_server_died"


class McpTimeout(McpFailed):
    """The server did not answer in time."""

    code = "mcp_timeout"


class McpGarbage(McpFailed):
    """What the server answered is not what the protocol, or its own schema, says."""

    code = "mcp_garbage"


class McpProtocolVersion(McpFailed):
    """The server speaks no version of the protocol that Canvas speaks."""

    code = "mcp_protocol_version"


class McpTooLarge(McpFailed):
    """The server sent more than is taken."""

    code = "output_too_large"


class McpInputWanted(McpFailed):
    """The tool asks for input in the middle of the call."""

    code = "mcp_input_wanted"


class CommandNotAllowed(McpFailed):
    """The command is not among those that may be started."""

    code = "mcp_command_not_allowed"


class ToolFailed(McpFailed):
    """The tool said that it failed."""

    code = "tool_failed"


class UnknownTool(McpFailed):
    """There is no such tool."""

    code = "unknown_tool"


class AmbiguousTool(McpFailed):
    """Several servers have a tool of this name."""

    code = "ambiguous_tool"


class SessionLost(McpFailed):
    """The session had ended before the call was sent; it may be made in another one."""

    code = "mcp_session_lost"
