"""What the page of a concern offers is what the routes take, and nothing else."""

from typing import Any

import pytest

from tests.integration.complaints.conftest import REPLY, TO_DONE, Callers, Desk, recorded, through

BODIES: dict[str, tuple[str, Any]] = {
    "accept": ("accept", None),
    "dispatch": ("dispatch", {"to": "usr_new", "unit": "unit_c1"}),
    "rule": ("dispatch", {"to": "usr_new", "unit": "unit_c1", "ruling": True}),
    "take": ("take", None),
    "return": ("return", {"reason": "not-ours"}),
    "supplement": ("supplement", {"text": "补充"}),
    "escalate": ("escalate", {"reason": "no-power"}),
    "reply": ("reply", {"result": "advised", "text": "好"}),
    "solve": ("solve", REPLY),
    "answer": ("answer", REPLY),
    "confirm": ("confirm", {}),
    "reopen": ("reopen", {"reason": "not-solved"}),
    "close": ("close", {"reason": "not-reached"}),
    "order": ("orders", {"line": "hardship"}),
    "waive": ("orders/{order}/waive", {"reason": "done-otherwise"}),
    "release": ("wall", {"question": "找谁?", "answer": "找社区。"}),
    "withdraw": ("wall/withdraw", {"reason": "wrong"}),
}
STATES: dict[str, tuple[tuple[str, Any], ...]] = {
    "recorded": (),
    "offered to a colleague": (("accept", None), ("dispatch", {"to": "usr_colleague", "unit": "unit_c1"})),
    "waiting for an order": (("accept", None), ("take", None), ("orders", {"line": "hardship"})),
    "asked of the street": (("accept", None), ("take", None), ("escalate", {"reason": "no-power"})),
    "on the wall": (*TO_DONE, ("wall", {"question": "找谁?", "answer": "找社区。"})),
}
CALLERS = {
    "who recorded it": ("community-worker", "unit_c1", None),
    "the colleague": ("community-worker", "unit_c1", "usr_colleague"),
    "another grid's worker": ("grid-worker", "unit_g1", "usr_grid"),
    "the street": ("street-officer", "unit_s1", None),
    "an operator": ("operator", "unit_d1", None),
}


async def brought_to(worker: Desk, state: str) -> tuple[str, str]:
    """A concern in that state, and its order."""
    case = (await recorded(worker, unit="unit_g1"))["aggregate"]
    await through(worker, case, *STATES[state])
    orders = (await worker.get(f"/cases/{case}")).json()["orders"]
    return case, orders[0]["ref"] if orders else "order_none"


async def tried(desk: Desk, case: str, order: str, step: str) -> int:
    path, body = BODIES[step]
    return (await desk.post(f"/cases/{case}/{path.format(order=order)}", body)).status_code


@pytest.mark.mechanism("CMP-09", "CMP-11", "CMP-35")
@pytest.mark.parametrize("state", STATES)
async def test_every_listed_step_is_taken_and_every_other_one_refused(
    worker: Desk, as_: Callers, state: str
) -> None:
    for who, (role, unit, sub) in CALLERS.items():
        desk = as_(role, unit, sub)
        case, order = await brought_to(worker, state)
        page = (await desk.get(f"/cases/{case}")).json()
        for step in BODIES.keys() - set(page["steps"]):
            status = await tried(desk, case, order, step)
            assert status in (403, 409, 422), f"{step} is not offered to {who} and was answered {status}"
        assert (await desk.get(f"/cases/{case}")).json()["version"] == page["version"]
        for step in page["steps"]:
            case, order = await brought_to(worker, state)
            assert await tried(desk, case, order, step) == 200, f"{step} is offered to {who} and was refused"


async def test_the_page_names_no_step_that_has_no_route(worker: Desk, street: Desk) -> None:
    for state in STATES:
        case, _ = await brought_to(worker, state)
        for desk in (worker, street):
            assert set((await desk.get(f"/cases/{case}")).json()["steps"]) <= BODIES.keys()
