"""The two components of the canvas as Reflex sees them; what they do is in the JSX beside this file."""

from pathlib import Path
from typing import Any, Final

import reflex as rx

_HERE: Final = Path(__file__).parent
SOURCES: Final = {path.name: rx.asset(path.name, shared=True) for path in sorted(_HERE.glob("*.[jc]s*"))}
"""Every file of the editor by name; a component is in one of them and imports the others."""

_Seq = int
_Name = str
_Spec = rx.event.passthrough_event_spec
_Handler = rx.EventHandler


class _Studio(rx.Component):
    """What both have in common."""

    lib_dependencies: list[str] = ["@xyflow/react@12.12.1", "zustand@5.0.8", "lucide-react", "@radix-ui/themes"]

    graph: rx.Var[dict[str, Any]]
    "The document with its layout; loaded when its `key` changes."
    catalog: rx.Var[dict[str, Any]]
    reply: rx.Var[dict[str, Any]]
    "The answer to the call with the same `seq`."
    color_mode: rx.Var[str]

    on_control: _Handler[_Spec(_Seq, str, str)]
    "seq, run, `cancel`, `pause` or `resume`."
    on_inspect: _Handler[_Spec(_Seq, str, str, str)]
    "seq, run, step, path or empty."
    on_leave: _Handler[_Spec(str)]
    "The key of the graph that is not shown any more."


class Editor(_Studio):
    """The editor. Every handler but `on_leave` gets a `seq` first and answers in `reply`; then the workflow's name."""

    library = SOURCES["editor.jsx"].importable_path
    tag = "Editor"

    on_edit: _Handler[_Spec(_Seq, _Name, int, list[dict[str, Any]])]
    "… base revision, operations."
    on_arrange: _Handler[_Spec(_Seq, _Name)]
    on_save: _Handler[_Spec(_Seq, _Name, str, bool)]
    "… change summary, whether to publish."
    on_publish: _Handler[_Spec(_Seq, _Name, int)]
    on_versions: _Handler[_Spec(_Seq, _Name)]
    on_version: _Handler[_Spec(_Seq, _Name, int)]
    on_start: _Handler[_Spec(_Seq, _Name, dict[str, Any], bool)]
    "… parameters, whether to run dry."
    on_read: _Handler[_Spec(_Seq, _Name, str)]
    "… text to import."
    on_export: _Handler[_Spec(_Seq, _Name, str)]
    "… `yaml` or `json`."
    on_reload: _Handler[_Spec(_Seq, _Name)]


class RunView(_Studio):
    """A run on the canvas of its version, with live states."""

    library = SOURCES["run.jsx"].importable_path
    tag = "RunView"

    on_end: _Handler[rx.event.no_args_event_spec]
