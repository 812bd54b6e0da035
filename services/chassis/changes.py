"""The change stream of a service's aggregates: which changes carry events, and when a stream cannot go on.

Only inserts, and updates that set ``out``, are events. ``history`` must not be matched: its paths come in many shapes,
and moving its head to the archive or erasing a sealed value would publish again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo.change_stream import DatabaseChangeStream
from pymongo.database import Database
from pymongo.errors import OperationFailure

from services.chassis.positions import Token

AWAIT_MS = 500
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


class Changes:
    """An open stream. Not safe for use by several threads."""

    def __init__(self, stream: DatabaseChangeStream[dict[str, Any]]) -> None:
        self._stream = stream

    def next(self) -> dict[str, Any] | None:
        """The next change that carries events, or None when there is none now. Raises TokenLost, PyMongoError."""
        try:
            change = self._stream.try_next()
        except OperationFailure as error:
            raise _lost_or_same(error) from error
        if change is None and not self._stream.alive:
            raise TokenLost("invalidated")
        return change

    def token(self) -> Token:
        """Where the stream stands: everything before has been returned. Raises TokenLost when nobody can say."""
        token = self._stream.resume_token
        if token is None:
            raise TokenLost("no token")
        return token


@contextmanager
def following(database: Database[dict[str, Any]], aggregates: Sequence[str], token: Token | None) -> Iterator[Changes]:
    """The changes after ``token``, or from now on. Raises TokenLost when the server has forgotten the token."""
    try:
        stream = database.watch(pipeline(aggregates), resume_after=token, max_await_time_ms=AWAIT_MS, batch_size=2000)
    except OperationFailure as error:
        raise _lost_or_same(error) from error
    with stream:
        yield Changes(stream)


def _lost_or_same(error: OperationFailure) -> Exception:
    return TokenLost(str(error.code)) if error.code in LOST else error
