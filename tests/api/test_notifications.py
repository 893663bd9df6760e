"""Notifications over HTTP: each caller has their own."""

import pytest

from canvas import db
from canvas.services import notifications
from canvas.settings import Settings


@pytest.fixture
def told(settings: Settings, api) -> list[str]:
    """Two messages for everybody, one for another person."""
    with db.transaction(settings) as session:
        return [notifications.notify(session, title, to=to) for title, to in (("a", ()), ("b", ()), ("c", ("ada",)))]


def test_messages_are_listed_and_marked(api, told):
    """Read, unread again, all read: the list and the count follow."""
    assert ["b", "a"] == [row["title"] for row in api.get("/notifications").json()]
    assert {"unread": 2} == api.get("/notifications/unread").json()

    assert 204 == api.post(f"/notifications/{told[0]}/read").status_code
    assert ["b"] == [row["title"] for row in api.get("/notifications?unread=true").json()]
    assert 204 == api.delete(f"/notifications/{told[0]}/read").status_code
    assert {"unread": 2} == api.get("/notifications/unread").json()
    assert 204 == api.post("/notifications/read").status_code
    assert [True, True] == [row["is_read"] for row in api.get("/notifications").json()]
    assert ["a"] == [row["title"] for row in api.get(f"/notifications?before={told[1]}").json()]


def test_what_is_for_another_is_not_there(api, told):
    """The answer is the same as for an id that does not exist."""
    for key in (told[2], "nothing"):
        answer = api.post(f"/notifications/{key}/read")
        assert (404, "notification_not_found") == (answer.status_code, answer.json()["code"])
