"""The people of the first demonstration district: staff, two households with their residents, points and partners.

Over HTTP, and again changes nothing. Names and numbers are invented.
"""

from typing import Any

from deploy.local.desk import Desk

COMMUNITY, GRIDS = "unit_demo-c1", ("unit_demo-c1-g1", "unit_demo-c1-g2")
BUILDING = "unit_demo-c1-p1-b1"
SINCE = "2024-01-01"
STAFF = (
    ("worker-c1", "陈晓燕", "community-worker", COMMUNITY),
    ("worker-c2", "周文斌", "community-worker", "unit_demo-c2"),
    ("grid-c1-g1", "孙志强", "grid-worker", GRIDS[0]),
    ("coordinator-c1", "郭海燕", "volunteer-coordinator", COMMUNITY),
    ("street-s1", "马国庆", "street-officer", "unit_demo-s1"),
    ("", "赵玉珍", "grid-worker", GRIDS[1]),
    ("", "何秀英", "building-head", BUILDING),
)
DISABLED = {"code": "disabled", "source": "残联登记", "since": "2020-05-01"}
ALONE = {"code": "elderlyAlone", "source": "社区走访", "since": "2023-03-01"}
# door: tenure, then residents as identity, telephone, markers
HOMES: dict[str, tuple[dict[str, Any], tuple[tuple[dict[str, Any], str, tuple[dict[str, str], ...]], ...]]] = {
    "2单元501": (
        {"tenure": "permanent"},
        (({"name": "王桂兰", "birth": "1952-06-13", "relation": "head"}, "12000000501", (DISABLED, ALONE)),),
    ),
    "1单元302": (
        {"tenure": "rented", "until": "2027-06-30"},
        (
            ({"name": "李建国", "birth": "1984-02-03", "relation": "head"}, "12000000302", ()),
            ({"name": "李佳怡", "birth": "2015-09-21", "relation": "child"}, "", ()),
        ),
    ),
}
POLICIES = (
    ("householdsPerWorker", 300, "社工包户标准（演示）Norm of staffing (demonstration)"),
    ("verifyEveryDays", 180, "档案更新规定（演示）Rule on freshness (demonstration)"),
    ("smallGroup", 5, "数据最小披露（演示）Rule on small groups (demonstration)"),
    ("concernsDayWeekday", 2, "相约民情日（演示）Weekly day of visits (demonstration)"),
)


def publish_norms(operator: Desk, district: str) -> None:
    """What the directory itself asks of a district."""
    for key, value, source in POLICIES:
        body = {"key": key, "unit": district, "value": value, "from": SINCE, "source": source}
        operator.post("directory", "/policies", body, key=f"demo|policy|{district}|{key}")


def load_homes(admin: Desk) -> list[str]:
    """Staff, places and households of the first community; returns the residents' ids, the disabled one first."""
    for account, name, post, unit in STAFF:
        body: dict[str, Any] = {"name": name, "post": post, "unit": unit, "from": SINCE}
        body |= {"person": f"usr_demo-{account}"} if account else {}
        admin.post("directory", "/staff", body, key=f"demo|staff|{post}|{unit}")
    _load_places(admin)
    residents = []
    for number, (door, (home, people)) in enumerate(HOMES.items(), start=1):
        lodging = {"building": BUILDING, "door": door, "size": len(people), **home}
        household = admin.post("directory", "/households", lodging, key=f"demo|household|{number}")["aggregate"]
        for identity, phone, markers in people:
            contacts = [{"phone": phone, "consent": True, "consent_on": SINCE}] if phone else []
            person = {"household": household, "identity": identity, "contacts": contacts, "markers": list(markers)}
            key = f"demo|resident|{number}|{identity['birth']}"
            residents.append(admin.post("directory", "/residents", person, key=key)["aggregate"])
    return residents


def _load_places(admin: Desk) -> None:
    office = {"kind": "stationed-unit", "name": "示范区住房和建设局", "unit": COMMUNITY, "line": "construction"}
    overseer = admin.post("directory", "/places", office, key="demo|place|office")["aggregate"]
    for kind, name, serves in (
        ("water", "示范自来水公司", ["utilities"]),
        ("power", "示范供电公司", ["utilities"]),
        ("property-company", "示范物业公司", ["property"]),
    ):
        partner = {"kind": kind, "name": name, "unit": "unit_demo-d1", "serves": serves, "supervisor": overseer}
        admin.post("directory", "/places", partner | {"promise_hours": 24}, key=f"demo|place|{kind}")
    for number, (kind, name) in enumerate((("health-station", "社区卫生站"), ("police-room", "社区警务室"))):
        position = {"latitude": 39_910_000 + number * 2_000, "longitude": 116_400_000}
        body: dict[str, Any] = {"kind": kind, "name": name, "unit": COMMUNITY, "position": position}
        place = admin.post("directory", "/places", body, key=f"demo|place|{kind}")["aggregate"]
        grid = {"grid": GRIDS[number], "from": SINCE}
        admin.post("directory", f"/places/{place}/grid", grid, key=f"demo|place|{kind}|grid")
