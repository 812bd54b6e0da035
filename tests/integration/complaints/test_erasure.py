"""What is erased is gone from state, history, archive and every search; what was not named is still found."""

from typing import Any

import bson
import pytest

from services.chassis.runtime import Runtime
from services.complaints.api import public
from tests.integration.complaints.conftest import REPLY, Callers, Desk, recorded, through

PURPOSES = {"text", "reporter", "reply", "supplement"}
PHONE = "13900001234"


@pytest.fixture(autouse=True)
def _full_buckets() -> None:
    public.LOOKING._buckets.clear()


@pytest.fixture
def officer(as_: Callers) -> Desk:
    return as_("data-officer", "unit_d1")


@pytest.fixture
async def made(worker: Desk, runtime: Runtime) -> dict[str, Any]:
    """A concern with something sealed for four purposes, of which the oldest lies in the archive."""
    made = await recorded(worker)
    case = made["aggregate"]
    await through(worker, case, ("accept", None), ("take", None), ("supplement", {"text": "又漏了"}), ("solve", REPLY))
    history = runtime.histories["case"]
    history.archive.longest, history.archive.kept = 5, 2
    document = await history.collection.find_one({"_id": case})
    assert document is not None
    await history.archive.cut(history.collection, document)
    assert await history.archive.collection.count({}) == 1
    return made


async def blobs_at_rest(runtime: Runtime, case: str) -> dict[str, set[bytes]]:
    """Every sealed blob of the concern by purpose, wherever it lies."""
    document = await runtime.database.collection("case").find_one({"_id": case})
    assert document is not None
    entries = await runtime.histories["case"].entries(case, scope=None)
    found: dict[str, set[bytes]] = {}
    for sealed in (document["sealed"], *(entry.get("private", {}) for entry in entries)):
        for purpose, blob in sealed.items():
            found.setdefault(purpose, set()).add(bytes(blob))
    return found


async def whole_database(runtime: Runtime) -> bytes:
    names = await runtime.database.collection_names()
    return b"".join([bson.encode(one) for name in names for one in await runtime.database.collection(name).find({})])


async def found_by(worker: Desk, anyone: Desk, made: dict[str, Any]) -> dict[str, Any]:
    """What still leads to the concern, and what it then tells."""
    by_phone = (await worker.get("/cases/by-phone?because=来电", linli_phone=PHONE)).json()["items"]
    follows = await anyone.get(f"/public/cases/{made['code']}", linli_phone_tail=PHONE[-4:])
    page = (await worker.get(f"/cases/{made['aggregate']}")).json()
    return {
        "by phone": [one["id"] for one in by_phone] == [made["aggregate"]],
        "by code and tail": follows.status_code == 200,
        "reply to the resident": follows.status_code == 200 and "reply" in follows.json(),
        "subject": page["subject"] == "厨房水管漏水",
        "askable": page["askable"],
        "sealed": set(page["sealed"]),
    }


ALL_FOUND = {
    "by phone": True, "by code and tail": True, "reply to the resident": True, "subject": True, "askable": True,
    "sealed": PURPOSES,
}  # fmt: skip
LOST: dict[str, dict[str, Any]] = {
    "text": {"subject": False},
    "reporter": {"by phone": False, "by code and tail": False, "reply to the resident": False, "askable": False},
    "reply": {"reply to the resident": False},
    "supplement": {},
}


@pytest.mark.mechanism("INF-20")
@pytest.mark.parametrize("purpose", sorted(PURPOSES))
async def test_each_purpose_goes_whole_and_alone(
    worker: Desk, officer: Desk, anyone: Desk, runtime: Runtime, made: dict[str, Any], purpose: str
) -> None:
    case = made["aggregate"]
    before = await blobs_at_rest(runtime, case)
    assert before.keys() == PURPOSES
    assert await found_by(worker, anyone, made) == ALL_FOUND
    answer = await officer.post(f"/cases/{case}/erase", {"purposes": [purpose]})
    assert answer.status_code == 200, answer.text
    at_rest = await whole_database(runtime)
    for name, blobs in before.items():
        assert [blob in at_rest for blob in blobs] == [name != purpose] * len(blobs), name
    assert await found_by(worker, anyone, made) == ALL_FOUND | LOST[purpose] | {"sealed": PURPOSES - {purpose}}
    for name in PURPOSES:
        read = await worker.get(f"/cases/{case}/sealed/{name}?because=核对")
        assert read.status_code == (404 if name == purpose else 200), name


async def test_everything_erased_leaves_nothing_sealed_and_says_so(
    worker: Desk, officer: Desk, runtime: Runtime, made: dict[str, Any]
) -> None:
    case = made["aggregate"]
    await through(officer, case, ("erase", {"purposes": sorted(PURPOSES)}))
    assert await blobs_at_rest(runtime, case) == {}
    document = await runtime.database.collection("case").find_one({"_id": case})
    assert document is not None and document["keys"].keys() == {"code"}
    assert (document["state"]["subject"], document["state"]["resident"]) == ("", None)
    last = (await worker.get(f"/cases/{case}/history")).json()["items"][-1]
    assert (last["type"], last["data"]) == ("case.redacted.v1", {"purposes": sorted(PURPOSES)})
