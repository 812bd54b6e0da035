"""A city of streets for measurements at size: the first street is looked at, the others are the city around it."""

from collections.abc import Mapping

from deploy.local.demo_district import FIRST, SINCE
from deploy.local.desk import Desk
from tests.journeys.people import Person

COMMUNITIES, GRIDS = 4, 2  # of a street; of a community


def street(number: int) -> str:
    """The id of a street."""
    return f"unit_city-s{number}"


def communities_of(number: int) -> list[str]:
    """The ids of a street's communities."""
    return [f"{street(number)}-c{each}" for each in range(COMMUNITIES)]


def grids_of(streets: int, first: int = 0) -> list[str]:
    """The ids of all grids of the streets from ``first`` up to ``streets``, street by street."""
    communities = [each for number in range(first, streets) for each in communities_of(number)]
    return [f"{community}-g{each}" for community in communities for each in range(GRIDS)]


def build(urls: Mapping[str, str], streets: int) -> None:
    """Register the streets over HTTP under the first demonstration district, and wait until complaints knows all."""
    admin = Desk(urls, "admin-d1")
    for number in range(streets):
        _unit(admin, street(number), "street", f"第{number}街道", FIRST)
        for community in communities_of(number):
            _unit(admin, community, "community", f"社区{community[-2:]}", street(number))
    for grid in grids_of(streets):
        above = grid.rpartition("-")[0]
        _unit(admin, grid, "grid", f"网格{grid[-2:]}", above, level="community", layer="community", capabilities=[])
    last = grids_of(streets)[-1]
    told = {"subject": "楼道灯不亮", "text": "楼道灯不亮", "channel": "desk"}
    body = {"unit": last, "kind": "condition", "category": "facilities"} | told
    admin.post("complaints", "/cases", body, key=f"city|{last}")
    Person(urls, "admin-d1").wait_for("insight", f"/reports/street-concerns?unit={last}", bool)


def _unit(admin: Desk, own: str, kind: str, name: str, parent: str, **more: object) -> None:
    body = {"id": own, "kind": kind, "name": name, "parent": parent, "from": SINCE} | more
    admin.post("directory", "/units", body, key=f"city|{own}")
