"""Times in words, in the zone of the job."""

from datetime import UTC

import pytest

from errand.presenting.times import in_words, time_in

SECOND = 1_796_130_304  # 2026-12-01T13:05:04Z
SUMMER = 1_782_911_104  # 2026-07-01T13:05:04Z


@pytest.mark.parametrize(
    ("seconds", "timezone", "words"),
    [
        (SECOND, None, "1 December 2026, 13:05 UTC"),
        (SECOND, "UTC", "1 December 2026, 13:05 UTC"),
        (SECOND, "Etc/UTC", "1 December 2026, 13:05 UTC"),
        (SECOND, "Europe/Berlin", "1 December 2026, 14:05 CET (Europe/Berlin)"),
        (SUMMER, "Europe/Berlin", "1 July 2026, 15:05 CEST (Europe/Berlin)"),
        (SECOND, "Asia/Kathmandu", "1 December 2026, 18:50 UTC+05:45 (Asia/Kathmandu)"),
        (SECOND, "America/Sao_Paulo", "1 December 2026, 10:05 UTC-03:00 (America/Sao_Paulo)"),
        (SECOND, "Pacific/Auckland", "2 December 2026, 02:05 NZDT (Pacific/Auckland)"),
        (SECOND, "Mars/Olympus", "1 December 2026, 13:05 UTC"),
        (SECOND, "../../etc/passwd", "1 December 2026, 13:05 UTC"),
    ],
)
def test_a_time_is_written_for_people_with_its_zone(seconds, timezone, words):
    assert in_words(time_in(seconds, timezone)) == words


def test_seconds_are_written_on_demand():
    assert in_words(time_in(SECOND, None), seconds=True) == "1 December 2026, 13:05:04 UTC"


def test_the_last_moment_that_can_be_written_has_no_later_zone():
    assert time_in(253_402_300_799, "Pacific/Kiritimati").tzinfo is UTC
