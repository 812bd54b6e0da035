"""Units: who sits under whom, which grid covers what, and what is refused."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.directory.domain.units import (
    SUPERIORS,
    Close,
    CoverBy,
    Equip,
    Move,
    Register,
    Rename,
    Uncover,
    Unit,
    UnitFacts,
    decide,
    evolve,
    layer_of,
)
from services.kernel.events import Refused

NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)
DAY = date(2026, 1, 1)
KINDS = ("district", "street", "community", "compound", "building", "entrance")


def facts(*path: str, closed: bool = False, level: str | None = None, layer: str | None = None) -> UnitFacts:
    """A unit by its path of ids such as ``community-1``; its kind is in its id."""
    kinds = tuple(one.partition("-")[0] for one in path)
    return UnitFacts(path[-1], kinds[-1], path, kinds, closed, level, layer)  # type: ignore[arg-type]


DISTRICT = ("district-1",)
COMMUNITY = (*DISTRICT, "street-1", "community-1")
OTHER = (*DISTRICT, "street-1", "community-2")


def unit(kind: str, parent: UnitFacts | None = None, **more: object) -> Unit:
    """Registered under a parent."""
    zone = "Asia/Shanghai" if kind == "district" else None
    command = Register(id=f"{kind}-9", kind=kind, name="新单位", since=DAY, parent=parent, zone=zone, **more)  # type: ignore[arg-type]
    return after(None, command)


def after(state: Unit | None, *commands: object) -> Unit:
    for command in commands:
        for happened in decide(state, command, NOW):
            state = evolve(state, happened.event, NOW)
    assert state is not None
    return state


def refused(state: Unit | None, command: object) -> str:
    with pytest.raises(Refused) as caught:
        decide(state, command, NOW)
    return caught.value.code


@pytest.mark.mechanism("DIR-01")
@given(kind=st.sampled_from(sorted(SUPERIORS)), above=st.sampled_from(sorted(SUPERIORS)))
def test_a_unit_sits_only_under_a_kind_that_may_hold_it(kind: str, above: str) -> None:
    more = {"level": "building", "layer": "community"} if kind == "grid" else {}
    level = {"level": "community", "layer": "community"} if above == "grid" else {}
    parent = facts(*COMMUNITY[:1], f"{above}-8", **level)
    zone = "Asia/Shanghai" if kind == "district" else None
    command = Register(id="x", kind=kind, name="新", since=DAY, parent=parent, zone=zone, **more)  # type: ignore[arg-type]
    if above in SUPERIORS[kind]:
        state = after(None, command)
        assert (state.parent, state.path) == (parent.id, (*parent.path, "x"))
    else:
        assert refused(None, command) == "superior-of-wrong-kind"


def test_a_unit_needs_a_superior_a_district_a_zone_and_a_grid_its_level() -> None:
    assert refused(None, Register("x", "street", "街", DAY)) == "superior-missing"
    assert refused(None, Register("x", "district", "区", DAY)) == "zone-missing"
    assert refused(None, Register("x", "district", "区", DAY, zone="Mars/Phobos")) == "zone-unknown"
    assert refused(None, Register("x", "grid", "格", DAY, facts(*COMMUNITY))) == "grid-level-missing"
    flagged = Register("x", "compound", "院", DAY, facts(*COMMUNITY), capabilities=("social_work",))
    assert refused(None, flagged) == "only-for-grids"
    assert refused(None, Register("x", "compound", "院", DAY, facts(*COMMUNITY, closed=True))) == "unit-closed"
    assert refused(None, Register("x", "compound", "院", date(2026, 4, 1), facts(*COMMUNITY))) == "from-in-future"


@pytest.mark.mechanism("DIR-03")
def test_a_responsibility_zone_is_narrower_than_the_grid_it_belongs_to() -> None:
    above = facts(*COMMUNITY, "grid-1", level="compound", layer="community")
    assert refused(None, Register("x", "grid", "格", DAY, above, level="compound", layer="community")) == (
        "zone-not-narrower"
    )
    zone = after(None, Register("x", "grid", "格", DAY, above, level="building", layer="community"))
    assert (zone.level, layer_of("community", "building")) == ("building", "community_building")


@pytest.mark.mechanism("DIR-01")
def test_a_move_stays_in_the_district_and_never_below_itself() -> None:
    here = facts(*COMMUNITY, "compound-9")
    state = unit("compound", facts(*COMMUNITY))
    far = facts("district-2", "street-2", "community-7")
    assert refused(state, Move(far, here, DAY)) == "move-across-districts"
    assert refused(state, Move(facts(*OTHER), here, date(2025, 1, 1))) == "from-before-present"
    nested = facts(*COMMUNITY, "grid-9", "grid-10", level="building", layer="community")
    grid = unit("grid", facts(*COMMUNITY), level="compound", layer="community")
    assert refused(grid, Move(nested, facts(*COMMUNITY, "grid-9"), DAY)) == "superior-below-itself"


@pytest.mark.mechanism("DIR-01")
@given(days=st.lists(st.integers(0, 58), min_size=1, max_size=6).map(sorted))
def test_the_superior_of_a_day_is_the_one_of_that_day_and_revisions_rise(days: list[int]) -> None:
    state = unit("compound", facts(*COMMUNITY))
    homes = (OTHER, COMMUNITY)
    here = facts(*COMMUNITY, "compound-9")
    for number, day in enumerate(days):
        state = after(state, Move(facts(*homes[number % 2]), here, date.fromordinal(DAY.toordinal() + day)))
    assert state.revision == len(days)
    assert state.parent_on(date(2025, 12, 31)) is None
    assert state.parent_on(date(2026, 3, 1)) == state.parent
    if days[0] > 0:
        assert state.parent_on(DAY) == "community-1"


@pytest.mark.mechanism("DIR-03")
@given(grids=st.lists(st.sampled_from(["a", "b", "c"]), max_size=8))
def test_at_most_one_grid_of_a_layer_covers_a_building_and_layers_do_not_touch(grids: list[str]) -> None:
    here = facts(*COMMUNITY, "building-9")
    party = facts(*COMMUNITY, "grid-p", level="community", layer="party")
    state = after(unit("building", facts(*COMMUNITY)), CoverBy(party, here, (), DAY))
    for grid in grids:
        one = facts(*COMMUNITY, f"grid-{grid}", level="community", layer="community")
        state = after(state, CoverBy(one, here, (), DAY))
    open_ones = [cover.layer for cover in state.covers if cover.until is None]
    assert sorted(open_ones) == (["community", "party"] if grids else ["party"])
    assert "grid-p" in state.grids


def test_a_covering_ends_when_it_is_taken_away_and_again_changes_nothing() -> None:
    here = facts(*COMMUNITY, "building-9")
    grid = facts(*COMMUNITY, "grid-1", level="community", layer="community")
    state = after(unit("building", facts(*COMMUNITY)), CoverBy(grid, here, (), DAY), Uncover("community", (), DAY))
    assert state.grids == ()
    assert decide(state, Uncover("community", (), DAY), NOW) == []


def test_what_is_no_grid_or_not_of_this_community_or_level_covers_nothing() -> None:
    here, state = facts(*COMMUNITY, "building-9"), unit("building", facts(*COMMUNITY))
    assert refused(state, CoverBy(facts(*COMMUNITY), here, (), DAY)) == "not-a-grid"
    foreign = facts(*OTHER, "grid-1", level="community", layer="community")
    assert refused(state, CoverBy(foreign, here, (), DAY)) == "grid-of-another-community"
    zone = facts(*COMMUNITY, "grid-1", level="entrance", layer="community")
    assert refused(state, CoverBy(zone, here, (), DAY)) == "grid-level-differs"
    gone = facts(*COMMUNITY, "grid-1", level="community", layer="community", closed=True)
    assert refused(state, CoverBy(gone, here, (), DAY)) == "unit-closed"


def test_a_unit_closes_when_nothing_depends_on_it_and_then_takes_nothing() -> None:
    state = unit("compound", facts(*COMMUNITY))
    assert refused(state, Close(DAY, "demolished", below=2, covering=0)) == "units-below-open"
    assert refused(state, Close(DAY, "demolished", below=0, covering=3)) == "grid-still-covers"
    closed = after(state, Close(DAY, "demolished", 0, 0))
    assert refused(closed, Rename("新名", DAY)) == "unit-closed"


def test_what_changes_nothing_leaves_no_event() -> None:
    state = unit("grid", facts(*COMMUNITY), level="community", layer="community", capabilities=("social_work",))
    assert decide(state, Rename("新单位", DAY), NOW) == []
    assert decide(state, Equip(("social_work", "social_work")), NOW) == []
    assert decide(state, Move(facts(*COMMUNITY), facts(*COMMUNITY, "grid-9"), DAY), NOW) == []
