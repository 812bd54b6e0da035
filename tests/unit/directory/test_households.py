"""Households: tenure, tenancy and the re-check that follows from its end; visits, places, staff, policies."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.directory.domain import households, places, policies, staff, visits
from services.directory.domain.places import Position, metres_between
from services.directory.shapes import shapes
from services.kernel.accountability import gaps
from services.kernel.events import Refused

NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)
ZONE = "Asia/Shanghai"
TODAY = date(2026, 3, 1)
NEXT = TODAY + timedelta(days=1)


def after(module: Any, state: Any, *commands: Any, at: datetime = NOW) -> Any:
    for command in commands:
        for happened in module.decide(state, command, at):
            state = module.evolve(state, happened.event, at)
    return state


def refused(module: Any, state: Any, command: Any) -> str:
    with pytest.raises(Refused) as caught:
        module.decide(state, command, NOW)
    return caught.value.code


def home(tenure: Any = "rented", until: date | None = date(2026, 6, 30)) -> households.Household:
    command = households.Register("unit_b1", tenure, 3, ZONE, until)
    found: households.Household = after(households, None, command)
    return found


@pytest.mark.mechanism("DIR-13")
def test_a_permanent_household_has_no_tenancy() -> None:
    command = households.Register("unit_b1", "permanent", 3, ZONE, date(2026, 6, 30))
    assert refused(households, None, command) == "tenancy-of-permanent-household"
    change = households.ChangeTenure("permanent", ZONE, date(2026, 6, 30))
    assert refused(households, home(), change) == "tenancy-of-permanent-household"


@pytest.mark.mechanism("DIR-13")
@given(until=st.dates(date(2026, 1, 1), date(2040, 1, 1)))
def test_a_tenancy_ends_with_its_last_day_in_the_district(until: date) -> None:
    (due,) = home(until=until).due
    assert due.at == datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(hours=16)


@pytest.mark.mechanism("DIR-13")
def test_a_re_check_stays_due_until_somebody_settles_it() -> None:
    state = home()
    (due,) = state.due
    state = after(households, state, households.on_due(state, due))
    assert (state.recheck, state.due) == (True, ())
    assert households.decide(state, households.Recheck(), NOW) == []
    for settling in (
        households.Verify(),
        households.ChangeTenure("permanent", ZONE),
        households.ChangeTenure("rented", ZONE, date(2026, 6, 30)),
    ):
        assert after(households, state, settling).recheck is False


def test_a_household_closes_when_nobody_belongs_to_it_and_then_takes_nothing() -> None:
    assert refused(households, home(), households.Close("moved-away", residents=2)) == "household-not-empty"
    closed = after(households, home(), households.Close("moved-away", residents=0))
    assert closed.due == ()
    for command in (households.Verify(), households.Move("unit_b2"), households.Correct(2)):
        assert refused(households, closed, command) == "household-closed"


@given(st.lists(st.sampled_from(["verify", "recheck", "permanent", "rented"]), max_size=12))
def test_what_is_due_and_what_is_being_re_checked_never_stand_together(steps: list[str]) -> None:
    commands = {
        "verify": households.Verify(),
        "recheck": households.Recheck(),
        "permanent": households.ChangeTenure("permanent", ZONE),
        "rented": households.ChangeTenure("rented", ZONE, date(2027, 1, 1)),
    }
    state = home()
    for step in steps:
        state = after(households, state, commands[step])
        assert not (state.due and state.recheck)
        assert not (state.due and state.tenure == "permanent")


def test_a_visit_lies_in_the_past_and_its_resident_in_the_household() -> None:
    ahead = visits.Record("unit_b1", "listen", "usr_1", NOW + timedelta(hours=1))
    assert refused(visits, None, ahead) == "visit-in-future"
    mixed = visits.Record("unit_b1", "listen", "usr_1", NOW, "household_1", "resident_9", belongs=False)
    assert refused(visits, None, mixed) == "resident-of-another-household"


@pytest.mark.mechanism("DIR-54")
def test_a_counterparty_has_a_promise_and_is_not_its_own_supervisor() -> None:
    def water(**facts: Any) -> places.Register:
        return places.Register("place_1", "water", "unit_d1", places.Facts("自来水公司", **facts))

    assert refused(places, None, water()) == "promise-missing"
    assert refused(places, None, water(promise_hours=24)) == "supervisor-missing"
    assert refused(places, None, water(promise_hours=24, supervisor="place_1")) == "supervisor-is-itself"
    assert after(places, None, water(promise_hours=24, supervisor="place_2")).family == "counterparty"
    unknown = places.Register("place_1", "casino", "unit_d1", places.Facts("不明"))
    assert refused(places, None, unknown) == "place-kind-unknown"


@pytest.mark.mechanism("DIR-04")
@given(st.lists(st.sampled_from(["grid_a", "grid_b", "grid_c"]), max_size=8))
def test_an_organisation_lies_in_one_grid_at_a_time(grids: list[str]) -> None:
    state = after(places, None, places.Register("place_1", "stationed-unit", "unit_c1", places.Facts("某局")))
    for grid in grids:
        state = after(places, state, places.PutInGrid(grid, True, True, TODAY))
    assert [one.grid for one in state.grids if one.until is None] == grids[-1:]
    assert refused(places, state, places.PutInGrid("grid_x", True, False, TODAY)) == "grid-of-another-community"
    assert refused(places, state, places.PutInGrid("unit_c1", False, True, TODAY)) == "not-a-grid"


@pytest.mark.mechanism("DIR-06")
@given(st.integers(-80_000_000, 80_000_000), st.integers(-170_000_000, 170_000_000), st.integers(0, 90_000))
def test_distances_are_the_same_both_ways_and_nothing_is_nearer_than_here(north: int, east: int, step: int) -> None:
    here, there = Position(latitude=north, longitude=east), Position(latitude=north + step, longitude=east)
    assert metres_between(here, there) == metres_between(there, here)
    assert abs(metres_between(here, there) - step * 0.111195) <= 1


@pytest.mark.mechanism("DIR-05")
def test_a_grid_is_manned_by_a_running_post_and_a_gap_again_when_it_ends() -> None:
    state = after(staff, None, staff.Register("usr_1", "grid-worker", "unit_g1", "grid", TODAY))
    manning = [tie.model_copy(update={"type": "manned"}) for tie in state.posts]
    assert [gap.scope for gap in gaps(staff.MANNED, ["unit_g1", "unit_g2"], manning, TODAY)] == ["unit_g2"]
    state = after(staff, state, staff.Assign("community-worker", "unit_c1", "community", TODAY))
    state = after(staff, state, staff.End("grid-worker", "unit_g1", TODAY + timedelta(days=9)))
    assert (state.status, state.held) == ("active", ("unit_c1",))
    state = after(staff, state, staff.End("community-worker", "unit_c1", TODAY + timedelta(days=9)))
    assert state.status == "ended"
    assert refused(staff, state, staff.Assign("grid-worker", "unit_g1", "grid", TODAY)) == "staff-ended"


def test_a_post_is_held_where_there_is_one_and_once() -> None:
    assert refused(staff, None, staff.Register("usr_1", "grid-worker", "unit_c1", "community", TODAY)) == (
        "tie-kind-unfit"
    )
    assert refused(staff, None, staff.Register("usr_1", "astronaut", "unit_c1", "community", TODAY)) == (
        "tie-type-unknown"
    )
    state = after(staff, None, staff.Register("usr_1", "grid-worker", "unit_g1", "grid", TODAY))
    assert refused(staff, state, staff.Assign("grid-worker", "unit_g1", "grid", NEXT)) == "tie-duplicate"
    assert refused(staff, state, staff.End("grid-worker", "unit_g2", TODAY)) == "post-not-held"


@pytest.mark.mechanism("DIR-09")
def test_a_norm_of_nothing_is_no_norm_and_the_past_stays() -> None:
    def published(value: Any, since: date, undecided: bool = True, replace: bool = False) -> policies.Publish:
        source, key = "区文件", "householdsPerWorker"
        return policies.Publish(key, "unit_d1", value, since, source, "usr_1", TODAY, undecided, shapes(), replace)

    assert refused(policies, None, published(2.5, TODAY)) == "float-refused"
    assert refused(policies, None, published(None, TODAY)) == "value-missing"
    for wrong in (0, -1, "300", True, 10**7):
        assert refused(policies, None, published(wrong, TODAY)) == "policy-value-malformed"
    assert refused(policies, None, published(300, date(2024, 1, 1), undecided=False)) == "policy-back-dated"
    state = after(policies, None, published(300, date(2024, 1, 1)))
    assert refused(policies, state, published(250, date(2025, 1, 1))) == "policy-back-dated"
    state = after(policies, state, published(250, date(2027, 1, 1)))
    assert refused(policies, state, published(240, date(2027, 1, 1))) == "policy-known"
    assert refused(policies, state, published(240, date(2024, 1, 1), replace=True)) == "policy-back-dated"
    state = after(policies, state, published(280, TODAY), published(290, TODAY, replace=True))
    state = after(policies, state, published(240, date(2027, 1, 1), replace=True))
    assert [version.value for version in state.versions] == [300, 290, 240]


def test_a_key_that_nobody_reads_is_refused_with_those_that_somebody_reads() -> None:
    command = policies.Publish("complaints.catgories", "unit_d1", [], TODAY, "区文件", "usr_1", TODAY, True, shapes())
    with pytest.raises(Refused) as caught:
        policies.decide(None, command, NOW)
    assert caught.value.code == "policy-key-unknown"
    assert {"complaints.categories", "householdsPerWorker"} <= set(caught.value.params["allowed"])
