"""Boxes that lists stand in, and the bones they show before they are loaded."""

import reflex as rx

from canvas.ui.theme import BORDER


def panel(*content: rx.Component, **props: object) -> rx.Component:
    """Frame a list or a table."""
    style = {"border": BORDER, "border_radius": "var(--radius-3)", "background": "var(--color-background)"}
    return rx.box(*content, overflow="hidden", **{**style, **props})


def bones(count: int, height: str) -> rx.Component:
    """Stand in for `count` rows of a height until they are loaded, so that nothing jumps."""
    row = rx.skeleton(height=height, width="100%")
    return rx.flex(*(row for _ in range(count)), direction="column", gap="8px", width="100%", aria_busy="true")
