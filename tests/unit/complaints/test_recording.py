"""Recording: what is refused first, then what is kept and what leaves."""

import json
from datetime import timedelta

import pytest

from services.complaints.domain import events as e
from services.complaints.domain.commands import Settlement
from services.kernel.events import Refused
from tests.unit.complaints.given import RAW, TUESDAY, WORKER, Concern, read, recorded, recording


def refusal(**changes: object) -> str:
    with pytest.raises(Refused) as refused:
        Concern().do(recording(**changes))
    return refused.value.code


@pytest.mark.mechanism("CMP-01")
@pytest.mark.parametrize(
    "person",
    [{"resident": "resident_1"}, {"visit": "visit_1"}, {"reporter": {"phone": "13900001234"}}, {"repeat_of": "case_1"}],
)
def test_a_view_that_points_at_a_person_is_refused(person: dict[str, object]) -> None:
    nobody: dict[str, object] = {"reporter": {}, "resident": None, "visit": None}
    assert refusal(**({"kind": "view"} | nobody | person)) == "view-names-person"


@pytest.mark.mechanism("CMP-01")
def test_a_view_without_a_person_is_kept() -> None:
    concern = recorded(kind="view", reporter={}, resident=None)
    assert not concern.case.askable and concern.case.resident is None


def test_a_category_the_district_does_not_have_is_refused() -> None:
    assert refusal(category="weather") == "category-unknown"


def test_a_category_of_another_kind_is_refused() -> None:
    assert refusal(category="emergency", kind="voice") == "category-not-of-kind"


def test_a_channel_the_district_does_not_have_is_refused() -> None:
    assert refusal(channel="pigeon") == "channel-unknown"


def test_nothing_is_recorded_for_tomorrow() -> None:
    assert refusal(recorded_at=TUESDAY + timedelta(seconds=1)) == "recorded-in-future"


def test_an_urgency_without_a_promised_time_stops_the_recording() -> None:
    promises = {name: {k: v for k, v in row.items() if k != "accept"} for name, row in RAW["promises"].items()}
    assert refusal(rules=read(RAW | {"promises": promises})) == "promise-not-set"


@pytest.mark.parametrize("step", ["confirm", "reopen"])
def test_no_district_can_take_the_residents_word_away(step: str) -> None:
    workflow = json.loads(json.dumps(RAW["workflow"]))
    for one in workflow["steps"]:
        if one["name"] == step:
            one["roles"] = ["street-officer"]
    with pytest.raises(Refused) as refused:
        read(RAW | {"workflow": workflow})
    assert refused.value.code == "workflow-core-changed"


@pytest.mark.mechanism("CMP-01", "CMP-36")
def test_a_visit_concern_keeps_its_visit_and_its_kind() -> None:
    concern = recorded(visit="visit_9", kind="voice")
    registered = concern.happened[0].event
    assert isinstance(registered, e.CaseRegistered)
    assert (registered.visit, registered.kind, registered.channel) == ("visit_9", "voice", "visit")


@pytest.mark.mechanism("CMP-09", "LAW-42")
def test_who_was_asked_first_at_a_visit_is_answerable() -> None:
    assert recorded().case.custody.answerable == WORKER


@pytest.mark.mechanism("CMP-09", "LAW-42")
@pytest.mark.parametrize("channel", ["hotline", "online"])
def test_what_the_hotline_hears_belongs_to_the_community_and_never_to_the_district(channel: str) -> None:
    assert recorded(channel=channel).case.custody.answerable.id == "unit_c1"


@pytest.mark.mechanism("CMP-10", "LAW-40")
@pytest.mark.parametrize(("category", "hours"), [("emergency", 1), ("utilities", 2), ("welfare", 2)])
def test_taking_up_is_promised_by_urgency(category: str, hours: int) -> None:
    assert recorded(category=category).due("accept") == TUESDAY + timedelta(hours=hours)


def test_numbers_in_the_subject_are_masked() -> None:
    subject = recorded(subject="3号楼2单元501漏水，电话13900001234").case.subject
    assert "501" not in subject and "1390000" not in subject and "漏水" in subject


def test_names_in_the_subject_are_masked_as_far_as_they_are_known() -> None:
    reporter = {"name": "王小明", "phone": "13900001234"}
    assert recorded(subject="小明家漏水，李阿姨不让修", reporter=reporter).case.subject == "***家漏水，***不让修"
    assert recorded(subject="赵敏家漏水", reporter=reporter).case.subject == "赵敏家漏水"


def test_no_word_leaves_in_an_event() -> None:
    concern = recorded(subject="张三家漏水", text="详情", reporter={"name": "张三", "phone": "13900001234"})
    published = json.dumps([one.event.model_dump(mode="json") for one in concern.happened], ensure_ascii=False)
    assert "张三" not in published and "漏水" not in published and "13900001234" not in published


def test_an_imported_outcome_without_its_reply_is_refused() -> None:
    assert refusal(imported=True, settled=Settlement("solved", TUESDAY, "")) == "data-missing"


def test_an_imported_outcome_before_the_recording_is_refused() -> None:
    yesterday = TUESDAY - timedelta(days=1)
    assert refusal(imported=True, settled=Settlement("solved", yesterday, "好")) == "settled-before-recorded"


@pytest.mark.mechanism("CMP-02")
def test_an_imported_concern_with_its_outcome_is_closed_on_its_own_dates() -> None:
    day = TUESDAY - timedelta(days=40)
    settled = Settlement("answered", day + timedelta(days=3), "已答复")
    concern = recorded(imported=True, recorded_at=day, settled=settled)
    assert concern.names == ["registered", "answered", "closed"]
    assert concern.case.settled_on == day + timedelta(days=3)
    assert (concern.case.work, concern.case.outcome, concern.case.due) == ("closed", "answered", ())


def test_an_imported_open_concern_waits_without_a_clock_until_somebody_takes_it_up() -> None:
    concern = recorded(imported=True, recorded_at=TUESDAY - timedelta(days=40))
    assert concern.case.historic and concern.case.due == ()
    assert concern.later(days=90).sweep() == []
