"""The loops behind the macros. Each element pays for its body before the body runs."""

from collections.abc import Callable, Mapping
from typing import Any

from canvas.domain.expressions.limits import Meter
from canvas.domain.expressions.values import describe

Body = Callable[[Mapping[str, Any], Meter], Any]
Loop = Callable[[list[Any], Mapping[str, Any], Meter], Any]


class NotBoolean(Exception):
    """A condition is neither true nor false; the message names its type."""


def _test(condition: Body, roots: Mapping[str, Any], meter: Meter) -> bool:
    value = condition(roots, meter)
    if value is True or value is False:
        return bool(value)
    raise NotBoolean(describe(value))


def mapping(slot: int, body: Body, cost: int) -> Loop:
    """Make the loop of `map(item, body)`."""

    def run(items: list[Any], roots: Mapping[str, Any], meter: Meter) -> list[Any]:
        found = []
        for item in items:
            meter.spend(cost, 8)
            meter.variables[slot] = item
            found.append(body(roots, meter))
        return found

    return run


def filtering_map(slot: int, condition: Body, body: Body, cost: int) -> Loop:
    """Make the loop of `map(item, condition, body)`."""

    def run(items: list[Any], roots: Mapping[str, Any], meter: Meter) -> list[Any]:
        found = []
        for item in items:
            meter.spend(cost, 8)
            meter.variables[slot] = item
            if _test(condition, roots, meter):
                found.append(body(roots, meter))
        return found

    return run


def filtering(slot: int, condition: Body, cost: int) -> Loop:
    """Make the loop of `filter`."""

    def run(items: list[Any], roots: Mapping[str, Any], meter: Meter) -> list[Any]:
        found = []
        for item in items:
            meter.spend(cost, 8)
            meter.variables[slot] = item
            if _test(condition, roots, meter):
                found.append(item)
        return found

    return run


def searching(slot: int, condition: Body, cost: int, *, stops_at: bool) -> Loop:
    """Make the loop of `exists` (which stops at true) or `all` (which stops at false)."""

    def run(items: list[Any], roots: Mapping[str, Any], meter: Meter) -> bool:
        for item in items:
            meter.spend(cost)
            meter.variables[slot] = item
            if _test(condition, roots, meter) is stops_at:
                return stops_at
        return not stops_at

    return run


def counting_one(slot: int, condition: Body, cost: int) -> Loop:
    """Make the loop of `exists_one`."""

    def run(items: list[Any], roots: Mapping[str, Any], meter: Meter) -> bool:
        count = 0
        for item in items:
            meter.spend(cost)
            meter.variables[slot] = item
            count += _test(condition, roots, meter)
        return count == 1

    return run


def make_loop(name: str, slot: int, bodies: tuple[Body, ...], cost: int) -> Loop:
    """Choose the loop of a macro."""
    if name == "map":
        return mapping(slot, bodies[0], cost) if len(bodies) == 1 else filtering_map(slot, bodies[0], bodies[1], cost)
    if name == "filter":
        return filtering(slot, bodies[0], cost)
    if name == "exists_one":
        return counting_one(slot, bodies[0], cost)
    return searching(slot, bodies[0], cost, stops_at=name == "exists")
