"""Workflows to work with, as text."""

from collections.abc import Callable

import pytest
from sqlmodel import Session

from canvas.services import workflows

HELLO = """
dsl: canvas/v1
name: hello
title: Say hello
tags: [greeting]
parameters:
  who: {type: string, required: true}
  times: {type: integer, default: 1}
outputs:
  said: {type: string, value: "{{ steps.greet.output.message }}"}
steps:
  - name: greet
    type: action
    action: log/event
    parameters: {message: "Hello {{ workflow.parameters.who }}"}
"""


@pytest.fixture
def hello(session: Session) -> str:
    """The name of a published workflow with a required and an optional parameter."""
    workflows.import_workflow(session, HELLO, publish=True)
    return "hello"


@pytest.fixture
def publish(session: Session) -> Callable[..., str]:
    """Publish a workflow of one log step with the given triggers and parameters, as YAML flow; gives its name."""

    def make(name: str, triggers: str = "[]", parameters: str = "{}") -> str:
        text = (
            f"{{dsl: canvas/v1, name: {name}, parameters: {parameters}, triggers: {triggers}, "
            "steps: [{name: note, type: action, action: log/event, parameters: {message: hi}}]}"
        )
        workflows.import_workflow(session, text, publish=True, if_exists="update")
        return name

    return make
