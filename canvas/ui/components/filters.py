"""The controls above a list that say what of it is shown."""

from collections.abc import Callable, Mapping
from typing import Any

import reflex as rx

_TYPING_PAUSE_MS = 250


def search_box(placeholder: str, value: rx.Var, on_change: Any) -> rx.Component:
    """A text to search for; asks when typing pauses."""
    return rx.debounce_input(
        rx.input(
            rx.input.slot(rx.icon("search", size=14)),
            value=value,
            on_change=on_change,
            placeholder=placeholder,
            type="search",
            aria_label=placeholder,
            width=["100%", "100%", "240px"],
        ),
        debounce_timeout=_TYPING_PAUSE_MS,
    )


def choice(label: str, options: Mapping[str, str], value: rx.Var, on_change: Callable[..., Any]) -> rx.Component:
    """One of a few fixed options, given as value and words."""
    return rx.select.root(
        rx.select.trigger(aria_label=label),
        rx.select.content(*(rx.select.item(words, value=key) for key, words in options.items()), position="popper"),
        value=value,
        on_change=on_change,
    )
