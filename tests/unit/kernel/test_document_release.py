from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.kernel.document import (
    Document,
    Kind,
    drafted,
    erased,
    intact,
    released,
    superseded,
    visible,
    withdrawn,
)
from services.kernel.events import Refused

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
UNTIL = NOW + timedelta(days=30)
WALL = Kind(name="wall", version=1, fields=("question", "answer"), required=("answer",))
NOTICE = Kind(name="notice", version=2, fields=("name", "household_size", "amount_fen"), minimum_days=7)
FIELDS = {"question": "楼道灯不亮", "answer": "已更换"}


def refusal(code, act):
    with pytest.raises(Refused) as seen:
        act()
    assert seen.value.code == code
    return seen.value


def release(fields=FIELDS, kind=WALL, by="staff_1", until=UNTIL, subject=None):
    return released(drafted(kind, "staff_2", subject), kind, fields, by, NOW, until)


@pytest.mark.mechanism("CMP-07")
def test_a_draft_is_not_shown():
    assert not visible(drafted(WALL, "staff_2"), NOW)


@pytest.mark.mechanism("CMP-07")
def test_a_public_text_with_an_unmasked_number_does_not_leave_and_the_refusal_does_not_repeat_it():
    seen = refusal("unmasked-number", lambda: release({"answer": "请拨打13800138000或520-1234"}))
    assert (seen.field, seen.params) == ("fields.answer", {"at": 3, "count": 2})


@pytest.mark.mechanism("CMP-07")
def test_a_named_person_releases_and_never_the_subject_of_the_text():
    refusal("releaser-missing", lambda: release(by=""))
    refusal("subject-releases", lambda: release(by="staff_1", subject="staff_1"))
    assert release().released_by == "staff_1"


@pytest.mark.mechanism("LAW-19")
def test_only_the_lawful_fields_are_published():
    refusal("field-not-allowed", lambda: release({"name": "王某", "address": "某处"}, kind=NOTICE))
    assert release({"name": "王某", "household_size": "2", "amount_fen": "98000"}, kind=NOTICE).stage == "released"


def test_a_fact_that_the_text_needs_may_not_be_missing_or_blank():
    assert refusal("field-missing", lambda: release({"question": "x"})).params == {"missing": ["answer"]}
    refusal("field-missing", lambda: release({"answer": "  "}))
    with pytest.raises(ValidationError):
        Kind(name="x", version=1, fields=("a",), required=("b",))


@pytest.mark.mechanism("LAW-14")
def test_a_notice_is_shown_for_its_minimum_at_least():
    refusal("window-too-short", lambda: release({"name": "王某"}, NOTICE, until=NOW + timedelta(days=6, hours=23)))
    refusal("window-too-short", lambda: release(until=NOW))
    assert release({"name": "王某"}, NOTICE, until=NOW + timedelta(days=7)).stage == "released"


def test_a_letter_to_its_addressee_may_hold_his_number():
    letter = Kind(name="letter", version=1, fields=("text",), public=False)
    assert release({"text": "您的电话13800138000"}, letter).stage == "released"


def test_the_kind_must_be_the_one_it_was_drafted_under():
    newer = WALL.model_copy(update={"version": 2})
    refusal("kind-changed", lambda: released(drafted(WALL, "staff_2"), newer, FIELDS, "staff_1", NOW))


def test_it_is_released_once_and_ended_once():
    document = release()
    refusal("document-not-draft", lambda: released(document, WALL, FIELDS, "staff_1", NOW))
    refusal("document-not-released", lambda: withdrawn(drafted(WALL, "staff_2"), "wrong", NOW))
    refusal("reason-missing", lambda: withdrawn(document, "", NOW))
    gone = withdrawn(document, "wrong", NOW)
    refusal("document-not-released", lambda: superseded(gone, "doc_2", NOW))
    assert not visible(gone, NOW)
    assert superseded(document, "doc_2", NOW).superseded_by == "doc_2"


@pytest.mark.mechanism("CMP-07")
def test_it_is_shown_from_its_release_until_before_its_last_instant():
    document = release()
    assert not visible(document, NOW - timedelta(milliseconds=1))
    assert visible(document, NOW)
    assert visible(document, UNTIL - timedelta(milliseconds=1))
    assert not visible(document, UNTIL)
    assert visible(release(until=None), NOW + timedelta(days=9999))


def test_it_is_erased_only_when_it_is_no_longer_shown():
    document = release()
    refusal("document-shown", lambda: erased(document, NOW + timedelta(days=1)))
    gone = erased(document, UNTIL)
    assert (gone.stage, gone.hash) == ("erased", document.hash)
    refusal("document-erased", lambda: erased(gone, UNTIL))
    assert erased(withdrawn(document, "wrong", NOW), NOW).stage == "erased"
    refusal("document-not-draft", lambda: released(erased(drafted(WALL, "s"), NOW), WALL, FIELDS, "staff_1", NOW))


texts = st.text("灯不亮已换 ，。", min_size=1).filter(str.strip)


@given(texts, texts)
def test_another_text_is_not_the_released_one(first, second):
    document = release({"answer": first})
    assert intact(document, {"answer": first})
    assert intact(document, {"answer": second}) == (first == second)
    assert not intact(document, {"answer": first, "question": second})
    assert not intact(drafted(WALL, "staff_2"), {"answer": first})


def test_it_comes_back_from_its_document_unchanged():
    document = withdrawn(release(), "wrong", NOW)
    assert Document.model_validate(document.model_dump(mode="python")) == document
