"""Jitter: firings are put off, the same everywhere; due times stay, and none is lost, doubled or overtaken."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.schedules import (
    InvalidSchedule,
    Timing,
    check_timing,
    delay,
    due,
    fire_times,
    next_firing,
    next_firings,
    past_fire_times,
)
from canvas.domain.states import CatchUp

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOURLY = Timing(cron="0 * * * *", jitter=timedelta(minutes=10), seed="a")
TIMINGS = st.builds(
    Timing,
    cron=st.sampled_from(["*/5 * * * *", "0 * * * *", "* * * * *"]),
    jitter=st.sampled_from([timedelta(0), timedelta(seconds=90), timedelta(minutes=12), timedelta(hours=1)]),
    seed=st.sampled_from("abc"),
) | st.builds(
    Timing,
    interval=st.sampled_from([timedelta(seconds=40), timedelta(minutes=7)]),
    anchor=st.just(NOON - timedelta(days=1, seconds=13)),
    jitter=st.sampled_from([timedelta(0), timedelta(minutes=3)]),
    seed=st.sampled_from("abc"),
)


@given(TIMINGS, st.integers(0, 10**6))
def test_the_delay_is_the_same_everywhere(timing, minutes):
    """Less than the jitter, decided by the schedule and the due time alone, whatever the timezone it is told in."""
    moment = NOON + timedelta(minutes=minutes)

    assert timedelta(0) <= delay(timing, moment) <= timing.jitter
    assert delay(timing, moment) == delay(replace(timing), moment.astimezone())


def test_schedules_that_are_due_together_spread():
    """Their delays differ, and use the whole of the jitter."""
    delays = [delay(replace(HOURLY, seed=str(number)), NOON) for number in range(200)]

    assert 200 == len(set(delays))
    assert min(delays) < timedelta(minutes=1) and max(delays) > timedelta(minutes=9)


@given(TIMINGS, st.lists(st.integers(1, 1_500), max_size=12), st.sampled_from(CatchUp))
def test_however_often_one_looks_each_due_time_is_fired_once(timing, pauses, catch_up):
    """In their order, never early, and never later than the next look after due time and jitter."""
    last = now = NOON
    fired: list[datetime] = []
    for pause in pauses:
        now += timedelta(seconds=pause)
        while (found := due(timing, last=last, now=now, missed_before=NOON, catch_up=catch_up, limit=7)).fires:
            assert all(moment + delay(timing, moment) <= now for moment in found.fires)
            fired += found.fires
            last = found.latest

    assert fire_times(timing, after=NOON, until=now)[: len(fired)] == fired
    assert fire_times(timing, after=NOON, until=now - timing.jitter) == [m for m in fired if m <= now - timing.jitter]


def test_a_delay_beyond_the_start_is_not_missed():
    """A process that begins to watch between due time and firing is in time, also when nothing is made up for."""
    due_at = NOON + timedelta(hours=1)
    fired_at = due_at + delay(HOURLY, due_at)
    assert due_at < fired_at
    begun = due_at + (fired_at - due_at) / 2

    found = due(HOURLY, last=NOON, now=fired_at, missed_before=begun, catch_up=CatchUp.NONE)
    assert (due_at,) == found.fires
    late = due(HOURLY, last=NOON, now=fired_at + timedelta(minutes=20), missed_before=fired_at + timedelta(minutes=20),
               catch_up=CatchUp.NONE)  # fmt: skip
    assert ((), due_at) == (late.fires, late.latest)


@given(TIMINGS, st.integers(0, 5_000), st.integers(1, 8))
def test_the_next_firings_are_when_they_will_be(timing, seconds, count):
    """Ascending, after the moment asked for, each at a due time's firing or held up by an earlier one."""
    after = NOON + timedelta(seconds=seconds)
    found = next_firings(timing, after=after, count=count)

    assert count == len(found)
    assert sorted(found) == found and found[0] > after
    horizon = fire_times(timing, after=after - timing.jitter, until=found[-1])
    assert {moment + delay(timing, moment) for moment in horizon} >= set(found)
    first_due = fire_times(timing, after=after, until=after + timedelta(hours=3))[0]
    assert first_due + delay(timing, first_due) == next_firing(timing, after=after)


@pytest.mark.parametrize("seconds", [-1, 3_601])
def test_an_impossible_jitter_is_refused(seconds):
    """An hour at most."""
    with pytest.raises(InvalidSchedule):
        check_timing(replace(HOURLY, jitter=timedelta(seconds=seconds)))


@given(TIMINGS, st.integers(0, 10_000), st.integers(0, 5_000))
def test_the_past_is_what_would_have_been(timing, ago, length):
    """Due times of a window, both ends included, also before an interval was made."""
    start = timing.anchor - timedelta(seconds=ago) if timing.interval else NOON - timedelta(seconds=ago)
    end = start + timedelta(seconds=length)
    found = past_fire_times(timing, start=start, end=end, limit=1_000)

    assert all(start <= moment <= end for moment in found)
    assert sorted(set(found)) == found
    earlier = timing.anchor - 10_000 * timing.interval if timing.interval else timing.anchor
    expected = fire_times(replace(timing, anchor=earlier), after=start - timedelta(microseconds=1), until=end)
    assert expected == found
