"""One look: Radix tokens only, so that light and dark need no second thought."""

from typing import Final

import reflex as rx
from reflex_base.components.component import ComponentStyle

THEME = rx.theme(accent_color="iris", gray_color="slate", radius="medium", scaling="95%", panel_background="solid")

SIDEBAR_WIDTH = "208px"
HEADER_HEIGHT = "48px"
BORDER = "1px solid var(--gray-a5)"

STYLE: Final[ComponentStyle] = {
    "body": {"background": "var(--gray-2)"},
    "::selection": {"background": "var(--accent-a5)"},
}

STATUS_COLORS = {
    "pending": "gray",
    "running": "blue",
    "waiting": "amber",
    "retrying": "orange",
    "paused": "amber",
    "completed": "green",
    "failed": "red",
    "skipped": "gray",
    "cancelled": "gray",
    "draft": "gray",
    "active": "green",
    "deprecated": "orange",
    "archived": "gray",
}
