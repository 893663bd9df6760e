"""Requests over HTTP: `http/request` and connections of the kind `http`.

`request` is the action. `sending` sends one request, `login` and `tokens` add credentials, `bodies` builds what is
sent, `reading` reads what comes back, `paging` goes on to the next page, `failures` names what can go wrong.
"""

from canvas.actions.http.arguments import Method, Request, Response
from canvas.actions.http.failures import RequestFailed
from canvas.actions.http.login import HttpService
from canvas.actions.http.request import check, request

__all__ = ["HttpService", "Method", "Request", "RequestFailed", "Response", "check", "request"]
