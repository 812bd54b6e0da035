"""The demonstration districts: units, policies, staff's volunteers; everything over HTTP, and again changes nothing.

District ``unit_demo-d1`` has one street of ten communities, each with two grids and a compound of two buildings.
District ``unit_demo-d2`` is its neighbour, whose register is imported from a workbook.
"""

import json
from pathlib import Path
from typing import Any

from deploy.local.desk import Desk

HERE = Path(__file__).parent
ZONE = "Asia/Shanghai"
SINCE = "2024-01-01"
FIRST, SECOND = "unit_demo-d1", "unit_demo-d2"
STREET, NEIGHBOUR_STREET = "unit_demo-s1", "unit_demo-d2-s1"
COMMUNITIES = tuple(f"unit_demo-c{number}" for number in range(1, 11))
NUMERALS = "一二三四五六七八九十"
NETWORKS = ["social_work", "city_management", "comprehensive_governance"]
HELPERS = (("volunteer-1", "unit_demo-c1-g1"), ("volunteer-2", "unit_demo-c1-g1"), ("volunteer-3", "unit_demo-c1-g2"))


def found_districts(operator: Desk) -> None:
    """Both districts, and what they have decided."""
    for unit, name in ((FIRST, "示范区"), (SECOND, "邻区")):
        _unit(operator, unit, "district", name, zone=ZONE)
        for policy in policies():
            body = policy | {"unit": unit}
            operator.post("directory", "/policies", body, key=f"demo|policy|{unit}|{policy['key']}")


def policies() -> list[dict[str, Any]]:
    """What the demonstration districts have decided, by ``key``, ``value``, ``from`` and ``source``."""
    files = [HERE / "demo_policies.json", *sorted((HERE / "demo_policies").glob("*.json"))]
    return [policy for file in files for policy in json.loads(file.read_text(encoding="utf-8"))]


def build_street(admin: Desk, communities: int = len(COMMUNITIES)) -> None:
    """The street of the first district with its communities, grids, compounds and buildings."""
    _unit(admin, STREET, "street", "示范街道", FIRST)
    for number, community in enumerate(COMMUNITIES[:communities], start=1):
        _unit(admin, community, "community", f"第{NUMERALS[number - 1]}社区", STREET)
        for grid in (1, 2):
            _grid(admin, f"{community}-g{grid}", f"第{NUMERALS[number - 1]}社区{NUMERALS[grid - 1]}网格", community)
        compound = f"{community}-p1"
        _unit(admin, compound, "compound", f"第{NUMERALS[number - 1]}社区家园小区", community)
        for building in (1, 2):
            own = f"{compound}-b{building}"
            _unit(admin, own, "building", f"{building}号楼", compound)
            admin.post(
                "directory", f"/units/{own}/cover", {"grid": f"{community}-g{building}"}, key=f"demo|cover|{own}"
            )


def build_neighbour(admin: Desk) -> None:
    """The street and one community of the second district; the rest of it comes by import."""
    _unit(admin, NEIGHBOUR_STREET, "street", "邻区街道", SECOND)
    _unit(admin, "unit_demo-d2-c1", "community", "邻区第一社区", NEIGHBOUR_STREET)


def register_helpers(coordinator: Desk) -> None:
    """Three volunteers with accounts, in two grids of the first community."""
    for number, (account, grid) in enumerate(HELPERS, start=1):
        body = {
            "unit": grid,
            "person": {"name": f"志愿者{NUMERALS[number - 1]}", "phone": f"1200000000{number}",
                       "account": f"usr_demo-{account}"},
            "skills": {"lines": ["hardship_help", "maintenance"]},
            "availability": {"consent": True, "capacity": 20},
        }  # fmt: skip
        coordinator.post("volunteers", "/volunteers", body, key=f"demo|volunteer|{account}")


def _grid(admin: Desk, own: str, name: str, community: str) -> None:
    _unit(admin, own, "grid", name, community, level="community", layer="community", capabilities=NETWORKS)


def _unit(desk: Desk, own: str, kind: str, name: str, parent: str | None = None, **more: Any) -> None:
    body = {"id": own, "kind": kind, "name": name, "parent": parent, "from": SINCE} | more
    desk.post("directory", "/units", body, key=f"demo|unit|{own}")
