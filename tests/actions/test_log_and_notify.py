"""Actions for people: lines and notifications are handed to the engine, which commits them with the step."""

import pytest

from canvas.actions.context import Line, Notice
from canvas.actions.registry import InvalidArguments, registry
from canvas.domain.states import LogLevel


async def test_a_line_is_handed_over(make_context):
    """Level, message and values arrive as given."""
    context = make_context()
    result = await registry()["log/event"].call({"level": "warning", "message": "m", "data": {"a": [1]}}, context)

    assert [Line(LogLevel.WARNING, "m", {"a": [1]})] == context.lines
    assert {"level": "warning", "message": "m"} == result


@pytest.mark.parametrize(
    ("message", "shown"),
    [("text", "text"), (7, "7"), ({"a": [1, None]}, '{"a":[1,null]}'), (True, "true"), (None, "null")],
)
async def test_a_message_may_be_any_value(make_context, message, shown):
    """A template that gives a step's whole output is shown as JSON."""
    context = make_context()
    await registry()["log/event"].call({"message": message}, context)

    assert [shown] == [line.message for line in context.lines]


async def test_values_may_be_called_like_our_own_arguments(make_context):
    """A value named `level` or `message` is data like any other."""
    context = make_context()
    await registry()["log/event"].call({"message": "m", "data": {"level": 1, "message": 2, "self": 3}}, context)

    assert {"level": 1, "message": 2, "self": 3} == context.lines[0].data


async def test_a_notification_leads_to_its_run(make_context):
    """Without a link of its own a notification leads to the run that sent it."""
    context = make_context()
    await registry()["notify/create"].call({"title": "t", "level": "error"}, context)

    assert [Notice("t", "", LogLevel.ERROR, f"/runs/{context.run_id}")] == context.notices


@pytest.mark.parametrize(
    ("to", "expected"), [(["ada", "bob", "ada"], ("ada", "bob")), ("ada, bob", ("ada", "bob")), ([], ())]
)
async def test_a_notification_may_be_for_some(make_context, to, expected):
    """Users are named in a list, or in a text with commas; nobody named means everybody."""
    context = make_context()
    result = await registry()["notify/create"].call({"title": "t", "to": to}, context)

    assert expected == context.notices[0].to == tuple(result["to"])


@pytest.mark.parametrize("to", ["", " , ", [""], [" "]])
async def test_a_template_that_finds_nobody_tells_nobody(make_context, to):
    """An empty name never becomes a message for everybody."""
    with pytest.raises(InvalidArguments, match="to"):
        await registry()["notify/create"].call({"title": "t", "to": to}, make_context())


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//evil.example", "/\\evil.example", "data:text/html,x"])
async def test_a_link_is_a_page_or_a_web_address(make_context, link):
    """A notification never carries code or a disguised foreign address."""
    with pytest.raises(InvalidArguments, match="link"):
        await registry()["notify/create"].call({"title": "t", "link": link}, make_context())
