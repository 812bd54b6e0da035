"""Closed hours of real time, by the database's own clock: the domain's clock may be moved, this one may not."""

from dataclasses import dataclass
from datetime import UTC, datetime

from services.chassis.storage.driver import Database


@dataclass(frozen=True)
class Hours:
    """Stretches of ``length`` seconds since 1970, each closed ``grace`` seconds after its end.

    Within the grace a slow write is acknowledged by the majority and an event reaches topic and consumers. An hour is
    named by the second in which it begins.
    """

    length: int = 3600
    grace: int = 300

    def of(self, second: int) -> int:
        """The hour in which a second lies."""
        return second - second % self.length

    def closed(self, now: int) -> int:
        """The end of the last closed hour: everything written before is to be applied everywhere."""
        return self.of(now - self.grace)

    def between(self, since: int, until: int) -> list[int]:
        """The hours from ``since`` to before ``until``, oldest first."""
        return list(range(self.of(since), until, self.length))


async def server_seconds(database: Database) -> int:
    """Seconds since 1970 by the database's clock, from which ``changed`` comes. Raises PyMongoError."""
    reply = await database.command({"ping": 1})
    return int(reply["operationTime"].time)


def instant(second: int) -> datetime:
    """The instant of a second since 1970, UTC."""
    return datetime.fromtimestamp(second, UTC)
