"""Workflows: made, edited by several people, saved, published, rolled back, imported, exported."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import select

from canvas import db
from canvas.domain.editing import InvalidOperation
from canvas.domain.errors import Invalid
from canvas.domain.states import ChangeType, WorkflowStatus
from canvas.services import versions, views, workflows
from canvas.services.definitions import VersionNotFound, WorkflowNotFound
from canvas.services.judging import DefinitionHasErrors, InvalidDocument
from canvas.services.runs import start_run
from models import Workflow, WorkflowStep, WorkflowVersion
from tests.services.conftest import HELLO

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)

DATA = Path(__file__).parents[1] / "data"

LOG = {"name": "note", "type": "action", "action": "log/event", "parameters": {"message": "hi"}, "depends_on": []}


def put(step, parent=None, index=None):
    return {"op": "put", "step": step, "parent": parent, "index": index}


def make(session, name="made"):
    draft = workflows.create_workflow(session, name, title="Made")
    return workflows.save_draft_operations(session, name, base_revision=draft.revision, operations=[put(LOG)])


def test_a_new_workflow_is_an_empty_draft(session):
    """It has a document of its own, no version, and nothing starts it."""
    draft = workflows.create_workflow(session, "made", title="Made", created_by="me")

    card = views.workflow_detail(session, "made").card
    assert ("made", "Made", 0, None, "draft") == (
        card.name,
        card.title,
        card.latest_version,
        card.published_version,
        card.status,
    )
    assert {"dsl": "canvas/v1", "name": "made", "title": "Made"} == draft.document
    assert 1 == draft.revision


@pytest.mark.parametrize("name", ["", "Upper", "1st", "a-b", "a b", "a/b", "x" * 121, "tasks", "ünder", "a\n"])
def test_a_name_has_to_be_possible(session, name):
    """Names are part of addresses, files and expressions."""
    with pytest.raises(Invalid):
        workflows.create_workflow(session, name)


def test_a_name_is_taken_once(session, hello):
    """A second workflow of the same name is refused, whatever way it comes."""
    for make_again in (
        lambda: workflows.create_workflow(session, hello),
        lambda: workflows.import_workflow(session, HELLO),
        lambda: workflows.duplicate_workflow(session, hello, hello),
    ):
        with pytest.raises(workflows.WorkflowExists):
            make_again()


def test_an_edit_names_the_revision_it_started_from(session):
    """Of two people who edit the same revision, the second is told, with the draft as it now stands."""
    draft = workflows.create_workflow(session, "made")
    first = workflows.save_draft_operations(session, "made", base_revision=draft.revision, operations=[put(LOG)])

    with pytest.raises(workflows.DraftConflict) as caught:
        workflows.save_draft_operations(session, "made", base_revision=draft.revision, operations=[put(LOG)])

    assert first.revision == draft.revision + 1
    assert first.document == caught.value.details["draft"]["document"]
    assert first.revision == workflows.open_draft(session, "made").revision


def test_a_malformed_edit_changes_nothing(session):
    """All operations of an edit are applied, or none."""
    draft = make(session)
    with pytest.raises(InvalidOperation):
        workflows.save_draft_operations(
            session, "made", base_revision=draft.revision, operations=[{"op": "drop", "name": "note"}, {"op": "nope"}]
        )

    assert draft == workflows.open_draft(session, "made")


def test_a_workflow_keeps_its_name(session):
    """Runs, webhooks and links go by it."""
    draft = make(session)
    with pytest.raises(Invalid):
        workflows.save_draft_operations(
            session, "made", base_revision=draft.revision, operations=[{"op": "meta", "patch": {"name": "other"}}]
        )


def test_what_the_draft_says_about_itself_is_on_the_card(session):
    """Title, description, category and tags follow the draft at once."""
    draft = make(session)
    patch = {"title": "T", "description": "D", "category": "C", "tags": ["a", "b"]}
    workflows.save_draft_operations(
        session, "made", base_revision=draft.revision, operations=[{"op": "meta", "patch": patch}]
    )

    (card,) = views.workflow_cards(session)
    assert ("T", "D", "C", ["a", "b"]) == (card.title, card.description, card.category, card.tags)


def test_problems_are_told_with_every_edit(session):
    """A draft may be wrong; it says so, and cannot become a version."""
    make(session)
    bad = {**LOG, "name": "bad", "action": "log/evnt"}
    draft = workflows.save_draft_operations(session, "made", base_revision=2, operations=[put(bad)])

    assert ["unknown_action"] == [p.code for p in draft.problems if p.is_error]
    with pytest.raises(DefinitionHasErrors) as caught:
        workflows.save_version(session, "made")
    assert "unknown_action" == caught.value.details["problems"][0]["code"]
    assert [] == views.version_rows(session, "made")


def test_a_version_is_the_draft_for_good(session):
    """Saving keeps the definition, its layout and an index of its steps."""
    draft = make(session)
    saved = workflows.save_version(
        session, "made", base_revision=draft.revision, change_summary="First", created_by="me"
    )

    (row,) = views.version_rows(session, "made")
    step = session.exec(select(WorkflowStep)).one()
    assert (1, "First", ChangeType.CREATE, "me") == (row.number, row.change_summary, row.change_type, row.created_by)
    assert ("note", "log/event", 0) == (step.name, step.action, step.sequence)
    assert saved.is_new
    assert not views.workflow_detail(session, "made").has_unsaved_changes


def test_saving_twice_makes_one_version(session):
    """Without a change there is nothing to save."""
    make(session)
    first = workflows.save_version(session, "made")
    second = workflows.save_version(session, "made")

    assert (1, True, 1, False) == (first.number, first.is_new, second.number, second.is_new)


def test_saving_what_somebody_changed_meanwhile_is_refused(session):
    """A version is what its author looked at."""
    draft = make(session)
    with pytest.raises(versions.StaleDraft):
        workflows.save_version(session, "made", base_revision=draft.revision - 1)


def test_the_semantic_version_follows_the_changes(session):
    """A change raises the tag as far as it has to; a tag that the author wrote is kept."""
    make(session)
    workflows.save_version(session, "made")
    tags = []
    for patch in (
        {"title": "better"},
        {"parameters": {"a": {"type": "string"}}},
        {"parameters": {"a": {"type": "string"}, "b": {"type": "string", "required": True}}},
        {"version": "7.0.0"},
    ):
        draft = workflows.open_draft(session, "made")
        workflows.save_draft_operations(
            session, "made", base_revision=draft.revision, operations=[{"op": "meta", "patch": patch}]
        )
        tags.append(workflows.save_version(session, "made").tag)

    assert ["1.0.1", "1.1.0", "2.0.0", "7.0.0"] == tags
    assert [False, True, False, False, False] == [row.breaking_changes for row in views.version_rows(session, "made")]


def test_publishing_decides_what_starts(session, hello):
    """A saved version changes nothing until it is published, and publishing an older one rolls back."""
    draft = workflows.open_draft(session, hello)
    workflows.save_draft_operations(
        session, hello, base_revision=draft.revision, operations=[{"op": "meta", "patch": {"title": "New"}}]
    )
    workflows.save_version(session, hello)

    started = []
    for publish in (None, 2, 1):
        if publish:
            workflows.publish_version(session, hello, publish)
        run_id = start_run(session, hello, {"who": "you"})
        started.append(views.run_detail(session, run_id).row.version_number)

    assert [1, 2, 1] == started
    assert [1] == [row.number for row in views.version_rows(session, hello) if row.is_published]


def test_a_version_that_names_what_is_gone_is_not_published(session, hello):
    """A link to a workflow that was deleted is found when the version is to be published again."""
    link = (
        "{dsl: canvas/v1, name: caller, steps: [{name: a, type: workflow_link, workflow: hello, parameters: {who: x}}]}"
    )
    workflows.import_workflow(session, link, publish=True)
    workflows.delete_workflow(session, hello)
    session.flush()

    with pytest.raises(DefinitionHasErrors):
        workflows.publish_version(session, "caller", 1)


def test_an_unknown_version_is_told(session, hello):
    """Neither publishing nor exporting makes one up."""
    for use in (workflows.publish_version, lambda s, n, v: workflows.export_workflow(s, n, version=v)):
        with pytest.raises(VersionNotFound):
            use(session, hello, 9)


@pytest.mark.parametrize("format", ["yaml", "json"])
def test_export_and_import_give_the_same_workflow(session, hello, format):
    """The text of one installation makes the same version in another, or here under another name."""
    text = workflows.export_workflow(session, hello, format=format, version=1)
    result = workflows.import_workflow(session, text, name="copy", publish=True)

    again = workflows.export_workflow(session, "copy", format=format)
    assert ("copy", "created", True, ()) == (result.name, result.outcome, result.is_published, result.problems)
    assert text.replace("hello", "copy", 1) == again


def test_importing_again_changes_nothing(session, hello):
    """The same text twice is one version, and the draft keeps its revision."""
    before = workflows.open_draft(session, hello)
    results = [
        workflows.import_workflow(session, HELLO, publish=True, if_exists=if_exists).outcome
        for if_exists in ("update", "skip")
    ]

    assert ["unchanged", "skipped"] == results
    assert before == workflows.open_draft(session, hello)
    assert 1 == len(views.version_rows(session, hello))


def test_importing_a_change_saves_a_version(session, hello):
    """`update` takes what is new."""
    result = workflows.import_workflow(session, HELLO.replace("Hello", "Bye"), if_exists="update")

    assert ("updated", 2, False) == (result.outcome, result.version, result.is_published)


def test_a_wrong_workflow_is_imported_as_a_draft(session):
    """So that it can be repaired on the canvas; nothing can start it."""
    result = workflows.import_workflow(session, HELLO.replace("log/event", "log/evnt"))

    assert (None, False) == (result.version, result.is_published)
    assert ["unknown_action"] == [p.code for p in result.problems]
    assert result.problems[0].line


@pytest.mark.parametrize("publish", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "[1, 2]",
        "{",
        "a: [b",
        b"\xff\xfe",
        "x: &a [*a]",
        "- " * 100_000,
        "a: " + "[" * 5_000,
        "{" * 9_000,
    ],
)
def test_what_is_no_workflow_is_refused(database, text, publish):
    """With one clear error, and nothing half-written."""
    with pytest.raises(InvalidDocument) as caught, db.transaction(database) as session:
        workflows.import_workflow(session, text, publish=publish)

    assert caught.value.details["problems"]
    with db.reading(database) as session:
        assert [] == views.workflow_names(session)


def test_publishing_an_import_with_errors_writes_nothing(database):
    """All or nothing: neither draft nor version stays."""
    with pytest.raises(DefinitionHasErrors), db.transaction(database) as session:
        workflows.import_workflow(session, HELLO.replace("log/event", "log/evnt"), publish=True)

    with db.reading(database) as session:
        assert [] == views.workflow_names(session)


def test_an_archived_workflow_has_no_triggers(session, publish):
    """They come back with it."""
    name = publish("night", '[{type: schedule, cron: "0 2 * * *"}, {type: webhook, path: go}]')
    workflows.archive_workflow(session, name)
    session.flush()
    assert [] == [*views.schedule_rows(session, now=NOON), *views.webhook_rows(session)]
    assert [] == views.workflow_cards(session)

    workflows.restore_workflow(session, name)
    session.flush()
    assert 2 == len([*views.schedule_rows(session, now=NOON), *views.webhook_rows(session)])
    assert [WorkflowStatus.ACTIVE] == [card.status for card in views.workflow_cards(session)]


def test_unpublishing_keeps_the_versions(session, publish):
    """Nothing starts the workflow by itself, and it can be published again."""
    name = publish("night", '[{type: schedule, cron: "0 2 * * *"}]')
    versions.unpublish_workflow(session, name)
    session.flush()

    assert [] == views.schedule_rows(session, now=NOON)
    assert [1] == [row.number for row in views.version_rows(session, name)]


def test_deleting_takes_everything_along(session, hello):
    """Versions, steps and ended runs go with the workflow."""
    workflows.delete_workflow(session, hello)
    session.flush()

    for table in (Workflow, WorkflowVersion, WorkflowStep):
        assert 0 == session.exec(select(sa.func.count()).select_from(table)).one()
    with pytest.raises(WorkflowNotFound):
        workflows.open_draft(session, hello)


def test_a_busy_workflow_is_not_deleted(session, hello):
    """A run that has not ended keeps it."""
    start_run(session, hello, {"who": "you"})
    with pytest.raises(workflows.WorkflowBusy):
        workflows.delete_workflow(session, hello)


def test_a_copy_starts_with_the_draft_alone(session, hello):
    """Versions and runs stay with the original."""
    copy = workflows.duplicate_workflow(session, hello, "copy")

    assert ("copy", "Say hello (copy)") == (copy.document["name"], copy.document["title"])
    assert [] == views.version_rows(session, "copy")


def test_an_old_version_can_be_edited_again(session, hello):
    """Its definition and layout become the draft; the versions stay as they are."""
    workflows.import_workflow(session, HELLO.replace("Hello", "Bye"), if_exists="update")
    draft = workflows.open_draft(session, hello)
    old = workflows.load_version_into_draft(session, hello, 1, base_revision=draft.revision)

    assert "Hello" in old.document["steps"][0]["parameters"]["message"]
    assert 2 == len(views.version_rows(session, hello))


def test_a_difference_ignores_where_steps_lie(session, hello):
    """Moving a step is no change of meaning; another word in it is."""
    draft = workflows.open_draft(session, hello)
    workflows.save_draft_operations(
        session, hello, base_revision=draft.revision, operations=[{"op": "place", "positions": {"greet": [500, 500]}}]
    )

    assert versions.version_diff(session, hello, 1, None).is_empty
    workflows.import_workflow(session, HELLO.replace("Hello", "Bye"), if_exists="update")
    assert ["greet"] == [change.name for change in versions.version_diff(session, hello, 1, 2).changed]


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ("[{name: a, type: teleport, where: moon}]", "unknown_step_type"),
        ("[{name: a, type: set, values: {}, colour: red}]", "unknown_key"),
        ("[{name: a, type: set, values: 7}]", "wrong_type"),
    ],
)
def test_a_text_is_not_imported_with_parts_of_it_left_out(database, steps, code):
    """What has no place in a definition is refused with its line, rather than dropped without a word."""
    with pytest.raises(InvalidDocument) as caught, db.transaction(database) as session:
        workflows.import_workflow(session, f"dsl: canvas/v1\nname: lossy\nsteps: {steps}\n")

    (problem,) = [p for p in caught.value.details["problems"] if p["code"] == code]
    assert 3 == problem["line"]
    with db.reading(database) as session:
        assert [] == session.exec(select(Workflow)).all()


def test_what_an_importer_cannot_express_keeps_it_from_being_published(database):
    """A jump back is no graph: the draft may be looked at, but it does not run by itself."""
    text = (DATA / "archon" / "backward_jump.json").read_bytes()

    with pytest.raises(DefinitionHasErrors), db.transaction(database) as session:
        workflows.import_workflow(session, text, publish=True)
    with db.transaction(database) as session:
        imported = workflows.import_workflow(session, text)

    assert {"backward_jump", "unknown_target"} <= {p.code for p in imported.problems if p.is_error}
