"""Erasing a purpose takes from the open state what belongs to it, and nothing else."""

import pytest

from services.complaints.domain import commands as c
from services.complaints.domain import events as e
from services.complaints.domain.evolve import evolve
from services.complaints.domain.state import Case
from services.complaints.queries import KEYS
from tests.unit.complaints.given import RULES, STAFF, WORKER, Concern, recorded, solved

ALL = {e.TEXT, e.REPORTER, e.REPLY, e.NOTE, e.ADVICE, e.SUPPLEMENT}


def on_the_wall() -> Concern:
    concern = solved()
    concern.do(c.Release(WORKER, "水管坏了找谁?", "找社区。"))
    return concern


def erased(concern: Concern, *purposes: str) -> dict[str, tuple[object, object]]:
    """Which fields of the state an erasure changes, from what to what."""
    after = evolve(concern.case, e.CaseRedacted(purposes=purposes), concern.now)
    return {
        name: (getattr(concern.case, name), getattr(after, name))
        for name in Case.model_fields
        if getattr(concern.case, name) != getattr(after, name)
    }


@pytest.mark.parametrize("purpose", sorted(ALL - {e.TEXT, e.REPORTER}))
def test_a_reply_or_a_note_leaves_the_subject_the_resident_and_whom_to_ask(purpose: str) -> None:
    assert erased(on_the_wall(), purpose) == {}


def test_the_text_takes_the_subject_that_was_made_from_it() -> None:
    assert erased(on_the_wall(), e.TEXT) == {"subject": ("家中水管漏水", "")}


def test_the_reporter_takes_who_it_is_and_the_subject_stays() -> None:
    concern = on_the_wall()
    changed = erased(concern, e.REPORTER)
    assert changed.keys() == {"resident", "askable", "wall"}
    assert (changed["resident"], changed["askable"]) == (("resident_1", None), (True, False))
    wall = evolve(concern.case, e.CaseRedacted(purposes=(e.REPORTER,)), concern.now).wall
    assert wall is not None and wall.document.subject is None
    assert (wall.question, wall.answer) == ("水管坏了找谁?", "找社区。")


def test_everything_at_once_is_each_of_them() -> None:
    concern = on_the_wall()
    assert erased(concern, *ALL).keys() == {"subject", "resident", "askable", "wall"}


def test_what_is_sealed_of_a_concern_is_sealed_for_a_purpose_that_can_be_erased() -> None:
    concern = recorded()
    concern.do(c.Accept(RULES, WORKER, STAFF))
    concern.do(c.Take(RULES, WORKER, STAFF))
    concern.do(c.Supplement(WORKER, "补充"))
    concern.do(c.Escalate(RULES, WORKER, "no-power", "见附件"))
    assert {purpose for one in concern.happened for purpose in one.private} <= ALL
    assert {purpose for purposes in KEYS.values() for purpose in purposes} <= ALL
