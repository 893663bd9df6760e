"""User-defined actions: a name of one's own for a registered action or a workflow, with typed arguments and invariants.

Pure: reading one from plain data, checking what it is called with, evaluating its invariants. `validation` judges
whether one makes sense; the decider calls it.
"""

from canvas.domain.actions.arguments import arguments_schema, read_arguments
from canvas.domain.actions.calls import Call, CallRefused, Prepared, is_checked, prepare_call
from canvas.domain.actions.document import action_schema, read_action, write_action
from canvas.domain.actions.extraction import document_from_step
from canvas.domain.actions.spec import CATEGORY, sample, spec_of
from canvas.domain.actions.values import Actors, Argument, Body, Invariant, UserAction

__all__ = [
    "CATEGORY",
    "Actors",
    "Argument",
    "Body",
    "Call",
    "CallRefused",
    "Invariant",
    "Prepared",
    "UserAction",
    "action_schema",
    "arguments_schema",
    "document_from_step",
    "is_checked",
    "prepare_call",
    "read_action",
    "read_arguments",
    "sample",
    "spec_of",
    "write_action",
]
