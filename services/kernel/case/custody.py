"""Who answers for a case and who handles it.

The first receiver is *answerable* and stays so to the end (首接负责); the *handler* changes by an offer that is
accepted. What goes up must be replied to, and the reply is the asker's.

Invariants
* Someone is answerable and someone handles at every moment; what nobody received falls to the district.
* The handler changes by acceptance only, and never by the offer itself.
* What a party returned is not offered to it again unchanged. A ruling on disputed duty cannot be returned.
* Every question that went up stays open until it is replied to or returned with a reason; a case with one open does
  not close.
Source: practice of the residents' hotline: first receiver responsible, disputed duty settled on the spot, returns
counted.
"""

from datetime import datetime
from typing import Self

from pydantic import model_validator

from services.kernel.events import Refused
from services.kernel.values import Code, Instant, Part


class Party(Part):
    """Somebody who can answer or handle: a person in a unit, or a unit itself (then ``id`` and ``unit`` are equal)."""

    id: Code
    unit: Code

    @classmethod
    def of_unit(cls, unit: str) -> "Party":
        """The unit itself as a party."""
        return cls(id=unit, unit=unit)

    def may_act_for(self, other: "Party") -> bool:
        """A person acts for himself and for the unit he belongs to."""
        return self.id == other.id or self.unit == other.id


class Offer(Part):
    """``basis``: what is offered, as a number or hash that changes when the matter does. ``ruling``: cannot be
    returned. ``up``: a question to the level above, which owes a reply."""

    to: Party
    by: Party
    at: Instant
    basis: Code
    ruling: bool = False
    up: bool = False


class Question(Part):
    """Something that went up: ``asked`` owes ``asker`` a reply."""

    asker: Party
    asked: Party
    at: Instant


class Returned(Part):
    """A party gave back what it was offered on this basis."""

    party: Code
    basis: Code
    reason: Code


class Custody(Part):
    """State. ``returns`` counts every return, ``returned`` remembers each party and basis once.

    The question that an open upward offer carries is the last of ``questions``.
    """

    answerable: Party
    handler: Party
    offer: Offer | None = None
    questions: tuple[Question, ...] = ()
    returns: int = 0
    returned: tuple[Returned, ...] = ()

    @model_validator(mode="after")
    def _an_upward_offer_asks(self) -> Self:
        if self.offer and self.offer.up and [q.asked for q in self.questions[-1:]] != [self.offer.to]:
            raise ValueError("an upward offer without its question")
        return self


def received(by: Party | None, district: Party) -> Custody:
    """The first receiver is answerable and handles; without one, the district is and does."""
    first = by or district
    return Custody(answerable=first, handler=first)


def offered(custody: Custody, to: Party, by: Party, at: datetime, basis: str, ruling: bool = False) -> Custody:
    """The handler, or who is answerable, offers the handling to ``to``. A ``ruling`` may come from anyone whose role
    allows it, and takes the place of an offer that is open; a question that went up still wants its reply.

    Refused: ``offer-open``, ``offer-not-yours``, ``offer-to-self``, ``offer-unchanged``.
    """
    if custody.offer and not ruling:
        raise Refused("offer-open", "to", to=custody.offer.to.id)
    if not ruling and not (by.may_act_for(custody.handler) or by.may_act_for(custody.answerable)):
        raise Refused("offer-not-yours", "by", handler=custody.handler.id)
    _refuse_pointless(custody, to, basis, ruling)
    offer = Offer(to=to, by=by, at=at, basis=basis, ruling=ruling)
    return _with(custody, offer=offer)


def accepted(custody: Custody, by: Party) -> Custody:
    """``by`` takes over the handling it was offered, itself or for its unit. Refused: ``offer-none``,
    ``offer-not-yours``."""
    offer = _offer_to(custody, by)
    questions = custody.questions
    if offer.up:
        questions = (*questions[:-1], questions[-1].model_copy(update={"asked": by}))
    return _with(custody, handler=by, offer=None, questions=questions)


def returned(custody: Custody, by: Party, reason: str) -> Custody:
    """``by`` gives the offer back; the handler stays who it was. The reason of a returned question is its reply.

    Refused: ``offer-none``, ``offer-not-yours``, ``offer-final``, ``reason-missing``.
    """
    offer = _offer_to(custody, by)
    if offer.ruling:
        raise Refused("offer-final", "by")
    if not reason:
        raise Refused("reason-missing", "reason")
    entry = Returned(party=offer.to.id, basis=offer.basis, reason=reason)
    kept = tuple(r for r in custody.returned if (r.party, r.basis) != (entry.party, entry.basis))
    questions = custody.questions[:-1] if offer.up else custody.questions
    count = custody.returns + 1
    return _with(custody, offer=None, questions=questions, returns=count, returned=(*kept, entry))


def expired(custody: Custody) -> Custody:
    """Nobody answered the offer in time; the handler stays who it was. Refused: ``offer-none``, and ``offer-up`` for a
    question, which only goes further up, and ``offer-final`` for a ruling."""
    if custody.offer is None:
        raise Refused("offer-none", "offer")
    if custody.offer.up:
        raise Refused("offer-up", "offer")
    if custody.offer.ruling:
        raise Refused("offer-final", "offer")
    return _with(custody, offer=None)


def escalated(custody: Custody, ladder: tuple[str, ...], at: datetime, basis: str, by: Party | None = None) -> Custody:
    """Offer to the level above, which owes a reply. ``ladder``: ids of units from the lowest to the highest.

    Counted from whom the matter was last put to: a question that a level left lying goes to the next one, and the
    asker stays the same; any other open offer lapses. ``by`` is None when a clock did it; that a deadline was missed
    belongs in the ``basis``. Refused: ``level-unknown``, ``level-highest``, ``offer-not-yours``, ``offer-unchanged``,
    ``offer-final`` while a ruling waits for acceptance.
    """
    if by and not by.may_act_for(custody.handler):
        raise Refused("offer-not-yours", "by", handler=custody.handler.id)
    if custody.offer and custody.offer.ruling:
        raise Refused("offer-final", "offer")
    lying = custody.offer is not None and custody.offer.up
    last = custody.questions[-1].asked if lying else custody.handler
    to = Party.of_unit(level_above(ladder, last.unit))
    _refuse_pointless(custody, to, basis, ruling=False)
    offer = Offer(to=to, by=by or custody.handler, at=at, basis=basis, up=True)
    question = Question(asker=custody.handler, asked=to, at=offer.at)
    if lying:
        question = custody.questions[-1].model_copy(update={"asked": to})
    others = custody.questions[:-1] if lying else custody.questions
    return _with(custody, offer=offer, questions=(*others, question))


def replied(custody: Custody, by: Party) -> tuple[Custody, Question]:
    """``by`` answers the question it owes, the latest first; gives the question too, since the reply is its asker's.

    A reply without acceptance answers the offer as well. Refused: ``question-none``, ``question-not-yours``.
    """
    if not custody.questions:
        raise Refused("question-none", "by")
    owed = [i for i, q in enumerate(custody.questions) if by.id == q.asked.id or by.unit == q.asked.unit]
    if not owed:
        raise Refused("question-not-yours", "by", asked=[q.asked.id for q in custody.questions])
    last = owed[-1]
    questions = custody.questions
    left = (*questions[:last], *questions[last + 1 :])
    answers_offer = custody.offer is not None and custody.offer.up and last == len(questions) - 1
    return _with(custody, questions=left, offer=None if answers_offer else custody.offer), questions[last]


def refuse_unreplied(custody: Custody) -> None:
    """What a case asks before it closes. Refused: ``question-open``, ``offer-open``."""
    if custody.questions:
        raise Refused("question-open", "custody", asked=[q.asked.id for q in custody.questions])
    if custody.offer:
        raise Refused("offer-open", "custody", to=custody.offer.to.id)


def level_above(ladder: tuple[str, ...], unit: str) -> str:
    """The next unit up the ladder. Refused: ``level-unknown``, ``level-highest``."""
    if unit not in ladder:
        raise Refused("level-unknown", "unit", unit=unit)
    if ladder[-1] == unit:
        raise Refused("level-highest", "unit", unit=unit)
    return ladder[ladder.index(unit) + 1]


def _refuse_pointless(custody: Custody, to: Party, basis: str, ruling: bool) -> None:
    if to.id == custody.handler.id:
        raise Refused("offer-to-self", "to", to=to.id)
    if not ruling and any((r.party, r.basis) == (to.id, basis) for r in custody.returned):
        raise Refused("offer-unchanged", "basis", to=to.id)


def _offer_to(custody: Custody, by: Party) -> Offer:
    if custody.offer is None:
        raise Refused("offer-none", "offer")
    if not by.may_act_for(custody.offer.to):
        raise Refused("offer-not-yours", "by", to=custody.offer.to.id)
    return custody.offer


def _with(custody: Custody, **changes: object) -> Custody:
    return custody.model_copy(update=changes)
