"""When schedules are due: expressions, time zones, clock changes, missed ticks."""

import re
from datetime import UTC, datetime, timedelta
from time import perf_counter
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from errand.errors import ScheduleRefused
from errand.schedules import NEVER, NICKNAMES, CronSchedule, cron_fault, local, scheduled_job_id
from errand.zones import _zones
from schemas.moments import MAX_ZONE, ZONE_PATTERN

BERLIN = "Europe/Berlin"
BEFORE_GAP = "2026-03-29T00:00:00+01:00"
BEFORE_OVERLAP = "2026-10-25T00:00:00+02:00"


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def utc(tick: int) -> str:
    return f"{datetime.fromtimestamp(tick / 1000, UTC):%m-%d %H:%M}"


def ticks(cron: str, start: str, count: int = 4, timezone: str = BERLIN) -> list[str]:
    return [utc(tick) for tick in CronSchedule.parse(cron, timezone).upcoming(ms(start), count)]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("*/5 * * * *", ["11-21 00:05", "11-21 00:10"]),
        ("0 9 * * MON-FRI", ["11-23 09:00", "11-24 09:00"]),
        ("30 6 1,15 * *", ["12-01 06:30", "12-15 06:30"]),
        ("0 0 L * *", ["11-30 00:00", "12-31 00:00"]),
        ("0 0 LW * *", ["11-30 00:00", "12-31 00:00"]),
        ("0 0 * * 5L", ["11-27 00:00", "12-25 00:00"]),
        ("0 0 * * fri#2", ["12-11 00:00", "01-08 00:00"]),
        ("0 0 * * 7", ["11-22 00:00", "11-29 00:00"]),
        ("0 0 13 * 5", ["11-27 00:00", "12-04 00:00"]),  # two restricted days: either will do
        ("10/20 3 * * *", ["11-21 03:10", "11-21 03:30"]),
    ],
)
def test_an_expression_is_due_when_cron_says(cron, expected):
    assert ticks(cron, "2026-11-21T00:00:00Z", 2, "UTC") == expected


def test_a_tick_is_later_than_the_given_millisecond():
    cron_schedule, noon = CronSchedule.parse("0 12 * * *", "UTC"), ms("2026-11-21T12:00:00Z")

    assert cron_schedule.after(noon - 1) == noon
    assert cron_schedule.after(noon) == cron_schedule.after(noon + 999) == noon + 86_400_000


def test_a_zone_counts_by_its_own_clocks():
    assert ticks("0 9 * * *", "2026-07-01T00:00:00Z", 1) == ["07-01 07:00"]
    assert ticks("0 9 * * *", "2026-12-01T00:00:00Z", 1) == ["12-01 08:00"]
    assert local(ms("2026-12-01T08:00:00Z"), BERLIN) == "2026-12-01T09:00:00+01:00"


def test_a_time_that_a_clock_change_skips_is_due_at_the_change():
    assert ticks("30 2 * * *", BEFORE_GAP, 2) == ["03-29 01:00", "03-30 00:30"]
    assert ticks("0,30 2 * * *", BEFORE_GAP, 2) == ["03-29 01:00", "03-30 00:00"], "once, not for each time left out"


def test_a_time_that_a_clock_change_repeats_is_due_only_once():
    assert ticks("30 2 * * *", BEFORE_OVERLAP, 2) == ["10-25 00:30", "10-26 01:30"]


def test_a_repeated_time_is_not_due_again_between_its_two_passes():
    for late in ("2026-10-25T02:10:00+01:00", "2026-10-25T02:45:00+02:00", "2026-10-25T02:29:59+01:00"):
        assert ticks("30 2 * * *", late, 1) == ["10-26 01:30"]


@pytest.mark.parametrize(
    ("cron", "start", "timezone", "expected"),
    [
        ("0 */2 * * FRI", "2027-04-29T20:00:00+02:00", "Africa/Cairo", ["04-29 23:00", "04-30 01:00", "04-30 03:00"]),
        ("0 * * * FRI", "2027-04-29T20:00:00+02:00", "Africa/Cairo", ["04-29 22:00", "04-29 23:00", "04-30 00:00"]),
        ("*/30 0-3 30 4 *", "2027-04-29T20:00:00+02:00", "Africa/Cairo", ["04-29 22:00", "04-29 22:30", "04-29 23:00"]),
        ("0 */3 1 5 *", "2027-04-30T00:00:00+02:00", "Africa/Cairo", ["04-30 21:00", "05-01 00:00", "05-01 03:00"]),
        (
            "0 */2 * 9 SUN",
            "2026-09-05T20:00:00-04:00",
            "America/Santiago",
            ["09-06 05:00", "09-06 07:00", "09-06 09:00"],
        ),
        ("0 */6 * * FRI", "2011-12-29T12:00:00-10:00", "Pacific/Apia", ["01-05 10:00", "01-05 16:00", "01-05 22:00"]),
    ],
)
def test_a_step_has_no_tick_at_a_midnight_that_a_clock_change_skips(cron, start, timezone, expected):
    assert ticks(cron, start, 3, timezone) == expected


@pytest.mark.parametrize(
    ("timezone", "start"),
    [
        ("Africa/Cairo", "2027-04-28T00:00:00Z"),
        ("America/Santiago", "2026-09-04T00:00:00Z"),
        ("Asia/Beirut", "2027-03-26T00:00:00Z"),
        ("America/Havana", "2027-03-12T00:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-02T00:00:00Z"),
        (BERLIN, "2026-03-27T00:00:00Z"),
    ],
)
@pytest.mark.parametrize("times", ["0 */2", "0 */3", "15 *", "*/20 1-5", "*/45 */5", "* 0"])
def test_the_ticks_of_some_days_are_those_of_all_days(timezone, start, times):
    begin, end = ms(start), ms(start) + 5 * 86_400_000
    every = [tick for tick in CronSchedule.parse(f"{times} * * *", timezone).upcoming(begin, 2_000) if tick < end]
    some = {
        tick
        for day in range(7)
        for tick in CronSchedule.parse(f"{times} * * {day}", timezone).upcoming(begin, 500)
        if tick < end
    }

    assert sorted(some) == every


def test_a_tick_every_few_minutes_keeps_its_interval_through_both_clock_changes():
    spring = ["03-29 00:30", "03-29 01:00", "03-29 01:30"]
    assert ticks("*/30 * * * *", "2026-03-29T01:00:00+01:00", 3) == spring
    autumn = ["10-25 00:30", "10-25 01:00", "10-25 01:30"]
    assert ticks("*/30 * * * *", "2026-10-25T02:00:00+02:00", 3) == autumn


@given(
    cron=st.sampled_from(["*/7 * * * *", "30 2 * * *", "0,30 1-3 * * *", "15 * * * *", "0 0 * * *", "59 23 L * *"]),
    timezone=st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "UTC"]),
    start=st.integers(ms("2026-01-01T00:00:00Z"), ms("2027-01-01T00:00:00Z")),
    part=st.floats(0, 1),
)
@example("30 2 * * *", BERLIN, ms(BEFORE_OVERLAP), 0.999)
@example("30 2 * * *", BERLIN, ms(BEFORE_GAP), 0.999)
def test_the_next_tick_is_the_same_until_it_is_due(cron, timezone, start, part):
    cron_schedule = CronSchedule.parse(cron, timezone)

    tick = cron_schedule.after(start)

    assert tick > start
    assert cron_schedule.after(start + int((tick - start - 1) * part)) == tick


@given(
    cron=st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 0 * * MON", "* 1 1 1 *"]),
    away=st.timedeltas(timedelta(), timedelta(days=4000)),
)
def test_the_latest_of_the_missed_ticks_is_found(cron, away):
    cron_schedule, now = CronSchedule.parse(cron, BERLIN), ms("2026-10-25T02:40:00+01:00")
    first = cron_schedule.after(now - away // timedelta(milliseconds=1))

    latest = cron_schedule.latest(first, now)

    assert latest <= now or latest == first
    assert cron_schedule.after(latest) > now


def test_a_tick_without_later_ticks_is_the_latest():
    cron_schedule, noon = CronSchedule.parse("0 12 * * *", "UTC"), ms("2026-11-21T12:00:00Z")

    assert cron_schedule.latest(noon, noon) == cron_schedule.latest(noon, noon + 5000) == noon


def test_years_of_missed_minutes_are_passed_over_at_once():
    began = perf_counter()

    assert utc(CronSchedule.parse("* * * * *", BERLIN).latest(1, ms("2026-11-21T12:00:30Z"))) == "11-21 12:00"
    assert perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("", "five fields"),
        ("* * * *", "has 4"),
        ("@daily", "five fields (minute hour day-of-month month day-of-week); @daily stands for 0 0 * * *"),
        (" @Midnight ", "@midnight stands for 0 0 * * *"),
        ("@hourly", "stands for 0 * * * *"),
        ("@weekly", "stands for 0 0 * * 0"),
        ("@monthly", "stands for 0 0 1 * *"),
        ("@yearly", "stands for 0 0 1 1 *"),
        ("@annually", "stands for 0 0 1 1 *"),
        ("@reboot", "has no time"),
        ("@often", "five fields (minute hour day-of-month month day-of-week); @often is not known"),
        ("0 * * * * *", "seconds can't be given"),
        ("60 * * * *", "invalid minute, '60': it takes 0-59"),
        ("* 24 * * *", "invalid hour, '24'"),
        ("* * 32 * *", "invalid day-of-month"),
        ("* * * 13 *", "invalid month, '13': it takes 1-12 or JAN-DEC"),
        ("* * * * 8", "invalid day-of-week"),
        ("*/0 * * * *", "invalid minute"),
        ("5-1 * * * *", "invalid minute"),
        ("H R ? * *", "invalid minute, 'H'"),
        ("٣ * * * *", "invalid minute"),
        ("* * * * ſun", "letters A-Z"),
        ("*\N{EM SPACE}* * * *", "letters A-Z"),
        ("* * * * FRI#6", "invalid day-of-week"),
    ],
)
def test_an_invalid_expression_is_refused_with_a_sentence(cron, told):
    assert told in cron_fault(cron)


@pytest.mark.parametrize("cron", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 */20 * 1L", "* * */29 2 MON#4"])
def test_an_expression_that_is_never_due_is_refused_in_bounded_time(cron):
    began = perf_counter()

    assert cron_fault(cron) == NEVER
    assert perf_counter() - began < 0.5


@pytest.mark.parametrize("cron", ["0 0 29 2 *", "0 0 * 2 MON#5", "0 0 31 1-4 *"])
def test_an_expression_that_is_rarely_due_is_accepted(cron):
    assert cron_fault(cron) is None


@pytest.mark.parametrize(
    ("timezone", "told"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin?"),
        ("Z", "did you mean UTC?"),
        ("zulu", "did you mean UTC?"),
        ("utc", "did you mean UTC?"),
        ("+00:00", "did you mean UTC?"),
        ("UTC+2", "did you mean Etc/GMT-2?"),
        ("-05:00", "did you mean Etc/GMT+5?"),
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("New York", "did you mean America/New_York?"),
        ("cet", "did you mean CET?"),
        *(
            (text, "in the IANA database, such as Europe/Berlin or UTC")
            for text in ("Q", "IST", "xx", "Mumbai", "+05:30")
        ),
        ("CEST+2", "IANA"),
        ("", "IANA"),
        ("Europe", "IANA"),
        ("../../etc/passwd", "IANA"),
        ("/etc/localtime", "IANA"),
        ("localtime", "such as Europe/Berlin"),
        ("\0", "IANA"),
    ],
)
def test_an_unknown_time_zone_is_refused_with_a_sentence(timezone, told):
    with pytest.raises(ScheduleRefused) as refused:
        CronSchedule.parse("* * * * *", timezone)

    [error] = refused.value.fields["errors"]
    assert error["pointer"] == "/timezone"
    assert told in error["detail"]


def test_each_nickname_stands_for_an_expression_that_is_accepted():
    assert [cron for cron in NICKNAMES.values() if cron_fault(cron)] == []


def test_every_zone_is_written_as_the_document_says():
    assert [zone for zone in _zones() if not re.search(ZONE_PATTERN, zone) or len(zone) > MAX_ZONE] == []


def test_both_faults_are_reported_at_once():
    with pytest.raises(ScheduleRefused) as refused:
        CronSchedule.parse("often", "Berlin")

    assert [error["pointer"] for error in refused.value.fields["errors"]] == ["/cron", "/timezone"]


def test_the_id_of_a_run_is_the_same_on_every_machine_and_another_for_each_tick():
    tick = ms("2026-11-21T12:00:00Z")

    ids = {
        scheduled_job_id("nightly", tick),
        scheduled_job_id("nightly", tick + 60_000),
        scheduled_job_id("daily", tick),
    }

    assert scheduled_job_id("nightly", tick) == "01a1fdfa-4600-78a0-929f-c68b35ab4c4e"
    assert len(ids) == 3
    assert {UUID(each).version for each in ids} == {7}
    assert {UUID(each).variant for each in ids} == {"specified in RFC 4122"}
