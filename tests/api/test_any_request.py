"""Any request that the OpenAPI document allows, and many that it does not, gets an answer and never a defect."""

import warnings
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from canvas.api import run_events
from canvas.api.app import create_api
from canvas.services import migrations
from canvas.settings import Settings
from tests.api.client import Client, client_of
from tests.api.conftest import HELLO

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports what others deprecate
    import schemathesis

EXAMPLES = 15


def operations() -> list[tuple[str, str, str]]:
    """List every operation, with good requests, and with bad ones where something about it can be bad."""
    found = []
    for path, methods in create_api(Settings()).openapi()["paths"].items():
        for method, operation in methods.items():
            found.append((path, method, "positive"))
            if "requestBody" in operation or any(p["in"] != "path" for p in operation.get("parameters", ())):
                found.append((path, method, "negative"))
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[tuple[Client, schemathesis.schemas.BaseSchema, dict[str, str]]]:
    """One API for all, with something in it, and ids of things that are there."""
    known = Settings(data_dir=tmp_path_factory.mktemp("data"), durability="process")
    migrations.upgrade(known)
    lifetime, run_events.LIFETIME_SECONDS = run_events.LIFETIME_SECONDS, 0.01
    with client_of(create_api(known)) as client:
        client.post("/workflows/import?publish=true", content=HELLO)
        run = client.post("/workflows/hello/runs", json={"parameters": {"who": "x"}}).json()["id"]
        schedule = client.post("/schedules", json={"workflow": "hello", "cron": "0 0 * * *"}).json()["id"]
        ids = {"name": "hello", "run_id": run, "schedule_id": schedule, "number": "1", "path": "greet"}
        yield client, schemathesis.openapi.from_dict(client.get("/openapi.json").json()), ids
    run_events.LIFETIME_SECONDS = lifetime


@pytest.mark.parametrize(("path", "method", "mode"), operations())
def test_no_request_is_a_defect(served, path: str, method: str, mode: str):
    """Whatever is sent: an answer below 500, and a problem document with a code when it is refused."""
    client, schema, ids = served
    strategy = schema[path][method].as_strategy(generation_mode=schemathesis.GenerationMode[mode.upper()])

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy, uses_known=st.booleans())
    def send(case, uses_known):
        if uses_known:
            case.path_parameters = {
                **(case.path_parameters or {}),
                **{k: v for k, v in ids.items() if f"{{{k}}}" in path},
            }
        answer = client.request(**_as_httpx(case))

        assert answer.status_code < 500 or path == "/ready", answer.text
        if 400 <= answer.status_code < 500:
            assert "application/problem+json" == answer.headers["content-type"]
            assert answer.json()["code"]

    send()


def _as_httpx(case) -> dict:
    asked = case.as_transport_kwargs(base_url="http://localhost")
    wanted = {key: asked[key] for key in ("method", "headers", "params", "json") if asked.get(key) is not None}
    wanted["path"] = asked["url"]
    if isinstance(asked.get("data"), str | bytes):
        wanted["content"] = asked["data"]
    return wanted
