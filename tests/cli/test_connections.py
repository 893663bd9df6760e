"""`canvas connections`: secrets come in by standard input and the environment, and are printed nowhere."""

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from canvas.cli import canvas
from canvas.domain.errors import CanvasError
from tests.doors import door_server, doors

KEY = "s3cr3t-key-of-the-door"
OPENS = """
dsl: canvas/v1
name: opens
steps:
  - {name: knock, type: action, action: door/open, parameters: {connection: front}}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Run a command over a database of its own, with something on standard input."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANVAS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DOOR_KEY", KEY)
    (tmp_path / "opens.yaml").write_text(OPENS)

    def invoke(*arguments: str, given: object = None) -> Result:
        text = given if isinstance(given, str) else orjson.dumps(given).decode() if given is not None else ""
        result = CliRunner().invoke(canvas, list(arguments), input=text)
        assert result.exception is None or isinstance(result.exception, SystemExit | CanvasError), result.exception
        assert "s3cr3t" not in result.output
        return result

    with doors():
        invoke("db", "upgrade")
        yield invoke


def test_a_connection_is_added_tested_changed_and_deleted(run):
    """Its values as JSON on standard input, its secret from the environment."""
    with door_server() as door:
        add = ("connections", "add", "front", "--kind", "door", "--secret-env", "key=DOOR_KEY")
        added = run(*add, given={"address": door.url})
        works = run("connections", "test", "front")
        door.status = 403
        fails = run("connections", "test", "front", "--json")
        changed = run("connections", "add", "front", "--replace", given={"address": "http://there", "wide": True})
        listed = run("connections", "list", "--json")
        deleted = run("connections", "delete", "front")

    assert [0, 0, 1, 0, 0, 0] == [r.exit_code for r in (added, works, fails, changed, listed, deleted)]
    assert "front: It opens: you are •••\n" == works.output
    assert "action_failed" == orjson.loads(fails.stdout)["code"]
    assert [("front", None)] == [(row["name"], row["is_test_passed"]) for row in orjson.loads(listed.stdout)]
    assert [KEY, KEY] == door.keys
    assert "" == run("connections", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "given", "told"),
    [
        (("front", "--kind", "window"), {}, "no kind of connection"),
        (("front",), {}, "--kind"),
        (("front", "--kind", "door"), {"address": "x"}, "key: Field required"),
        (("front", "--kind", "door"), "[1]", "JSON object"),
        (("front", "--kind", "door"), "{", "no JSON"),
        (("front", "--kind", "door", "--secret-env", f"key={KEY}"), {}, "environment variable"),
        (("Front Door", "--kind", "door", "--secret-env", "key=DOOR_KEY"), {"address": "x"}, "cannot name"),
    ],
)
def test_what_cannot_be_added_is_told(run, arguments, given, told):
    """In a sentence that does not repeat what may be secret."""
    result = run("connections", "add", *arguments, given=given)

    assert 0 != result.exit_code
    assert told in result.output + str(result.exception)
    assert "s3cr3t" not in str(result.exception)


def test_kinds_are_described(run):
    """What each takes, and what of it is secret."""
    lines = run("connections", "kinds", "door").stdout.splitlines()

    assert "  key (required, secret): Opens it." in lines
    assert "  wide: Whether both wings open." in lines
    assert any(line.startswith("gate ") for line in run("connections", "kinds").stdout.splitlines())


def test_one_in_use_is_deleted_only_when_asked_for(run):
    """Who names it is said; importing says what is missing, and goes on."""
    imported = run("import", "opens.yaml")
    run("connections", "add", "front", "--kind", "door", "--secret-env", "key=DOOR_KEY", given={"address": "x"})
    refused = run("connections", "delete", "front")

    assert 0 == imported.exit_code
    assert "opens: needs a connection 'front' of kind door, for knock" in imported.stderr
    needs = orjson.loads(run("import", "opens.yaml", "--json").stdout)[0]["needs"]["connections"]
    assert [("front", False)] == [(need["name"], need["missing"]) for need in needs]
    assert "'opens' names the connection 'front'" in str(refused.exception)
    assert "used by opens" in run("connections", "list").stdout
    assert 0 == run("connections", "delete", "front", "--even-if-used").exit_code


def test_keys_are_rotated(run, tmp_path):
    """The database opens with the new key, and the count is told."""
    run("connections", "add", "front", "--kind", "door", "--secret-env", "key=DOOR_KEY", given={"address": "x"})
    before = (tmp_path / "data" / "secret.key").read_text()

    result = run("db", "rotate-key")

    assert "Sealed with the newest key: 1." in result.stdout
    assert before != (tmp_path / "data" / "secret.key").read_text()
    assert "another key" not in run("connections", "test", "front").output


def test_a_file_runs_with_the_connections_that_are_here(run, tmp_path):
    """Its database is thrown away afterwards; the connections are those of the installation, and masked as ever."""
    with door_server() as door:
        missing = run("run", "opens.yaml")
        given = {"address": door.url}
        run("connections", "add", "front", "--kind", "door", "--secret-env", "key=DOOR_KEY", given=given)
        done = run("run", "opens.yaml", "--json")

    assert (1, 0) == (missing.exit_code, done.exit_code)
    assert "There is no connection `front`" in missing.stderr
    assert "<<•••>>" in done.stdout
    assert [KEY] == door.keys
