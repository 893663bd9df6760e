"""Checks of steps that call tools of MCP servers: `mcp.CONNECTION/TOOL`, or `tool/NAME` of whichever server has it.

All of it is only worth a warning: servers come and go, and a call that finds no tool fails and says so.
"""

from typing import Final

from canvas.domain.catalog import ActionSpec, Catalog
from canvas.domain.problems import Report
from canvas.domain.steps import ActionStep

_OF_ANY: Final = "tool/"
_OF_ONE: Final = "mcp."


def names_tool(action: str) -> bool:
    """Tell whether a name can only mean a tool of an MCP server."""
    return action.startswith((_OF_ANY, _OF_ONE)) and "/" in action


def tool_of_any_server(report: Report, step: ActionStep, at: str, catalog: Catalog) -> ActionSpec | None:
    """Give the one tool that an unknown action means, or warn that there is none, or that there are several."""
    if not names_tool(step.action):
        return None
    meant = catalog.tools.get(step.action, ())
    if len(meant) == 1:
        return catalog.actions.get(meant[0])
    here, told = f"{at}/action", step.action[:80]
    if meant:
        offered = ", ".join(f"`{name}`" for name in meant[:10])
        report.warning("ambiguous_tool", here, f"Several MCP servers have `{told}`.", f"Use one of {offered}.")
        return None
    known = catalog.tools if step.action.startswith(_OF_ANY) else catalog.actions
    hint = report.near(step.action, known) or "Test the connection on the Connections page: that lists its tools."
    report.warning("unknown_tool", here, f"No MCP server is known to have `{told}`.", hint)
    return None
