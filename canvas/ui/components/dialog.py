"""The frame of a dialog: title, what it is about, and the content."""

from typing import Any

import reflex as rx


def dialog(title: Any, about: Any, *content: rx.Component, width: str, **root: Any) -> rx.Component:
    """Frame a dialog.

    Args:
        title: What is done here.
        about: A sentence or two below it.
        content: The rest.
        width: At most this wide, and never wider than the screen.
        root: `open` and `on_open_change`.
    """
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(title, size="4", margin_bottom="4px"),
            rx.dialog.description(about, class_name="about"),
            *content,
            class_name="dialog",
            max_width=f"min({width}, calc(100vw - 24px))",
        ),
        **root,
    )
