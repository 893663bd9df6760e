"""The editor in a real browser; `drawing.py` lists the test ids."""

import pytest
from playwright.sync_api import expect

from tests.e2e.drawing import Canvas, Studio, exported
from tests.serving import Serving, wait_for

pytestmark = pytest.mark.e2e

CHAIN = """
steps:
  - {name: first, type: set, values: {a: 1}}
  - {name: second, type: set, values: {b: "{{ steps.first.output.a }}"}}
  - {name: third, type: set, values: {c: 3}}
"""
FRAMES = """
steps:
  - name: one
    type: loop
    times: 2
    steps:
      - {name: inner, type: set, values: {a: 1}}
      - {name: stays, type: set, values: {a: 1}, depends_on: []}
  - name: other
    type: parallel
    steps:
      - {name: within, type: set, values: {a: 1}}
    depends_on: []
"""


def test_a_workflow_is_drawn_by_drag_and_drop(studio: Studio):
    """Dropping two steps and pulling a line between them is a workflow, and the server has it."""
    canvas = studio()
    canvas.drop("data/transform", 200, 200)
    canvas.drop("condition", 500, 200)
    canvas.connect("data_transform", "SUCCESS", "condition")

    text = exported(canvas)

    assert 1 == canvas.edges()
    assert "name: data_transform" in text
    assert "type: condition" in text


def test_the_first_step_may_be_dropped_on_the_welcome(studio: Studio):
    """What teaches on an empty canvas is no hole in it."""
    canvas = studio()
    canvas.page.get_by_test_id("palette-set").drag_to(canvas.page.get_by_test_id("first-steps"))

    expect(canvas.node("set")).to_be_visible()


def test_an_if_else_and_a_loop_are_drawn_and_configured(studio: Studio):
    """The whole of a branching workflow by mouse and form, without a problem left."""
    canvas = studio()
    page = canvas.page
    canvas.drop("set", 160, 160)
    page.get_by_test_id("add-/values").click()
    page.get_by_test_id("key-/values-0").fill("numbers")
    page.keyboard.press("Enter")
    canvas.fill("/values/numbers", "{{ [1, 2, 3] }}")
    canvas.drop("condition", 460, 160)
    canvas.fill("/condition", "size(context.numbers) > 2")
    canvas.connect("set", "SUCCESS", "condition")
    canvas.drop("loop", 460, 420)
    canvas.fill("/collection", "{{ context.numbers }}")
    page.get_by_test_id("palette-log/event").drag_to(canvas.node("loop"), target_position={"x": 130, "y": 90})
    canvas.fill("/parameters/message", "Number {{ item }}")
    canvas.connect("condition", "IF_TRUE", "loop")
    canvas.drop("stop", 700, 60)
    canvas.connect("condition", "IF_FALSE", "stop")

    text = exported(canvas)

    expect(page.get_by_test_id("problems")).to_have_text("No problems")
    assert 3 == canvas.edges()
    assert "branch: IF_FALSE" in text
    assert "Number {{ item }}" in text
    assert text.index("name: loop") < text.index("name: log_event")


def test_the_same_is_drawn_by_keyboard_alone(studio: Studio):
    """A opens a list to type in, Enter adds after the selection, arrows walk, a form field is one Enter away."""
    canvas = studio()
    canvas.press("a")
    canvas.page.keyboard.type("condit")
    canvas.page.keyboard.press("Enter")
    canvas.press("Enter")
    canvas.page.keyboard.type("true")
    for word in ("log", "notif"):
        canvas.press("a")
        canvas.page.keyboard.type(word)
        canvas.page.keyboard.press("Enter")
        canvas.press("ArrowLeft")

    text = exported(canvas)

    assert 2 == canvas.edges()
    assert "IF_TRUE" in text
    assert "IF_FALSE" in text
    assert "condition: 'true'" in text or 'condition: "true"' in text


def test_edits_can_be_taken_back_and_made_again(studio: Studio):
    """Undo and redo go through every kind of edit, and the server follows."""
    canvas = studio(CHAIN)
    canvas.node("second").click()
    canvas.press("Delete")
    expect(canvas.node("second")).to_have_count(0)
    canvas.press("Control+z")
    expect(canvas.node("second")).to_have_count(1)
    assert "name: second" in exported(canvas)
    canvas.press("Control+y")

    assert "name: second" not in exported(canvas)
    assert 0 == canvas.edges()


def test_steps_are_copied_into_another_workflow(studio: Studio):
    """Copies get free names, keep their connections, and speak of each other by the new names."""
    canvas = studio(CHAIN)
    canvas.press("Control+a", "Control+c")
    expect(canvas.page.get_by_test_id("notice")).to_have_text("3 steps copied")
    other = studio(CHAIN)
    other.press("Control+v")

    text = exported(other)

    expect(other.page.locator(".node:not(.entry)")).to_have_count(6)
    assert 4 == other.edges()
    assert "{{ steps.first_2.output.a }}" in text


def test_a_step_is_renamed_everywhere(studio: Studio):
    """Dependencies and expressions follow the new name, and one undo brings the old one back."""
    canvas = studio(CHAIN)
    canvas.node("first").click()
    canvas.fill("/name", "begin")
    canvas.page.keyboard.press("Enter")
    expect(canvas.node("begin")).to_be_visible()
    assert "{{ steps.begin.output.a }}" in exported(canvas)
    canvas.press("Control+z")

    text = exported(canvas)

    assert "begin" not in text
    assert "{{ steps.first.output.a }}" in text


def test_problems_show_while_typing_and_lead_to_their_field(studio: Studio):
    """A bad expression marks its node and its field; the list at the bottom leads there."""
    canvas = studio(CHAIN)
    canvas.node("second").click()
    canvas.fill("/values/b", "{{ steps.nobody.output }}")
    badge = canvas.page.get_by_test_id("problem-second")
    expect(badge).to_be_visible()
    canvas.press("Escape")
    canvas.page.get_by_test_id("problems").click()
    canvas.page.get_by_test_id("problem-list").get_by_role("button", name="nobody").click()

    expect(canvas.page.get_by_test_id("field-problem").first).to_contain_text("nobody")
    canvas.fill("/values/b", "1")
    expect(badge).to_have_count(0)


def test_expressions_are_completed(studio: Studio):
    """Two braces open the list; arrows and Enter write the path to an earlier step's output."""
    canvas = studio(CHAIN)
    canvas.node("third").click()
    field = canvas.page.get_by_test_id("field-/values/c")
    field.fill("")
    field.press_sequentially("{{st")
    canvas.page.get_by_test_id("offer-steps").wait_for()
    canvas.page.keyboard.press("Enter")
    canvas.page.get_by_test_id("offer-first").wait_for()
    canvas.page.keyboard.type("fi")
    canvas.page.keyboard.press("Enter")
    canvas.page.keyboard.type("o")
    canvas.page.keyboard.press("Enter")
    canvas.page.get_by_test_id("offer-a").wait_for()
    canvas.page.keyboard.press("Enter")

    expect(field).to_have_value("{{ steps.first.output.a }}")


def test_a_circle_cannot_be_drawn(studio: Studio):
    """The line does not stick, and a sentence says why."""
    canvas = studio(CHAIN)
    canvas.connect("third", "SUCCESS", "first")

    expect(canvas.page.get_by_test_id("notice")).to_contain_text("circle")
    assert 2 == canvas.edges()


def test_a_step_is_put_into_a_connection_and_taken_out_again(studio: Studio):
    """The plus on a connection asks for a step; Shift+Delete closes the gap."""
    canvas = studio(CHAIN)
    canvas.page.locator(".react-flow__edge-dependency").first.hover(force=True)
    canvas.page.get_by_test_id("edge-add").click()
    canvas.page.keyboard.type("wait")
    canvas.page.keyboard.press("Enter")
    expect(canvas.node("wait")).to_be_visible()
    assert 3 == canvas.edges()
    canvas.press("Shift+Delete")

    expect(canvas.node("wait")).to_have_count(0)
    assert 2 == canvas.edges()


def test_a_step_is_dragged_out_of_a_frame_and_into_another(studio: Studio):
    """Where a step is let go decides which frame holds it."""
    canvas = studio(FRAMES)
    canvas.drag("inner", canvas.node("within"))

    text = exported(canvas)

    assert text.index("name: other") < text.index("name: inner")
    canvas.press("Control+z")
    text = exported(canvas)
    assert text.index("name: inner") < text.index("name: other")


def test_the_canvas_is_tidied_up(studio: Studio):
    """Steps that lie on top of each other are laid out from left to right, and one undo brings them back."""
    canvas = studio(CHAIN.replace("steps:", "layout: {first: [0, 0], second: [10, 10], third: [20, 20]}\nsteps:"))
    canvas.press("Shift+L")
    expect(canvas.page.get_by_test_id("undo")).to_be_enabled()
    wait_for(lambda: left(canvas, "second") - left(canvas, "first") > 200)
    assert left(canvas, "third") - left(canvas, "second") > 200
    canvas.press("Control+z")
    wait_for(lambda: left(canvas, "second") - left(canvas, "first") < 20)


def left(canvas: Canvas, name: str) -> float:
    """Where a step begins on the screen."""
    box = canvas.node(name).bounding_box()
    assert box is not None
    return box["x"]


def test_two_people_do_not_overwrite_each_other(studio: Studio, live_server: Serving):
    """Whoever saves second is told, and can load what the other one did."""
    canvas = studio(CHAIN)
    context = canvas.page.context.browser.new_context(base_url=live_server.url)
    other = Canvas(context.new_page(), canvas.page.url.rstrip("/").rpartition("/")[2])
    other.node("third").click()
    other.press("Delete")
    other.saved()
    context.close()
    canvas.node("second").click()
    canvas.fill("/title", "Mine")
    canvas.page.get_by_test_id("conflict-reload").click()

    expect(canvas.node("third")).to_have_count(0)
    expect(canvas.node("second")).not_to_contain_text("Mine")
    canvas.saved()


def test_versions_are_saved_published_and_rolled_back(studio: Studio):
    """A summary is kept with each version; publishing an older one is rolling back."""
    canvas = studio(CHAIN)
    page = canvas.page
    for title in ("One", "Two"):
        canvas.node("first").click()
        canvas.fill("/title", title)
        canvas.saved()
        page.get_by_test_id("publish").click()
        page.get_by_test_id("change-summary").fill(f"Called it {title}")
        page.get_by_test_id("save-confirm").click()
        expect(page.get_by_test_id("change-summary")).to_have_count(0)
    expect(page.get_by_test_id("published")).to_have_text("v3 published")
    page.get_by_test_id("more").click()
    page.get_by_test_id("versions").click()
    expect(page.get_by_test_id("version-2")).to_contain_text("Called it One")
    page.get_by_test_id("publish-2").click()

    expect(page.get_by_test_id("version-2")).to_contain_text("published")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("published")).to_have_text("v2 published")


def test_a_workflow_goes_out_as_a_file_and_comes_in_as_text(studio: Studio):
    """What was exported is imported elsewhere, and one undo takes it back."""
    canvas = studio(CHAIN)
    canvas.page.get_by_test_id("export").click()
    with canvas.page.expect_download() as download:
        canvas.page.get_by_test_id("export-yaml").click()
    text = download.value.path().read_text()
    other = studio()
    other.page.get_by_test_id("more").click()
    other.page.get_by_test_id("import").click()
    other.page.get_by_test_id("import-text").fill(text)
    other.page.get_by_test_id("import-confirm").click()
    expect(other.node("third")).to_be_visible()

    assert "{{ steps.first.output.a }}" in exported(other)
    other.press("Control+z")
    expect(other.page.get_by_test_id("first-steps")).to_be_visible()
    assert "third" not in exported(other)


def test_nothing_is_lost_when_the_page_is_left_at_once(studio: Studio):
    """An edit of the last quarter of a second is sent before the page goes away."""
    canvas = studio(CHAIN)
    name = canvas.page.url.rstrip("/").rpartition("/")[2]
    canvas.node("third").click()
    canvas.fill("/title", "At the last moment")
    canvas.page.evaluate("window.dispatchEvent(new Event('visibilitychange')); 0")
    canvas.page.get_by_role("link", name="All workflows").click()
    again = Canvas(canvas.page, name)

    expect(again.node("third")).to_contain_text("At the last moment")


def test_a_large_workflow_opens_at_its_beginning(studio: Studio):
    """What is too large to be read as a whole starts at its first step, at a size that can be read."""
    steps = "".join(f"\n  - {{name: s{n}, type: set, values: {{a: {n}}}}}" for n in range(60))
    canvas = studio(f"steps:{steps}")

    box = canvas.node("s0").bounding_box()
    assert box is not None
    assert box["width"] > 120
    assert canvas.node("s40").count() == 0 or not canvas.node("s40").is_visible() or left(canvas, "s40") > 1440
