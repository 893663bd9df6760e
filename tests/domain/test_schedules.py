"""Due times: none lost, none doubled, wherever the clock jumps and however the time is cut into windows."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.schedules import (
    Due,
    InvalidSchedule,
    Timing,
    check_cron,
    check_timing,
    due,
    fire_times,
    latest_fire_time,
    next_fire_times,
    span,
)
from canvas.domain.states import CatchUp

PARIS = "Europe/Paris"
ZONES = [
    "UTC",
    PARIS,
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Africa/Casablanca",
]
CRONS = [
    "* * * * *",
    "*/15 * * * *",
    "30 2 * * *",
    "0,30 1-3 * * *",
    "5 4 * * 0",
    "0 0 1,15 * *",
    "0 9 * * 1-5",
    "15 */6 * * *",
]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(moments: list[datetime], zone: str) -> list[str]:
    return [moment.astimezone(ZoneInfo(zone)).strftime("%d %H:%M%z") for moment in moments]


CLOCK_CHANGES = ["2026-03-29T01:00", "2026-10-25T01:00", "2026-03-08T07:00", "2026-11-01T06:00", "2026-04-04T15:00",
                 "2026-10-03T15:30"]  # fmt: skip
moments = st.integers(0, 4 * 365 * 86_400).map(
    lambda seconds: utc("2024-01-01") + timedelta(seconds=seconds)
) | st.builds(
    lambda change, minutes: utc(change) + timedelta(minutes=minutes),
    st.sampled_from(CLOCK_CHANGES),
    st.integers(-400, 400),
)
intervals = st.integers(1_000, 200_000_000).map(lambda ms: timedelta(milliseconds=ms))


@st.composite
def timings(draw: st.DrawFn) -> Timing:
    anchor = draw(moments)
    if draw(st.booleans()):
        return Timing(interval=draw(intervals), anchor=anchor)
    return Timing(cron=draw(st.sampled_from(CRONS)), timezone=draw(st.sampled_from(ZONES)))


@given(timings(), moments, st.lists(st.integers(1, 400_000), min_size=1, max_size=6), st.data())
def test_cutting_a_window_changes_nothing(timing, start, cuts, data):
    """However often and wherever somebody asks, the answers together are the same: no due time lost, none doubled."""
    units = data.draw(st.sampled_from([timedelta(seconds=1), timedelta(seconds=0.017), timedelta(minutes=1)]))
    edges = sorted({start, *(start + units * (cut // 60) for cut in cuts)})
    limit = 5_000

    whole = fire_times(timing, after=edges[0], until=edges[-1], limit=limit)
    parts = [t for a, b in pairwise(edges) for t in fire_times(timing, after=a, until=b, limit=limit)]

    assert parts[:limit] == whole if len(whole) == limit else parts == whole
    assert sorted(set(whole)) == whole
    assert all(edges[0] < t <= edges[-1] and t.utcoffset() == timedelta(0) for t in whole)


@given(timings(), moments, st.integers(1, 30))
def test_asking_one_by_one_gives_the_same(timing, start, count):
    """The next due time after the last one is the one the list names."""
    listed = next_fire_times(timing, after=start, count=count)
    stepped, at = [], start
    for _ in range(count):
        (at,) = next_fire_times(timing, after=at, count=1)
        stepped.append(at)

    assert listed == stepped


@given(st.sampled_from(["*/15 * * * *", "7 * * * *"]), st.sampled_from(ZONES), moments)
def test_what_runs_every_hour_never_pauses(cron, zone, start):
    """Schedules with a wildcard hour go by elapsed time: a clock change neither doubles nor skips an hour."""
    times = next_fire_times(Timing(cron=cron, timezone=zone), after=start, count=200)

    gaps = {b - a for a, b in pairwise(times)}
    half_hour_shift = zone == "Australia/Lord_Howe"
    assert gaps <= {timedelta(minutes=15), timedelta(hours=1)} or half_hour_shift


@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(ZONES), moments)
def test_a_daily_schedule_fires_once_a_day(hour, minute, zone, start):
    """Also on the days when its time does not exist or exists twice."""
    times = next_fire_times(Timing(cron=f"{minute} {hour} * * *", timezone=zone), after=start, count=800)

    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in times]
    assert days == sorted(set(days))
    assert {timedelta(days=1)} == {b - a for a, b in pairwise(days)}


@given(timings(), moments, st.integers(60, 30_000_000))
def test_the_latest_is_the_last_of_the_list(timing, start, seconds):
    """Looking back in growing steps finds what a full list would."""
    window = {"after": start, "until": start + timedelta(seconds=seconds)}
    if timing.cron in ("* * * * *", "*/15 * * * *") or (timing.interval and timing.interval < timedelta(hours=1)):
        window["until"] = start + timedelta(seconds=seconds % 86_400)

    times = fire_times(timing, **window)

    assert latest_fire_time(timing, **window) == (times[-1] if times else None)


def test_a_time_that_spring_skips_is_made_up_for_right_after():
    """02:30 does not exist on the last Sunday of March in Paris: 03:00 it is."""
    times = fire_times(Timing(cron="30 2 * * *", timezone=PARIS), after=utc("2026-03-28"), until=utc("2026-03-31"))

    assert ["28 02:30+0100", "29 03:00+0200", "30 02:30+0200"] == local(times, PARIS)


def test_a_time_that_autumn_shows_twice_fires_once():
    """02:30 exists twice on the last Sunday of October in Paris: the first one counts."""
    timing = Timing(cron="30 2 * * *", timezone=PARIS)
    times = fire_times(timing, after=utc("2026-10-24"), until=utc("2026-10-27"))

    assert ["24 02:30+0200", "25 02:30+0200", "26 02:30+0100"] == local(times, PARIS)
    assert ["26 02:30+0100"] == local(next_fire_times(timing, after=utc("2026-10-25T01:10"), count=1), PARIS)


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 3 * * 1-5", "2026-11-20T12:00", "2026-11-23T03:00"),
        ("0 0 * * 0", "2026-11-20", "2026-11-22"),
        ("0 0 * * 7", "2026-11-20", "2026-11-22"),
        ("0 0 13 * 5", "2026-11-14", "2026-11-20"),
        ("0 0 L * *", "2026-02-01", "2026-02-28"),
        ("0 12 * * MON#2", "2026-11-01", "2026-11-09T12:00"),
        ("0 0 29 2 *", "2026-01-01", "2028-02-29"),
        ("0 0 1 JAN *", "2026-01-01", "2027-01-01"),
    ],
)
def test_cron_is_read_as_unix_reads_it(cron, after, expected):
    """Weekday 0 and 7 are Sunday, and of two day fields either may match."""
    assert [utc(expected)] == next_fire_times(Timing(cron=cron), after=utc(after), count=1)


@pytest.mark.parametrize(
    "cron",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "0 0 31 2 *",
     "*/0 * * * *", "5-1 * * * *", "a * * * *", "* * * * MON#6", "* * * * MON#2/3", "@daily", "*" * 300],
)  # fmt: skip
def test_a_bad_cron_is_refused(cron):
    """What cannot be read, or is never due, is refused with a sentence."""
    with pytest.raises(InvalidSchedule) as caught:
        check_cron(cron)

    assert "invalid_schedule" == caught.value.code


@given(st.text("0123456789*/-,#LWMONFRI ²x", max_size=40))
def test_no_text_breaks_the_reader(cron):
    """Any text is either a schedule with a next time or a clear error."""
    try:
        check_cron(cron)
    except InvalidSchedule:
        return

    assert next_fire_times(Timing(cron=cron), after=utc("2026-01-01"), count=1)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "America", "Europe/Paris\0"])
def test_a_bad_timezone_is_refused(zone):
    """A place without a clock is named in the error."""
    with pytest.raises(InvalidSchedule, match="timezone"):
        check_cron("0 0 * * *", timezone=zone)


@pytest.mark.parametrize(
    "timing",
    [Timing(), Timing(cron="* * * * *", interval=timedelta(hours=1)), Timing(interval=timedelta(seconds=0.5)),
     Timing(interval=timedelta(days=9_999)), Timing(interval=timedelta(hours=1), timezone="Nowhere")],
)  # fmt: skip
def test_a_bad_timing_is_refused(timing):
    """Exactly one of cron and interval, and an interval within bounds."""
    with pytest.raises(InvalidSchedule):
        check_timing(timing)


def test_an_interval_counts_from_its_anchor():
    """Not from midnight, and not from when somebody asks."""
    timing = Timing(interval=timedelta(minutes=10), anchor=utc("2026-01-01T00:03"))

    assert [utc("2026-01-01T00:13")] == next_fire_times(timing, after=utc("2025-01-01"), count=1)
    assert [utc("2026-01-01T05:03")] == next_fire_times(timing, after=utc("2026-01-01T05:00"), count=1)


NOON = utc("2026-01-01T12:00")
HOURLY = Timing(cron="0 * * * *")


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        (CatchUp.NONE, Due((NOON,), NOON)),
        (CatchUp.LAST, Due((utc("2026-01-01T11:00"), NOON), NOON)),
        (CatchUp.ALL, Due((utc("2026-01-01T09:00"), utc("2026-01-01T10:00"), utc("2026-01-01T11:00"), NOON), NOON)),
    ],
)
def test_missed_times_are_made_up_for_as_told(catch_up, expected):
    """09:00 to 11:00 passed unwatched; noon is on time whatever the policy says."""
    found = due(
        HOURLY, last=utc("2026-01-01T08:00"), now=NOON, missed_before=utc("2026-01-01T11:59"), catch_up=catch_up
    )

    assert expected == found


def test_given_up_times_are_dealt_with():
    """With `none` and nothing on time there is nothing to fire, and the missed times never come up again."""
    window = {"now": utc("2026-01-01T12:30"), "missed_before": utc("2026-01-01T12:30"), "catch_up": CatchUp.NONE}

    assert Due((), NOON) == due(HOURLY, last=utc("2026-01-01T08:00"), **window)
    assert Due((), None) == due(HOURLY, last=NOON, **window)


@given(timings(), moments, st.integers(1, 100_000), st.integers(0, 100_000), st.sampled_from(CatchUp))
def test_what_is_dealt_with_never_comes_up_again(timing, last, seconds, watched, catch_up):
    """Asking again after recording the answer gives nothing that was there before, until all is dealt with."""
    now = last + timedelta(seconds=seconds)
    options = {"now": now, "missed_before": now - timedelta(seconds=watched), "catch_up": catch_up, "limit": 50}
    fired, rounds = [], 0
    while (found := due(timing, last=last, **options)).latest is not None:
        fired += found.fires
        last, rounds = found.latest, rounds + 1
        if rounds == 5:
            break

    assert sorted(set(fired)) == fired
    assert set(fired) <= set(fire_times(timing, after=now - timedelta(seconds=seconds), until=now))


@pytest.mark.parametrize("seconds", [1e300, -1e300, float("nan"), float("inf")])
def test_a_span_beyond_the_calendar_is_refused(seconds):
    """By a sentence, not by a defect."""
    with pytest.raises(InvalidSchedule, match="at most"):
        span(seconds)
