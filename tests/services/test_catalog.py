"""The catalogue: what may be named, and its mirror in the tables."""

from types import MappingProxyType

import pytest
from sqlmodel import col, select

from canvas.actions import registry as registry_module
from canvas.actions.registry import registry
from canvas.services import catalog, workflows
from canvas.services.judging import read_text
from models import Action, ActionArgument


def test_the_registered_actions_are_mirrored(session):
    """With their arguments in order; doing it again changes nothing."""
    for _ in range(2):
        catalog.mirror_actions(session)
        session.flush()

    names = session.exec(select(Action.name).order_by(Action.name)).all()
    arguments = session.exec(
        select(ActionArgument.name)
        .where(ActionArgument.action_name == "log/event")
        .order_by(col(ActionArgument.position))
    ).all()
    assert list(registry()) == names
    assert ["level", "message", "data"] == arguments


def test_an_action_that_is_gone_is_archived(session, monkeypatch):
    """Its row stays, for what refers to it."""
    catalog.mirror_actions(session)
    left = MappingProxyType({"log/event": registry()["log/event"]})
    monkeypatch.setattr(catalog, "registry", lambda: left)
    catalog.mirror_actions(session)
    session.flush()

    states = dict(session.exec(select(Action.name, Action.state)).all())
    assert ("available", "archived") == (states["log/event"], states["http/request"])
    assert registry_module.registry()


def test_an_unknown_action_is_told(session):
    """By its name."""
    with pytest.raises(catalog.ActionNotFound, match="no/such"):
        catalog.action_spec(session, "no/such")


def test_links_are_judged_by_what_is_published(session, publish):
    """What a workflow expects is what its published version says; a draft that was changed since does not count."""
    publish("inner", parameters="{a: {type: string, required: true}}")
    draft = workflows.open_draft(session, "inner")
    workflows.save_draft_operations(
        session, "inner", base_revision=draft.revision, operations=[{"op": "meta", "patch": {"parameters": None}}]
    )
    outer = "{dsl: canvas/v1, name: outer, steps: [{name: go, type: workflow_link, workflow: inner}]}"
    codes = [p.code for p in read_text(outer, catalog.catalog(session)).problems if p.is_error]

    assert 1 == len(codes)
    workflows.save_version(session, "inner")
    workflows.publish_version(session, "inner", 2)
    assert [] == [p.code for p in read_text(outer, catalog.catalog(session)).problems if p.is_error]
