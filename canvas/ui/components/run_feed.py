"""Hears from `/api/ws/runs` that runs have changed."""

import reflex as rx
from reflex_base.event import no_args_event_spec

_JSX = rx.asset("run_feed.jsx", shared=True)


class RunFeed(rx.Component):
    """Shows nothing; fires when any run has changed, not more often than every `pause` milliseconds."""

    library = _JSX.importable_path
    tag = "RunFeed"

    pause: rx.Var[int]
    on_change: rx.EventHandler[no_args_event_spec]


run_feed = RunFeed.create
