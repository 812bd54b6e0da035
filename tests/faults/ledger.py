"""What was asked from outside and what was answered: written down by those who ask, so that it can be held against the
system afterwards."""

import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Asked:
    """One request that was to change something. Its repeats are the same request: same key, same trace.

    ``trace`` is a W3C trace id of its own, which every entry that the request causes must carry. ``status`` is the
    final answer's, 0 when none came before patience ended: then it may have been applied, once, or not.
    """

    trace: str
    key: str
    by: str
    service: str
    path: str
    began: float  # epoch seconds, as ``answered``
    status: int = 0
    answered: float = 0.0
    aggregate: str = ""
    seq: int = 0
    code: str = ""  # of a problem document
    troubles: list[str] = field(default_factory=list)  # what came instead of an answer before it was repeated

    @property
    def accepted(self) -> bool:
        """Whether it was answered 2xx: from then on it must never be lost."""
        return 200 <= self.status < 300


class Ledger:
    """All requests of one run, and a file of them (JSON lines) that is written as they are answered."""

    def __init__(self, file: Path | None = None) -> None:
        self.asked: list[Asked] = []
        self.pages: list[tuple[str, str]] = []  # what came instead of a page, with its path
        self.seconds: dict[int, Counter[str]] = defaultdict(Counter)  # by epoch second: answers and troubles
        self._file = file.open("w", encoding="utf-8") if file else None

    def trouble(self, asked: Asked | None, path: str, what: str) -> None:
        """Instead of an answer came this; ``asked`` is None for a page."""
        self.seconds[int(time.time())][what] += 1
        if asked:
            asked.troubles.append(what)
        else:
            self.pages.append((path, what))

    def begin(self, by: str, service: str, path: str) -> Asked:
        """A new request is about to be sent."""
        asked = Asked(os.urandom(16).hex(), os.urandom(16).hex(), by, service, path, time.time())
        self.asked.append(asked)
        return asked

    def end(self, asked: Asked, status: int, told: Any) -> None:
        """Its final answer is here (0: nobody waits for it any longer)."""
        asked.status, asked.answered = status, time.time()
        self.seconds[int(asked.answered)]["accepted" if asked.accepted else f"ended {status}"] += 1
        if isinstance(told, dict):
            asked.aggregate, asked.seq = told.get("aggregate", ""), told.get("seq", 0)
            asked.code = told.get("code", "") if status >= 400 else ""
        if self._file:
            self._file.write(json.dumps(asdict(asked)) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Nothing more is written."""
        if self._file:
            self._file.close()


def counts(asked: Iterable[Asked]) -> dict[str, int]:
    """How many were accepted, refused, left without an answer; and how often requests had to be repeated."""
    told = {"asked": 0, "accepted": 0, "refused": 0, "unanswered": 0, "repeats": 0}
    for one in asked:
        told["asked"] += 1
        told["accepted"] += one.accepted
        told["refused"] += 400 <= one.status < 500
        told["unanswered"] += one.status == 0
        told["repeats"] += len(one.troubles)
    return told
