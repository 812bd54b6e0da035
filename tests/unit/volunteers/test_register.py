"""Who is a volunteer: with skills, with consent, with training for what wants training."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.events import Refused
from services.volunteers.domain import volunteer as v
from tests.unit.volunteers.given import RAW, RULES

NOW = datetime(2025, 5, 13, tzinfo=UTC)
PERSON = {"name": "张三丰", "phone": "13900001234"}
KEYS = {"phone": ["p1"], "account": ["a1"], "resident": []}
LINES = st.lists(st.sampled_from([line["code"] for line in RAW["lines"]]), unique=True, max_size=6).map(tuple)


def registering(
    lines: tuple[str, ...] = ("maintenance",), trained: tuple[str, ...] = (), consent: bool = True
) -> v.Register:
    skills, availability = v.Skills(lines, trained), v.Availability(consent)
    return v.Register(RULES, "unit_g1", skills, availability, PERSON, KEYS)


def after(*commands: Any) -> v.Volunteer:
    state: v.Volunteer | None = None
    for command in commands:
        for one in v.decide(state, command, NOW):
            state = v.evolve(state, one.event, NOW)
    assert state is not None
    return state


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (registering(consent=False), "consent-missing"),
        (registering(lines=()), "lines-missing"),
        (registering(lines=("dancing",)), "line-unknown"),
        (registering(trained=("medical_care",)), "training-without-line"),
    ],
)
@pytest.mark.mechanism("VOL-02", "LAW-36")
def test_nobody_is_registered_without_consent_or_with_skills_that_are_none(command: v.Register, code: str) -> None:
    with pytest.raises(Refused, match=code):
        v.decide(None, command, NOW)


@pytest.mark.parametrize(
    "command",
    [
        v.ChangeSkills(RULES, v.Skills(("maintenance",))),
        v.ChangeAvailability(v.Availability(True)),
        v.Move("unit_g2"),
        v.ChangePerson(PERSON, KEYS),
        v.Close("asked"),
    ],
)
def test_nothing_happens_to_who_has_left(command: Any) -> None:
    left = after(registering(), v.Close("asked"))
    with pytest.raises(Refused, match="volunteer-closed"):
        v.decide(left, command, NOW)


def test_nothing_happens_to_who_was_never_registered() -> None:
    with pytest.raises(Refused, match="not-found"):
        v.decide(None, v.Close("asked"), NOW)


@pytest.mark.mechanism("LAW-39")
def test_no_event_tells_a_name_a_phone_or_an_account() -> None:
    happened = v.decide(None, registering(), NOW) + v.decide(after(registering()), v.ChangePerson(PERSON, KEYS), NOW)
    public = "".join(one.event.model_dump_json() for one in happened)
    assert not any(secret in public for secret in (*PERSON.values(), "a1", "p1"))
    assert [one.private for one in happened if one.private] == [{"person": PERSON}, {"person": PERSON, "resident": {}}]
    assert happened[0].keys == KEYS


@pytest.mark.mechanism("VOL-36")
def test_a_volunteer_is_fixed_to_a_grid() -> None:
    state = after(registering(), v.Move("unit_g2"))
    assert (state.unit, state.closed) == ("unit_g2", False)


@pytest.mark.mechanism("VOL-02")
def test_neither_state_nor_event_has_a_place_for_what_marks_a_person() -> None:
    fields = {name for event in v.EVENTS for name in event.model_fields} | set(v.Volunteer.model_fields)
    assert not {name for name in fields if "party" in name or "member" in name or "marker" in name}


@pytest.mark.mechanism("VOL-02", "LAW-39")
def test_the_link_to_a_resident_is_sealed_and_replaced_whole() -> None:
    linked = replace(registering(), resident="resident_1")
    (registered, _) = v.decide(None, linked, NOW)
    assert registered.private == {"person": PERSON, "resident": {"id": "resident_1"}}
    assert "resident_1" not in registered.event.model_dump_json()
    (changed,) = v.decide(after(linked), v.ChangePerson(PERSON, KEYS, "resident_2"), NOW)
    assert changed.private["resident"] == {"id": "resident_2"}
    (unlinked,) = v.decide(after(linked), v.ChangePerson(PERSON, KEYS), NOW)
    assert unlinked.private["resident"] == {}


def test_moving_to_where_one_is_or_changing_nothing_leaves_no_trace() -> None:
    state = after(registering())
    assert v.decide(state, v.Move("unit_g1"), NOW) == []
    assert v.decide(state, v.ChangeAvailability(v.Availability(True)), NOW) == []


@pytest.mark.mechanism("LAW-36")
def test_consent_can_be_withdrawn_and_given_again_without_touching_skills() -> None:
    without = after(registering(), v.ChangeAvailability(v.Availability(False, capacity=5)))
    assert (without.consent, without.capacity, without.lines) == (False, 5, ("maintenance",))
    again = after(
        registering(), v.ChangeAvailability(v.Availability(False)), v.ChangeAvailability(v.Availability(True))
    )
    assert again.consent


@pytest.mark.mechanism("LAW-38")
@given(LINES, LINES)
def test_training_is_only_ever_for_lines_that_are_served(lines: tuple[str, ...], trained: tuple[str, ...]) -> None:
    command = v.ChangeSkills(RULES, v.Skills(lines, trained))
    state = after(registering())
    try:
        for one in v.decide(state, command, NOW):
            state = v.evolve(state, one.event, NOW)
    except Refused as refused:
        assert refused.code in ("lines-missing", "training-without-line")
    assert set(state.trained) <= set(state.lines)
    assert state.lines


def test_matching_sees_what_the_register_says() -> None:
    state = after(replace(registering(lines=("maintenance", "medical_care"), trained=("medical_care",))))
    candidate = state.candidate("volunteer_1", ("unit_g1", "unit_c1"), 1)
    assert (candidate.lines, candidate.trained, candidate.load) == (state.lines, ("medical_care",), 1)
    assert (candidate.consent, candidate.closed, candidate.capacity) == (True, False, 2)
