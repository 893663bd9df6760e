"""The workflows we ship: each imports, validates, runs to its end and exports."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from canvas.db import reading, transaction
from canvas.domain import dsl
from canvas.domain.states import RunStatus
from canvas.engine.worker import Engine
from canvas.services import runs, workflows
from canvas.settings import Settings
from models import WorkflowRun
from tests.serving import free_port, wait_for

ROOT = Path(__file__).parents[2]


class _AnyNumber:
    """Equal to every whole number: the demo service counts on from test to test."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int)

    __hash__ = None


ANY_NUMBER = _AnyNumber()
EXAMPLES = {
    "api_health_check": {"healthy": True},
    "charge_with_fallback": {"paid_by": "card"},
    "customer_onboarding": {"welcome_id": ANY_NUMBER},
    "enrich_customers": {"enriched": 37, "missing": 3},
    "order_triage": {"queue": "review"},
    "paginated_fetch": {"orders": 130, "revenue": 25305},
    "post_to_team": {"message_id": ANY_NUMBER},
    "reminder": {"reminded_of": "Stretch your legs."},
    "sales_report": {"total": 8604, "best": "islands"},
}
GIVEN = {"reminder": {"after_seconds": 0.1}, "post_to_team": {"message": "Hello"}}


def test_every_example_is_run_here() -> None:
    """An example that nobody runs is an example that nobody knows to work."""
    assert set(EXAMPLES) == {path.stem for path in (ROOT / "examples").glob("*.yaml")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_as_it_is(name: str, with_examples: Settings, engine: Engine, demo_service: str) -> None:
    """No account, no change, no network: the demo service answers, and the run gives what it promises."""
    with transaction(with_examples) as session:
        run_id = runs.start_run(session, name, {**_service(name, demo_service), **GIVEN.get(name, {})})
    engine.nudge()

    assert RunStatus.COMPLETED == engine.wait(run_id), error_of(with_examples, run_id)
    assert EXAMPLES[name] == run_row(with_examples, run_id).output
    assert_exports_as_itself(with_examples, name)


def test_the_fallback_is_taken_when_the_service_stays_down(
    with_examples: Settings, engine: Engine, demo_service: str
) -> None:
    """After its last attempt a failing step hands over to its failure branch, and the run completes."""
    with transaction(with_examples) as session:
        parameters = {"service_url": demo_service, "failures": 9}
        run_id = runs.start_run(session, "charge_with_fallback", parameters)
    engine.nudge()

    assert RunStatus.COMPLETED == engine.wait(run_id, 60), error_of(with_examples, run_id)
    assert {"paid_by": "invoice"} == run_row(with_examples, run_id).output


def _service(name: str, url: str) -> dict[str, str]:
    return {} if name == "reminder" else {"service_url": url}


@pytest.fixture(scope="module")
def demo_service() -> Iterator[str]:
    """The demo service on a free port, as `make run` starts it."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "examples.demo_service", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: process.poll() is not None or _answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings that let the examples reach the demo service."""
    allowed = request.getfixturevalue("demo_service") if "demo_service" in request.fixturenames else ""
    return Settings(data_dir=tmp_path, http_allowed_origins=allowed)


@pytest.fixture
def engine(database: Settings) -> Iterator[Engine]:
    """An engine on the test's database."""
    engine = Engine(database)
    engine.start()
    yield engine
    engine.stop(0)


@pytest.fixture
def with_examples(database: Settings) -> Settings:
    """A database with every example published, those that others call first."""
    files = sorted((ROOT / "examples").glob("*.yaml"), key=lambda path: (path.stem != "post_to_team", path.stem))
    with transaction(database) as session:
        for path in files:
            workflows.import_workflow(session, path.read_bytes(), publish=True)
    return database


def run_row(settings: Settings, run_id: str) -> WorkflowRun:
    with reading(settings) as session:
        return session.exec(select(WorkflowRun).where(WorkflowRun.id == run_id)).one()


def error_of(settings: Settings, run_id: str) -> Any:
    return run_row(settings, run_id).error


def assert_exports_as_itself(settings: Settings, name: str) -> None:
    with reading(settings) as session:
        texts = [workflows.export_workflow(session, name, format=form) for form in ("yaml", "json")]
    definitions = [dsl.parse(text).definition for text in texts]

    assert definitions[0] is not None
    assert definitions[0] == definitions[1]
    assert texts[0] == dsl.to_yaml(definitions[0], dsl.parse(texts[0]).layout)
