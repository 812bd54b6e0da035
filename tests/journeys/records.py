"""One record of every kind in the first district; what nobody else may see is marked, to be searched for."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import openpyxl

from deploy.local.system import System
from services.complaints.access import PERMISSIONS as COMPLAINTS
from services.directory.access import PERMISSIONS as DIRECTORY
from services.insight.access import PERMISSIONS as INSIGHT
from services.volunteers.access import PERMISSIONS as VOLUNTEERS
from tests.faults.district import COMMUNITIES, DISTRICT, GRIDS, STREET
from tests.faults.tokens import Caller, Tokens
from tests.journeys.asking import Asking
from tests.journeys.people import Person

# The operator founds districts and decides for any of them; a service is everywhere. Both are no caller of a district.
EVERY_ROLE = tuple(sorted({*COMPLAINTS, *DIRECTORY, *INSIGHT, *VOLUNTEERS} - {"operator", "service"}))
COMPOUND = f"{COMMUNITIES[0]}-p1"
GRID, OTHER_GRID = GRIDS[0], GRIDS[1]
LINE = "hardship_help"


@dataclass(frozen=True)
class Marks:
    """What must be found nowhere: a person's name, telephone, resident number and address, and words of theirs."""

    name: str = "欧阳暗桐"
    phone: str = "13968057412"
    number: str = "110105198503072735"
    address: str = "暗桐巷九百七十一号"
    words: str = "暗语青梧枕石听潮"

    def all(self) -> tuple[str, ...]:
        """Each of them."""
        return self.name, self.phone, self.number, self.address, self.words

    def text(self) -> str:
        """A free text that holds them all."""
        return "".join(self.all())

    def by_field(self) -> dict[str, str]:
        """What goes into a field of that name; "" is any other that takes text."""
        return {
            "": self.text(),
            "name": self.name,
            "phone": self.phone,
            "number": self.number,
            "door": self.address,
            "address": self.address,
            "registered_address": self.address,
            "place": self.address,
            "of": self.name,
        }


@dataclass
class Records:
    """``ids``: one record of each kind, by the name that paths give it; imports as ``<service>.import_id``."""

    account: Caller  # of the volunteer among them, who may also do whatever a district's people may do
    ids: dict[str, str] = field(default_factory=dict)
    code: str = ""  # by which the resident follows the concern


def whoever(system: System, unit: str, name: str = "") -> Caller:
    """Somebody of that unit who may do whatever a district's people may do."""
    return Tokens(system).of(name or f"usr_everybody-{uuid4().hex[:8]}", EVERY_ROLE, unit)


def person(urls: Mapping[str, str], caller: Caller) -> Person:
    """The caller, ready to act."""
    return Person(urls, caller.sub, _token=caller.token)


def settle(system: System, urls: Mapping[str, str], marks: Marks) -> Records:
    """Make one record of every kind in the first district."""
    keeper = whoever(system, DISTRICT)
    records = Records(account=whoever(system, DISTRICT))
    _in_directory(person(urls, keeper), Asking(urls, keeper.token), records, marks)
    _in_complaints(person(urls, keeper), Asking(urls, keeper.token), records, marks)
    _in_volunteers(urls, person(urls, keeper), records, marks)
    return records


def _in_directory(keeper: Person, files: Asking, records: Records, marks: Marks) -> None:
    def made(path: str, body: dict[str, Any]) -> str:
        return str(keeper.post("directory", path, body)["aggregate"])

    ids, tag = records.ids, uuid4().hex[:8]
    ids["unit"] = made("/units", {"kind": "building", "name": f"{tag}号楼", "parent": COMPOUND})
    ids["household"] = made(
        "/households", {"building": ids["unit"], "door": marks.address, "tenure": "permanent", "size": 2}
    )
    identity = {"name": marks.name, "registered_address": marks.address}
    contact = {"phone": marks.phone, "of": marks.name, "relation": marks.words, "consent": True}
    marker = {"code": "disabled", "source": marks.words, "since": "2025-01-01"}
    ids["resident"] = made(
        "/residents",
        {
            "household": ids["household"],
            "identity": identity,
            "contacts": [contact | {"consent_on": "2025-01-01"}],
            "markers": [marker],
        },
    )
    post = {"post": "grid-worker", "unit": GRID, "person": f"usr_{tag}"}
    ids["member"] = made("/staff", {"name": marks.name, "phone": marks.phone} | post)
    place = {"kind": "residents-committee", "unit": COMMUNITIES[0], "name": f"{tag}居委会"}
    ids["place"] = made("/places", place | {"contact": {"name": marks.name, "phone": marks.phone}})
    visit = {"purpose": "listen", "resident": ids["resident"], "note": marks.text(), "raised": True}
    ids["visit"] = made("/visits", visit)
    # a day of its own for each: a version that is there already would have to be replaced
    ahead = date(2100, 1, 1) + timedelta(days=int(tag[:5], 16) % 36_000)
    policy = {"key": "verifyEveryDays", "unit": DISTRICT, "from": ahead.isoformat(), "value": 90, "source": "测试"}
    ids["policy"] = made("/policies", policy)
    row = [ids["unit"], f"{marks.address}{tag}", "常住", marks.name, None, None, None, None, marks.address, marks.phone]
    told = files.upload("directory", f"/imports?kind=households&unit={COMMUNITIES[0]}", workbook(HOUSEHOLDS, row))
    ids["directory.import_id"] = told["aggregate"]


def _in_complaints(keeper: Person, files: Asking, records: Records, marks: Marks) -> None:
    reporter = {"name": marks.name, "phone": marks.phone, "address": marks.address}
    body = {
        "unit": GRID,
        "kind": "condition",
        "category": "welfare",
        "channel": "visit",
        "subject": f"楼道漏水,请联系{marks.name}{marks.phone}",
        "text": marks.text(),
        "reporter": reporter,
        "resident": records.ids["resident"],
    }
    told = keeper.post("complaints", "/cases", body)
    records.ids["case"], records.code = told["aggregate"], told["code"]
    row = [
        uuid4().hex, COMMUNITIES[0], "2026-01-05 09:00", "民情", "民生困难", "入户走访", "楼道漏水", marks.text(),
        marks.name, marks.phone, marks.address, "已解决", "2026-01-06 09:00", marks.text(),
    ]  # fmt: skip
    told = files.upload("complaints", f"/imports?unit={STREET}", workbook(CONCERNS, row))
    records.ids["complaints.import_id"] = told["aggregate"]


def _in_volunteers(urls: Mapping[str, str], keeper: Person, records: Records, marks: Marks) -> None:
    volunteer = enlist(keeper, records.account, GRID, marks, records.ids["resident"])
    team = {"unit": COMMUNITIES[0], "kind": "party", "name": "第一志愿服务队", "leader": volunteer}
    records.ids |= {"volunteer": volunteer, "team": keeper.post("volunteers", "/teams", team)["aggregate"]}
    served = _asked_for(keeper, records, marks)
    _serve(person(urls, records.account), keeper, served)
    page = keeper.wait_for("volunteers", f"/hours?order={served}", lambda told: told["items"])
    records.ids["hours"] = page[0]["id"]
    records.ids["order"] = _asked_for(keeper, records, marks)
    keeper.wait_for("volunteers", f"/orders/{records.ids['order']}", lambda told: told["stage"] == "offered")


def enlist(keeper: Person, account: Caller, unit: str, marks: Marks, resident: str | None = None) -> str:
    """Register a volunteer who signs in with that account, linked to a resident's file; returns the entry's id."""
    link = {"resident": resident} if resident else {}
    body = {
        "unit": unit,
        "person": {"name": marks.name, "phone": marks.phone, "account": account.sub} | link,
        "skills": {"lines": [LINE]},
        "availability": {"consent": True, "capacity": 20},
    }
    return str(keeper.post("volunteers", "/volunteers", body)["aggregate"])


def _asked_for(keeper: Person, records: Records, marks: Marks) -> str:
    task = {"task": marks.text(), "place": marks.address, "contact": f"{marks.name}{marks.phone}"}
    body = {"unit": GRID, "mode": "by_name", "line": LINE, "task": task, "volunteer": records.ids["volunteer"]}
    return str(keeper.post("volunteers", "/orders", body)["aggregate"])


def _serve(volunteer: Person, keeper: Person, order: str) -> None:
    keeper.wait_for("volunteers", f"/orders/{order}", lambda page: page["stage"] == "offered")
    volunteer.post("volunteers", f"/offers/{order}/accept")
    volunteer.post("volunteers", f"/offers/{order}/done", {"minutes": 45})
    keeper.post("volunteers", f"/orders/{order}/confirm")


HOUSEHOLDS = (
    "楼栋编号", "门牌号", "户类型", "姓名", "与户主关系", "性别", "证件号码", "出生日期", "户籍地址", "手机号码",
)  # fmt: skip
CONCERNS = (
    "编号", "社区", "记录时间", "类型", "类别", "渠道", "事项", "内容", "反映人", "电话", "地址", "结果", "办结时间",
    "答复",
)  # fmt: skip


def workbook(heading: tuple[str, ...], *rows: Sequence[str | None]) -> bytes:
    """An Excel file."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (heading, *rows):
        sheet.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
