"""A small district, founded over HTTP as an operator would found it, and its neighbour, which must see nothing of it.

Each has a street with communities and their grids; the ids are those for which the demonstration accounts hold tokens.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.local.install import ROOT
from deploy.local.plan import Plan
from tests.journeys.people import Person, Unexpected

DISTRICT, STREET = "unit_demo-d1", "unit_demo-s1"
COMMUNITIES = ("unit_demo-c1", "unit_demo-c2")
GRIDS = ("unit_demo-c1-g1", "unit_demo-c1-g2", "unit_demo-c2-g1")
NEIGHBOUR, NEIGHBOUR_STREET, NEIGHBOUR_COMMUNITY = "unit_demo-d2", "unit_demo-d2-s1", "unit_demo-d2-c1"
SINCE = "2024-01-01"
KNOWN_WITHIN = 90.0  # seconds until every service has heard of the units and the policies
ZONE = "Asia/Shanghai"
POLICIES = ROOT / "deploy" / "local"

OWN = (
    (DISTRICT, "district", None, "甲区"),
    (STREET, "street", DISTRICT, "甲街道"),
    *((unit, "community", STREET, f"第{number}社区") for number, unit in enumerate(COMMUNITIES, start=1)),
    (GRIDS[0], "grid", COMMUNITIES[0], "一网格"),
    (GRIDS[1], "grid", COMMUNITIES[0], "二网格"),
    (GRIDS[2], "grid", COMMUNITIES[1], "一网格"),
)
FOREIGN = (
    (NEIGHBOUR, "district", None, "乙区"),
    (NEIGHBOUR_STREET, "street", NEIGHBOUR, "乙街道"),
    (NEIGHBOUR_COMMUNITY, "community", NEIGHBOUR_STREET, "乙社区"),
    ("unit_demo-d2-c1-g1", "grid", NEIGHBOUR_COMMUNITY, "一网格"),
)


def urls_of(plan: Plan) -> dict[str, str]:
    """Where the identity provider and each service answer."""
    return {"identity": plan.issuer} | {service: plan.url(service) for service in plan.services}


def found(urls: Mapping[str, str]) -> None:
    """Found both districts with their policies, and return when every service knows them."""
    operator = Person(urls, "operator-d1")
    for unit, kind, parent, name in (*OWN, *FOREIGN):
        body: dict[str, Any] = {"id": unit, "kind": kind, "name": name, "from": SINCE}
        body |= {"parent": parent} if parent else {"zone": ZONE}
        body |= {"level": "community", "layer": "community"} if kind == "grid" else {}
        keeper = operator if kind == "district" else Person(urls, f"admin-{'d2' if '-d2' in unit else 'd1'}")
        keeper.post("directory", "/units", body)
    for district in (DISTRICT, NEIGHBOUR):
        for policy in policies():
            operator.post("directory", "/policies", policy | {"unit": district})
    _wait_until_known(urls)


def policies() -> list[dict[str, Any]]:
    """What the demonstration's district has decided, all services together."""
    files = (*sorted(POLICIES.glob("demo_policies*.json")), *sorted(POLICIES.glob("demo_policies/*.json")))
    return [policy for file in files for policy in _published(file)]


def _published(file: Path) -> list[dict[str, Any]]:
    names = ("key", "value", "from", "source")
    return [{name: row[name] for name in names} for row in json.loads(file.read_text(encoding="utf-8"))]


def _wait_until_known(urls: Mapping[str, str]) -> None:
    """Each service is asked for something that needs the last unit and policy of both districts."""
    for account, street, community in (
        ("street-s1", STREET, COMMUNITIES[0]),
        ("street-d2", NEIGHBOUR_STREET, NEIGHBOUR_COMMUNITY),
    ):
        officer = Person(urls, account)
        coordinator = Person(urls, "coordinator-c1" if account == "street-s1" else "coordinator-d2")
        officer.wait_for("insight", f"/reports/street-concerns?unit={street}", bool, KNOWN_WITHIN)
        _until_taken(officer, "complaints", "/cases", _first_case(community))
        _until_taken(coordinator, "volunteers", "/orders", _first_order(community))


def _until_taken(person: Person, service: str, path: str, body: dict[str, Any]) -> None:
    """What has not come round by event yet is refused as unknown."""
    limit = time.monotonic() + KNOWN_WITHIN
    while True:
        try:
            person.post(service, path, body)
            return
        except Unexpected:
            if time.monotonic() > limit:
                raise
            time.sleep(0.3)


def _first_case(unit: str) -> dict[str, Any]:
    told = {"subject": "楼道灯不亮", "text": "楼道灯不亮", "channel": "desk"}
    return {"unit": unit, "kind": "condition", "category": "facilities"} | told


def _first_order(unit: str) -> dict[str, Any]:
    """Of an activity day, so that nobody is asked."""
    day = {"mode": "activity_day", "on": "2099-03-05", "task": {"task": "清扫楼道"}}
    return {"unit": unit, "line": "hardship_help"} | day
