"""What complaints reads of others' events."""

from services.chassis.contracts.wire import Reader


class OrderOver(Reader):
    """``linli.volunteers.order.confirmed.v1`` and ``.cancelled.v1``."""

    case: str | None = None


class OrderTurnedDown(Reader):
    """``linli.volunteers.order.declined.v1`` and ``.expired.v1``. ``last``: nobody else is left to ask."""

    case: str | None = None
    last: bool


class StaffEnded(Reader):
    """``linli.directory.staff.ended.v1``: ``person`` is the one whom tokens name."""

    person: str
    unit: str


class UnitMoved(Reader):
    """``linli.directory.unit.moved.v1``: the chassis knows the rest."""


class ImportGoesOn(Reader):
    """Our own ``import.accepted.v1`` and ``import.advanced.v1``, come back: time for the next portion."""

    portion: int = -1
