"""Which connections a definition names, and what is wrong with those it names."""

from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.catalog import ActionSpec, Catalog
from canvas.domain.connections import needs_of
from canvas.domain.dsl import from_document
from canvas.domain.validation import validate


def action(name: str, **kinds: object) -> ActionSpec:
    properties = {argument: {"type": "string", "x-connection": kind} for argument, kind in kinds.items()}
    return ActionSpec(
        name=name,
        title=name,
        description="",
        category="",
        arguments_schema={"type": "object", "properties": {**properties, "text": {"type": "string"}}},
        result_schema={},
        example_arguments={},
        example_result={},
        idempotent=True,
    )


ACTIONS = {
    spec.name: spec
    for spec in (
        action("email/send", connection="smtp"),
        action("social/post", account=["mastodon", "bluesky"]),
        action("mcp.tools/search"),
        action("log/event"),
    )
}


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


def definition(*calls: tuple[str, dict[str, object]]):
    steps = [
        {"name": f"s{index}", "type": "action", "action": name, "parameters": parameters}
        for index, (name, parameters) in enumerate(calls)
    ]
    inner, outer = steps[:1], steps[1:]
    loop = {"name": "each", "type": "loop", "times": 2, "steps": inner}
    return from_document({"dsl": "canvas/v1", "name": "w", "steps": [loop, *outer]}).definition


def needs(*calls: tuple[str, dict[str, object]], **connections: str) -> list[tuple[str, str, tuple[str, ...], bool]]:
    catalog = Catalog(actions=ACTIONS, connections=connections)
    return [(need.name, need.kind, need.steps, need.missing) for need in needs_of(definition(*calls), catalog)]


def problems(name: str, parameters: dict[str, object], **connections: str) -> list[tuple[str, str, str, str]]:
    found = validate(definition((name, parameters)), Catalog(actions=ACTIONS, connections=connections))
    return [(p.code, p.severity, p.text, p.hint) for p in found if "connection" in p.code]


def test_every_connection_is_needed_once():
    """By name, with the steps that use it, those inside of loops included, and the kinds it may be of."""
    found = needs(
        ("email/send", {"connection": "post"}),
        ("social/post", {"account": "news"}),
        ("email/send", {"connection": "post"}),
        ("mcp.tools/search", {}),
        ("mcp.others/search", {}),
        ("log/event", {"text": "post"}),
        post="smtp",
        tools="mcp",
    )

    assert [
        ("news", "mastodon or bluesky", ("s1",), True),
        ("others", "mcp", ("s4",), True),
        ("post", "smtp", ("s0", "s2"), False),
        ("tools", "mcp", ("s3",), False),
    ] == found


@given(name=st.none() | st.booleans() | st.just("") | st.lists(texts) | texts.map(lambda text: text + "{{ x }}"))
def test_what_is_known_in_a_run_only_is_neither_needed_nor_judged(name):
    """A template, and anything that is no text, names nothing yet."""
    assert [] == needs(("email/send", {"connection": name}))
    assert [] == problems("email/send", {"connection": name})


def test_a_missing_connection_is_a_warning_with_near_names():
    """It may be added later; only names of the right kind are proposed."""
    hints = [
        problems("email/send", {"connection": "pots"}, **connections)[0]
        for connections in ({"post": "smtp"}, {"post": "slack"})
    ]

    assert [
        ("unknown_connection", "warning", "There is no connection `pots`.", "Did you mean `post`?"),
        (
            "unknown_connection",
            "warning",
            "There is no connection `pots`.",
            "Add it on the Connections page, of kind smtp.",
        ),
    ] == hints


def test_a_connection_of_another_kind_is_an_error_that_names_those_that_fit():
    """It can only fail."""
    ((code, severity, text, hint),) = problems(
        "social/post", {"account": "post"}, post="smtp", news="bluesky", club="mastodon"
    )

    assert ("wrong_connection_kind", "error") == (code, severity)
    assert "The connection `post` is of kind smtp; `social/post` needs mastodon or bluesky." == text
    assert "Use `news` or `club`." == hint


@given(kind=st.sampled_from(["mastodon", "bluesky"]))
def test_a_connection_of_any_fitting_kind_is_fine(kind):
    """An action may take several kinds."""
    assert [] == problems("social/post", {"account": "news"}, news=kind)
