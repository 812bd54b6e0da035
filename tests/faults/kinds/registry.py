"""What a kind of fault is: how it is brought about and ended, upon what, and what a run needs for it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tests.faults.ground import Ground

Act = Callable[[Ground, str], AbstractContextManager[None]]
KINDS: dict[str, "Kind"] = {}


@dataclass(frozen=True)
class Fault:
    """One fault: its kind, what it is done to, and for how many seconds before it is ended."""

    kind: str
    program: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.kind} {self.program}" + (f" {self.seconds:g} s" if self.seconds else "")


@dataclass(frozen=True)
class Kind:
    """``act`` is entered to bring it about and left to end it: then whatever was taken away is back.

    ``targets``: upon what it can be done in this system; none: it cannot. ``why_not``: what it needs, if none.
    ``alone``: nothing else at the same time. ``backlog``: it leaves a backlog of its own making, so the time until
    what is new comes through says nothing; the rate at which it drains does.
    """

    act: Act
    targets: Callable[[Ground], list[str]]
    why_not: str
    seconds: tuple[float, float]
    alone: bool
    backlog: bool


def kind(
    name: str,
    targets: Callable[[Ground], list[str]],
    *,
    why_not: str = "",
    seconds: tuple[float, float] = (0.0, 0.0),
    alone: bool = False,
    backlog: bool = False,
) -> Callable[[Callable[[Ground, str], Iterator[None]]], None]:
    """Adds a kind: a generator that brings the fault about, yields, and ends it."""

    def add(act: Callable[[Ground, str], Iterator[None]]) -> None:
        KINDS[name] = Kind(contextmanager(act), targets, why_not, seconds, alone, backlog)

    return add
