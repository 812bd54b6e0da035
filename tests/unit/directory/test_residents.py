"""Residents: what leaves the file, how files merge, what a number and a marker may be."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from stdnum.cn import ric

from services.directory.domain import markers
from services.directory.domain.households import Sealed
from services.directory.domain.persons import Contact, Identity, Marker, checked_number, region_known
from services.directory.domain.residents import (
    Close,
    Merge,
    Move,
    Register,
    Resident,
    SetMarkers,
    Verify,
    decide,
    evolve,
)
from services.kernel.events import Refused

NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)
TODAY = date(2026, 3, 1)
SEALED = Sealed({"identity": {"name": "王秀英"}}, {"name": ["n"]})


def opened(at: datetime = NOW, sealed: Sealed = SEALED) -> Resident:
    state: Resident | None = None
    for happened in decide(None, Register("household_1", "unit_b1", sealed), at):
        state = evolve(state, happened.event, at)
    assert state is not None
    return state


def after(state: Resident, command: Any, at: datetime = NOW) -> Resident:
    for happened in decide(state, command, at):
        state = evolve(state, happened.event, at)
    return state


def refused(state: Resident | None, command: Any) -> str:
    with pytest.raises(Refused) as caught:
        decide(state, command, NOW)
    return caught.value.code


@pytest.mark.mechanism("DIR-15", "DIR-16")
@given(
    name=st.text("王李张刘陈", min_size=3, max_size=4),
    code=st.sampled_from(sorted(markers.CODES)),
    phone=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
)
def test_no_event_carries_anything_of_what_is_sealed(name: str, code: str, phone: str) -> None:
    private = {
        "identity": {"name": name},
        "contacts": {"contacts": [{"phone": phone}]},
        "markers": {"markers": [{"code": code}]},
    }
    happened = decide(None, Register("household_1", "unit_b1", Sealed(private)), NOW)
    published = "".join(one.event.model_dump_json() for one in happened)
    assert [one.event.TYPE for one in happened] == ["resident.registered", "resident.markers_changed"]
    for secret in (name, code, phone):
        assert secret not in published


def test_a_file_without_an_identity_is_refused() -> None:
    assert refused(None, Register("household_1", "unit_b1", Sealed())) == "identity-missing"


def test_a_closed_or_merged_file_takes_nothing_more() -> None:
    gone = after(opened(), Close("moved-away"))
    merged = after(opened(NOW), Merge("resident_2", "resident_1", NOW, "active"))
    for command in (Verify(), Move("household_2", "unit_b2"), SetMarkers(Sealed()), Close("died")):
        assert refused(gone, command) == "resident-closed"
        assert refused(merged, command) == "resident-merged"


def test_moving_where_one_lives_is_no_event_and_moving_elsewhere_verifies() -> None:
    state = opened()
    assert decide(state, Move("household_1", "unit_b1"), NOW) == []
    later = NOW + timedelta(days=9)
    moved = after(state, Move("household_2", "unit_b2"), later)
    assert (moved.household, moved.unit, moved.verified) == ("household_2", "unit_b2", later)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30), st.permutations(range(6)))
def test_however_files_are_merged_every_id_leads_to_one_open_file_without_a_circle(
    merges: list[tuple[int, int]], ages: list[int]
) -> None:
    """Each merge sees the other file as it was at the very beginning: as stale as two writers at once can be."""
    born = {f"resident_{n}": NOW + timedelta(minutes=age // 2) for n, age in enumerate(ages)}
    files = {one: opened(at) for one, at in born.items()}
    for left, right in merges:
        me, into = f"resident_{left}", f"resident_{right}"
        try:
            files[me] = after(files[me], Merge(me, into, born[into], "active"))
        except Refused as refusal:
            assert refusal.code in ("merge-into-younger", "resident-merged")
    for one in files:
        seen = [one]
        while (following := files[seen[-1]].merged_into) is not None:
            assert following not in seen
            seen.append(following)


@given(region=st.integers(110000, 999999), day=st.dates(date(1920, 1, 1), TODAY), tail=st.integers(0, 999))
def test_a_number_with_its_check_digit_is_taken_whatever_its_region(region: int, day: date, tail: int) -> None:
    body = f"{region}{day:%Y%m%d}{tail:03d}"
    number = body + ric.calc_check_digit(body + "0")
    assert checked_number(f" {number[:6]} {number[6:].lower()} ") == number
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    with pytest.raises(Refused, match="number-checksum"):
        checked_number(wrong)


def test_what_is_no_number_is_refused_and_an_unknown_region_is_only_known_as_such() -> None:
    for text in ("", "123", "11010119900230001X", "abcdefghijklmnopqr"):
        with pytest.raises(Refused):
            checked_number(text)
    body = "99010119900307001"
    assert not region_known(body + ric.calc_check_digit(body + "0"))


def test_a_phone_is_kept_in_one_form() -> None:
    written = ("139 1234 5678", "+86-13912345678", "13912345678")
    assert {Contact(phone=one).phone for one in written} == {"+8613912345678"}


def test_a_consent_has_its_day_and_a_name_is_not_blank() -> None:
    with pytest.raises(ValidationError):
        Contact(phone="13912345678", consent=True)
    with pytest.raises(ValidationError):
        Identity(name="   ")


@pytest.mark.mechanism("DIR-16")
def test_a_marker_has_its_source_and_days_and_is_held_once() -> None:
    disabled = Marker(code="disabled", source="残联登记", since=date(2020, 5, 1))
    held = markers.added((), disabled, TODAY)
    with pytest.raises(Refused, match="fact-known"):
        markers.added(held, disabled, TODAY)
    with pytest.raises(Refused, match="marker-unknown"):
        markers.added((), Marker(code="left-handed", source="无", since=TODAY), TODAY)
    with pytest.raises(Refused, match="marker-in-future"):
        markers.added((), Marker(code="disabled", source="残联", since=date(2027, 1, 1)), TODAY)
    with pytest.raises(ValidationError):
        Marker(code="disabled", source="", since=TODAY)
    ended = markers.ended(held, "disabled", date(2025, 5, 1), TODAY)
    assert [one.holds(date(2025, 4, 30)) for one in ended] == [True]
    assert [one.holds(date(2025, 5, 1)) for one in ended] == [False]
    assert markers.added(ended, Marker(code="disabled", source="复核", since=date(2025, 9, 1)), TODAY)
    with pytest.raises(Refused, match="fact-not-there"):
        markers.ended(ended, "disabled", TODAY, TODAY)
