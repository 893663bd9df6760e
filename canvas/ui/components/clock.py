"""Moments and durations that keep themselves up to date in the browser."""

import reflex as rx

_JSX = rx.asset("clock.jsx", shared=True)


class Ago(rx.Component):
    """A moment relative to now, such as "5 min ago" or "in 3 hr"; the exact one on hover."""

    library = _JSX.importable_path
    tag = "Ago"

    at: rx.Var[str]
    none: rx.Var[str]


class Elapsed(rx.Component):
    """How long something took; it counts on while there is no end."""

    library = _JSX.importable_path
    tag = "Elapsed"

    since: rx.Var[str]
    until: rx.Var[str]


class DueTimes(rx.Component):
    """Moments, told in a timezone, each day said once."""

    library = _JSX.importable_path
    tag = "DueTimes"

    times: rx.Var[list]
    timezone: rx.Var[str]


def ago(at: rx.Var, *, none: str = "never") -> rx.Component:
    """Show a moment relative to now; `none` stands in for a missing one."""
    return Ago.create(at=at.to(str), none=none)


def elapsed(since: rx.Var, until: rx.Var) -> rx.Component:
    """Show the time between two moments, or up to now while the second is missing."""
    return Elapsed.create(since=since.to(str), until=until.to(str))


def due_times(times: rx.Var, timezone: rx.Var) -> rx.Component:
    """Show moments as days and times in a timezone."""
    return DueTimes.create(times=times, timezone=timezone.to(str))
