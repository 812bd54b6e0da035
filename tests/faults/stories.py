"""What people do while the load runs: concerns are recorded and settled, volunteers are asked, go and are confirmed."""

import asyncio
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.faults.clients import Clients, GaveUp, Refused
from tests.faults.district import COMMUNITIES, DISTRICT, GRIDS
from tests.faults.tokens import Caller, Tokens

WAIT = 120.0  # seconds for what comes by event
LOOK = 0.4  # seconds between looks
VOLUNTEERS_IN_GRID = 4
LINE, IDLE_LINE = "hardship_help", "current_affairs"
CATEGORIES = ("property", "dispute", "welfare", "sanitation", "facilities")


MIX = {"plain": 55, "served": 35, "newcomer": 10}
LONG_MIX = {"plain": 85, "served": 10, "newcomer": 1, "left": 4}  # mostly cheap events


class Overdue(Exception):
    """What had to follow from an event did not come in time."""


@dataclass
class People:
    """Who acts, all with tokens: a worker for each community, and by the id of their entry those who volunteer."""

    workers: dict[str, Caller]
    coordinator: Caller
    street: Caller
    volunteers: dict[str, Caller] = field(default_factory=dict)

    @classmethod
    def of(cls, tokens: Tokens) -> "People":
        """Staff of the district; the volunteers come by ``enlist``."""
        return cls(
            workers={unit: tokens.of(f"usr_faults-{unit}", ("community-worker",), unit) for unit in COMMUNITIES},
            coordinator=tokens.of("usr_faults-coordinator", ("volunteer-coordinator",), DISTRICT),
            street=tokens.of("usr_faults-street", ("street-officer",), DISTRICT),
        )

    def worker_of(self, unit: str) -> Caller:
        """Who works where the unit, a community or one of its grids, lies."""
        return next(worker for community, worker in self.workers.items() if unit.startswith(community))


@dataclass
class Stories:
    """Stories told by one run. ``ended`` counts them by name, ``surprises`` lists what must not happen in them: a step
    that is open was refused, an answer or an event did not come. ``mix``: how often which is told. ``clock_moves``
    grows whenever the clock is moved: what a story was about may have come to its end by that."""

    clients: Clients
    people: People
    random: Random
    mix: dict[str, int] = field(default_factory=lambda: MIX)
    clock_moves: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)
    told: int = 0

    async def enlist(self, tokens: Tokens) -> None:
        """Register those who will be asked: some in each grid."""
        for number in range(VOLUNTEERS_IN_GRID * len(GRIDS)):
            account = tokens.of(f"usr_faults-volunteer-{number}", ("volunteer",), DISTRICT)
            entry = await self._register(GRIDS[number % len(GRIDS)], LINE, number, account.sub)
            self.people.volunteers[entry] = account

    async def any(self) -> None:
        """One story, whichever comes up."""
        [name] = self.random.choices(list(self.mix), list(self.mix.values()))
        moves = self.clock_moves
        try:
            await getattr(self, name)()
        except (Overdue, Refused, GaveUp) as surprise:
            if moves != self.clock_moves and not isinstance(surprise, GaveUp):
                name = "overtaken by the clock"
            else:
                self.surprises.append(f"{name}: {type(surprise).__name__} {surprise}")
                name = "broken off"
        self.ended[name] = self.ended.get(name, 0) + 1

    async def plain(self) -> str:
        """A concern that the worker settles; now and then the resident is called back."""
        unit = self.random.choice((*COMMUNITIES, *GRIDS))
        worker = self.people.worker_of(unit)
        reachable = self.random.random() < 0.5
        case = await self.recorded(unit, reachable)
        await self._case(worker, case, self.random.choice(("solve", "answer")), {"reply": "已处理,谢谢您的反映。"})
        if reachable and self.random.random() < 0.5:
            await self._case(worker, case, "confirm", {"satisfied": True})
        return case

    async def left(self) -> None:
        """A concern that nobody gets round to: its deadlines pass."""
        await self.recorded(self.random.choice((*COMMUNITIES, *GRIDS)), taken_up=False)

    async def served(self, unit: str = "") -> tuple[str, str]:
        """A concern that volunteers help with; now and then the first one asked declines."""
        unit = unit or self.random.choice(GRIDS)
        worker = self.people.worker_of(unit)
        case = await self.recorded(unit)
        order = (await self._case(worker, case, "orders", {"line": LINE}))["order"]
        page = await self._until(order, ("offered", "unfilled"))
        if page["stage"] == "offered" and self.random.random() < 0.15:
            await self._as(page["volunteer"], order, "decline", {"reason": "busy"})
            page = await self._until(order, ("offered", "unfilled"), other_than=page["volunteer"])
        if page["stage"] == "offered":
            await self._as(page["volunteer"], order, "accept")
            await self._as(page["volunteer"], order, "done", {"minutes": self.random.randrange(15, 180)})
            await self.clients.post(self.people.coordinator, "volunteers", f"/orders/{order}/confirm")
        await self._settled_over(worker, case)
        return case, order

    async def newcomer(self) -> None:
        """Somebody registers as a volunteer, for a line that nobody asks for."""
        await self._register(self.random.choice(GRIDS), IDLE_LINE, self.random.randrange(10**6))

    async def recorded(self, unit: str, reachable: bool = False, taken_up: bool = True) -> str:
        """A concern is recorded and taken up. ``reachable``: the resident can be called back."""
        self.told += 1
        body: dict[str, Any] = {
            "unit": unit,
            "kind": "condition",
            "category": self.random.choice(CATEGORIES),
            "channel": "visit",
            "subject": "楼道照明与漏水",
            "text": f"第 {self.told} 件",
        }
        if reachable:
            body["reporter"] = {"phone": f"139{self.told:08d}"}
        worker = self.people.worker_of(unit)
        case: str = (await self.clients.post(worker, "complaints", "/cases", body))["aggregate"]
        if taken_up:
            await self._case(worker, case, "accept")
        return case

    async def _case(self, worker: Caller, case: str, step: str, body: Any = None) -> dict[str, Any]:
        return await self.clients.post(worker, "complaints", f"/cases/{case}/{step}", body)

    async def _as(self, volunteer: str, order: str, step: str, body: Any = None) -> None:
        await self.clients.post(self.people.volunteers[volunteer], "volunteers", f"/offers/{order}/{step}", body)

    async def _register(self, unit: str, line: str, number: int, account: str | None = None) -> str:
        person = {"name": f"志愿者{number}", "phone": f"138{number:08d}"} | ({"account": account} if account else {})
        body = {
            "unit": unit,
            "person": person,
            "skills": {"lines": [line]},
            "availability": {"consent": True, "capacity": 50},
        }
        return str((await self.clients.post(self.people.coordinator, "volunteers", "/volunteers", body))["aggregate"])

    async def _until(self, order: str, stages: tuple[str, ...], other_than: str = "") -> dict[str, Any]:
        limit = time.monotonic() + WAIT
        while time.monotonic() < limit:
            try:
                page = await self.clients.get(self.people.coordinator, "volunteers", f"/orders/{order}")
            except Refused as refused:
                if refused.status != 404:  # not come round yet
                    raise
            else:
                if page["stage"] in stages and (page["stage"] != "offered" or page["volunteer"] != other_than):
                    return dict(page)
            await asyncio.sleep(LOOK)
        raise Overdue(f"{order} is not {' or '.join(stages)}")

    async def _settled_over(self, worker: Caller, case: str) -> None:
        """Solve it as soon as the order's end has come back to the concern."""
        limit = time.monotonic() + WAIT
        while time.monotonic() < limit:
            page = await self.clients.get(worker, "complaints", f"/cases/{case}")
            if all(link["stage"] != "open" for link in page["orders"]):
                await self._case(worker, case, "solve", {"reply": "志愿者已上门。"})
                return
            await asyncio.sleep(LOOK)
        raise Overdue(f"{case} has not learnt of its order's end")
