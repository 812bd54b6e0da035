"""The workbook of concerns: its columns, and its rows as commands, each fault told by its cell in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openpyxl.utils import get_column_letter

from services.chassis.districts.units import UnitView
from services.chassis.files.cells import CellFault, Kind, Plain, as_text, choice, moment, phone
from services.chassis.files.spreadsheets import CellError, Column, Reading, Row
from services.chassis.texts import Texts
from services.complaints.domain.commands import Record, Settlement
from services.complaints.domain.decide import decide
from services.complaints.domain.rules import Rules
from services.complaints.places import ladder_of
from services.complaints.texts import KINDS, OUTCOMES, TEXTS
from services.kernel.events import Refused

MOST_ERRORS = 500
SAYS = Texts(TEXTS)
PERSON = ("name", "phone", "address")


@dataclass(frozen=True)
class Known:
    """What a row may refer to: the rules of the importing unit and the units in it, by id."""

    rules: Rules
    units: Mapping[str, UnitView]
    zone: str


def columns(known: Known) -> tuple[Column, ...]:
    """The columns of the workbook, Chinese names first; either language is read."""
    categories = {one.code: (one.zh, one.en) for one in known.rules.categories.values()}
    channels = {one.code: (one.zh, one.en) for one in known.rules.channels}
    when = moment(known.zone)
    return (
        Column("编号", "Number", "number", required=True, parse=bounded(100)),
        Column("社区", "Unit", "unit", required=True, parse=_unit(known.units)),
        Column("记录时间", "Recorded", "recorded_at", required=True, parse=when),
        Column("类型", "Kind", "kind", required=True, parse=choice(KINDS)),
        Column("类别", "Category", "category", required=True, parse=choice(categories)),
        Column("渠道", "Channel", "channel", required=True, parse=choice(channels)),
        Column("事项", "Subject", "subject", required=True, parse=bounded(60)),
        Column("内容", "Text", "text", parse=bounded(2000)),
        Column("反映人", "Reporter", "name", parse=bounded(50)),
        Column("电话", "Phone", "phone", parse=phone),
        Column("地址", "Address", "address", parse=bounded(200)),
        Column("结果", "Outcome", "outcome", parse=choice(OUTCOMES)),
        Column("办结时间", "Settled", "settled_on", parse=when),
        Column("答复", "Reply", "reply", parse=bounded(2000)),
    )


def bounded(most: int) -> Kind:
    """Text of at most so many characters."""

    def parse(value: Plain) -> str:
        text = as_text(value)
        if len(text) > most:
            raise CellFault("cell-too-long", limit=most)
        return text

    return Kind(parse, lambda value, language: value)


def _unit(units: Mapping[str, UnitView]) -> Kind:
    """A unit by its id, or by its name where only one bears it."""
    named: dict[str, list[str]] = {}
    for unit, view in units.items():
        named.setdefault(view.name, []).append(unit)

    def parse(value: Plain) -> str:
        written = as_text(value)
        found = [written] if written in units else named.get(written, [])
        if len(found) != 1:
            raise CellFault("cell-not-in-list", options_zh="本辖区内单位的名称或编号", options_en="a unit of yours")
        return found[0]

    return Kind(parse, lambda value, language: value)


@dataclass(frozen=True)
class Checked:
    """A file read to its end and every row decided on."""

    rows: list[Row]
    errors: list[CellError]
    cut: bool


def check(content: bytes, known: Known, now: datetime) -> Checked:
    """Read and decide on every row, as if it were recorded. Raises Invalid for a file that cannot be read at all."""
    declared = columns(known)
    reading = Reading(content, declared)
    names = {column.key: column.name_zh for column in declared}
    rows: list[Row] = []
    errors: list[CellError] = []
    seen: set[str] = set()
    for row in reading:
        fault = _fault(row, known, seen, now)
        if fault is None:
            rows.append(row)
        elif len(errors) < MOST_ERRORS:
            errors.append(_told(row.number, fault, reading.places, names))
    found = sorted([*reading.errors, *errors], key=lambda error: int(error.cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")))
    return Checked(rows, found, reading.cut or len(errors) >= MOST_ERRORS)


def _fault(row: Row, known: Known, seen: set[str], now: datetime) -> Refused | None:
    number = row.values["number"]
    if number in seen:
        return Refused("number-twice", "number")
    seen.add(number)
    try:
        decide(None, command_of(row.values, known), now)
    except Refused as refused:
        return refused
    return None


def _told(row: int, fault: Refused, places: Mapping[str, int], names: Mapping[str, str]) -> CellError:
    key = "name" if fault.field in ("reporter", "") else fault.field
    place = places.get(key, 0)
    return CellError(
        cell=f"{get_column_letter(place + 1)}{row}",
        column=names.get(key, ""),
        code=fault.code,
        zh=SAYS.detail(fault.code, "zh", fault.params),
        en=SAYS.detail(fault.code, "en", fault.params),
    )


def command_of(values: Mapping[str, Any], known: Known, keys: dict[str, list[str]] | None = None) -> Record:
    """The command of one row. Raises Refused for an outcome without its day."""
    view = known.units[values["unit"]]
    return Record(
        rules=known.rules,
        unit=view.id,
        kind=values["kind"],
        category=values["category"],
        channel=values["channel"],
        subject=values["subject"],
        text=values["text"] or values["subject"],
        ladder=ladder_of(view, known.rules),
        zone=known.zone,
        reporter={name: values[name] for name in PERSON if values.get(name)},
        keys=keys or {},
        recorded_at=values["recorded_at"],
        imported=True,
        settled=_settlement(values),
    )


def _settlement(values: Mapping[str, Any]) -> Settlement | None:
    outcome, on, reply = values["outcome"], values["settled_on"], values["reply"]
    if outcome is None:
        if on is not None or reply:
            raise Refused("outcome-missing", "outcome")
        return None
    if on is None:
        raise Refused("data-missing", "settled_on", missing=["settled_on"])
    return Settlement(outcome, on, reply or "")
