"""The life of a service order: requested, offered, accepted, done, confirmed; or unfilled, or cancelled.

Offers run to one candidate at a time. Whoever declines, withdraws or lets the time pass makes room for the next; when
nobody is left the order is unfilled, which ends it: who asked is told and may ask again.
"""

from typing import Any

from services.kernel.case.workflow import Workflow

VOLUNTEER, COORDINATOR, RESIDENT, CLOCK, SERVICE = (
    "volunteer",
    "volunteer-coordinator",
    "resident",
    "clock",
    "service",
)


def _stage(name: str, *, deadline: str | None = None, settled: bool = False, end: bool = False) -> dict[str, Any]:
    return {"name": name, "settled": settled, "end": end} | ({} if end else {"deadline": deadline})


def _step(
    name: str, sources: list[str], to: str, *roles: str, needs: tuple[str, ...] = (), outcome: str | None = None
) -> dict[str, Any]:
    return {"name": name, "from": sources, "to": to, "roles": roles, "needs": needs, "outcome": outcome}


ORDER = Workflow.model_validate(
    {
        "name": "service-order",
        "version": 1,
        "start": "requested",
        "stages": [
            _stage("requested"),
            _stage("offered", deadline="answer"),
            _stage("accepted", deadline="service"),
            _stage("done", deadline="confirmation"),
            _stage("confirmed", settled=True, end=True),
            _stage("unfilled", settled=True, end=True),
            _stage("cancelled", settled=True, end=True),
        ],
        "steps": [
            _step("offer", ["requested"], "offered", SERVICE),
            _step("accept", ["offered", "requested"], "accepted", VOLUNTEER, COORDINATOR),
            _step("decline", ["offered", "accepted"], "requested", VOLUNTEER, COORDINATOR, SERVICE),
            _step("expire", ["offered"], "requested", CLOCK),
            _step(
                "give-up", ["requested", "offered", "accepted"], "unfilled", VOLUNTEER, COORDINATOR, SERVICE, CLOCK,
                outcome="unfilled",
            ),
            _step("report-done", ["accepted"], "done", VOLUNTEER, COORDINATOR, needs=("minutes",)),
            _step("redo", ["done"], "accepted", RESIDENT, COORDINATOR),
            _step("confirm", ["done"], "confirmed", RESIDENT, COORDINATOR, outcome="confirmed"),
            _step(
                "cancel", ["requested", "offered", "accepted"], "cancelled", COORDINATOR, SERVICE, outcome="cancelled"
            ),
        ],
    }
)  # fmt: skip
