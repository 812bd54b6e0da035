"""The list of steps and the refusals agree, whatever happened before and whoever asks."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.http import permission_table
from services.chassis.http.application import Application
from services.complaints.access import PERMISSIONS
from services.complaints.domain import commands as c
from services.complaints.domain.decide import decide
from services.complaints.domain.steps import STEPS, Taker, may, open_to
from services.complaints.service import SERVICE
from services.kernel.case.custody import Party
from services.kernel.events import Refused
from tests.unit.complaints.given import (
    COLLEAGUE,
    DISTRICT,
    RESIDENT,
    RULES,
    STAFF,
    STRANGER,
    STREET,
    WORKER,
    Concern,
    accepted,
    in_hand,
    recorded,
    recording,
    solved,
)

PARTIES = (WORKER, COLLEAGUE, STRANGER, STREET, DISTRICT, Party.of_unit("unit_c1"), Party.of_unit("unit_s1"))
ROUTES = {
    **{name: f"/cases/{{case}}/{name}" for name in STEPS},
    "rule": "/cases/{case}/dispatch",
    "order": "/cases/{case}/orders",
    "waive": "/cases/{case}/orders/{order}/waive",
    "release": "/cases/{case}/wall",
    "withdraw": "/cases/{case}/wall/withdraw",
}
WORD = "随便"


def taker(by: Party, *roles: str) -> Taker:
    return Taker(by, frozenset(roles), frozenset().union(*(PERMISSIONS[role] for role in roles)))


def steps(concern: Concern, by: Party, *roles: str) -> set[str]:
    return set(open_to(concern.case, RULES, taker(by, *roles), concern.now))


def reasons(purpose: Any) -> list[str]:
    return [reason.code for reason in RULES.reasons[purpose]]


def targets(by: Party) -> tuple[Party, ...]:
    return (*PARTIES, Party(id="usr_new", unit=by.unit), Party(id="usr_new", unit="unit_c1"))


Bodies = Callable[[Concern, Party, frozenset[str]], list[Any]]
BODIES: dict[str, Bodies] = {
    "accept": lambda _, by, roles: [c.Accept(RULES, by, roles)],
    "dispatch": lambda _, by, roles: [c.Dispatch(RULES, by, roles, to) for to in targets(by)],
    "rule": lambda _, by, roles: [c.Dispatch(RULES, by, roles, to, True) for to in targets(by)],
    "take": lambda _, by, roles: [c.Take(RULES, by, roles)],
    "return": lambda _, by, roles: [c.Return(RULES, by, roles, why, WORD) for why in reasons("return")],
    "supplement": lambda _, by, roles: [c.Supplement(by, WORD)],
    "escalate": lambda _, by, roles: [c.Escalate(RULES, by, why, WORD) for why in reasons("escalate")],
    "reply": lambda _, by, roles: [c.Reply(by, "solved", WORD), c.Reply(by, "advised", WORD)],
    "solve": lambda _, by, roles: [c.Settle(RULES, by, roles, "solved", WORD)],
    "answer": lambda _, by, roles: [c.Settle(RULES, by, roles, "answered", WORD)],
    "confirm": lambda _, by, roles: [c.Confirm(RULES, roles, by, satisfied) for satisfied in (None, True, False)],
    "reopen": lambda _, by, roles: [c.Reopen(RULES, roles, why, by, True, WORD) for why in reasons("reopen")],
    "close": lambda _, by, roles: [c.Close(RULES, by, roles, why) for why in reasons("close")],
    "order": lambda concern, by, roles: [
        c.RequestOrder(by, f"order_{len(concern.case.orders)}", "maintenance", "activity_day", on=concern.now.date()),
        c.RequestOrder(by, f"order_{len(concern.case.orders)}", "hardship", "by_name", "volunteer_1"),
    ],
    "waive": lambda concern, by, roles: [
        c.Waive(RULES, by, ref, why)
        for ref in (*[link.ref for link in concern.case.orders], "order_9")
        for why in reasons("waive")
    ],
    "release": lambda _, by, roles: [c.Release(by, "找谁?", "找社区。")],
    "withdraw": lambda _, by, roles: [c.Withdraw(RULES, by, why) for why in reasons("withdraw")],
}
"""What somebody may send for each step; chosen here without a look at how the list is made."""


def accepted_somehow(name: str, concern: Concern, who: Taker) -> bool:
    for command in BODIES[name](concern, who.by, who.roles):
        try:
            decide(concern.case, command, concern.now)
        except Refused:
            continue
        return True
    return False


def test_a_stranger_is_offered_nothing_that_is_not_his() -> None:
    assert steps(in_hand(), STRANGER, "community-worker") == set()


def test_a_role_without_the_permission_is_offered_no_step_of_it() -> None:
    assert steps(in_hand(), WORKER, "operator") == set()
    assert steps(in_hand(), WORKER, "hotline-clerk") & {"solve", "answer", "escalate", "order"} == set()
    assert "rule" not in steps(accepted(), WORKER, "community-worker")


def test_what_waits_for_somebody_else_is_not_offered() -> None:
    concern = accepted()
    concern.do(c.Dispatch(RULES, WORKER, STAFF, COLLEAGUE))
    assert not steps(concern, WORKER, "community-worker") & {"take", "return", "dispatch", "solve"}
    assert steps(concern, COLLEAGUE, "community-worker") >= {"take", "return"}


def test_a_concern_is_not_offered_for_settling_while_an_order_is_open() -> None:
    concern = in_hand()
    assert {"solve", "answer"} <= steps(concern, WORKER, "community-worker")
    concern.do(c.RequestOrder(WORKER, "order_1", "hardship", "dispatch"))
    assert not {"solve", "answer"} & steps(concern, WORKER, "community-worker")
    assert "waive" in steps(concern, WORKER, "community-worker")


def test_any_open_order_may_be_waived_and_none_that_has_ended() -> None:
    concern = in_hand()
    for number in range(2):
        concern.do(c.RequestOrder(WORKER, f"order_{number}", "hardship", "dispatch"))
    concern.do(c.EndOrder("order_0", "declined"))
    assert "waive" in steps(concern, WORKER, "community-worker")
    concern.do(c.EndOrder("order_1", "declined"))
    assert "waive" not in steps(concern, WORKER, "community-worker")


def test_who_may_rule_may_always_settle_disputed_duty() -> None:
    concern = accepted()
    concern.do(c.Dispatch(RULES, WORKER, STAFF, COLLEAGUE))
    assert "dispatch" not in steps(concern, STREET, "street-officer")
    assert "rule" in steps(concern, STREET, "street-officer")


def test_a_district_without_a_reason_has_no_step_that_needs_one() -> None:
    concern = in_hand()
    silent = RULES.model_copy(update={"reasons": {}})
    listed = open_to(concern.case, silent, taker(WORKER, "community-worker"), concern.now)
    assert "escalate" not in listed and "solve" in listed


def test_only_a_resident_with_an_outcome_may_confirm() -> None:
    concern = in_hand()
    assert not may(concern.case, c.Confirm(RULES, RESIDENT), concern.now)
    assert may(solved().case, c.Confirm(RULES, RESIDENT), concern.now)


def test_every_step_asks_for_the_permissions_of_its_route() -> None:
    table = permission_table(Application(SERVICE))
    asked = {path: permission for method, path, permission in table if method == "POST"}
    assert {name: permissions[0] for name, (permissions, _) in STEPS.items()} == {
        name: asked[path] for name, path in ROUTES.items()
    }
    about_a_case = {path for path in asked if path.startswith("/cases/{case}/")}
    assert about_a_case - set(ROUTES.values()) == {"/cases/{case}/erase"}, "a route that no step stands for"


COMMANDS = st.tuples(st.sampled_from([*STEPS, "confirm by resident", "end order", "later"]), st.sampled_from(PARTIES))


def happen(concern: Concern, what: str, by: Party, data: st.DataObject) -> None:
    """One more thing that may have happened; whatever is refused has not."""
    roles = frozenset(data.draw(st.sampled_from([[role] for role in PERMISSIONS])))
    if what == "later":
        concern.later(hours=data.draw(st.sampled_from([1, 30, 500])))
        concern.sweep()
        return
    if what == "confirm by resident":
        choice: Any = data.draw(st.sampled_from([c.Confirm(RULES, RESIDENT), c.Reopen(RULES, RESIDENT, "not-solved")]))
    elif what == "end order":
        which, how = data.draw(st.integers(0, 2)), data.draw(st.sampled_from(["confirmed", "declined"]))
        choice = c.EndOrder(f"order_{which}", how)  # type: ignore[arg-type]
    else:
        choice = data.draw(st.sampled_from(BODIES[what](concern, by, roles)))
    with suppress(Refused):
        concern.do(choice)


@pytest.mark.mechanism("CMP-09", "CMP-11")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.sampled_from([recorded, accepted, in_hand, solved]),
    st.sampled_from(["visit", "hotline", "online"]),
    st.booleans(),
    st.lists(COMMANDS, max_size=12),
    st.data(),
)
def test_exactly_what_would_be_taken_is_listed(
    begin: Any, channel: str, known: bool, course: list[tuple[str, Party]], data: st.DataObject
) -> None:
    person: dict[str, Any] = {} if known else {"reporter": {}, "resident": None}
    if begin is recorded:
        concern = Concern()
        concern.do(recording(channel=channel, **person))
    else:
        concern = begin(**person)
    for what, by in course:
        happen(concern, what, by, data)
    by = data.draw(st.sampled_from([*PARTIES, concern.case.custody.handler]))
    who = taker(by, *data.draw(st.sets(st.sampled_from(sorted(PERMISSIONS)), min_size=1, max_size=2)))
    listed = set(open_to(concern.case, RULES, who, concern.now))
    for name, (permissions, _) in STEPS.items():
        would_be = who.permissions.issuperset(permissions) and accepted_somehow(name, concern, who)
        assert (name in listed) == would_be, f"{name} at {concern.case.stage} for {who}"
