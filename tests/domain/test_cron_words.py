"""Cron in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.domain.cron_words import cron_in_words, interval_in_words


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("0 * * * *", "every hour"),
        ("15 * * * *", "at minute 15, every hour"),
        ("0 */6 * * *", "every 6 hours"),
        ("0 2 * * *", "every day at 02:00"),
        ("30 8,17 * * *", "every day at 08:30 and 17:30"),
        ("0 2 * * 1-5", "every weekday at 02:00"),
        ("0 9 * * MON,wed,7", "at 09:00 on Monday, Wednesday and Sunday"),
        ("*/10 9-17 * * 1-5", "every 10 minutes from 09:00 to 17:59 on Monday to Friday"),
        ("0 0 1 * *", "at 00:00 on day 1 of the month"),
        ("0 0 1 1,JUL *", "at 00:00 on day 1 of the month in January and July"),
        ("0 0 13 * 5", "0 0 13 * 5"),
        ("0 0 L * *", "0 0 L * *"),
        ("nonsense", "nonsense"),
    ],
)
def test_cron_reads_as_a_sentence(cron, expected):
    """What people write most has words; the rest stays as it is rather than being told wrong."""
    assert expected == cron_in_words(cron)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1, "every second"),
        (90, "every 90 seconds"),
        (300, "every 5 minutes"),
        (86_400, "every day"),
        (1.5, "every 1.5 seconds"),
    ],
)
def test_intervals_use_the_largest_unit_that_fits(seconds, expected):
    """No conversion in the head."""
    assert expected == interval_in_words(seconds)


@given(st.text(alphabet="0123456789*/,-LW#MONJA? ", max_size=30))
def test_any_text_has_an_answer(cron):
    """A page never fails for the sake of a sentence."""
    assert cron_in_words(cron) or not cron.strip()
