"""User-defined actions as people make them: kept, changed, used, archived, removed, tried."""

import copy

import pytest
import sqlalchemy as sa
from sqlmodel import select

from canvas import db
from canvas.domain.dsl import load_document
from canvas.domain.states import ActionOrigin
from canvas.services import action_uses, actions, catalog, trials, views, workflows
from canvas.services.judging import DefinitionHasErrors, read_text
from canvas.services.runs import InvalidParameters
from models import Action, ActionArgument, ActionInvariant, Workflow, WorkflowRun

DEPLOY = {
    "name": "team/deploy",
    "title": "Deploy",
    "description": "Puts a version on a host.",
    "long_description": "At length.",
    "definition_of_done": "The host answers with the new version.",
    "tags": ["ops"],
    "reusable": False,
    "read_only": True,
    "automation_profile": "careful",
    "actors": {"strategy": "team/planner", "review": "team/lead"},
    "arguments": [
        {"name": "host", "type": "string", "required": True, "pattern": "^[a-z]+$"},
        {"name": "replicas", "type": "integer", "default": 2, "min_value": 1, "max_value": 9},
        {"name": "share", "type": "float", "max_value": 0.5},
    ],
    "invariants": ["args.replicas <= 5", "Never on a Friday"],
    "body": {"action": "log/event", "parameters": {"message": "{{ args.host }} x {{ args.replicas }}"}},
}


def document(**more):
    return {**copy.deepcopy(DEPLOY), **more}


def use(session, name="ship", action="team/deploy", publish=True):
    text = (
        f"{{dsl: canvas/v1, name: {name}, steps: "
        f"[{{name: go, type: action, action: {action}, parameters: {{host: web}}}}]}}"
    )
    return workflows.import_workflow(session, text, publish=publish)


def test_what_is_made_is_kept_whole(session):
    """Every field comes back as it was given, in order, and stands in columns of its own."""
    made = actions.create_action(session, document(), created_by="ann")
    session.expire_all()
    opened = actions.open_action(session, "team/deploy")

    assert made == opened
    assert {"dsl": "canvas/v1", "kind": "action", **DEPLOY} == opened.document
    assert (1, "available", "ann", ()) == (opened.version, opened.state, opened.created_by, opened.problems)
    row = session.get(Action, "team/deploy")
    assert ("team", "user", "team/lead", True) == (row.namespace, row.origin, row.review_actor, row.is_idempotent)
    assert 2 == row.inputs_schema["properties"]["replicas"]["default"]
    names = session.exec(select(ActionArgument.name).order_by(ActionArgument.position)).all()
    assert ["host", "replicas", "share"] == names


def test_a_wrong_one_is_refused_whole(session):
    """All that is wrong is told, and nothing is kept."""
    wrong = document(invariants=["args.hots == 1"], body={"action": "log/evnt"})

    with pytest.raises(actions.ActionHasErrors) as caught:
        actions.create_action(session, wrong)

    assert {"unknown_argument", "unknown_action"} == {p["code"] for p in caught.value.details["problems"]}
    assert [] == session.exec(select(Action)).all()


@pytest.mark.parametrize("sent", [{}, {"name": 3}, {"name": "team/x", "body": [1]}, {"name": "team/x", "what": 1}])
def test_what_is_no_action_is_refused(session, sent):
    """Whatever is sent."""
    with pytest.raises(actions.ActionHasErrors):
        actions.create_action(session, sent)


def test_a_name_is_given_once(session):
    """Another one of the same name is a conflict, whoever has it."""
    actions.create_action(session, document())

    with pytest.raises(actions.ActionExists):
        actions.create_action(session, document())


def test_a_change_names_the_version_it_started_from(session):
    """Two people never overwrite each other unseen; who is late gets to see how it stands."""
    actions.create_action(session, document())
    changed = actions.change_action(session, "team/deploy", document(title="Roll out"), base_version=1)

    assert (2, "Roll out") == (changed.version, changed.document["title"])
    with pytest.raises(actions.ActionConflict) as caught:
        actions.change_action(session, "team/deploy", document(title="Mine"), base_version=1)
    assert (2, "Roll out") == (caught.value.details["version"], caught.value.details["document"]["title"])


def test_a_change_replaces_arguments_and_invariants(session):
    """None of the old ones stay, whatever the new order is."""
    actions.create_action(session, document())
    turned = document(arguments=DEPLOY["arguments"][::-1], invariants=["Never on a Friday"])
    actions.change_action(session, "team/deploy", turned, base_version=1)

    assert ["share", "replicas", "host"] == session.exec(
        select(ActionArgument.name).order_by(ActionArgument.position)
    ).all()
    assert ["Never on a Friday"] == session.exec(select(ActionInvariant.text)).all()


def test_an_action_keeps_its_name(session):
    """Workflows name it."""
    actions.create_action(session, document())

    with pytest.raises(actions.Invalid, match="keeps its name"):
        actions.change_action(session, "team/deploy", document(name="team/other"), base_version=1)


def test_it_stands_in_the_catalogue_like_any_other(session):
    """With a form of its own, and with what its body may touch."""
    actions.create_action(session, document())
    spec = catalog.catalog(session).actions["team/deploy"]
    inner = catalog.catalog(session).actions["log/event"]

    assert ("Deploy", "Yours", ActionOrigin.USER, 1) == (spec.title, spec.category, spec.origin, spec.version)
    assert (inner.permissions, inner.result_schema) == (spec.permissions, spec.result_schema)
    assert "^[a-z]+$" == spec.arguments_schema["properties"]["host"]["pattern"]
    assert spec.idempotent
    assert "log/event" in spec.security


def test_workflows_are_judged_by_its_arguments(session):
    """As with registered actions; an archived one may not be put into new drafts."""
    actions.create_action(session, document())
    text = """{dsl: canvas/v1, name: w, steps: [{name: go, type: action, action: team/deploy,
               parameters: {replicas: 12, hots: x}}]}"""

    def codes():
        return {p.code for p in read_text(text, catalog.catalog(session)).problems if p.is_error}

    assert {"missing_parameter", "bad_parameter", "unknown_parameter"} == codes()
    actions.archive_action(session, "team/deploy")
    assert "archived_action" in codes()
    actions.restore_action(session, "team/deploy")
    assert "archived_action" not in codes()


def test_a_workflow_with_an_archived_action_cannot_be_saved_again(session):
    """The versions there are go on."""
    actions.create_action(session, document())
    use(session)
    actions.archive_action(session, "team/deploy")

    with pytest.raises(DefinitionHasErrors, match="archived"):
        workflows.save_version(session, "ship")


def test_who_uses_it_is_known(session):
    """In versions and in drafts, pinned or not."""
    actions.create_action(session, document())
    actions.create_action(session, document(name="team/deploy_all"))
    use(session, "ship")
    use(session, "other", "team/deploy_all")
    workflows.create_workflow(session, "drafted")
    workflows.replace_draft(
        session,
        "drafted",
        base_revision=1,
        document={
            "dsl": "canvas/v1",
            "name": "drafted",
            "steps": [{"name": "a", "type": "action", "action": "team/deploy@1"}],
        },
    )

    found = {
        one.workflow: (one.in_draft, one.versions, one.is_published)
        for one in action_uses.action_uses(session, "team/deploy")
    }
    assert {"ship": (True, (1,), True), "drafted": (True, (), False)} == found


def test_only_what_nobody_uses_is_removed(session):
    """Its arguments and invariants go with it."""
    actions.create_action(session, document())
    use(session)
    with pytest.raises(actions.ActionInUse, match="ship"):
        actions.delete_action(session, "team/deploy")
    workflows.delete_workflow(session, "ship")
    session.flush()
    actions.delete_action(session, "team/deploy")
    session.flush()

    for table in (Action, ActionArgument, ActionInvariant):
        assert [] == session.exec(select(table)).all()


@pytest.mark.parametrize("format", ["yaml", "json"])
def test_what_is_exported_can_be_imported(session, format):
    """Into the same action, elsewhere."""
    actions.create_action(session, document())
    text = actions.export_action(session, "team/deploy", format=format)
    actions.delete_action(session, "team/deploy")
    session.flush()
    session.expire_all()
    detail, outcome = actions.import_action(session, text)

    assert ("created", load_document(text).data) == (outcome, detail.document)
    assert "skipped" == actions.import_action(session, text, if_exists="skip")[1]
    assert "updated" == actions.import_action(session, text, if_exists="update")[1]
    with pytest.raises(actions.ActionExists):
        actions.import_action(session, text)


def test_errors_of_an_imported_text_have_lines(session):
    """So that they are found in an editor."""
    text = "dsl: canvas/v1\nkind: action\nname: team/x\nbody:\n  action: log/evnt\n"

    with pytest.raises(actions.ActionHasErrors) as caught:
        actions.import_action(session, text)

    assert [5] == [p["line"] for p in caught.value.details["problems"]]
    for no_action in ("", "[1]", "a: [", "hello"):
        with pytest.raises(actions.ActionHasErrors):
            actions.import_action(session, no_action)


def test_a_document_is_judged_as_it_is_typed(session):
    """What is wrong, and which invariants are checked."""
    found = actions.judge_action(session, document(invariants=["args.replicas <= 5", "Never on a Friday", "output."]))

    assert ((True, False, False), ()) == (found.checked, found.problems)
    assert "replicas" in found.schema["properties"]
    assert actions.judge_action(session, {"name": 3}).problems


def test_what_its_body_calls_may_go_away(session, publish):
    """The action stays and says what is wrong with it."""
    publish("inner")
    actions.create_action(session, document(body={"workflow": "inner"}, invariants=[]))
    workflows.delete_workflow(session, "inner")
    session.flush()

    assert ["unknown_workflow"] == [p.code for p in actions.open_action(session, "team/deploy").problems]


def test_circles_through_workflows_are_refused_on_both_sides(session, publish):
    """An action may not start a workflow that calls it, nor may a workflow call an action that starts it."""
    publish("inner")
    actions.create_action(session, document(body={"workflow": "inner"}, invariants=[]))
    result = use(session, "outer")
    assert [] == [p for p in result.problems if p.is_error]
    text = (
        "{dsl: canvas/v1, name: inner, steps: [{name: go, type: action, action: team/deploy, parameters: {host: a}}]}"
    )
    (problem,) = read_text(text, catalog.catalog(session)).errors
    assert "inner → team/deploy → inner" in problem.text

    with pytest.raises(actions.ActionHasErrors, match="team/deploy → outer → team/deploy"):
        actions.change_action(
            session, "team/deploy", document(body={"workflow": "outer"}, invariants=[]), base_version=1
        )


def test_the_mirror_of_the_registry_leaves_them_alone(session):
    """They are nobody's but their author's."""
    before = actions.create_action(session, document())
    catalog.mirror_actions(session)
    session.flush()

    assert before == actions.open_action(session, "team/deploy")


def test_trying_one_is_a_run_that_shows_in_no_list(session):
    """Of a workflow that only holds the action; every try uses the same one."""
    actions.create_action(session, document())
    first = trials.try_action(session, "team/deploy", {"host": "web", "replicas": 3})
    again = trials.try_action(session, "team/deploy", {"host": "web"}, dry_run=False)
    runs = [session.get(WorkflowRun, run_id) for run_id in (first, again)]

    assert [True, False] == [run.dry_run for run in runs]
    assert {"host": "web", "replicas": 3} == runs[0].parameters
    assert 1 == len(session.exec(select(Workflow)).all())
    assert [] == views.workflow_page(session).rows
    assert [] == action_uses.action_uses(session, "team/deploy")


def test_trying_one_with_nonsense_is_refused(session):
    """Before anything is kept."""
    actions.create_action(session, document())

    for given in ({"hots": "x", "host": "a"}, {}):
        with pytest.raises(DefinitionHasErrors):
            trials.try_action(session, "team/deploy", given)
    with pytest.raises(InvalidParameters):
        trials.try_action(session, "team/deploy", {"a }} {{ b": 1})
    with pytest.raises(catalog.ActionNotFound):
        trials.try_action(session, "log/event", {})


CHECKS = [
    {"min_value": 2.0, "max_value": 1.0},
    {"name": ""},
    {"position": -1},
    {"type": "number"},
]


@pytest.mark.parametrize("columns", CHECKS)
def test_the_database_refuses_nonsense_in_an_argument(database, columns):
    """Whatever writes it."""
    with db.transaction(database) as session:
        actions.create_action(session, document())
    with db.transaction(database) as session, pytest.raises(sa.exc.IntegrityError):
        row = {"id": "x", "created_at": "2030-01-01", "action_name": "team/deploy", "position": 9, "name": "n"}
        row |= {"type": "string", "is_required": False, "description": "", **columns}
        session.execute(sa.text(f"INSERT INTO action_argument ({', '.join(row)}) VALUES (:{', :'.join(row)})"), row)


@pytest.mark.parametrize(
    "change", ["body = NULL", "origin = 'plugin'", "state = 'gone'", "namespace = 'x'", "version = 0"]
)
def test_the_database_refuses_nonsense_in_an_action(database, change):
    """Whatever writes it."""
    with db.transaction(database) as session:
        actions.create_action(session, document())
    with db.transaction(database) as session, pytest.raises(sa.exc.IntegrityError):
        session.execute(sa.text(f"UPDATE action SET {change}"))


def test_names_and_places_of_arguments_are_unique(database):
    """In each action."""
    with db.transaction(database) as session:
        actions.create_action(session, document())
    for change in ("name = 'host'", "position = 0"):
        with db.transaction(database) as session, pytest.raises(sa.exc.IntegrityError):
            session.execute(sa.text(f"UPDATE action_argument SET {change}"))
