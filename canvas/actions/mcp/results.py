"""What a tool answered, as a step's output."""

from typing import Any, Final

import mcp_types as types
import orjson

from canvas.actions.mcp.failures import McpGarbage, ToolFailed
from canvas.actions.mcp.schemas import faults_against
from canvas.actions.mcp.tools import Tool

_MAX_ERROR_TEXT: Final = 2_000


def read_result(tool: Tool, result: types.CallToolResult) -> Any:
    """Give the output: the structured content if there is some, else what the content blocks say.

    A single text that is a JSON object or list is that value. Anything else is `{text, content}`, where binary content
    is base64.

    Raises:
        ToolFailed: the tool says that it failed.
        McpGarbage: the result is not what the tool promised.
    """
    blocks = [_block(block) for block in result.content]
    text = "\n".join(block["text"] for block in blocks if "text" in block)
    if result.is_error:
        said = text.strip()[:_MAX_ERROR_TEXT] or "It did not say why."
        raise ToolFailed(f"The tool {tool.name} failed: {said}", retryable=True, tool=tool.name)
    if result.structured_content is not None:
        _require_promised(tool, result.structured_content)
        return result.structured_content
    if tool.output_schema is not None:
        raise McpGarbage(f"The tool {tool.name} promises structured results and gave none.")
    value = _as_json(text) if len(blocks) == 1 else None
    return {"text": text, "content": blocks} if value is None else value


def _require_promised(tool: Tool, value: Any) -> None:
    faults = faults_against(tool.output_schema, value) if tool.output_schema is not None else []
    if faults:
        told = "; ".join(faults)
        raise McpGarbage(f"The result of the tool {tool.name} does not fit the schema it promises: {told}.")


def _as_json(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _block(block: types.ContentBlock) -> dict[str, Any]:
    match block:
        case types.TextContent():
            return {"type": "text", "text": block.text}
        case types.ImageContent() | types.AudioContent():
            return {"type": block.type, "mime_type": block.mime_type, "data": block.data}
        case types.ResourceLink():
            return {"type": "link", "uri": str(block.uri), "name": block.name, "mime_type": block.mime_type}
        case types.EmbeddedResource():
            return _resource(block.resource)
    raise McpGarbage(f"The tool gave content of an unknown type, {block.type!r}.")


def _resource(resource: types.TextResourceContents | types.BlobResourceContents) -> dict[str, Any]:
    about = {"type": "resource", "uri": str(resource.uri)}
    if isinstance(resource, types.TextResourceContents):
        return {**about, "text": resource.text}
    return {**about, "mime_type": resource.mime_type, "data": resource.blob}
