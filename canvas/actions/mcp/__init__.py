"""Tools of servers that speak the Model Context Protocol, as actions.

The `mcp` package takes half a second to import, so only `link` and what it uses do, and they are imported when the
first server is called.
"""

from canvas.actions.mcp.kind import Mcp as Mcp
