"""Errors as RFC 9457 problem documents: what went wrong, under a stable `code`, and never a traceback."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from canvas.domain.errors import (
    CanvasError,
    Conflict,
    DefectError,
    Forbidden,
    Invalid,
    NotFound,
    TransientError,
    Unauthorized,
    UserError,
)
from canvas.services.webhooks import MethodNotAllowed

_FAMILIES: tuple[tuple[type[CanvasError], int], ...] = (
    (MethodNotAllowed, 405),
    (Unauthorized, 401),
    (NotFound, 404),
    (Conflict, 409),
    (Forbidden, 403),
    (Invalid, 422),
    (UserError, 400),
    (TransientError, 503),
    (DefectError, 500),
)
_OWN_KEYS = frozenset({"type", "title", "status", "detail", "code"})
_logger = logging.getLogger(__name__)


def problem(
    status: int, code: str, detail: str, more: Mapping[str, Any] | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Make a problem document; `more` are members of its own, such as the list of what is wrong."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    body |= {key: value for key, value in (more or {}).items() if key not in _OWN_KEYS}
    content = orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS)
    return Response(content, status, headers, "application/problem+json")


def status_of(error: CanvasError) -> int:
    """Give the HTTP status that tells an error's family."""
    return next((status for family, status in _FAMILIES if isinstance(error, family)), 500)


def handle_errors(api: FastAPI) -> None:
    """Let every error that leaves a route become a problem document."""
    api.add_exception_handler(CanvasError, _on_canvas_error)
    api.add_exception_handler(RequestValidationError, _on_bad_request)
    api.add_exception_handler(HTTPException, _on_http_error)
    api.add_exception_handler(Exception, _on_defect)


async def _on_canvas_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, CanvasError)
    status = status_of(error)
    if status == 500:
        _logger.error("%s [%s] %s", error, error.code, error.details)
        return problem(500, error.code, "Canvas made a mistake; its log says more.")
    return problem(status, error.code, str(error), error.details, _headers(error))


def _headers(error: CanvasError) -> dict[str, str] | None:
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(error.allow)}
    return {"WWW-Authenticate": 'Bearer realm="Canvas"'} if isinstance(error, Unauthorized) else None


async def _on_bad_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"pointer": "/" + "/".join(map(str, fault["loc"])), "text": fault["msg"], "code": fault["type"]}
        for fault in error.errors()
    ]
    if any(fault["code"] == "json_invalid" for fault in faults):
        return problem(400, "invalid_json", "The body is not JSON.", {"problems": faults})
    sentence = f"{faults[0]['pointer']}: {faults[0]['text']}" if faults else "The request cannot be read."
    return problem(422, "invalid_request", sentence, {"problems": faults[:100]})


async def _on_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed", 400: "invalid_request", 413: "body_too_large"}
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, codes.get(error.status_code, "http_error"), str(error.detail), headers=headers)


async def _on_defect(_request: Request, error: Exception) -> Response:
    _logger.error("a request failed", exc_info=error)
    return problem(500, "defect", "Canvas made a mistake; its log says more.")
