"""What a person does in the editor.

Tests may rely on these `data-testid`s:

- `palette-<step type>`, `palette-<action name>`, `palette-workflow:<name>`, `palette-search`; `first-add`,
  `first-steps`
- `canvas`; `node-<name>` with its `data-state` (idle, pending, running, waiting, retrying, completed, failed, skipped,
  cancelled); `handle-<name>-in`, `handle-<name>-<BRANCH>` (`SWITCH_CASE:<value>` for the case of a switch);
  `problem-<name>`, `edge-add`, `edge-delete`
- `quick-add`, `quick-search`, `quick-<step type or action name>`
- `inspector`; `field-<pointer>` such as `field-/condition`, `field-/parameters/url`, `field-/name`, `field-/title`;
  for rows `add-<pointer>` and `key-<pointer>-<index>`; `add-parameter`, `parameter-name-<index>`; in completion
  `offer-<word>`
- bar: `save`, `publish`, `run`, `export` (then `export-yaml`, `export-json`), `more` (then `import`, `versions`),
  `undo`, `redo`, `published`, and `saving`, whose `data-state` is `saved` once everything has reached the server
- dialogs: `change-summary`, `publish-too`, `save-confirm`; `run-start`, `dry-run` (a workflow without parameters runs
  without a dialog); `import-text`, `import-confirm`; `publish-<number>`
- the run that is being watched: `runbar` with `data-state`, `run-status`, `run-cancel`, `run-pause`, `run-resume`,
  `open-run`
- `problems`, `problem-list`, `tidy`, `fit`
- `palette-trigger:<kind>`, `node-trigger:<index>`, `node-trigger:start`; in a schedule's form
  `cron-presets`, `due`; beside the canvas of a run `origin`, `trigger-data`
"""

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

Studio = Callable[..., "Canvas"]


class Canvas:
    """The editor of one workflow, with what a person does to it."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        page.goto(f"/workflows/{name}/")
        expect(page.get_by_test_id("saving")).to_have_attribute("data-state", "saved")

    def drop(self, offer: str, x: float, y: float) -> None:
        """Drag a step from the palette to a point of the canvas."""
        target = {"x": x, "y": y}
        self.page.get_by_test_id(f"palette-{offer}").drag_to(self.page.get_by_test_id("canvas"), target_position=target)

    def node(self, name: str) -> Locator:
        """The card or frame of a step."""
        return self.page.get_by_test_id(f"node-{name}")

    def connect(self, source: str, branch: str, target: str) -> None:
        """Pull a line from a way out of a step to another step."""
        self.pull(f"handle-{source}-{branch}", self.page.get_by_test_id(f"handle-{target}-in"))

    def pull(self, handle: str, target: Locator) -> None:
        """Press on a handle, move to the middle of something, let go."""
        self.page.get_by_test_id(handle).hover(force=True)
        self.page.mouse.down()
        box = target.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"] / 2 + 8, box["y"] + 8, steps=6)
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
        self.page.mouse.up()

    def drag(self, name: str, target: Locator) -> None:
        """Drag a step so that its middle comes to lie on the middle of something."""
        start, end = self.node(name).bounding_box(), target.bounding_box()
        assert start is not None
        assert end is not None
        self.page.mouse.move(start["x"] + start["width"] / 2, start["y"] + 8)
        self.page.mouse.down()
        self.page.mouse.move(end["x"] + end["width"] / 2, end["y"], steps=8)
        self.page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 8, steps=4)
        self.page.mouse.up()

    def fill(self, pointer: str, text: str) -> None:
        """Write into a field of the form at the right."""
        self.page.get_by_test_id(f"field-{pointer}").fill(text)

    def saved(self) -> None:
        """Wait until the server has everything."""
        expect(self.page.get_by_test_id("saving")).to_have_attribute("data-state", "saved")

    def edges(self) -> int:
        """How many connections there are."""
        return self.page.locator(".react-flow__edge-dependency").count()

    def press(self, *keys: str) -> None:
        """Press keys while the canvas has the focus."""
        self.page.get_by_test_id("canvas").focus()
        for key in keys:
            self.page.keyboard.press(key)


def exported(canvas: Canvas) -> str:
    """The draft as YAML, from the server."""
    canvas.saved()
    name = canvas.page.url.rstrip("/").rpartition("/")[2]
    return canvas.page.request.get(f"/api/workflows/{name}/export?format=yaml").text()
