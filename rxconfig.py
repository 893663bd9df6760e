"""Reflex settings; what differs between machines comes from the environment (see `canvas/settings.py`)."""

import reflex as rx

from canvas.build_plugin import SameOriginPlugin
from canvas.ui.theme import THEME

config = rx.Config(
    app_name="canvas",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    default_color_mode="system",
    frontend_compression_formats=["gzip"],
    plugins=[rx.plugins.RadixThemesPlugin(theme=THEME), SameOriginPlugin()],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
