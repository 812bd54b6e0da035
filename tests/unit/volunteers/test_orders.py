"""A service order in its three ways, from the negative side first."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.kernel.events import Event, Refused
from services.volunteers.domain.order import commands as c
from services.volunteers.domain.order.decide import MOST_SHOWN, decide
from tests.unit.volunteers.given import (
    ANN,
    BEA,
    CAI,
    DAY,
    HOUR,
    TASK,
    TUESDAY,
    Deed,
    accepted,
    asking,
    done,
    offered,
    requested,
)  # fmt: skip

SUNDAY = date(2025, 5, 18)
DAY_OF_ACTIVITY: dict[str, Any] = {"mode": "activity_day", "on": SUNDAY, "case": None}
TOMORROW: dict[str, Any] = {"start": TUESDAY + DAY, "end": TUESDAY + DAY + HOUR}


def names(events: list[Event]) -> list[str]:
    return [event.TYPE.removeprefix("order.") for event in events]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"line": "dancing"}, "line-unknown"),
        ({"mode": "by_name"}, "volunteer-not-named"),
        ({"volunteer": ANN}, "volunteer-not-asked"),
        ({"mode": "activity_day"}, "activity-day-and-mode"),
        ({"on": SUNDAY}, "activity-day-and-mode"),
        (DAY_OF_ACTIVITY | {"volunteer": ANN}, "volunteer-not-asked"),
        (DAY_OF_ACTIVITY | TOMORROW, "time-incomplete"),
        (DAY_OF_ACTIVITY | {"on": date(2025, 5, 12)}, "order-past"),
        ({"start": TUESDAY + DAY}, "time-incomplete"),
        ({"start": TUESDAY + DAY, "end": TUESDAY + DAY}, "time-unsound"),
        ({"start": TUESDAY + DAY, "end": TUESDAY + 3 * DAY}, "time-unsound"),
        ({"start": TUESDAY, "end": TUESDAY + HOUR}, "order-past"),
    ],
)
@pytest.mark.mechanism("VOL-03", "VOL-04")
def test_what_cannot_be_asked_for(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused, match=code):
        decide(None, asking(**changes), TUESDAY)


@pytest.mark.parametrize("command", [c.Match((ANN,)), c.Accept(ANN), c.Cancel("mistaken"), c.Describe(TASK)])
def test_nothing_happens_to_an_order_that_nobody_asked_for(command: c.Command) -> None:
    with pytest.raises(Refused, match="not-found"):
        decide(None, command, TUESDAY)


@pytest.mark.parametrize(
    ("deed", "command", "code"),
    [
        (requested(), c.Accept(ANN), "offer-none"),
        (requested(), c.Decline(ANN, "busy"), "offer-not-yours"),
        (requested(), c.ReportDone(ANN, 30), "step-not-from-here"),
        (offered(), c.Accept(BEA), "offer-not-yours"),
        (offered(), c.Accept(ANN, ("closed",)), "volunteer-unfit"),
        (offered(), c.Decline(BEA, "busy"), "offer-not-yours"),
        (offered(), c.Match((BEA,)), "offer-open"),
        (offered(), c.Confirm("resident"), "step-not-from-here"),
        (accepted(), c.Accept(BEA), "step-not-from-here"),
        (accepted(), c.Accept(ANN), "step-not-from-here"),
        (accepted(), c.ReportDone(BEA, 30), "order-not-yours"),
        (accepted(), c.ReportDone(ANN, 0), "minutes-out-of-range"),
        (accepted(), c.ReportDone(ANN, 24 * 60 + 1), "minutes-out-of-range"),
        (done(), c.Decline(ANN, "busy"), "offer-not-yours"),
        (done(), c.Cancel("mistaken"), "step-not-from-here"),
        (done(), c.Confirm("callback", worker=ANN), "own-deed"),
        (done(), c.Redo("callback", worker=ANN), "own-deed"),
    ],
)
@pytest.mark.mechanism("VOL-03")
def test_what_is_refused_of_an_order(deed: Deed, command: c.Command, code: str) -> None:
    with pytest.raises(Refused, match=code):
        decide(deed.state, command, deed.now)


@pytest.mark.parametrize("command", [c.Match((CAI,)), c.Describe(TASK)])
def test_an_order_that_is_over_stays_over(command: c.Command) -> None:
    for end in (c.Confirm("resident"), c.Cancel("not-needed")):
        deed = done() if isinstance(end, c.Confirm) else accepted()
        deed.do(end)
        with pytest.raises(Refused, match="order-over"):
            deed.do(command)


@pytest.mark.mechanism("VOL-03", "LAW-32")
def test_a_dispatched_order_runs_from_the_request_to_the_residents_word() -> None:
    deed = done()
    deed.do(c.Confirm("resident"))
    assert names(deed.events) == [
        "requested", "described", "matched", "offered", "accepted", "done", "confirmed"
    ]  # fmt: skip
    last = deed.events[-1].model_dump()
    assert last == {
        "volunteer": ANN, "minutes": 45, "line": "maintenance", "by": "resident", "case": "case_1"
    }  # fmt: skip
    assert (deed.state.stage, deed.state.outcome, deed.state.due) == ("confirmed", "confirmed", ())


def test_what_is_to_be_done_is_sealed_and_in_no_event() -> None:
    happened = decide(None, asking(), TUESDAY)
    assert [one.private for one in happened] == [{}, {"task": TASK}]
    assert not any(word in one.event.model_dump_json() for one in happened for word in TASK.values())


def test_an_order_without_a_description_gets_it_later() -> None:
    deed = requested(task={})
    assert not deed.state.described
    deed.do(c.Describe(TASK))
    assert deed.state.described


def test_who_declines_makes_room_for_the_next_and_is_asked_no_more() -> None:
    deed = offered(ANN, BEA)
    assert names(deed.do(c.Decline(ANN, "busy"))) == ["declined"]
    assert (deed.state.stage, deed.state.volunteer, deed.state.asked) == ("requested", None, (ANN,))
    deed.do(c.Match((ANN, BEA)))
    assert (deed.state.stage, deed.state.volunteer) == ("offered", BEA)


def test_who_withdraws_after_accepting_makes_room_too() -> None:
    deed = accepted()
    deed.do(c.Decline(ANN, "unwell"))
    assert (deed.state.stage, deed.state.asked) == ("requested", (ANN,))
    deed.do(c.Match((ANN, BEA)))
    assert deed.state.volunteer == BEA


def test_when_nobody_is_left_the_order_is_unfilled_and_says_so() -> None:
    deed = offered(ANN)
    deed.do(c.Decline(ANN, "busy"))
    assert names(deed.do(c.Match((ANN,)))) == ["matched", "expired"]
    assert deed.events[-1].model_dump() == {"volunteer": None, "last": True, "case": "case_1"}
    assert (deed.state.stage, deed.state.outcome) == ("unfilled", "unfilled")


def test_an_event_names_only_the_best_and_says_how_many_there_were() -> None:
    deed = offered(*(f"volunteer_{n:03}" for n in range(100)))
    matched = next(event for event in deed.events if event.TYPE == "order.matched").model_dump()
    assert (len(matched["candidates"]), matched["found"]) == (MOST_SHOWN, 100)


@pytest.mark.mechanism("VOL-03")
def test_a_named_order_goes_to_nobody_else() -> None:
    deed = requested(mode="by_name", volunteer=BEA)
    deed.do(c.Match((ANN, BEA, CAI)))
    assert deed.state.volunteer == BEA
    assert deed.do(c.Decline(BEA, "busy"))[0].model_dump()["last"] is True
    assert deed.state.stage == "unfilled"


@pytest.mark.mechanism("VOL-03")
def test_a_named_order_whose_volunteer_cannot_be_asked_ends_at_once() -> None:
    deed = requested(mode="by_name", volunteer=BEA)
    deed.do(c.Match((ANN, CAI)))
    assert deed.state.stage == "unfilled"


@pytest.mark.mechanism("VOL-03")
def test_on_an_activity_day_nobody_is_matched_and_the_first_who_fits_goes() -> None:
    deed = requested(**DAY_OF_ACTIVITY)
    with pytest.raises(Refused, match="activity-day-is-open"):
        deed.do(c.Match((ANN,)))
    with pytest.raises(Refused, match="volunteer-unfit"):
        deed.do(c.Accept(ANN, ("line-missing",)))
    deed.do(c.Accept(BEA))
    with pytest.raises(Refused, match="step-not-from-here"):
        deed.do(c.Accept(CAI))
    with pytest.raises(Refused, match="not-begun"):
        deed.do(c.ReportDone(BEA, 120))
    assert names(deed.do(c.ReportDone(BEA, 120), after=5 * DAY)) == ["done"]


def test_who_withdraws_before_the_activity_day_leaves_it_open_and_after_it_over() -> None:
    before, afterwards = requested(**DAY_OF_ACTIVITY), requested(**DAY_OF_ACTIVITY)
    for deed in (before, afterwards):
        deed.do(c.Accept(ANN))
    before.do(c.Decline(ANN, "unwell"))
    assert before.state.stage == "requested"
    afterwards.do(c.Decline(ANN, "unwell"), after=6 * DAY)
    assert afterwards.state.stage == "unfilled"


def test_who_withdrew_from_an_activity_day_may_come_after_all() -> None:
    deed = requested(**DAY_OF_ACTIVITY)
    for _ in range(2):
        deed.do(c.Accept(ANN))
        assert deed.state.volunteer == ANN and deed.state.asked == ()
        deed.do(c.Decline(ANN, "unwell"))
        assert deed.state.asked == (ANN,)


def test_a_deed_at_a_fixed_time_is_not_accepted_nor_matched_once_its_time_has_come() -> None:
    deed = offered(**TOMORROW)
    deed.now = TUESDAY + DAY
    with pytest.raises(Refused, match="order-past"):
        deed.do(c.Accept(ANN))
    late = requested(**TOMORROW)
    assert names(late.do(c.Match((ANN,)), after=DAY)) == ["matched", "expired"]
    assert late.state.stage == "unfilled"


def test_a_deed_at_a_fixed_time_is_not_done_before_it_begins() -> None:
    deed = accepted(**TOMORROW)
    with pytest.raises(Refused, match="not-begun"):
        deed.do(c.ReportDone(ANN, 30))
    assert names(deed.do(c.ReportDone(ANN, 30), after=DAY + HOUR)) == ["done"]


def test_what_the_resident_objects_to_is_done_again_by_the_same_volunteer() -> None:
    deed = done()
    deed.do(c.Redo("resident"))
    assert (deed.state.stage, deed.state.volunteer, deed.state.minutes) == ("accepted", ANN, None)
    deed.do(c.ReportDone(ANN, 50))
    deed.do(c.Confirm("callback", worker=BEA))
    assert deed.state.minutes == 50


def test_only_the_roles_of_a_step_take_it() -> None:
    with pytest.raises(Refused, match="role-missing"):
        offered().do(c.Accept(ANN, role="resident"))


def test_why_somebody_declines_or_cancels_is_a_code_and_the_words_are_sealed() -> None:
    declined = decide(offered().state, c.Decline(ANN, "other", note="李奶奶不愿意"), TUESDAY)[0]
    cancelled = decide(offered().state, c.Cancel("other", note="李奶奶搬走了"), TUESDAY)[0]
    for one, text in ((declined, "李奶奶不愿意"), (cancelled, "李奶奶搬走了")):
        assert one.private == {"note": {"text": text}}
        assert text not in one.event.model_dump_json()


def test_time_units_of_the_deed_do_not_depend_on_when_it_was_asked_for() -> None:
    deed = requested(**DAY_OF_ACTIVITY)
    begins, ends = deed.state.begins, deed.state.ends
    assert begins is not None and ends is not None
    assert ends - begins == timedelta(days=1)
