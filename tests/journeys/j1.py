"""J1: a disabled resident's concern becomes a deed, and the answer goes on the echo wall.

``make journey`` walks it on the running demonstration and prints each step with the event that carried it; the test of
the same name walks it too. Everything is done over HTTP by the people whose work it is.
"""

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from tests.journeys.events import Watcher
from tests.journeys.people import Person

STREET, COMMUNITY, GRID = "unit_demo-s1", "unit_demo-c1", "unit_demo-c1-g1"
NAME, PHONE = "林某某", "13800001234"
TOPICS = ("directory.visit", "complaints.case", "volunteers.order", "volunteers.hours")


@dataclass
class Told:
    """What a reader of the journey sees of one step."""

    number: int = 0

    def step(self, zh: str, en: str, event: Any = None) -> None:
        """Print a step and the event that carried it."""
        self.number += 1
        print(f"{self.number:2}. {zh}\n    {en}", flush=True)
        if event is not None:
            print(f"      ↳ {event.type}  {event.subject}  #{event.sequence}  {event.data}", flush=True)


class Journey:
    """The people of J1 and what they come to know."""

    def __init__(self, urls: dict[str, str], kafka: str, prefix: str = "linli") -> None:
        self.grid_worker = Person(urls, "grid-c1-g1")
        self.worker = Person(urls, "worker-c1")
        self.coordinator = Person(urls, "coordinator-c1")
        self.street = Person(urls, "street-s1")
        self.resident = Person(urls)
        self.volunteers = {account: Person(urls, account) for account in ("volunteer-1", "volunteer-2", "volunteer-3")}
        self.watcher = Watcher(kafka, [f"{prefix}.{topic}" for topic in TOPICS])
        self.told = Told()

    def walk(self) -> dict[str, Any]:
        """The whole journey; returns the ids and figures that must hold."""
        try:
            before = self._figures()
            case, code = self._record()
            self._accept(case)
            order, volunteer = self._ask_volunteers(case)
            self._refuse_early_close(case)
            self._serve(case, order, volunteer)
            self._settle(case)
            wall = self._release(case)
            self._confirm(case, code)
            after = self._count(before, case)
            return {"case": case, "order": order, "wall": wall, "before": before, "after": after}
        finally:
            self.watcher.close()

    def _record(self) -> tuple[str, str]:
        visit = self.grid_worker.post(
            "directory", "/visits", {"unit": GRID, "purpose": "concernsDay", "raised": True, "note": "上门走访"}
        )["aggregate"]
        self.told.step(
            "网格员在相约民情日上门走访", "The grid worker visits on the concerns day",
            self.watcher.wait_for("visit.recorded", visit),
        )  # fmt: skip
        answer = self.grid_worker.post(
            "complaints", "/cases",
            {
                "unit": GRID, "kind": "condition", "category": "welfare", "channel": "visit", "visit": visit,
                "subject": "行动不便,家中水管漏水", "text": f"{NAME}行动不便,厨房水管漏水三天,电话{PHONE}",
                "reporter": {"name": NAME, "phone": PHONE},
            },
        )  # fmt: skip
        case = answer["aggregate"]
        self.told.step(
            f"记录民情,查询码 {answer['code']};首问者负责",
            "The concern is recorded; who was asked first answers for it",
            self.watcher.wait_for("case.registered", case),
        )  # fmt: skip
        self.told.step(
            "承诺时限开始计时", "The promised time begins to run", self.watcher.wait_for("case.promised", case)
        )
        return case, answer["code"]

    def _accept(self, case: str) -> None:
        self.grid_worker.post("complaints", f"/cases/{case}/accept")
        self.told.step("受理", "It is taken up", self.watcher.wait_for("case.accepted", case))
        self.grid_worker.post("complaints", f"/cases/{case}/take")
        self.told.step("开始办理", "Work on it begins", self.watcher.wait_for("case.accepted", case))

    def _ask_volunteers(self, case: str) -> tuple[str, str]:
        asked = self.worker_of(case).post("complaints", f"/cases/{case}/orders", {"line": "hardship_help"})
        wanted = self.watcher.wait_for("case.order_requested", case)
        self.told.step("请志愿者帮忙", "The volunteers are asked", wanted)
        order = wanted.data["order"]
        offered = self.watcher.wait_for("order.offered", order)
        self.told.step("按网格派单给志愿者", "The order is offered to a volunteer of that grid", offered)
        assert asked["aggregate"] == case
        return order, offered.data["volunteer"]

    def worker_of(self, case: str) -> Person:
        """Who handles the concern."""
        return self.grid_worker

    def _refuse_early_close(self, case: str) -> None:
        body = {"reply": "已安排"}
        refused = self.grid_worker.post("complaints", f"/cases/{case}/solve", body, status=409)
        self.told.step(f"订单未了,不能办结:{refused['detail']}", "It cannot be settled over an open order")

    def _serve(self, case: str, order: str, volunteer: str) -> None:
        person = next(
            p for p in self.volunteers.values() if p.get("volunteers", "/me")["id"] == volunteer
        )
        person.post("volunteers", f"/offers/{order}/accept")
        accepted = self.watcher.wait_for("order.accepted", order)
        self.told.step("志愿者接单", "The volunteer accepts", accepted)
        person.post("volunteers", f"/offers/{order}/done", {"minutes": 90})
        self.told.step("志愿者完成服务,90 分钟", "Done, 90 minutes", self.watcher.wait_for("order.done", order))
        code = self.coordinator.get("volunteers", f"/orders/{order}/code")["code"]
        key = uuid4().hex
        first = self.resident.post("volunteers", f"/public/orders/{code}/confirm", key=key)
        again = self.resident.post("volunteers", f"/public/orders/{code}/confirm", key=key)
        assert first == again, "a confirmation sent twice must give the first answer"
        confirmed = self.watcher.wait_for("order.confirmed", order)
        self.told.step("居民凭码确认", "The resident confirms with the code", confirmed)
        booked = self.watcher.wait_for("hours.booked")
        self.told.step("服务时长记录一次", "The hours are booked, once", booked)
        self.told.step(
            "民情收到订单结果", "The concern learns of it", self.watcher.wait_for("case.order_ended", case)
        )
        hours = self.coordinator.get("volunteers", f"/hours?order={order}")["items"]
        assert [entry["total"] for entry in hours] == [90], hours

    def _settle(self, case: str) -> None:
        self.grid_worker.post("complaints", f"/cases/{case}/solve", {"reply": "水管已修好"})
        self.told.step("已解决", "It is solved", self.watcher.wait_for("case.solved", case))

    def _release(self, case: str) -> dict[str, Any]:
        text = {"question": "居民家中水管漏水怎么办?", "answer": "志愿者已上门修好,今后可向网格员反映。"}
        unmasked = text | {"answer": f"已修好,请联系{PHONE}"}
        refused = self.worker.post("complaints", f"/cases/{case}/wall", unmasked, status=422)
        self.told.step(f"含电话的文字不能公开:{refused['detail']}", "A text with a telephone is not released")
        self.worker.post("complaints", f"/cases/{case}/wall", text)
        released = self.watcher.wait_for("case.answer_released", case)
        self.told.step("答复登上居民回音壁", "The answer stands on the echo wall", released)
        found = self.resident.wait_for(
            "complaints", f"/echo-wall?unit={COMMUNITY}",
            lambda page: next((item for item in page["items"] if item["answer"] == text["answer"]), None),
        )  # fmt: skip
        assert NAME not in str(found) and PHONE not in str(found)
        return dict(found)

    def _confirm(self, case: str, code: str) -> None:
        headers = {"Linli_Phone_Tail": PHONE[-4:]}
        page = self.resident.get("complaints", f"/public/cases/{code}", **headers)
        self.told.step(f"居民凭码查询:{page['outcome_text']['zh']}", "The resident follows it by code and phone tail")
        self.resident.post("complaints", f"/public/cases/{code}/confirm", {"satisfied": True}, **headers)
        confirmed = self.watcher.wait_for("case.confirmed", case)
        self.told.step("居民确认满意", "The resident confirms", confirmed)

    def _figures(self) -> dict[str, int]:
        report = self.street.get("insight", f"/reports/street-concerns?unit={STREET}")
        return {figure["indicator"]: figure["value"] for figure in report["figures"]}

    def _count(self, before: dict[str, int], case: str) -> dict[str, int]:
        closed = self.street.wait_for(
            "insight", f"/figures/complaints.closed?unit={STREET}",
            lambda page: page["value"] == before["complaints.closed"] + 1 and page,
        )  # fmt: skip
        link, listed = closed["subjects"], []
        while link:
            page = self.street.get("insight", link)
            listed += [item["id"] for item in page["items"]]
            link = f"{closed['subjects']}&cursor={page['next']}" if page["next"] else ""
        assert listed.count(case) == 1 and len(listed) == closed["value"]
        after = self._figures()
        self.told.step(
            f"街道报告计入一次:{after['complaints.recorded']} 件,已办结 {after['complaints.closed']} 件,可逐件展开",
            f"The street's report counts it once and opens down to {len(listed)} concerns",
        )
        return after


def main() -> int:
    """Walk it on the running demonstration."""
    base = int(os.environ.get("LINLI_PORT_BASE", "8100"))
    services = ("identity", "directory", "complaints", "volunteers", "insight")
    urls = {name: f"http://127.0.0.1:{base + number}" for number, name in enumerate(services)}
    kafka = os.environ.get("LINLI_KAFKA", f"127.0.0.1:{base + 90}")
    print(f"J1 · {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    try:
        Journey(urls, kafka, os.environ.get("LINLI_PREFIX", "linli")).walk()
    except httpx.ConnectError:
        print("演示系统没有运行,请先 make run。", file=sys.stderr)
        print("The demonstration is not running: start it by make run.", file=sys.stderr)
        return 1
    print("J1 ✓")
    return 0


if __name__ == "__main__":
    sys.exit(main())
