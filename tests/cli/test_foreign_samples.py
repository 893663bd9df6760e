"""The samples of foreign shapes run as they are: dry, with answers for actions and workflows that are not here."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from canvas.cli import canvas

DATA = Path(__file__).parent.parent / "data"
RUNS = [
    ("archon/vm_deployment", {"vm_name": "vm1"}, {"create_vm": {"vm_id": "v-1"}}, None, "setup_vm_backup", "completed"),
    (
        "archon/vm_deployment",
        {"vm_name": "vm1", "backup_enabled": False},
        {"create_vm": {"vm_id": "v-1"}},
        None,
        "setup_vm_backup",
        "skipped",
    ),
    ("archon/arms", {}, {"probe": {"status": "success"}}, None, "deploy_step", "completed"),
    ("archon/arms", {}, {"probe": {"status": "bad"}}, None, "rollback_step", "completed"),
    ("archon/backward_jump", {}, {"ask": {"state": "done"}}, None, "finish", "completed"),
    (
        "archon/routing",
        {"environment": "production", "force": False},
        {"build_image": {"id": "i1"}, "drain": {"status": "ok"}},
        None,
        "deploy_production[1]/switch",
        "completed",
    ),
    (
        "archon/routing",
        {"environment": "staging"},
        {"build_image": {"id": "i1"}},
        None,
        "report/notify_users",
        "completed",
    ),
    ("archon/step_action", {}, {}, None, "", ""),
    (
        "archon/step_condition",
        {"previous_step": {"output": {"status": "success"}}},
        {},
        None,
        "deploy_step",
        "completed",
    ),
    ("archon/step_definition", {"vm_name": "a", "vm_template": "b"}, {}, None, "create_vm", "completed"),
    ("archon/step_loop", {"servers": ["a", "b", "c"]}, {}, None, "loop[2]/deploy_to_server", "completed"),
    ("archon/step_parallel", {}, {}, None, "", ""),
    ("archon/step_workflow_link", {}, {}, None, "", ""),
    ("orb/flat_rows", {}, {}, {"count": 10, "at": "9:00", "rows": [{"id": 1}]}, "publish", "completed"),
    ("orb/triage", {}, {"classify": {"label": "angry", "score": 0.9}}, {"text": "!", "id": "t"}, "reply", "completed"),
    ("orb/triage", {}, {"classify": {"label": "odd", "score": 0.9}}, {"text": "?", "id": "t"}, "file", "completed"),
]


@pytest.mark.parametrize(("sample", "parameters", "fixtures", "trigger", "path", "status"), RUNS)
def test_a_sample_runs_dry(tmp_path: Path, sample, parameters, fixtures, trigger, path, status):
    """Imported by itself, it takes the way its data says."""
    given = {"params": parameters, "fixtures": fixtures, "trigger-data": trigger}
    options = []
    for name, value in given.items():
        if value is not None:
            (tmp_path / name).write_bytes(orjson.dumps(value))
            options += [f"--{name}", str(tmp_path / name)]
    result = CliRunner().invoke(canvas, ["run", str(DATA / f"{sample}.json"), "--dry-run", "--json", *options])

    assert 0 == result.exit_code, result.output
    steps = {step["path"]: step["status"] for step in orjson.loads(result.stdout)["steps"]}
    if path:
        assert status == steps[path]
    assert "failed" not in steps.values()


@pytest.mark.parametrize("file", sorted(DATA.glob("*/*.json")), ids=lambda file: file.stem)
def test_a_sample_comes_back_as_our_own_text(tmp_path: Path, file: Path, monkeypatch):
    """Imported as a draft and exported; what comes out is read again without new problems.

    A jump that has no place in a graph is a problem of the old shape only: its way ends in a `stop` from then on.
    """
    monkeypatch.setenv("CANVAS_DATA_DIR", str(tmp_path))
    invoke = CliRunner().invoke
    assert 0 == invoke(canvas, ["db", "upgrade"]).exit_code
    assert 0 == invoke(canvas, ["import", str(file), "--name", "sample"]).exit_code
    assert 0 == invoke(canvas, ["export", "sample", "-o", str(tmp_path / "out.yaml")]).exit_code
    first, again = (
        orjson.loads(invoke(canvas, ["validate", str(each), "--json"]).stdout)[0]["problems"]
        for each in (file, tmp_path / "out.yaml")
    )

    assert {p["code"] for p in first} - {"backward_jump", "unknown_target"} == {p["code"] for p in again}
