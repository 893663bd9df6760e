"""How the canvas feels: time until it is usable, frames while dragging, and from a change in the engine to the pixel.

    python -m benchmarks.browser [--json] [--sizes 100 500 1000]

A headless Chromium without a graphics card, so frames are a floor; `canvas serve` and the browser share the machine.
"""

import argparse
import json
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

from tests import chromium
from tests.serving import Serving, serving, wait_for

RUNS, CHAIN = 10, 25
DRAG_SECONDS: Final = 3.0
VIEWPORT: Final = {"width": 1440, "height": 900}

_COUNT_FRAMES = """() => {
  window.benchFrames = [];
  let last = performance.now();
  const tick = (now) => {
    window.benchFrames.push(now - last);
    last = now;
    if (window.benchFrames !== null) window.benchTimer = requestAnimationFrame(tick);
  };
  window.benchTimer = requestAnimationFrame(tick);
}"""
_STOP_COUNTING = "() => { cancelAnimationFrame(window.benchTimer); return window.benchFrames.slice(2); }"
_WATCH_STATES = """() => {
  window.benchSeen = [];
  new MutationObserver((changes) => {
    const at = performance.timeOrigin + performance.now();
    for (const { target } of changes) {
      const name = target.dataset.testid;
      if (name?.startsWith("node-")) window.benchSeen.push([name.slice(5), target.dataset.state, at]);
    }
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-state"] });
}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 500, 1000])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server, sync_playwright() as playwright:
        path = chromium.find()
        browser = playwright.chromium.launch(executable_path=path, args=chromium.FLAGS)
        found = {
            "canvas": {size: canvas_numbers(browser, server, size) for size in arguments.sizes},
            "change_to_pixel_ms": pixel_numbers(browser, server),
        }
        browser.close()
    print(json.dumps(found) if arguments.json else _table(found))


def canvas_numbers(browser: Browser, server: Serving, size: int) -> dict[str, float]:
    """Open a workflow of so many steps and drag one of them, with the whole in view and close by."""
    page = _page(browser, server)
    name = f"bench_{size}"
    _import(page, _grid(name, size))
    began = time.perf_counter()
    page.goto(f"/workflows/{name}/", wait_until="commit")
    page.locator(".react-flow__node").first.wait_for()
    page.locator("[data-testid=saving][data-state=saved]").wait_for()
    usable = time.perf_counter() - began
    wait_for(lambda: page.evaluate("document.readyState") == "complete")
    whole = _drag(page)
    page.get_by_test_id("canvas").focus()
    page.keyboard.press("0")
    _settled(page)
    numbers = {"usable_seconds": usable, "drag_fps": whole, "drag_fps_close": _drag(page)}
    page.context.close()
    return numbers


def pixel_numbers(browser: Browser, server: Serving) -> dict[str, float]:
    """Watch one of several runs that go at the same time, and compare the time of each change with the screen."""
    page = _page(browser, server)
    pauses = [5.0, *[0.15] * CHAIN]  # a first one long enough for the page to be there
    steps = "".join(f"  - {{name: s{n}, type: wait, for: [{{seconds: {s}}}]}}\n" for n, s in enumerate(pauses))
    _import(page, f"dsl: canvas/v1\nname: bench_chain\nsteps:\n{steps}")
    ids = [_start(page, "bench_chain") for _ in range(RUNS)]
    page.add_init_script(f"addEventListener('DOMContentLoaded', {_WATCH_STATES})")
    page.goto(f"/runs/{ids[0]}/")
    page.get_by_test_id("node-s0").and_(page.locator("[data-state=waiting]")).wait_for()
    ready = time.time() * 1000
    page.get_by_test_id("run-status").get_by_text("completed").wait_for(timeout=60_000)
    seen = {(name, state): at for name, state, at in page.evaluate("window.benchSeen")}
    told = {
        (row["path"], row["data"]["status"]): datetime.fromisoformat(row["at"]).timestamp() * 1000
        for row in page.request.get(f"/api/runs/{ids[0]}/logs?limit=1000").json()
        if row["kind"] == "step"
    }
    fresh = sorted(seen[key] - at for key, at in told.items() if at > ready and key in seen)
    page.context.close()
    return {
        "changes": len(fresh),
        "p50": statistics.median(fresh),
        "p95": fresh[int(len(fresh) * 0.95)],
        "max": fresh[-1],
    }


def _drag(page: Page) -> float:
    box = next(
        box
        for node in page.locator(".react-flow__node-step, .react-flow__node-frame").all()
        if (box := node.bounding_box()) and 350 < box["x"] < 800 and 150 < box["y"] < 600
    )
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(_COUNT_FRAMES)
    began = time.monotonic()
    step = 0
    while time.monotonic() - began < DRAG_SECONDS:
        step += 1
        page.mouse.move(x + (step * 3) % 160, y + (step * 2) % 120)
    frames = page.evaluate(_STOP_COUNTING)
    page.mouse.up()
    page.locator("[data-testid=saving][data-state=saved]").wait_for()
    return 1000 * len(frames) / sum(frames)


def _settled(page: Page) -> None:
    """Wait until the view has stopped moving."""
    where = "document.querySelector('.react-flow__viewport').style.transform"
    last = [""]

    def is_still() -> bool:
        before, last[0] = last[0], page.evaluate(where)
        return before == last[0]

    wait_for(is_still)


def _page(browser: Browser, server: Serving) -> Page:
    return browser.new_context(base_url=server.url, viewport=VIEWPORT).new_page()


def _import(page: Page, text: str) -> None:
    headers = {"Content-Type": "application/yaml"}
    answer = page.request.post("/api/workflows/import?publish=true", data=text, headers=headers)
    assert answer.ok, answer.text()


def _start(page: Page, name: str) -> str:
    return str(page.request.post(f"/api/workflows/{name}/runs", data={"parameters": {}}).json()["id"])


def _grid(name: str, size: int) -> str:
    """Ten chains beside each other."""
    steps = []
    for number in range(size):
        waits = [f"s{number - 10}"] if number >= 10 else []
        steps.append({"name": f"s{number}", "type": "set", "values": {"n": number}, "depends_on": waits})
    return json.dumps({"dsl": "canvas/v1", "name": name, "steps": steps})


def _table(found: dict[str, Any]) -> str:
    lines = ["steps  usable s  drag fps  drag fps, close"]
    for size, row in found["canvas"].items():
        lines.append(f"{size:5}  {row['usable_seconds']:8.2f}  {row['drag_fps']:8.1f}  {row['drag_fps_close']:15.1f}")
    pixel = found["change_to_pixel_ms"]
    lines.append(
        f"change to pixel, {RUNS} runs going: p50 {pixel['p50']:.0f} ms, p95 {pixel['p95']:.0f} ms, "
        f"max {pixel['max']:.0f} ms ({pixel['changes']} changes)"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
