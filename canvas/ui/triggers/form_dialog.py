"""How the dialog of `form.py` looks."""

from collections.abc import Mapping
from typing import Any, Final

import reflex as rx

from canvas.domain.events import KNOWN_EVENTS
from canvas.ui.components.dialog import dialog
from canvas.ui.triggers.form import TriggerFormState

_OVERLAP: Final = {"allow": "Start all the same", "skip": "Skip this time", "queue": "Wait for it to end"}
_CATCH_UP: Final = {"last": "Make up for the last one", "none": "Forget them", "all": "Make up for all of them"}
_SIGNATURE: Final = {"none": "Nothing", "token": "A token", "standard": "Standard Webhooks signature"}
_RESPOND: Final = {"at_once": "At once, with the run's id", "result": "With the run's output"}
_TYPES: Final = "trigger-event-types"


def form_dialog() -> rx.Component:
    """The dialog; `TriggerFormState.begin(kind)` and `.change(kind, id)` open it."""
    state = TriggerFormState
    title = rx.match(state.kind, ("schedule", "schedule"), ("webhook", "webhook"), "event trigger")
    return dialog(
        rx.cond(state.trigger_id == "", f"New {title}", f"Change the {title}"),
        "It is kept here, apart from the workflow's definition, and stays when another version is published.",
        rx.flex(
            rx.cond(state.trigger_id == "", _workflow()),
            rx.match(state.kind, ("schedule", _schedule()), ("webhook", _webhook()), _event()),
            _parameters(),
            rx.cond(state.problem != "", rx.text(state.problem, size="2", color="var(--red-11)", role="alert")),
            direction="column",
            gap="12px",
        ),
        rx.flex(
            rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
            rx.button("Keep it", on_click=state.save, disabled=state.workflow == ""),
            gap="8px",
            justify="end",
            padding_top="14px",
        ),
        width="520px",
        open=state.is_open,
        on_open_change=state.toggle,
    )


def _workflow() -> rx.Component:
    return _labelled(
        "Workflow",
        rx.cond(
            TriggerFormState.workflows,
            rx.select(
                TriggerFormState.workflows,
                value=TriggerFormState.workflow,
                on_change=TriggerFormState.choose,
                position="popper",
                width="100%",
            ),
            rx.text("There is no workflow yet.", size="2", color="var(--gray-11)"),
        ),
    )


def _schedule() -> rx.Component:
    return rx.fragment(
        _pair(_field("Cron", "cron", "0 9 * * 1-5", class_name="mono"), _field("Timezone", "timezone", "UTC")),
        rx.text(
            TriggerFormState.words,
            size="2",
            color="var(--gray-11)",
            min_height="20px",
            margin_top="-6px",
            custom_attrs={"data-testid": "trigger-words"},
        ),
        _pair(
            _field("Or every so many seconds", "interval", "leave the cron empty"),
            _field("Jitter, in seconds", "jitter", "0"),
        ),
        _pair(
            _choice("While the run before goes on", "overlap", _OVERLAP),
            _choice("Starts missed", "catch_up", _CATCH_UP),
        ),
    )


def _webhook() -> rx.Component:
    return rx.fragment(
        _pair(
            _field("Path after /api/hooks/", "path", "orders", class_name="mono"), _field("Methods", "methods", "POST")
        ),
        _pair(
            _choice("Callers prove who they are by", "signature", _SIGNATURE), _choice("Answer", "respond", _RESPOND)
        ),
    )


def _event() -> rx.Component:
    return rx.fragment(
        _field("Event", "event", "order.created", class_name="mono", list=_TYPES),
        rx.el.datalist(*(rx.el.option(value=event.name) for event in KNOWN_EVENTS), id=_TYPES),
        _field("Only if", "filter", "event.data.priority <= 2", class_name="mono"),
    )


def _parameters() -> rx.Component:
    return _labelled(
        "What the run is given, as JSON; templates see trigger.data",
        rx.debounce_input(
            rx.text_area(
                value=TriggerFormState.fields["parameters"],
                on_change=lambda text: TriggerFormState.put("parameters", text),
                rows="3",
                class_name="mono",
            ),
            debounce_timeout=250,
        ),
    )


def _field(label: str, name: str, placeholder: str, **props: Any) -> rx.Component:
    return _labelled(
        label,
        rx.debounce_input(
            rx.input(
                value=TriggerFormState.fields[name],
                on_change=lambda text: TriggerFormState.put(name, text),
                placeholder=placeholder,
                custom_attrs={"data-testid": f"trigger-{name}"},
                **props,
            ),
            debounce_timeout=200,
        ),
    )


def _choice(label: str, name: str, options: Mapping[str, str]) -> rx.Component:
    return _labelled(
        label,
        rx.select.root(
            rx.select.trigger(aria_label=label, width="100%"),
            rx.select.content(*(rx.select.item(words, value=key) for key, words in options.items()), position="popper"),
            value=TriggerFormState.fields[name],
            on_change=lambda value: TriggerFormState.put(name, value),
        ),
    )


def _labelled(label: str, control: rx.Component) -> rx.Component:
    return rx.el.label(rx.text(label, size="1", weight="medium", margin_bottom="4px"), control, flex="1", min_width="0")


def _pair(*fields: rx.Component) -> rx.Component:
    return rx.grid(*fields, columns=rx.breakpoints(initial="1", sm="2"), gap="12px")
