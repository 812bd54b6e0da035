"""The echo wall (居民回音壁): a public text of its own, released by a named person, never the resident's own words."""

from datetime import datetime

from services.complaints.domain import commands as c
from services.complaints.domain import events as e
from services.complaints.domain.state import Case
from services.kernel.document import Document, Kind, drafted, released, withdrawn
from services.kernel.events import Happened, Refused

WALL = Kind(name="echo_wall", version=1, fields=("question", "answer"), required=("question", "answer"))


def release(state: Case, command: c.Release, now: datetime) -> list[Happened]:
    """Hang the text on the wall once there is an outcome; a new one takes the place of the one that hangs.

    Refused: ``outcome-missing``, ``unmasked-number``, ``field-missing``, ``subject-releases``.
    """
    if state.outcome is None:
        raise Refused("outcome-missing", "outcome")
    document, _ = hung(state, command.by.id, command.question, command.answer, now)
    assert document.hash is not None, "released documents are frozen"
    event = e.CaseAnswerReleased(
        category=state.category, level=state.level, hash=document.hash, released_by=command.by.id
    )
    return [Happened(event.showing(command.question, command.answer))]


def withdraw(state: Case, command: c.Withdraw, now: datetime) -> list[Happened]:
    """Take it off. Refused: ``reason-unknown``, ``wall-empty``."""
    command.rules.refuse_reason("withdraw", command.reason)
    if state.wall is None or not state.on_wall:
        raise Refused("wall-empty")
    withdrawn(state.wall.document, command.reason, now)
    return [Happened(e.CaseAnswerWithdrawn(reason=command.reason))]


def hung(state: Case, by: str, question: str, answer: str, at: datetime) -> tuple[Document, dict[str, str]]:
    """The released document and its texts."""
    fields = {"question": question, "answer": answer}
    return released(drafted(WALL, by, state.resident), WALL, fields, by, at), fields
