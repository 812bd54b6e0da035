"""Every kind of fault, by its name."""

from tests.faults.kinds import events, processes, servers, times, wires
from tests.faults.kinds.registry import KINDS, Fault, Kind

__all__ = ["KINDS", "Fault", "Kind", "events", "processes", "servers", "times", "wires"]
