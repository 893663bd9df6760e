"""The command line: what each command prints and how it exits."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from canvas.actions.plugins import Plugin
from canvas.cli import canvas, catalogue
from canvas.domain.errors import CanvasError

GREET = """
dsl: canvas/v1
name: greet
parameters:
  who: {type: string, required: true}
  times: {type: integer, default: 1}
  loud: {type: boolean, default: false}
  tags: {type: list, default: []}
outputs:
  said: {type: string, value: "{{ steps.say.output.message }}"}
  given: {type: object, value: "{{ workflow.parameters }}"}
steps:
  - name: say
    type: action
    action: log/event
    parameters: {message: "Hello {{ workflow.parameters.who }}"}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch):
    """Run a command in a folder of its own, over a database that `canvas db upgrade` made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANVAS_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "greet.yaml").write_text(GREET)

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(canvas, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit | CanvasError), result.exception
        return result

    invoke("db", "upgrade")
    return invoke


def json_of(result: Result):
    return orjson.loads(result.stdout)


def test_a_file_runs_to_its_end(run):
    """Without any database of one's own; progress on standard error, the output on standard output."""
    result = run("run", "greet.yaml", "-p", "who=you")

    assert 0 == result.exit_code, result.output
    assert "Hello you" == json_of(result)["said"]
    assert "say" in result.stderr
    assert "completed" in result.stderr


def test_the_run_as_json(run):
    """In the documented shape."""
    report = json_of(run("run", "greet.yaml", "-p", "who=you", "--json"))

    assert ["run_id", "status", "output", "error", "steps"] == list(report)
    (step,) = report["steps"]
    fields = ["path", "name", "type", "status", "attempt", "output", "error", "started_at", "ended_at"]
    assert fields == list(step)
    assert ("completed", "say", "action", "completed", 1) == (
        report["status"],
        step["path"],
        step["type"],
        step["status"],
        step["attempt"],
    )


def test_parameters_are_read_as_their_types_say(run, tmp_path: Path):
    """From pairs, over those of a file."""
    (tmp_path / "params.yaml").write_text("who: nobody\nloud: false\n")
    pairs = ["-p", "who=5", "-p", "times=7", "-p", "loud=yes", "-p", 'tags=["a", 1]']
    given = json_of(run("run", "greet.yaml", "--params", "params.yaml", *pairs, "--json"))["output"]["given"]

    assert {"who": "5", "times": 7, "loud": True, "tags": ["a", 1]} == given
    assert isinstance(given["times"], int)


@pytest.mark.parametrize(
    "arguments",
    [["-p", "who"], ["-p", "who=x", "-p", "times=many"], ["-p", "who=x", "-p", "loud=perhaps"],
     ["-p", "who=x", "-p", "tags={}"], ["--nonsense"], ["--params", "missing.json"]],
)  # fmt: skip
def test_wrong_use_exits_with_two(run, arguments):
    """And says what is wrong."""
    result = run("run", "greet.yaml", *arguments)

    assert 2 == result.exit_code
    assert "Error" in result.stderr


def test_a_missing_parameter_is_an_error_of_use(run):
    """Told by name, as an error made on purpose."""
    result = run("run", "greet.yaml")

    assert "invalid_parameters" == result.exception.code


def test_a_run_that_fails_exits_with_one(run, tmp_path: Path):
    """With the error in words and in the report."""
    text = GREET.replace("{{ workflow.parameters.who }}", "{{ workflow.parameters.tags[5] }}")
    (tmp_path / "fails.yaml").write_text(text)
    result = run("run", "fails.yaml", "-p", "who=x", "--json")

    assert 1 == result.exit_code
    report = json_of(result)
    assert ("failed", "say") == (report["status"], report["error"]["step"])
    assert report["steps"][0]["error"]["message"]


def test_a_file_with_errors_does_not_run(run, tmp_path: Path):
    """They are told with line and column."""
    (tmp_path / "bad.yaml").write_text(GREET.replace("log/event", "log/evnt"))
    result = run("run", "bad.yaml", "-p", "who=x")

    assert 1 == result.exit_code
    assert "bad.yaml:15:" in result.stderr
    assert "unknown_action" in result.stderr


def test_a_dry_run_answers_from_fixtures(run, tmp_path: Path):
    """Also for actions that nobody registered."""
    (tmp_path / "foreign.yaml").write_text(GREET.replace("log/event", "vm/create"))
    (tmp_path / "fixtures.json").write_text('{"say": {"message": "made up"}}')
    assert 1 == run("run", "foreign.yaml", "-p", "who=x").exit_code
    result = run("run", "foreign.yaml", "-p", "who=x", "--dry-run", "--fixtures", "fixtures.json", "--json")

    assert (0, "made up") == (result.exit_code, json_of(result)["output"]["said"]), result.stderr


def test_files_that_link_to_each_other_run(run, tmp_path: Path):
    """The linked workflow is found beside the file."""
    outer = "{dsl: canvas/v1, name: outer, outputs: {got: {value: '{{ steps.go.output.said }}'}}, steps: ["
    outer += "{name: go, type: workflow_link, workflow: greet, parameters: {who: inner}}]}"
    (tmp_path / "outer.yaml").write_text(outer)

    assert 0 == run("validate", "outer.yaml").exit_code
    result = run("run", "outer.yaml", "--json")
    assert (0, "Hello inner") == (result.exit_code, json_of(result)["output"]["got"]), result.stderr


def test_a_workflow_runs_by_its_name(run):
    """From the configured database, where the run is kept."""
    run("import", "greet.yaml", "--publish")
    result = run("run", "greet", "-p", "who=me", "--json")

    assert (0, "completed") == (result.exit_code, json_of(result)["status"]), result.stderr
    assert "workflow_not_found" == run("run", "nobody").exception.code
    assert 2 == run("run", "nobody.yaml").exit_code


def test_validation_for_people_and_programs(run, tmp_path: Path):
    """`file:line:column severity [code] sentence`, or JSON; exit 1 if anything is an error."""
    (tmp_path / "bad.yaml").write_text(GREET.replace("log/event", "log/evnt"))
    good, bad = run("validate", "greet.yaml"), run("validate", "greet.yaml", "bad.yaml")

    assert (0, "greet.yaml: valid\n") == (good.exit_code, good.stdout)
    assert 1 == bad.exit_code
    assert "bad.yaml:15:13: error [unknown_action]" in bad.stderr
    report = json_of(run("validate", "bad.yaml", "--json"))
    assert (False, "unknown_action", 15) == (
        report[0]["valid"],
        report[0]["problems"][0]["code"],
        report[0]["problems"][0]["line"],
    )
    assert 2 == run("validate").exit_code
    assert 2 == run("validate", "missing.yaml").exit_code


def test_import_and_export(run, tmp_path: Path):
    """What is exported can be imported; again, it changes nothing; with errors, nothing is imported."""
    first = run("import", "greet.yaml", "--publish")
    again = run("import", "greet.yaml", "--publish", "--json")
    assert "greet: created, published\n" == first.stdout
    assert "unchanged" == json_of(again)[0]["outcome"]
    assert 0 == run("export", "greet", "-o", "out.json").exit_code
    assert "greet" == orjson.loads((tmp_path / "out.json").read_bytes())["name"]
    assert run("export", "greet", "--version", "1").stdout.startswith("dsl: canvas/v1\nname: greet\n")
    assert 0 == run("import", "out.json", "--name", "copy").exit_code
    (tmp_path / "bad.yaml").write_text(GREET.replace("log/event", "log/evnt").replace("name: greet", "name: bad"))
    assert 1 == run("import", "bad.yaml", "--publish").exit_code
    assert "workflow_not_found" == run("export", "bad").exception.code


def test_files_are_imported_together(run, tmp_path: Path):
    """Whatever their order, they may link to each other; one that is wrong refuses all."""
    link = "{dsl: canvas/v1, name: a, steps: [{name: go, type: workflow_link, workflow: greet, parameters: {who: x}}]}"
    (tmp_path / "a.yaml").write_text(link)
    (tmp_path / "broken.yaml").write_text("[")
    assert 1 == run("import", "a.yaml", "greet.yaml", "broken.yaml").exit_code
    assert "workflow_not_found" == run("export", "a").exception.code
    both = run("import", "a.yaml", "greet.yaml", "--publish")

    assert "a: created, published\ngreet: created, published\n" == both.stdout
    assert "a: skipped" in run("import", "a.yaml", "--if-exists", "skip").stdout
    assert 1 == run("import", "a.yaml", "--if-exists", "fail").exit_code


def test_actions_and_schema_are_printed(run):
    """The catalogue, one action, and the JSON Schema."""
    assert "http/request" in run("actions").stdout
    assert "url: string (required)" in run("actions", "http/request").stdout
    assert "log/event" == json_of(run("actions", "log/event", "--json"))["name"]
    assert "action_not_found" == run("actions", "no/such").exception.code
    assert "properties" in str(json_of(run("schema")))


def test_the_database_commands(run):
    """Up, down, and whether all is well."""
    assert 0 == run("db", "check").exit_code
    assert "none" in run("db", "downgrade", "base").stdout
    check = run("db", "check")
    assert 1 == check.exit_code
    assert "canvas db upgrade" in check.stderr
    assert "0001" in run("db", "upgrade", "0001").stdout
    assert "unknown_revision" == run("db", "upgrade", "9999").exception.code


@pytest.mark.parametrize("command", [["run", "greet"], ["import", "greet.yaml"], ["export", "greet"], ["worker"]])
def test_without_a_database_the_way_to_one_is_told(run, command):
    """Instead of a table that is missing somewhere."""
    run("db", "downgrade", "base")
    error = run(*command).exception

    assert "database_outdated" == error.code
    assert "canvas db upgrade" in str(error)


def test_errors_are_one_sentence(monkeypatch, capsys):
    """No traceback; the code stands behind the sentence; exit 2."""
    from canvas.cli import main

    monkeypatch.setattr("sys.argv", ["canvas", "actions", "no/such"])
    with pytest.raises(SystemExit) as caught:
        main()

    assert 2 == caught.value.code
    assert "error: There is no action 'no/such'. [action_not_found]\n" == capsys.readouterr().err


def test_tokens_are_made_listed_and_revoked(run):
    """The secret stands alone on standard output, once; the list shows how it begins."""
    made = run("token", "create", "ci", "--role", "viewer", "--days", "30")
    secret = made.stdout.strip()
    listed = json_of(run("token", "list", "--json"))

    assert (0, True) == (made.exit_code, "not shown again" in made.stderr)
    assert [("ci", "viewer", secret[:13])] == [(row["name"], row["role"], row["prefix"]) for row in listed]
    assert secret not in run("token", "list").stdout
    assert "token_name_taken" == run("token", "create", "ci").exception.code
    assert 0 == run("token", "revoke", "ci").exit_code
    assert "" == run("token", "list").stdout
    assert "revoked" in run("token", "list", "--revoked").stdout
    assert "token_not_found" == run("token", "revoke", "ci").exception.code
    assert 2 == run("token", "create", "x", "--role", "owner").exit_code


def test_actions_are_found_by_words_and_by_what_other_systems_call_them(run):
    """The best first; the step types beside the actions too."""
    assert run("actions", "--search", "log MESSAGE").stdout.startswith("log/event")
    assert run("actions", "-s", "delay").stdout.startswith("wait ")
    assert "log/event" == json_of(run("actions", "LOG_EVENT", "--json"))["name"]
    assert [] == json_of(run("actions", "-s", "no such thing", "--json"))
    assert "security: " in run("actions", "http/request").stdout


def test_a_plug_in_that_failed_is_told(run, monkeypatch):
    """On standard error: what is printed can still be read by a program."""
    monkeypatch.setattr(catalogue, "plugins", lambda: (Plugin("bad", "1", "main", failure="it registers nothing"),))
    printed = run("actions", "--json")

    assert "plug-in bad: it registers nothing" in printed.stderr
    assert json_of(printed)
