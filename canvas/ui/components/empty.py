"""What a page shows when there is nothing to show yet: what belongs here, and how it gets here."""

import reflex as rx


def empty_state(icon: str, title: str, text: str, *actions: rx.Component) -> rx.Component:
    """Teach what a page is for.

    Args:
        icon: Name of a Lucide icon.
        title: What is missing, in a few words.
        text: How it comes to be here.
        actions: Buttons that bring it about.
    """
    return rx.flex(
        rx.center(
            rx.icon(icon, size=22, color="var(--accent-11)"),
            width="48px",
            height="48px",
            border_radius="50%",
            background="var(--accent-a3)",
        ),
        rx.heading(title, size="3", as_="h2", weight="medium"),
        rx.text(text, size="2", color="var(--gray-11)", align="center", max_width="440px"),
        rx.flex(*actions, gap="8px", wrap="wrap", justify="center", padding_top="4px"),
        direction="column",
        align="center",
        justify="center",
        gap="10px",
        padding="56px 16px",
    )
