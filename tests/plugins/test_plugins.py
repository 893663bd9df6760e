"""Plug-ins: a good one is like any action, a bad one is told about and breaks nothing."""

import threading

import orjson
import pytest

from canvas.actions import plugins as plugins_module
from canvas.actions.collecting import Collected
from canvas.actions.registry import registry
from tests.actions.web import web
from tests.plugins.conftest import EXAMPLE

BUILTIN = "log/event"
BAD = {
    "no import": ("import no_such_module_anywhere", "ModuleNotFoundError"),
    "an error": ("1 / 0", "ZeroDivisionError"),
    "an exit": ("import sys; sys.exit(3)", "SystemExit"),
    "broken code": ("def (", "SyntaxError"),
    "nothing": ("", "registers nothing"),
    "a name that is taken": ("register('http/request')", "already, from Canvas itself"),
    "a namespace that is kept": ("register('mcp.shop/order')", "keeps for itself"),
    "a name that is none": ("register('Say')", "namespace/name"),
    "twice the same": ("register(); register()", "twice"),
    "no title": ("register(title=' ')", "has no title"),
    "no security note": ("register(security='')", "has no security"),
    "an example that does not fit": ("register(example=Given.model_construct(text=5))", "does not fit"),
    "a field without words": (
        "class Mute(Arguments):\n    x: int\n"
        "async def f(args: Mute, context) -> Said:\n    'Do.'\n"
        "action('a/b', title='T', category='Data', idempotent=True, permissions=(), security='S.', "
        "example=Mute(x=1), example_result=Said(text='a'))(f)",
        "x has no description",
    ),
    "an unknown kind of connection": (
        "from canvas.actions.connections import connection_field\n"
        "from canvas.domain.states import ActionPermission\n"
        "class Wants(Arguments):\n    door: str = connection_field('door', description='Which.')\n"
        "async def f(args: Wants, context) -> Said:\n    'Do.'\n"
        "action('a/b', title='T', category='Data', idempotent=True, permissions=(ActionPermission.CONNECTION,), "
        "security='S.', example=Wants(door='d'), example_result=Said(text='a'))(f)",
        "no kind of connection called door",
    ),
    "a kind that is taken": (
        "from canvas.actions.connections import Config, connection_kind\n"
        "class Smtp(Config):\n    'Mine.'\n"
        "@connection_kind('smtp', title='Mine', icon='mail', example={})\n"
        "async def check(config: Smtp, outside) -> str:\n    return ''\n"
        "register()",
        "called smtp is there already",
    ),
}


def test_a_good_plug_in_brings_its_actions(make_package, look_at, tmp_path):
    """They are in the catalogue with the package they come from."""
    found, names = look_at(make_package(tmp_path, "polite", "register()", "2.5"))

    assert ("", ["greet/say"], "2.5") == (
        found["polite"]["failure"], found["polite"]["actions"], found["polite"]["version"]
    )  # fmt: skip
    assert {"greet/say", BUILTIN} <= set(names)


@pytest.fixture(scope="module")
def beside_bad_ones(make_package, look_at, tmp_path_factory):
    """What one process makes of all the bad ones and a good one beside them."""
    folder = tmp_path_factory.mktemp("bad")
    make_package(folder, "zealous", "register('zeal/say')")
    for number, (code, _) in enumerate(BAD.values()):
        make_package(folder, f"bad{number}", code)
    return look_at(folder)


@pytest.mark.parametrize(("number", "told"), [(n, told) for n, (_, told) in enumerate(BAD.values())], ids=BAD)
def test_a_bad_plug_in_is_told_about(beside_bad_ones, number, told):
    """By what is wrong with it; nothing of it is used."""
    bad = beside_bad_ones[0][f"bad{number}"]

    assert told in bad["failure"]
    assert ([], []) == (bad["actions"], bad["connection_kinds"])


def test_bad_plug_ins_break_nothing(beside_bad_ones):
    """The good one among them works, and so does Canvas."""
    found, names = beside_bad_ones

    assert "" == found["zealous"]["failure"]
    assert ["zeal/say"] == [name for name in names if name not in registry()]
    assert set(registry()) <= set(names)


def test_the_first_of_two_with_the_same_name_wins(make_package, look_at, tmp_path):
    """In the order of the packages' names, so that it is the same on each start."""
    make_package(tmp_path, "second", "register()")
    found, _ = look_at(make_package(tmp_path, "first", "register()"))

    assert ("", "from first 0.1") == (found["first"]["failure"], found["second"]["failure"][-14:])


def test_one_that_takes_too_long_is_left_behind(monkeypatch):
    """What it registers afterwards goes nowhere."""
    go_on, done = threading.Event(), threading.Event()

    class Slow:
        name, value, module, dist = "slow", "slow", "slow", None

        def load(self):
            go_on.wait(20)
            collected = plugins_module.being_loaded.get()
            collected.add(collected.actions, "late/one", object())
            done.set()

    monkeypatch.setattr(plugins_module, "LOAD_SECONDS", 0.05)
    monkeypatch.setattr(plugins_module, "entry_points", lambda group: [Slow()])
    actions: dict = {}
    (found,) = plugins_module.load_plugins(actions, {})
    go_on.set()

    assert done.wait(20)
    assert ("took longer than 0.05 s" in found.failure, {}) == (True, actions)


def test_registering_elsewhere_is_none_of_a_plug_ins_business():
    """What is registered outside of loading one belongs to Canvas."""
    assert plugins_module.being_loaded.get() is None
    assert Collected() == Collected()


def test_the_example_is_a_whole_plug_in(installed, look_at, run_python, canvas_with):
    """Installed by pip: found, in the catalogue with its kind of connection, and its own tests pass."""
    found, names = look_at(installed)
    ((_, told, _),) = canvas_with(installed, ["actions", "weather/forecast", "--json"])
    spec = orjson.loads(told)
    own_tests = ["-c", str(EXAMPLE / "pyproject.toml"), str(EXAMPLE / "tests")]
    tested = run_python(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider", *own_tests)

    assert ("", ["weather"]) == (found["canvas-weather"]["failure"], found["canvas-weather"]["connection_kinds"])
    assert ("plugin", "canvas-weather 1.2.0") == (spec["origin"], spec["origin_detail"])
    assert "weather/forecast" in names
    assert "2 passed" in tested.stdout


FORECAST = """
dsl: canvas/v1
name: forecast
outputs: {high: {type: number, value: "{{ steps.ask.output.high_celsius }}"}}
steps:
  - {name: ask, type: action, action: weather/forecast, parameters: {connection: home, city: Rome}}
"""


def test_its_action_is_checked_like_any(installed, canvas_with, tmp_path):
    """`canvas validate` knows its arguments, and a dry run answers from its example."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(FORECAST)
    bad.write_text(FORECAST.replace("city: Rome", "days: 99"))
    fine, ran, refused = canvas_with(
        installed, ["validate", str(good)], ["run", str(good), "--dry-run", "--json"], ["validate", str(bad)]
    )

    assert (0, 0, 1) == (fine[0], ran[0], refused[0])
    assert {"high": 24.5} == orjson.loads(ran[1])["output"]
    assert "[missing_parameter] The parameter `city`" in refused[2]
    assert "[bad_parameter] 99 is greater" in refused[2]


def test_its_action_runs_with_a_connection_of_its_own_kind(installed, canvas_with, tmp_path):
    """In a workflow, for real: the secret reaches the service and appears in nothing that is printed."""
    file = tmp_path / "forecast.yaml"
    file.write_text(FORECAST)
    with web(lambda talk: talk.reply(200, {"city": "Roma", "high_celsius": 31.5, "rain": False})) as service:
        config = orjson.dumps({"url": service.url, "key": "s3cr3t-sunshine"}).decode()
        *done, tested, ran = canvas_with(
            installed,
            ["db", "upgrade"],
            ["connections", "add", "home", "--kind", "weather", f"<{config}"],
            ["import", str(file), "--publish"],
            ["connections", "test", "home"],
            ["run", "forecast", "--json"],
        )

    assert [0] * 5 == [each[0] for each in (*done, tested, ran)]
    assert "Roma expects 31.5" in tested[1]
    assert {"high": 31.5} == orjson.loads(ran[1])["output"]
    assert ["s3cr3t-sunshine"] * 2 == [each.headers["x-api-key"] for each in service.arrived]
    assert "s3cr3t" not in str((tested, ran))
