"""What districts and operators read: roles, texts, rules."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.chassis.texts import faults
from services.chassis.texts.codes import unspoken
from services.complaints.access import PERMISSIONS
from services.complaints.codes import ALPHABET, code_of, hash_of
from services.complaints.domain.events import EVENTS
from services.complaints.service import CASE
from services.complaints.texts import STAGES, TEXTS
from tests.unit.complaints.given import RAW, RULES, read

SERVICE = Path(__file__).parents[3] / "services" / "complaints"
KEY = b"k" * 32


def test_every_code_has_its_text_in_both_languages() -> None:
    assert faults(TEXTS) == [] and unspoken(SERVICE, TEXTS) == []


def test_every_stage_of_the_demonstration_has_its_words() -> None:
    assert {stage.name for stage in RULES.workflow.stages} <= STAGES.keys()


def test_only_the_data_officer_erases_and_an_operator_reads_nothing_sealed() -> None:
    assert [role for role, allowed in PERMISSIONS.items() if "case.erase" in allowed] == ["data-officer"]
    assert "case.reveal" not in PERMISSIONS["operator"]


def test_a_ruling_is_for_the_levels_above() -> None:
    assert {role for role, allowed in PERMISSIONS.items() if "case.rule" in allowed} == {
        "street-officer",
        "district-admin",
    }


def test_a_code_is_the_same_for_ever_and_says_nothing_of_its_concern() -> None:
    code = code_of(KEY, "case_1")
    assert code == code_of(KEY, "case_1") != code_of(KEY, "case_2") != code_of(b"l" * 32, "case_2")
    assert set(code.replace("-", "")) <= set(ALPHABET) and len(code) == 11


def test_a_code_is_known_however_it_was_written_down() -> None:
    code = code_of(KEY, "case_1")
    assert hash_of(KEY, code) == hash_of(KEY, f" {code.lower().replace('-', ' ')} ") != hash_of(KEY, code[:-1])


@pytest.mark.parametrize("missing", sorted(RAW))
def test_a_policy_that_was_not_decided_is_never_a_default(missing: str) -> None:
    with pytest.raises((ValidationError, KeyError)):
        read({name: value for name, value in RAW.items() if name != missing})


def test_every_event_says_what_it_is() -> None:
    assert len({event.TYPE for event in EVENTS}) == len(EVENTS)
    assert all(event.TYPE.startswith("case.") for event in EVENTS)
    assert CASE.event_type("case.registered", 1) is not None
