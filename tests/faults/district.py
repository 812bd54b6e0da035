"""A small district and its neighbour, founded over HTTP like those of the demonstration, and known to every service."""

from collections.abc import Mapping
from typing import Any

from deploy.local.demo_district import build_neighbour, build_street, found_districts
from deploy.local.demo_homes import publish_norms
from deploy.local.desk import Desk
from deploy.local.plan import Plan
from tests.journeys.people import Person

DISTRICT, STREET = "unit_demo-d1", "unit_demo-s1"
COMMUNITIES = ("unit_demo-c1", "unit_demo-c2")
GRIDS = tuple(f"{community}-g{number}" for community in COMMUNITIES for number in (1, 2))
NEIGHBOUR, NEIGHBOUR_STREET, NEIGHBOUR_COMMUNITY = "unit_demo-d2", "unit_demo-d2-s1", "unit_demo-d2-c1"


def urls_of(plan: Plan) -> dict[str, str]:
    """Where the identity provider and each service answer."""
    return {"identity": plan.issuer} | {service: plan.url(service) for service in plan.services}


def apis_of(plan: Plan) -> dict[str, list[str]]:
    """Where all apis of each service answer."""
    copies = range(1, plan.each + 1)
    return {service: [plan.url(service, number) for number in copies] for service in plan.services}


def found(urls: Mapping[str, str]) -> None:
    """Found both districts with their policies, and return when every service knows them."""
    operator = Desk(urls, "operator-d1")
    found_districts(operator)
    for district in (DISTRICT, NEIGHBOUR):
        publish_norms(operator, district)
    build_street(Desk(urls, "admin-d1"), communities=len(COMMUNITIES))
    build_neighbour(Desk(urls, "admin-d2"))
    for unit in (*COMMUNITIES, *GRIDS):
        _wait_until_known(urls, "d1", unit)
    _wait_until_known(urls, "d2", NEIGHBOUR_COMMUNITY)


def _wait_until_known(urls: Mapping[str, str], district: str, unit: str) -> None:
    """Each service is asked for something that needs the unit and the district's policies."""
    admin = Desk(urls, f"admin-{district}")
    admin.post("complaints", "/cases", _first_case(unit), key=f"first|{unit}")
    admin.post("volunteers", "/orders", _first_order(unit), key=f"first|{unit}")
    Person(urls, f"admin-{district}").wait_for("insight", f"/reports/street-concerns?unit={unit}", bool)


def _first_case(unit: str) -> dict[str, Any]:
    told = {"subject": "楼道灯不亮", "text": "楼道灯不亮", "channel": "desk"}
    return {"unit": unit, "kind": "condition", "category": "facilities"} | told


def _first_order(unit: str) -> dict[str, Any]:
    """Of an activity day, so that nobody is asked."""
    day = {"mode": "activity_day", "on": "2099-03-05", "task": {"task": "清扫楼道"}}
    return {"unit": unit, "line": "hardship_help"} | day
