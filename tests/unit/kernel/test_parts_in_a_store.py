"""What the parts dump must be what BSON holds, and come back equal from it."""

from datetime import UTC, date, datetime, timedelta

import bson
import pytest
from bson.codec_options import CodecOptions
from pydantic import ValidationError

from services.kernel.account import Account, Entry, Leg, Opening, held, opened, post
from services.kernel.accountability import Consent, Tie
from services.kernel.case.custody import Custody, Party, escalated, received
from services.kernel.case.deadlines import Deadline, Due, Limit, due_list, paused, promised
from services.kernel.case.links import Link
from services.kernel.case.workflow import Moved
from services.kernel.document import Document, Kind, drafted, released
from services.kernel.policy import Version
from services.kernel.register import Entry as RegisterEntry
from services.kernel.register import Fact
from services.kernel.values import Day, Part

NOW = datetime(2026, 3, 3, 9, 8, 7, 654321, tzinfo=UTC)
DAY = date(2026, 3, 3)
STREET = Party.of_unit("street")
DEADLINE = promised("feedback", Limit(n=7, unit="working_days", extendable_to=15), NOW, "Asia/Shanghai")
WALL = Kind(name="wall", version=1, fields=("answer",))
BOOKED = Entry(
    id="e1",
    cause="order_1",
    purpose="service",
    by="staff_1",
    at=NOW,
    legs=(Leg(account="a", kind="minutes", n=90), Leg(account="b", kind="minutes", n=-90)),
)

PARTS = [
    paused(DEADLINE, NOW + timedelta(hours=1, microseconds=77)),
    due_list((DEADLINE,))[0],
    escalated(received(Party(id="w", unit="com"), STREET), ("com", "street"), NOW, "1"),
    Link(ref="order_1", kind="help"),
    Moved(step="a", source="b", stage="c", outcome=None, settled=False, ended=False, deadline=None),
    released(drafted(WALL, "s"), WALL, {"answer": "x"}, "t", NOW, NOW + timedelta(days=1)),
    BOOKED,
    held(post(opened(Opening(id="a", owner="v", kind="minutes", period="2026")), BOOKED), "h", 5),
    RegisterEntry(
        id="h1",
        kind="household",
        district="d",
        verified_at=NOW,
        facts=(Fact(name="f", value=1, start=DAY, source="s"),),
    ),
    Tie(
        id="t", type="x", party="p", scope="s", start=DAY, basis="b", consents=(Consent(side="party", by="p", at=NOW),)
    ),
    Version(start=DAY, value={"n": [1, "x", True]}, source="a", by="b"),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda p: type(p).__qualname__)
def test_a_part_comes_back_from_the_store_as_it_was_decided(part):
    stored = bson.encode(part.model_dump(mode="python"))
    document = bson.decode(stored, CodecOptions(tz_aware=True))
    assert type(part).model_validate(document) == part


@pytest.mark.parametrize("part", PARTS, ids=lambda p: type(p).__qualname__)
def test_a_part_reads_what_a_newer_version_wrote_and_cannot_be_edited(part):
    assert type(part).model_validate({**part.model_dump(mode="python"), "newer": 1}) == part
    with pytest.raises(ValidationError):
        setattr(part, next(iter(type(part).model_fields)), "changed")


def test_every_state_of_an_idea_is_tried_here():
    assert {type(p) for p in PARTS} >= {Deadline, Due, Custody, Link, Document, Account, Entry, RegisterEntry, Tie}


def test_a_day_is_not_an_instant_and_an_instant_has_a_zone():
    class Dated(Part):
        day: Day

    with pytest.raises(ValidationError):
        Dated(day=datetime(2026, 3, 3, tzinfo=UTC))
    with pytest.raises(ValidationError):
        Due(name="x", at=datetime(2026, 3, 3))
    assert Due(name="x", at="2026-03-03T09:00:00.123456+08:00").at == datetime(2026, 3, 3, 1, 0, 0, 123000, tzinfo=UTC)
