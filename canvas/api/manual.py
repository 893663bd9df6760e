"""The API's own manual: the OpenAPI document, and a page made of it that needs nothing from elsewhere."""

from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from canvas.api.caller import Caller, answer, needs
from canvas.services.access import Permission

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Caller, needs(Permission.VIEW)]
_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881}body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;
margin:2rem auto;padding:0 1rem}h2{margin-top:2.5rem;text-transform:capitalize}details{border:1px solid var(--line);
border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}summary{cursor:pointer}code,pre{font:13px ui-monospace,monospace}
pre{background:var(--soft);padding:.6rem;overflow:auto}b{display:inline-block;min-width:4.2rem}
td,th{text-align:left;padding:.1rem .8rem .1rem 0;vertical-align:top}
"""
_PAGE = (
    "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>Canvas API</title><style>{style}</style></head><body><h1>Canvas API</h1><p>{about}</p>"
    "<p><a href=openapi.json>openapi.json</a></p>{body}</body></html>"
)


@router.get("/openapi.json")
async def get_openapi(caller: Viewer, request: Request) -> Response:
    """Give the OpenAPI document."""
    return answer(document(request))


@router.get("/docs")
async def get_manual(caller: Viewer, request: Request) -> Response:
    """Give the OpenAPI document as a page for people."""
    found = document(request)
    groups: dict[str, list[str]] = {}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation.get("tags", ["more"])[0], []).append(_operation(path, method, operation))
    body = "".join(f"<h2>{escape(name)}</h2>{''.join(parts)}" for name, parts in groups.items())
    return HTMLResponse(_PAGE.format(style=_STYLE, about=escape(found["info"]["description"]), body=body))


def document(request: Request) -> dict[str, Any]:
    """Give the OpenAPI document with the address the API is mounted at."""
    found = dict(request.app.openapi())
    found["servers"] = [{"url": request.scope.get("root_path", "") or "/"}]
    return found


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(p['name'])}</code><td>{escape(p['in'])}{' (required)' if p.get('required') else ''}"
        f"<td>{escape(p.get('description', '') or p.get('schema', {}).get('description', ''))}"
        for p in operation.get("parameters", ())
    )
    bodies = operation.get("requestBody", {}).get("content", {}).items()
    body = "".join(f"<p>Body: <code>{escape(kind)} {escape(_schema_name(content))}</code>" for kind, content in bodies)
    return (
        f"<details><summary><b>{method.upper()}</b> <code>/api{escape(path)}</code></summary>"
        f"<p>{escape(operation.get('description', ''))}</p>{f'<table>{rows}</table>' if rows else ''}{body}</details>"
    )


def _schema_name(content: dict[str, Any]) -> str:
    return str(content["schema"].get("$ref", "")).rpartition("/")[2]
