from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.kernel.case.deadlines import (
    Deadline,
    Limit,
    due_list,
    extended,
    missed,
    named,
    next_overdue,
    paused,
    promised,
    recomputed,
    resumed,
    state_council,
    with_deadline,
    without,
)
from services.kernel.events import Refused

ZONE = "Asia/Shanghai"


def days(first, last=None):
    first, last = date.fromisoformat(first), date.fromisoformat(last or first)
    return {first + timedelta(n) for n in range((last - first).days + 1)}


# The notices of the State Council for 2025 and 2026, copied by hand: an independent source to count by.
OFF = (
    days("2025-01-01")
    | days("2025-01-28", "2025-02-04")
    | days("2025-04-04", "2025-04-06")
    | days("2025-05-01", "2025-05-05")
    | days("2025-05-31", "2025-06-02")
    | days("2025-10-01", "2025-10-08")
    | days("2026-01-01", "2026-01-03")
    | days("2026-02-15", "2026-02-23")
    | days("2026-04-04", "2026-04-06")
    | days("2026-05-01", "2026-05-05")
    | days("2026-06-19", "2026-06-21")
    | days("2026-09-25", "2026-09-27")
    | days("2026-10-01", "2026-10-07")
)
SWAPPED = (
    days("2025-01-26")
    | days("2025-02-08")
    | days("2025-04-27")
    | days("2025-09-28")
    | days("2025-10-11")
    | days("2026-01-04")
    | days("2026-02-14")
    | days("2026-02-28")
    | days("2026-05-09")
    | days("2026-09-20")
    | days("2026-10-10")
)


def works(day):
    return day in SWAPPED or (day.weekday() < 5 and day not in OFF)


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


def working(n, **more):
    return Limit(n=n, unit="working_days", **more)


def calendar(n):
    return Limit(n=n, unit="calendar_days")


def hours(n):
    return Limit(n=n, unit="hours")


def promise(limit, start, calendar=state_council):
    return promised("d", limit, local(start), ZONE, calendar)


def refusal(code, act):
    with pytest.raises(Refused) as seen:
        act()
    assert seen.value.code == code


def test_a_limit_is_positive_and_extends_upwards_only():
    for bad in ({"n": 0}, {"n": -1}, {"n": 3, "extendable_to": 3}, {"n": 1.5}):
        with pytest.raises(ValidationError):
            Limit.model_validate({"unit": "hours", **bad})


def test_a_time_without_zone_and_an_unknown_zone_are_refused():
    with pytest.raises(ValueError, match="zone"):
        promised("d", hours(1), datetime(2026, 3, 3), ZONE)
    refusal("zone-unknown", lambda: promised("d", working(1), local("2026-03-03"), "Asia/Nowhere"))
    refusal("zone-unknown", lambda: promised("d", working(1), local("2026-03-03"), "../etc"))


@pytest.mark.mechanism("CMP-10")
def test_hours_run_on_the_clock_through_nights_and_holidays():
    assert promise(hours(24), "2026-02-16T22:30").at == local("2026-02-17T22:30")


@pytest.mark.mechanism("LAW-14")
def test_calendar_days_count_from_the_next_day_and_the_last_one_whole():
    deadline = promise(calendar(7), "2026-03-03T09:00")
    assert deadline.at == local("2026-03-11T00:00")
    assert deadline.at.tzinfo == UTC
    assert promise(calendar(7), "2026-03-03T23:59").at == deadline.at


@pytest.mark.mechanism("LAW-11")
def test_three_working_days_over_spring_festival_count_the_swapped_saturday():
    assert promise(working(3), "2026-02-13T10:00").at == local("2026-02-26T00:00")


def test_a_day_begins_at_midnight_of_the_district_not_of_utc():
    late = datetime(2026, 3, 3, 17, tzinfo=UTC)  # already the 4th in Shanghai, still the 3rd in London
    assert promised("d", working(1), late, ZONE).at == local("2026-03-06T00:00")
    assert promised("d", working(1), late, "Europe/London").at == datetime(2026, 3, 5, tzinfo=UTC)


@pytest.mark.mechanism("LAW-17")
def test_the_calendar_agrees_with_the_notices_on_every_day_of_two_years():
    every = [date(2025, 1, 1) + timedelta(n) for n in range(723)]
    assert [d for d in every if state_council(d) is not works(d)] == []


def test_the_last_week_of_a_year_waits_for_the_next_years_notice():
    assert state_council(date(2018, 12, 29)) is True
    assert state_council(date(2026, 12, 24)) is True
    assert state_council(date(2026, 12, 25)) is None
    assert state_council(date(1999, 1, 4)) is None


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 6, 30), timezones=st.sampled_from([UTC, ZoneInfo(ZONE)])),
    st.integers(1, 60),
)
@pytest.mark.mechanism("LAW-17")
def test_working_days_agree_with_plain_counting(start, n):
    deadline = promised("d", working(n), start, ZONE)
    first = start.astimezone(ZoneInfo(ZONE)).date()
    last = deadline.at.astimezone(ZoneInfo(ZONE)).date() - timedelta(1)
    between = [first + timedelta(i) for i in range(1, (last - first).days + 1)]
    assert sum(works(d) for d in between) == n
    assert works(last)
    assert not deadline.provisional


def announced_2027(day):
    """As if 1 to 3 January 2027 were announced to be off and Sunday 10 January to be worked."""
    known = state_council(day)
    if known is None and day.year in (2026, 2027):
        return day == date(2027, 1, 10) or (day.weekday() < 5 and day != date(2027, 1, 1))
    return known


@pytest.mark.mechanism("LAW-17")
def test_beyond_the_announced_calendar_a_deadline_is_provisional_and_never_an_error():
    deadline = promise(working(10), "2026-12-21T09:00")
    assert deadline.provisional
    assert deadline.at == local("2027-01-05T00:00")
    assert due_list((deadline,))[0].provisional


@pytest.mark.mechanism("LAW-17")
def test_a_provisional_deadline_is_recomputed_once_the_calendar_is_known_and_final_then():
    guess = promise(working(10), "2026-12-21T09:00")
    assert recomputed(guess) == guess
    known = recomputed(guess, announced_2027)
    assert (known.at, known.provisional) == (local("2027-01-06T00:00"), False)
    assert recomputed(known, lambda day: False) == known


@pytest.mark.mechanism("LAW-17")
def test_thirty_working_days_extend_to_forty_five_and_no_further():
    limit = working(30, extendable_to=45)
    deadline = promise(limit, "2026-03-02T09:00")
    now = local("2026-03-20T09:00")
    refusal("extension-too-long", lambda: extended(deadline, 46, now))
    refusal("extension-not-longer", lambda: extended(deadline, 30, now))
    refusal("deadline-passed", lambda: extended(deadline, 45, deadline.at))
    assert extended(deadline, 45, now).at == promise(working(45), "2026-03-02T09:00").at


def test_a_limit_without_a_maximum_does_not_extend():
    refusal("extension-too-long", lambda: extended(promise(hours(2), "2026-03-02T09:00"), 3, local("2026-03-02T10:00")))


def test_while_paused_nothing_is_due_and_what_was_left_is_left():
    deadline = paused(promise(working(5), "2026-03-02T09:00"), local("2026-03-04T12:00"))
    assert due_list((deadline,)) == ()
    refusal("deadline-paused", lambda: paused(deadline, local("2026-03-05T09:00")))
    refusal("deadline-paused", lambda: extended(deadline, 9, local("2026-03-05T09:00")))
    refusal("deadline-paused", lambda: missed(deadline, local("2026-04-05T09:00")))
    refusal("deadline-before-start", lambda: resumed(deadline, local("2026-03-04T11:00")))
    again = resumed(deadline, local("2026-03-16T09:00"))
    assert again.at == local("2026-03-20T00:00")  # three of five were left: 17, 18, 19
    refusal("deadline-not-paused", lambda: resumed(again, local("2026-03-17T09:00")))


def test_a_pause_on_the_last_day_leaves_the_rest_of_the_day_of_return():
    deadline = paused(promise(calendar(2), "2026-03-02T09:00"), local("2026-03-04T12:00"))
    assert resumed(deadline, local("2026-03-09T08:00")).at == local("2026-03-10T00:00")


def test_what_has_passed_neither_pauses_nor_comes_back():
    deadline = promise(hours(2), "2026-03-02T09:00")
    refusal("deadline-passed", lambda: paused(deadline, deadline.at))
    refusal("deadline-before-start", lambda: paused(deadline, local("2026-03-02T08:59")))
    refusal("deadline-not-passed", lambda: missed(deadline, deadline.at - timedelta(milliseconds=1)))
    late = missed(deadline, deadline.at)
    assert due_list((late,)) == ()
    refusal("deadline-missed", lambda: missed(late, deadline.at))
    refusal("deadline-passed", lambda: paused(late, local("2026-03-02T10:00")))


@pytest.mark.mechanism("CMP-10")
def test_the_earliest_due_comes_first_and_is_overdue_from_its_instant_on():
    start = local("2026-03-02T09:00")
    both = (promised("feedback", calendar(7), start, ZONE), promised("dispatch", hours(24), start, ZONE))
    due = due_list(both)
    assert [d.name for d in due] == ["dispatch", "feedback"]
    assert next_overdue(due, start + timedelta(hours=24)).name == "dispatch"
    assert next_overdue(due, start + timedelta(hours=23)) is None
    assert [d.name for d in without(both, "dispatch")] == ["feedback"]
    assert named(both, "dispatch").n == 24
    refusal("deadline-unknown", lambda: named(both, "visit"))


def test_one_promise_of_a_name_takes_the_place_of_the_other():
    first, second = promise(hours(2), "2026-03-02T09:00"), promise(hours(9), "2026-03-02T09:00")
    assert with_deadline((first,), second) == (second,)


limits = st.builds(
    Limit,
    n=st.integers(1, 40),
    unit=st.sampled_from(["hours", "calendar_days", "working_days"]),
    extendable_to=st.just(90),
)
starts = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(timezone(timedelta(hours=8))))
zones = st.sampled_from([ZONE, "Asia/Urumqi", "Europe/London", "UTC"])


@given(limits, starts, zones, st.floats(0, 0.99), st.integers(0, 5000))
def test_a_pause_never_brings_a_deadline_nearer_and_never_lengthens_it_by_much_more(
    limit, start, zone, part, hours_off
):
    deadline = promised("d", limit, start, zone)
    stop = deadline.started + (deadline.at - deadline.started) * part
    again = resumed(paused(deadline, stop), stop + timedelta(hours=hours_off))
    assert again.at >= deadline.at
    assert not again.paused
    if limit.unit == "hours":
        assert again.at - deadline.at == timedelta(hours=hours_off)
    elif limit.unit == "calendar_days":
        assert abs((again.at - deadline.at) - timedelta(hours=hours_off)) <= timedelta(hours=25)


@given(limits, starts, zones, st.floats(0, 0.99))
def test_pausing_and_resuming_at_once_changes_nothing(limit, start, zone, part):
    deadline = promised("d", limit, start, zone)
    stop = deadline.started + (deadline.at - deadline.started) * part
    assert resumed(paused(deadline, stop), stop).at == deadline.at


@given(limits, starts, zones)
def test_more_days_are_never_earlier(limit, start, zone):
    deadline = promised("d", limit, start, zone)
    assert deadline.at > deadline.started
    assert extended(deadline, limit.n + 1, deadline.started).at > deadline.at


@given(limits, starts, zones, st.floats(0, 0.99))
def test_a_deadline_comes_back_from_a_store_of_milliseconds_unchanged(limit, start, zone, part):
    deadline = promised("d", limit, start, zone)
    deadline = paused(deadline, deadline.started + (deadline.at - deadline.started) * part)
    document = deadline.model_dump(mode="python")
    assert all(at.microsecond % 1000 == 0 for at in (document["at"], document["started"]))
    assert Deadline.model_validate(document) == deadline


def test_a_field_that_a_newer_version_wrote_is_no_error():
    document = promise(hours(2), "2026-03-02T09:00").model_dump(mode="python")
    assert Deadline.model_validate({**document, "colour": "red"}).n == 2
