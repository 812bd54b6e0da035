"""The neighbouring district's register: twelve communities as one office keeps them, in files for import.

12 communities, 33 compounds, 469 buildings, 69 community grids, 65 party grids, 22,004 households, 62,048 residents;
with 85 community workers and 12 residents' committees registered one by one. How they are spread over the
communities is chosen here. The same every time; every name, number and telephone is invented: the numbers carry a
region that does not exist, the telephones a prefix that nobody is given.

``python -m deploy.local.demo_register`` imports it over HTTP with progress; with a folder as its argument it only
writes the files there.
"""

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from stdnum.cn import ric

from deploy.local.desk import Desk
from deploy.local.trouble import Trouble
from services.chassis.files.spreadsheets import write_table
from services.directory.intake.columns import COLUMNS

STREET = "unit_demo-d2-s1"
COMMUNITIES = tuple(f"unit_demo-d2-c{number}" for number in range(1, 13))
HOUSEHOLDS, RESIDENTS, COMPOUNDS, BUILDINGS = 22_004, 62_048, 33, 469
COMMUNITY_GRIDS, PARTY_GRIDS, WORKERS = 69, 65, 85
LAYERS = (("community", "G", COMMUNITY_GRIDS, "网格"), ("party", "P", PARTY_GRIDS, "党网格"))
NUMERALS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
GIVEN = "秀英建国志强桂兰玉珍庆春梅文斌淑芬小军丽娟永福海燕晓明佳怡子轩雨欣浩然俊杰婷红伟静敏涛磊洋勇艳杰平刚辉鹏华"
GARDENS = ("家园", "花园", "新村", "佳苑", "雅居")
NETWORKS = ("city_management", "comprehensive_governance", "social_work")
SINCE = "2024-01-01"
TODAY = date(2024, 1, 1)  # ages are counted up to here, so that the files never change
MARKED_ON = date(2023, 9, 1)
SOURCES = {"disabled": "残联登记", "hardship": "民政登记", "elderlyAlone": "社区走访", "veteran": "退役军人站登记"}
PATIENCE = 900.0  # seconds for one import
Progress = Callable[[str, int, int], None]
Row = dict[str, Any]


def shares(total: int, parts: int) -> list[int]:
    """``total`` in ``parts`` whole parts that differ by one at most."""
    return [total // parts + (number < total % parts) for number in range(parts)]


def _spread(total: int, number: int) -> int:
    return shares(total, len(COMMUNITIES))[number]


def unit_rows() -> list[Row]:
    """Grids, compounds and buildings of all communities, as rows of a file of units."""
    return [row for number in range(len(COMMUNITIES)) for row in _units_of(number)]


def _units_of(number: int) -> Iterator[Row]:
    community, name = COMMUNITIES[number], f"邻区第{NUMERALS[number]}社区"
    for layer, letter, total, word in LAYERS:
        for grid in range(_spread(total, number)):
            yield {
                "code": f"D2-C{number + 1}-{letter}{grid + 1}", "kind": "grid", "name": f"{name}{grid + 1}{word}",
                "parent": community, "level": "community", "layer": layer,
                "capabilities": NETWORKS if layer == "community" else (),
            }  # fmt: skip
    compounds = _spread(COMPOUNDS, number)
    for compound in range(compounds):
        own = f"D2-C{number + 1}-X{compound + 1}"
        title = f"{name}{GARDENS[compound % len(GARDENS)]}小区"
        yield {"code": own, "kind": "compound", "name": title, "parent": community}
    yield from _buildings_of(number, compounds)


def building_codes(number: int) -> list[str]:
    """The codes of a community's buildings."""
    return [f"D2-C{number + 1}-B{building + 1}" for building in range(_spread(BUILDINGS, number))]


def _buildings_of(number: int, compounds: int) -> Iterator[Row]:
    codes = building_codes(number)
    grids, party = _spread(COMMUNITY_GRIDS, number), _spread(PARTY_GRIDS, number)
    for place, code in enumerate(codes):
        share = place / len(codes)
        yield {
            "code": code, "kind": "building", "name": f"{place + 1}号楼",
            "parent": f"D2-C{number + 1}-X{int(share * compounds) + 1}",
            "community": f"D2-C{number + 1}-G{int(share * grids) + 1}",
            "party": f"D2-C{number + 1}-P{int(share * party) + 1}",
        }  # fmt: skip


class Numbers:
    """Resident numbers that are nobody's: region 9901xx is not given. The next one of a birthday each time."""

    def __init__(self, community: int) -> None:
        self._region = f"9901{community + 1:02d}"
        self._given: Counter[date] = Counter()

    def next(self, birth: date) -> str:
        """18 characters with a right check digit."""
        self._given[birth] += 1
        body = f"{self._region}{birth:%Y%m%d}{self._given[birth]:03d}"
        return body + ric.calc_check_digit(body + "0")


def household_rows(number: int) -> list[Row]:
    """The residents of one community, row by row, household by household."""
    chance = random.Random(20_240_000 + number)
    households, residents = _spread(HOUSEHOLDS, number), _spread(RESIDENTS, number)
    codes, numbers = building_codes(number), Numbers(number)
    rows: list[Row] = []
    for place, size in enumerate(_sizes(households, residents, chance)):
        inside = place // len(codes)
        door = f"{inside % 2 + 1}单元{inside // 4 + 1}0{inside % 4 + 1}"
        home = {"building": codes[place % len(codes)], "door": door, **_tenure(chance)}
        rows += [home | member for member in _members(size, chance, numbers)]
    return rows


def _sizes(households: int, residents: int, chance: random.Random) -> list[int]:
    """Sizes from one to six that add up."""
    sizes = chance.choices((1, 2, 3, 4, 5, 6), (10, 28, 38, 15, 6, 3), k=households)
    while (missing := residents - sum(sizes)) != 0:
        place = chance.randrange(households)
        step = 1 if missing > 0 else -1
        if 1 <= sizes[place] + step <= 6:
            sizes[place] += step
    return sizes


def _tenure(chance: random.Random) -> Row:
    if chance.random() < 0.88:
        return {"tenure": "permanent"}
    return {"tenure": "rented", "until": date(2027, 1, 31) + timedelta(days=chance.randrange(900))}


def _members(size: int, chance: random.Random, numbers: Numbers) -> Iterator[Row]:
    surname, other = chance.choice(SURNAMES), chance.choice(SURNAMES)
    head = chance.randrange(22, 92)
    for place, relation in enumerate(("head", "spouse", "child", "child", "parent", "grandchild")[:size]):
        age = {"head": head, "spouse": head, "parent": head + 25}.get(relation, head - 26)
        birth = TODAY - timedelta(days=365 * min(max(age, 0), 99) + chance.randrange(365))
        name = (other if relation in ("spouse", "parent") else surname) + "".join(chance.choices(GIVEN, k=2))
        row: Row = {"name": name, "relation": relation, "number": numbers.next(birth)}
        if age >= 16:
            row |= {"phone": f"+86120{chance.randrange(10**8):08d}", "consent": True, "consent_on": MARKED_ON}
        yield row | _marked(age, size, chance) | ({"registered_address": "外省登记地"} if place > 3 else {})


def _marked(age: int, size: int, chance: random.Random) -> Row:
    codes = [code for code, rate in (("disabled", 0.018), ("hardship", 0.012)) if chance.random() < rate]
    if age >= 70 and size == 1 and chance.random() < 0.4:
        codes.append("elderlyAlone")
    if age >= 25 and chance.random() < 0.004:
        codes.append("veteran")
    if not codes:
        return {}
    return {"markers": tuple(sorted(codes)), "marker_source": SOURCES[codes[0]], "marker_since": MARKED_ON}


def write_files(folder: Path) -> list[Path]:
    """The workbook of units and one workbook of residents for each community."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / "units.xlsx"]
    files[0].write_bytes(write_table(COLUMNS["units"], unit_rows()))
    for number in range(len(COMMUNITIES)):
        files.append(folder / f"households-{number + 1:02d}.xlsx")
        files[-1].write_bytes(write_table(COLUMNS["households"], household_rows(number)))
    return files


def load_register(admin: Desk, progress: Progress) -> dict[str, Any]:
    """Everything above over HTTP; again, nothing changes. Returns the register's own figures."""
    for number, community in enumerate(COMMUNITIES):
        body = {"id": community, "kind": "community", "name": f"邻区第{NUMERALS[number]}社区", "parent": STREET}
        admin.post("directory", "/units", body | {"from": SINCE}, key=f"demo|unit|{community}")
    _run(admin, "units", [write_table(COLUMNS["units"], unit_rows())], "小区、楼栋和网格 · units", progress)
    _load_people_of_office(admin)
    files = (write_table(COLUMNS["households"], household_rows(n), form="csv") for n in range(len(COMMUNITIES)))
    _run(admin, "households", files, "住户和居民 · households and residents", progress)
    figures: dict[str, Any] = admin.get("directory", f"/register-figures?unit={STREET}")
    return figures


def _load_people_of_office(admin: Desk) -> None:
    chance = random.Random(85)
    for number, community in enumerate(COMMUNITIES):
        name = f"邻区第{NUMERALS[number]}社区"
        for kind, title in (("residents-committee", "居民委员会"), ("party-organisation", "党支部")):
            body = {"kind": kind, "name": name + title, "unit": community}
            admin.post("directory", "/places", body, key=f"demo|{kind}|{community}")
        for place in range(_spread(WORKERS, number)):
            name = chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=2))
            worker = {"name": name, "post": "community-worker", "unit": community, "from": SINCE}
            admin.post("directory", "/staff", worker, key=f"demo|worker|{community}|{place}")


def _run(admin: Desk, kind: str, files: Any, what: str, progress: Progress) -> None:
    """Hand in the files, then follow all of them to the end."""
    begun = []
    for number, content in enumerate(files):
        path = f"/imports?kind={kind}&unit={STREET}"
        begun.append(admin.post("directory", path, key=f"demo|{kind}|{number}", content=content)["aggregate"])
    limit = time.monotonic() + PATIENCE
    while True:
        pages = [admin.get("directory", f"/imports/{one}") for one in begun]
        done, rows = sum(page["done"] for page in pages), sum(page["rows"] for page in pages)
        progress(what, done, rows)
        if all(page["status"] == "done" for page in pages):
            return _check(pages)
        if time.monotonic() > limit:
            raise Trouble("导入仍在进行,请用 GET /imports 查看。", "The import goes on; GET /imports shows how far.")
        time.sleep(0.5)


def _check(pages: Sequence[dict[str, Any]]) -> None:
    refused = sum(page["refused"] for page in pages)
    if refused:
        raise Trouble(f"有 {refused} 行未能导入,见 GET /imports。", f"{refused} rows were refused; see GET /imports.")


def show(what: str, done: int, rows: int) -> None:
    """One line of progress, written over itself."""
    print(f"\r  {what}: {done:,} / {rows:,}", end="\n" if done >= rows else "", flush=True)


def main() -> int:
    """Load over HTTP, or write the files."""
    if len(sys.argv) > 1:
        for file in write_files(Path(sys.argv[1])):
            print(file)
        return 0
    urls = dict(pair.split("=", 1) for pair in os.environ["LINLI_PEERS"].split(","))
    figures = load_register(Desk(urls | {"identity": os.environ["LINLI_OIDC_ISSUER"]}, "admin-d2"), show)
    for name, value in figures["figures"].items():
        print(f"  {name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
