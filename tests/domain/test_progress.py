"""The fold behind the live canvas."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.progress import Progress, StepChange, step_name
from canvas.domain.states import StepStatus

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PATHS = ["check", "fan/left", "each[0]/deploy", "each[1]/deploy", "outer[0]/inner[2]/deploy", "each"]
GOING = [StepStatus.RUNNING, StepStatus.WAITING, StepStatus.RETRYING]
ENDED = [StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.CANCELLED]


@st.composite
def histories(draw: st.DrawFn) -> list[StepChange]:
    """What an engine could tell: attempts one after the other at each path, paths interleaved."""
    lives = []
    for path in draw(st.lists(st.sampled_from(PATHS), unique=True)):
        for attempt in range(1, draw(st.integers(1, 3)) + 1):
            going = draw(st.lists(st.sampled_from(GOING), max_size=3))
            lives.append([(path, attempt, status) for status in [*going, draw(st.sampled_from(ENDED))]])
    told = []
    while lives := [life for life in lives if life]:
        first = {life[0][0]: life for life in reversed(lives)}  # an attempt starts when the one before it has ended
        told.append(first[draw(st.sampled_from(sorted(first)))].pop(0))
    return [_change(seq, *step) for seq, step in enumerate(told, start=1)]


def _change(seq: int, path: str, attempt: int, status: StepStatus) -> StepChange:
    at = NOON + timedelta(seconds=seq)
    return StepChange(
        seq,
        path,
        attempt,
        status,
        branch="SUCCESS" if status is StepStatus.COMPLETED else None,
        error="broken" if status is StepStatus.FAILED else None,
        started_at=at if status is StepStatus.RUNNING else None,
        ended_at=at if status.is_terminal else None,
    )


def _rows(history: list[StepChange], seq: int) -> list[StepChange]:
    """The step runs as a database would hold them after these changes."""
    rows: dict[tuple[str, int], StepChange] = {}
    for change in history:
        before = rows.get((change.path, change.attempt))
        started = change.started_at or (before.started_at if before else None)
        rows[change.path, change.attempt] = StepChange(
            seq, change.path, change.attempt, change.status, change.branch, change.error, started, change.ended_at
        )
    return list(rows.values())


def _shown(progress: Progress) -> dict[str, tuple[object, ...]]:
    return {name: (node["s"], node["n"], node["t"], node["a"]) for name, node in progress.nodes().items()}


@given(history=histories(), data=st.data())
def test_a_snapshot_and_what_follows_show_the_same_as_everything_from_the_start(history, data):
    """A browser that connects in the middle sees what one that was there all along sees."""
    middle = data.draw(st.integers(0, len(history)))
    joined = Progress(_rows(history[:middle], seq=middle))

    for change in history[middle:]:
        joined.apply(change)

    assert _shown(Progress(history)) == _shown(joined)


@given(history=histories(), data=st.data())
def test_a_change_told_twice_alters_nothing(history, data):
    """Reading an overlap again, after a reconnect, is harmless."""
    progress = Progress(history)
    before = progress.nodes()

    repeated = data.draw(st.lists(st.sampled_from(history))) if history else []

    assert [None] * len(repeated) == [progress.apply(change) for change in repeated]
    assert before == progress.nodes()


@given(history=histories())
def test_every_path_counts_once_and_shows_its_last_status(history):
    """The counts of a node are those of the newest attempts at its paths."""
    progress = Progress(history)
    last = {change.path: change for change in history}

    for name, node in progress.nodes().items():
        mine = [change.status.value for path, change in last.items() if step_name(path) == name]

        assert dict(Counter(mine)) == node["n"]
        assert len(mine) == node["t"]
        assert node["s"] in mine


@given(history=histories(), data=st.data())
def test_running_shows_over_failed_and_failed_over_the_rest(history, data):
    """A loop with one failed and one running iteration is running; later it is failed."""
    so_far = history[: data.draw(st.integers(0, len(history)))]

    for node in Progress(so_far).nodes().values():
        expected = next((s for s in ("running", "failed") if s in node["n"]), node["s"])

        assert expected == node["s"]
        assert ("e" in node) <= (node["s"] in ("failed", "retrying"))


def test_a_node_tells_branch_error_and_duration():
    """What a badge shows: the branch that was taken, why it failed, how long the last attempt took."""
    progress = Progress(
        [
            _change(1, "check", 1, StepStatus.RUNNING),
            _change(3, "check", 1, StepStatus.FAILED),
        ]
    )

    assert {"s": "failed", "n": {"failed": 1}, "t": 1, "a": 1, "e": "broken", "d": 2.0} == progress.node("check")

    progress.apply(_change(4, "check", 2, StepStatus.RUNNING))
    progress.apply(_change(9, "check", 2, StepStatus.COMPLETED))

    expected = {"s": "completed", "n": {"completed": 1}, "t": 1, "a": 2, "b": "SUCCESS", "d": 5.0}
    assert expected == progress.node("check")


def test_a_loop_that_goes_on_after_a_failed_item_is_running():
    """What goes on is shown before what went wrong; when nothing goes on, what went wrong is."""
    progress = Progress(
        [_change(1, "each[0]/deploy", 1, StepStatus.FAILED), _change(2, "each[1]/deploy", 1, StepStatus.RUNNING)]
    )
    assert ("running", {"failed": 1, "running": 1}) == (progress.node("deploy")["s"], progress.node("deploy")["n"])

    progress.apply(_change(3, "each[1]/deploy", 1, StepStatus.COMPLETED))

    assert ("failed", "broken") == (progress.node("deploy")["s"], progress.node("deploy")["e"])
