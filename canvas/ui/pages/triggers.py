"""The page Triggers."""

import reflex as rx

from canvas.ui.template import template


def page() -> rx.Component:
    """Build the page."""
    return template(title="Triggers")
