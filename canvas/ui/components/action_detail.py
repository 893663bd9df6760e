"""One action of the catalogue, with everything there is to know about it."""

from typing import Any

import reflex as rx

from canvas.ui.components.panel import panel


def action_detail(action: Any, *tools: rx.Component) -> rx.Component:
    """Show an action.

    Args:
        action: An `ActionDetail` of the state.
        tools: Buttons beside its name.
    """
    return panel(
        _head(action, tools),
        rx.text(action.description, size="2", color="var(--gray-12)", white_space="pre-line"),
        _facts(action),
        rx.cond(action.security != "", _security(action)),
        _fields("Arguments", action.arguments, "It takes none."),
        _fields("Result", action.result, "It gives nothing that is known beforehand."),
        _example(action),
        _uses(action),
        display="flex",
        flex_direction="column",
        gap="14px",
        padding="16px",
        custom_attrs={"data-testid": "action-detail"},
    )


def _head(action: Any, tools: tuple[rx.Component, ...]) -> rx.Component:
    return rx.flex(
        rx.link(
            rx.icon_button(rx.icon("arrow-left", size=15), variant="ghost", color_scheme="gray", aria_label="Back"),
            href="/actions",
            class_name="back",
        ),
        rx.box(
            rx.heading(action.title, size="4", as_="h2"),
            rx.text(action.name, size="1", color="var(--gray-11)", class_name="mono"),
            min_width="0",
        ),
        rx.spacer(),
        *tools,
        gap="10px",
        align="center",
    )


def _facts(action: Any) -> rx.Component:
    return rx.flex(
        rx.flex(
            _badge(action.category, "indigo"),
            rx.cond(action.origin != "builtin", _badge(f"{action.origin} {action.origin_detail}", "gray")),
            rx.foreach(action.permissions, lambda word: _badge(f"touches: {word}", "amber")),
            rx.foreach(action.connections, lambda kind: _badge(f"connection: {kind}", "gray")),
            rx.foreach(action.aliases, lambda alias: _badge(f"also {alias}", "gray")),
            gap="6px",
            wrap="wrap",
        ),
        rx.text(f"Version {action.version}. {action.repetition} {action.dry_run}", size="1", color="var(--gray-11)"),
        direction="column",
        gap="8px",
    )


def _badge(text: Any, colour: str) -> rx.Component:
    return rx.badge(text, color_scheme=colour, variant="soft", size="1")


def _security(action: Any) -> rx.Component:
    return rx.callout(action.security, icon="shield", size="1", color_scheme="gray", variant="surface")


def _section(title: str, *content: rx.Component) -> rx.Component:
    return rx.el.section(rx.heading(title, size="2", as_="h3", weight="medium", margin_bottom="6px"), *content)


def _fields(title: str, fields: Any, otherwise: str) -> rx.Component:
    table = panel(rx.foreach(fields, _field), role="table", aria_label=title)
    return _section(title, rx.cond(fields, table, rx.text(otherwise, size="1", color="var(--gray-11)")))


def _field(field: Any) -> rx.Component:
    return rx.box(
        rx.box(
            rx.text(field.path, size="1", weight="medium", color="var(--gray-12)", class_name="mono"),
            rx.cond(field.is_required, rx.badge("required", color_scheme="red", variant="soft", size="1")),
            class_name="field-name",
            role="cell",
        ),
        rx.box(
            rx.text(field.type, size="1", color="var(--gray-11)", class_name="mono"),
            rx.cond(field.default != "", rx.text(f"default {field.default}", size="1", color="var(--gray-11)")),
            class_name="field-type",
            role="cell",
        ),
        rx.box(
            rx.text(field.description, size="1", color="var(--gray-12)"),
            rx.cond(field.limits != "", rx.text(field.limits, size="1", color="var(--gray-11)")),
            role="cell",
        ),
        class_name="row field-row",
        role="row",
        key=field.path,
    )


def _example(action: Any) -> rx.Component:
    return _section(
        "Example",
        rx.box(
            rx.el.pre(action.example, class_name="mono code-block", aria_label="Example"),
            rx.icon_button(
                rx.icon("copy", size=13),
                on_click=[rx.set_clipboard(action.example), rx.toast.success("Example copied")],
                variant="soft",
                color_scheme="gray",
                size="1",
                position="absolute",
                top="8px",
                right="8px",
                aria_label="Copy the example",
            ),
            position="relative",
        ),
    )


def _uses(action: Any) -> rx.Component:
    return _section(
        "Used by",
        rx.cond(
            action.uses,
            rx.flex(rx.foreach(action.uses, _use), direction="column", gap="4px"),
            rx.text("No workflow uses it.", size="1", color="var(--gray-11)"),
        ),
    )


def _use(use: Any) -> rx.Component:
    return rx.flex(
        rx.link(use.workflow_title, href=f"/workflows/{use.workflow_name}", size="2"),
        rx.text(use.where, size="1", color="var(--gray-11)"),
        gap="8px",
        align="center",
        min_width="0",
    )
