"""The rows of an accepted file, sealed, in portions: each is removed when it has been applied."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.chassis.runtime import Runtime

PORTIONS = "import_portions"
ROWS = 800  # of the file in one portion: applied in about a second
ABANDONED = timedelta(days=1)  # after which portions of a file that was never accepted are removed


def cut(records: Sequence[Any], rows_of: Any, most: int = ROWS) -> Iterator[list[Any]]:
    """Records in order, in portions of about ``most`` rows."""
    portion: list[Any] = []
    rows = 0
    for record in records:
        portion.append(record)
        rows += rows_of(record)
        if rows >= most:
            yield portion
            portion, rows = [], 0
    if portion:
        yield portion


class Portions:
    """The portions of all imports of this service."""

    def __init__(self, runtime: "Runtime") -> None:
        self._rows = runtime.database.collection(PORTIONS)
        self._sealing = runtime.sealing

    async def store(
        self, import_id: str, district: str, portions: Sequence[list[dict[str, Any]]], now: datetime
    ) -> None:
        """Keep every portion; the same again when repeated. What others left behind half-way is removed."""
        await self._rows.delete_many({"accepted": False, "at": {"$lt": now - ABANDONED}})
        for number, records in enumerate(portions):
            sealed = (await self._sealing.seal(district, {"rows": {"records": records}}))["rows"]
            row = {"import": import_id, "portion": number, "at": now, "accepted": False, "sealed": sealed}
            await self._rows.update_one({"_id": f"{import_id}|{number:06d}"}, {"$set": row}, upsert=True)

    async def accept(self, import_id: str) -> None:
        """The import exists: its portions stay until they are applied."""
        await self._rows.update_many({"import": import_id}, {"$set": {"accepted": True}})

    async def records(self, import_id: str, portion: int) -> list[dict[str, Any]] | None:
        """One portion, or None when it has been applied and removed."""
        row = await self._rows.find_one({"_id": f"{import_id}|{portion:06d}"})
        if row is None:
            return None
        records: list[dict[str, Any]] = (await self._sealing.unseal(row["sealed"]))["records"]
        return records

    async def remove(self, import_id: str, portion: int) -> None:
        """It has been applied."""
        await self._rows.delete_one({"_id": f"{import_id}|{portion:06d}"})


