"""An MCP server of a version that nobody speaks yet."""

import json
import sys

for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        about = {"protocolVersion": "2099-01-01", "capabilities": {}, "serverInfo": {"name": "later", "version": "9"}}
        answer = {"jsonrpc": "2.0", "id": message["id"]}
        if message["method"] == "initialize":
            answer["result"] = about
        else:
            answer["error"] = {"code": -32601, "message": "Method not found"}
        print(json.dumps(answer), flush=True)
