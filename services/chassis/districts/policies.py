"""What districts have decided: a projection of the directory's published policies in every service."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from pymongo import UpdateOne

from services.chassis.contracts.wire import Reader
from services.chassis.districts.units import Units
from services.chassis.errors import Unavailable
from services.chassis.storage.driver import Database, Document, is_passing
from services.kernel.events import Refused
from services.kernel.policy import Version, version_on

if TYPE_CHECKING:
    from services.chassis.consuming.reactions import Doing, Reactions

POLICIES = "policies"
OPERATOR = ""  # the unit above all: the defaults of whoever runs the system
CACHED = 4.0  # seconds; with LOOKING, another process' copy is at most 5 s old
LOOKING = 1.0  # seconds for which the others go by what is known while one looks again
T = TypeVar("T")


class Published(Reader):
    """``linli.directory.policy.published.v1``: from ``day`` on, ``value`` holds for ``unit`` and what is below it."""

    key: str
    unit: str
    value: Any = None
    day: date = Field(alias="from")
    source: str = ""


@dataclass(frozen=True)
class InForce:
    """A decided value, who decided it, from when and on what ground."""

    value: Any
    unit: str
    since: date
    source: str


def read_as(shape: TypeAdapter[T], key: str, decided: InForce) -> T:
    """The value in the form that a service reads.

    Refused: ``policy-unsound`` for one that this version cannot read, with the key, the unit that decided it, the day
    from which it holds, and the place in it. It is refused where it is published; one that was published before its
    shape was known, or by a newer version, can still be met here.
    """
    try:
        return shape.validate_python(decided.value)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_url=False, include_input=False)[0]["loc"]))
    except Refused as refused:
        place = refused.field
    since, unit = decided.since.isoformat(), decided.unit or "operator"
    raise Refused("policy-unsound", key=key, unit=unit, since=since, at=place or "value")


class Policies:
    """The policies of one service's process."""

    def __init__(self, database: Database, units: Units) -> None:
        self._policies = database.collection(POLICIES)
        self._units = units
        self._known: dict[str, tuple[float, dict[str, list[Version]]]] = {}
        self._looking: set[str] = set()

    async def ensure_indexes(self) -> None:
        """Indexes of the projection."""
        await self._policies.ensure_indexes(("key",))

    async def value(self, key: str, unit: str, day: date) -> Any:
        """The value in force that day for the unit: the nearest on its path that has decided.

        ``unit`` "" asks for the operator's default. Raises Refused("parameter-not-set"), UnitUnknown, Unavailable.
        """
        return (await self.in_force(key, unit, day)).value

    async def read(self, key: str, unit: str, day: date, shape: TypeAdapter[T]) -> T:
        """As ``value``, in the form that the service reads. Raises Refused("policy-unsound") as well."""
        return read_as(shape, key, await self.in_force(key, unit, day))

    async def in_force(self, key: str, unit: str, day: date) -> InForce:
        """As ``value``, with who decided it, since when and on what ground."""
        versions = await self._versions(key)
        path = (await self._units.get(unit)).path if unit != OPERATOR else ()
        for decider in (*reversed(path), OPERATOR):
            version = version_on(versions.get(decider, ()), day)
            if version is not None:
                return InForce(version.value, decider, version.start, version.source)
        raise Refused("parameter-not-set", "key", key=key, day=day.isoformat())

    async def apply(self, policy: str, seq: int, type_: str, data: Mapping[str, Any]) -> None:
        """Take over one event of a policy: ``type_`` as in ``policy.published.v1``, ``data`` as published.

        Of two values for the same day the later one holds. Idempotent and indifferent to order; the directory calls it
        for its own writes too. Events of other types change nothing here.
        """
        if type_.rsplit(".", 1)[0] == "policy.published":
            event = Published.model_validate(data)
            await self._policies.bulk_write([_write(policy, seq, event)])
            self._known.pop(event.key, None)

    async def react(self, event: Published, do: "Doing") -> None:
        """Take over one event that came by Kafka."""
        await do.write(POLICIES, _write(do.envelope.subject, do.envelope.sequence, event))
        self._known.pop(event.key, None)

    async def _versions(self, key: str) -> dict[str, list[Version]]:
        """Unit to its versions."""
        cached = self._known.get(key)
        if cached is not None and time.monotonic() < cached[0] + (LOOKING if key in self._looking else 0):
            return cached[1]
        self._looking.add(key)
        try:
            found = await self._policies.find({"key": key})
        except Exception as error:
            if is_passing(error):
                raise Unavailable() from error
            raise
        finally:
            self._looking.discard(key)
        versions: dict[str, list[Version]] = defaultdict(list)
        for row in found:
            versions[row["unit"]].append(_version(row))
        self._known[key] = (time.monotonic() + CACHED, dict(versions))
        return self._known[key][1]


def _version(row: Document) -> Version:
    """As it was published: the directory has checked it."""
    start = date.fromisoformat(row["from"])
    return Version.model_construct(start=start, value=row["value"], source=row["source"], by="", end=None)


def _write(policy: str, seq: int, event: Published) -> UpdateOne:
    since = event.day.isoformat()
    version = {"key": event.key, "unit": event.unit, "from": since, "value": event.value, "source": event.source}
    version["seq"] = seq
    is_later = {"$gt": [seq, {"$ifNull": ["$seq", -1]}]}
    kept = {name: {"$cond": [is_later, {"$literal": value}, f"${name}"]} for name, value in version.items()}
    return UpdateOne({"_id": f"{policy}|{since}"}, [{"$set": kept}], upsert=True)


def policy_reactions(service: str) -> "Reactions":
    """What every service does with the directory's events of policies."""
    from services.chassis.consuming.reactions import Doing, Reactions

    reactions = Reactions(service)

    @reactions.on("linli.directory.policy.published.v1")
    async def policy_published(event: Published, do: Doing) -> None:
        await do.runtime.policies.react(event, do)

    return reactions
