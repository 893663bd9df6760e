"""The editor of user-defined actions as Reflex sees it; what it does is in `own.jsx` beside this file."""

from typing import Any

import reflex as rx

from canvas.ui.editor.studio import SOURCES

_Seq = int
_Name = str
_Spec = rx.event.passthrough_event_spec
_Handler = rx.EventHandler


class OwnAction(rx.Component):
    """The editor of one action. Every handler gets a `seq` first and answers in `reply`."""

    library = SOURCES["own.jsx"].importable_path
    tag = "OwnAction"
    lib_dependencies: list[str] = ["zustand@5.0.8", "lucide-react", "@radix-ui/themes"]

    opened: rx.Var[dict[str, Any]]
    "The action as it is kept, `{key, name, version, state, document, uses, …}`; loaded when its `key` changes."
    catalog: rx.Var[dict[str, Any]]
    reply: rx.Var[dict[str, Any]]
    "The answer to the call with the same `seq`."

    on_check: _Handler[_Spec(_Seq, dict[str, Any])]
    "… document."
    on_save: _Handler[_Spec(_Seq, _Name, dict[str, Any], int)]
    "… name or empty for a new one, document, base version."
    on_turn: _Handler[_Spec(_Seq, _Name, str)]
    "… `archive`, `restore` or `delete`."
    on_export: _Handler[_Spec(_Seq, _Name, str)]
    "… `yaml` or `json`."
    on_try: _Handler[_Spec(_Seq, _Name, dict[str, Any], bool)]
    "… arguments, whether to run dry."
    on_look: _Handler[_Spec(_Seq, str)]
    "… run."
