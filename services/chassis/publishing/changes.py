"""The change stream of a service's aggregates: which changes carry events, and when a stream cannot go on.

A thread of its own reads ahead, so that MongoDB prepares the next changes while the present ones are being published.

Only inserts, and updates that set ``out``, are events. ``history`` must not be matched: its paths come in many shapes,
and moving its head to the archive or erasing a sealed value would publish again.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from pymongo.change_stream import ChangeStream
from pymongo.database import Database
from pymongo.errors import OperationFailure

from services.chassis.publishing.positions import Token

AWAIT_MS = 500
PORTION = 500  # changes for one permit
PORTIONS = 8  # that may lie read and not taken
# ChangeStreamHistoryLost, CappedPositionLost, ChangeStreamFatalError, InvalidResumeToken: the token is of no more use.
LOST = frozenset({286, 136, 280, 260})


class TokenLost(Exception):
    """The stream cannot be resumed from this token; read the aggregates again. ``str()`` is the server's code."""


def pipeline(aggregates: Sequence[str]) -> list[dict[str, Any]]:
    """What passes, and the little of it that is needed: the id, the collection, the server's time and ``out``."""
    carries_events = [
        {"operationType": "insert"},
        {"operationType": "update", "updateDescription.updatedFields.out": {"$exists": True}},
    ]
    return [
        {"$match": {"ns.coll": {"$in": list(aggregates)}, "$or": carries_events}},
        {
            "$project": {
                "ns.coll": 1,
                "documentKey._id": 1,
                "clusterTime": 1,
                "out": {"$ifNull": ["$fullDocument.out", "$updateDescription.updatedFields.out"]},
            }
        },
    ]


class Idle(NamedTuple):
    """Nothing to publish before ``token``, as of the monotonic instant ``asked``."""

    token: Token
    asked: float


class Ahead:
    """The changes of an open stream, read ahead. One thread takes them."""

    def __init__(self, stream: ChangeStream[dict[str, Any]]) -> None:
        self._stream = stream
        self._read: SimpleQueue[dict[str, Any] | Idle | Exception] = SimpleQueue()
        self._permits = threading.Semaphore(PORTIONS)
        self._taken = 0
        self._closing = False
        self._thread = threading.Thread(target=self._read_ahead, name="changes", daemon=True)
        self._thread.start()

    def take(self, seconds: float) -> dict[str, Any] | Idle | None:
        """The next change that carries events, or that there is none; None when nothing is known within ``seconds``.

        Raises TokenLost, or what PyMongo raised.
        """
        try:
            found = self._read.get(timeout=seconds)
        except Empty:
            return None
        if isinstance(found, Exception):
            raise found
        if not isinstance(found, Idle):
            self._taken += 1
            if self._taken % PORTION == 0:
                self._permits.release()
        return found

    def close(self) -> None:
        """Stop reading and wait for the thread."""
        self._closing = True
        self._permits.release()
        self._thread.join()

    def _read_ahead(self) -> None:
        count = 0
        try:
            while not self._closing:
                asked = time.monotonic()
                change = self._stream.try_next()
                if change is None:
                    self._read.put(Idle(_token(self._stream), asked))
                    continue
                self._read.put(change)
                count += 1
                if count % PORTION == 0:
                    self._permits.acquire()
        except OperationFailure as error:
            self._read.put(_lost_or_same(error))
        except Exception as error:  # noqa: BLE001 - raised where changes are taken
            self._read.put(error)


def present_token(database: Database[dict[str, Any]], aggregates: Sequence[str]) -> Token:
    """Where the stream stands now: everything after it will be seen by whoever follows from it."""
    with _opened(database, aggregates, None) as stream:
        return _token(stream)


@contextmanager
def following(database: Database[dict[str, Any]], aggregates: Sequence[str], token: Token) -> Iterator[Ahead]:
    """The changes after ``token``. Raises TokenLost when the server has forgotten it."""
    with _opened(database, aggregates, token) as stream:
        ahead = Ahead(stream)
        try:
            yield ahead
        finally:
            ahead.close()


def _opened(
    database: Database[dict[str, Any]], aggregates: Sequence[str], token: Token | None
) -> ChangeStream[dict[str, Any]]:
    try:
        return database.watch(pipeline(aggregates), resume_after=token, max_await_time_ms=AWAIT_MS, batch_size=2000)
    except OperationFailure as error:
        raise _lost_or_same(error) from error


def _token(stream: ChangeStream[dict[str, Any]]) -> Token:
    token = stream.resume_token
    if token is None or not stream.alive:
        raise TokenLost("invalidated")
    return token


def _lost_or_same(error: OperationFailure) -> Exception:
    return TokenLost(str(error.code)) if error.code in LOST else error
