"""A small service on loopback that the example workflows call: orders, customers, tickets, messages and bad days.

It keeps everything in memory and answers the same after each start. Run it with
`python -m examples.demo_service [PORT]`; `make run` does.
"""

import sys
from typing import Any

from fastapi import FastAPI, HTTPException
from granian import Granian
from granian.constants import Interfaces

DEFAULT_PORT = 8100
KINDS = ("standard", "express", "refund", "exchange")
CUSTOMERS = 40
ORDERS = 130

app = FastAPI(title="Demo service")
tickets: list[dict[str, Any]] = []
messages: list[dict[str, Any]] = []
refusals: dict[str, int] = {}


@app.get("/health")
def health() -> dict[str, str]:
    """Say that all is well."""
    return {"status": "ok"}


@app.get("/orders")
def orders(page: int = 1, size: int = 25) -> dict[str, Any]:
    """List one page of orders; pages count from 1."""
    size = max(1, min(size, 100))
    first = (page - 1) * size + 1
    items = [_order(number) for number in range(first, min(first + size, ORDERS + 1))]
    return {"items": items, "page": page, "pages": -(-ORDERS // size), "total": ORDERS}


@app.get("/orders/{number}")
def order(number: int) -> dict[str, Any]:
    """Give one order."""
    if not 1 <= number <= ORDERS:
        raise HTTPException(404, f"no order {number}")
    return _order(number)


@app.get("/customers/{number}")
def customer(number: int) -> dict[str, Any]:
    """Give one customer; every thirteenth has left."""
    if not 1 <= number <= CUSTOMERS or number % 13 == 0:
        raise HTTPException(404, f"no customer {number}")
    return {
        "id": number,
        "name": f"Customer {number}",
        "company": f"Company {number % 7 + 1}",
        "employees": number * 37 % 900,
    }


@app.get("/files/customers.json")
def customers_file() -> list[dict[str, Any]]:
    """Serve a file of records, as an export of another system would look."""
    return [{"id": number, "email": f"customer{number}@example.com"} for number in range(1, CUSTOMERS + 1)]


@app.get("/regions/{region}/sales")
def sales(region: str) -> dict[str, Any]:
    """Give today's sales of a region, in EUR."""
    return {"region": region, "sales": 1_000 + sum(map(ord, region)) * 3}


@app.post("/tickets", status_code=201)
def open_ticket(ticket: dict[str, Any]) -> dict[str, Any]:
    """Keep a ticket and number it."""
    return _keep(tickets, ticket)


@app.get("/tickets")
def list_tickets() -> list[dict[str, Any]]:
    """List the tickets, oldest first."""
    return tickets


@app.post("/messages", status_code=201)
def post_message(message: dict[str, Any]) -> dict[str, Any]:
    """Keep a message and number it."""
    return _keep(messages, message)


@app.get("/messages")
def list_messages() -> list[dict[str, Any]]:
    """List the messages, oldest first."""
    return messages


@app.post("/unstable")
def unstable(key: str, failures: int = 2) -> dict[str, Any]:
    """Refuse the first `failures` calls with the same key with 503, then accept."""
    refusals[key] = refusals.get(key, 0) + 1
    if refusals[key] <= failures:
        raise HTTPException(503, f"busy, {failures - refusals[key]} more refusals to come")
    return {"accepted": True, "calls": refusals[key]}


def _order(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "kind": KINDS[number % len(KINDS)],
        "customer": f"Customer {number % CUSTOMERS + 1}",
        "amount": number * 7 % 400 + 10,
    }


def _keep(shelf: list[dict[str, Any]], thing: dict[str, Any]) -> dict[str, Any]:
    shelf.append({"id": len(shelf) + 1, **thing})
    del shelf[:-1_000]
    return shelf[-1]


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PORT
    Granian(
        "examples.demo_service:app", address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_access=False
    ).serve()
