"""The breaker: when too much is parked, the fault is ours, and the stream stops before a topic is drained."""

from collections import deque
from dataclasses import dataclass

IN_A_ROW = 50
WINDOW = 200  # last events judged
SHARE = 0.5


@dataclass(frozen=True)
class Limits:
    """How much may be parked: ``in_a_row`` events, or ``share`` of the last ``window``."""

    in_a_row: int = IN_A_ROW
    window: int = WINDOW
    share: float = SHARE


class Breaker:
    """Counts what was applied and what was parked for a fault of its own.

    Gaps and what waits behind a parked event do not count: they say nothing about this deployment.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._row = 0
        self._last: deque[bool] = deque(maxlen=self._limits.window)
        self._parked = 0
        self.reason = ""

    @property
    def open(self) -> bool:
        """Whether the stream must stand still."""
        return bool(self.reason)

    def passed(self) -> None:
        """One event was applied."""
        self._row = 0
        self._count(False)

    def parked(self, code: str) -> None:
        """One event was parked for a fault; ``code`` of the one that opens the breaker is told to the operator."""
        self._row += 1
        self._count(True)
        if self._row >= self._limits.in_a_row:
            self.reason = f"{self._row} events in a row were parked, the last with {code}"
        elif len(self._last) == self._limits.window and self._parked > self._limits.share * self._limits.window:
            self.reason = f"{self._parked} of the last {self._limits.window} events were parked, the last with {code}"

    def close(self) -> None:
        """Begin again with a clean count."""
        self._row = self._parked = 0
        self._last.clear()
        self.reason = ""

    def _count(self, parked: bool) -> None:
        if len(self._last) == self._last.maxlen:
            self._parked -= self._last[0]
        self._last.append(parked)
        self._parked += parked
