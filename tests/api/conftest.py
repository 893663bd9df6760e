"""The API as an application, called in-process, over a real database; with an engine where runs have to end."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from canvas import db
from canvas.api.app import create_api
from canvas.engine.worker import Engine
from canvas.services import migrations
from canvas.settings import Settings
from tests.api.client import Client, client_of

HELLO = """
dsl: canvas/v1
name: hello
title: Say hello
parameters:
  who: {type: string, required: true}
outputs:
  said: {type: string, value: "{{ steps.greet.output.message }}"}
triggers:
  - {type: webhook, path: greet, methods: [POST, GET], parameters: {who: "{{ trigger.data.body.who }}"}}
  - {type: event, event: guest.arrived, parameters: {who: "{{ trigger.data.data.who }}"}}
steps:
  - name: greet
    type: action
    action: log/event
    parameters: {message: "Hello {{ workflow.parameters.who }}"}
"""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty, migrated database."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("template"))
    migrations.upgrade(settings)
    db.connect(settings).dispose()  # the last connection takes the write-ahead log into the file
    return settings.data_dir / "canvas.db"


@pytest.fixture
def api(settings: Settings, template: Path) -> Iterator[Client]:
    """A client of the API over an empty, migrated database; a defect is an answer, not an exception."""
    shutil.copy(template, settings.data_dir)
    with client_of(create_api(settings)) as client:
        yield client


@pytest.fixture
def hello(api: Client) -> Client:
    """A client with the workflow `hello` imported and published."""
    answer = api.post("/workflows/import?publish=true", content=HELLO)
    assert 201 == answer.status_code, answer.text
    return api


@pytest.fixture
def engine(settings: Settings, api: Client) -> Iterator[Engine]:
    """An engine at work on the same database."""
    engine = Engine(settings)
    engine.start()
    yield engine
    engine.stop()
