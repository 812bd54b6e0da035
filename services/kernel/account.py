"""Account (账户): a quantity of one kind of one owner, changed by entries only.

The kind says what is counted, in whole numbers of its smallest unit: ``fen``, ``minutes``, ``points``, ``items``.

Invariants
* The legs of an entry sum to zero per kind, and no leg is zero; the other side is an account too, if only the one for
  what was earned outside.
* balance − held ≥ floor at every moment; the floor is 0 unless permitted otherwise.
* An entry is never edited. It is reversed once at most, by a counter-entry of its own. One cause posts once.
* Kinds are never mixed, a purpose stays inside the account's, a closed period stays closed.
* Where duties are separated, who proposes an entry does not release it.
Source: rules on volunteer service records of 2021 (time actually given; correction on request); double entry.
"""

from collections import Counter
from datetime import datetime
from typing import Literal, Self

from pydantic import Field, StrictInt, model_validator

from services.kernel.events import Refused
from services.kernel.values import Code, Instant, Part


class Leg(Part):
    """``n`` of ``kind`` into ``account``; out of it when negative."""

    account: Code
    kind: Code
    n: StrictInt


class Entry(Part):
    """``cause``: the id of what it is posted for. ``reverses``: the entry that this one takes back."""

    id: Code
    cause: Code
    purpose: Code
    legs: tuple[Leg, ...]
    by: Code
    at: Instant
    released_by: Code | None = None
    reverses: Code | None = None

    @model_validator(mode="after")
    def _balanced(self) -> Self:
        sums: Counter[str] = Counter()
        for leg in self.legs:
            if leg.n == 0:
                raise Refused("leg-zero", "legs")
            sums[leg.kind] += leg.n
        if len(self.legs) < 2 or any(sums.values()):
            raise Refused("legs-unbalanced", "legs", sums=dict(sums))
        if len({leg.account for leg in self.legs}) < len(self.legs):
            raise Refused("leg-account-twice", "legs")
        return self


class Posted(Part):
    """What the account remembers of an entry."""

    entry: Code
    cause: Code
    n: int
    reversed_by: Code | None = None


class Hold(Part):
    """``n`` set aside under an id of its own."""

    id: Code
    n: int


class Account(Part):
    """State: of one owner, kind and period. ``purposes``: what entries may be for; empty for any."""

    id: Code
    owner: Code
    kind: Code
    period: Code
    purposes: tuple[Code, ...] = ()
    floor: int = 0
    balance: int = 0
    holds: tuple[Hold, ...] = ()
    posted: tuple[Posted, ...] = ()
    stage: Literal["open", "closed"] = "open"
    separated: bool = False

    @property
    def held(self) -> int:
        """What is set aside."""
        return sum(hold.n for hold in self.holds)

    @property
    def available(self) -> int:
        """What may still go out."""
        return self.balance - self.held - self.floor


class Opening(Part):
    """The terms of a new account. ``carried``: what comes over from the closed period before."""

    id: Code
    owner: Code
    kind: Code
    period: Code
    purposes: tuple[Code, ...] = ()
    floor: StrictInt = 0
    separated: bool = False
    carried: StrictInt = Field(default=0)


def opened(terms: Opening) -> Account:
    """Refused: ``below-floor`` when what is carried over is less than the floor permits."""
    account = Account(**terms.model_dump(exclude={"carried"}), balance=terms.carried)
    return _above_floor(account)


def held(account: Account, hold: str, n: int) -> Account:
    """Set ``n`` aside. Refused: ``account-closed``, ``amount-not-positive``, ``hold-known``, ``below-floor``."""
    _require_open(account)
    if n < 1:
        raise Refused("amount-not-positive", "n")
    if any(h.id == hold for h in account.holds):
        raise Refused("hold-known", "hold", hold=hold)
    return _above_floor(_with(account, holds=(*account.holds, Hold(id=hold, n=n))))


def let_go(account: Account, hold: str) -> Account:
    """Free what was set aside, to be spent or not. Refused: ``account-closed``, ``hold-unknown``."""
    _require_open(account)
    if all(h.id != hold for h in account.holds):
        raise Refused("hold-unknown", "hold", hold=hold)
    return _with(account, holds=tuple(h for h in account.holds if h.id != hold))


def post(account: Account, entry: Entry) -> Account:
    """The account after its leg of ``entry``.

    Refused: ``account-closed``, ``leg-missing``, ``kind-mixed``, ``purpose-foreign``, ``cause-posted``,
    ``release-missing``, ``release-by-proposer``, ``below-floor``; for a counter-entry ``entry-unknown``,
    ``entry-reversed``, ``entry-not-countered``.
    """
    _require_open(account)
    leg = next((leg for leg in entry.legs if leg.account == account.id), None)
    if leg is None:
        raise Refused("leg-missing", "legs", account=account.id)
    if leg.kind != account.kind:
        raise Refused("kind-mixed", "legs", kind=account.kind)
    if account.purposes and entry.purpose not in account.purposes:
        raise Refused("purpose-foreign", "purpose", purpose=entry.purpose)
    _check_release(account, entry)
    if any(p.entry == entry.id or p.cause == entry.cause for p in account.posted):
        raise Refused("cause-posted", "cause", cause=entry.cause)
    posted = account.posted
    if entry.reverses is not None:
        posted = _marked(account, entry.reverses, entry.id, leg.n)
    posted = (*posted, Posted(entry=entry.id, cause=entry.cause, n=leg.n))
    return _above_floor(_with(account, balance=account.balance + leg.n, posted=posted))


def counter(entry: Entry, id: str, by: str, at: datetime, released_by: str | None = None) -> Entry:
    """The entry that takes ``entry`` back: its legs turned round. A counter-entry has none of its own.

    Refused: ``counter-of-counter``.
    """
    if entry.reverses is not None:
        raise Refused("counter-of-counter", "id", entry=entry.id)
    legs = tuple(leg.model_copy(update={"n": -leg.n}) for leg in entry.legs)
    return Entry(
        id=id,
        cause=f"reversal of {entry.id}",
        purpose=entry.purpose,
        legs=legs,
        by=by,
        at=at,
        released_by=released_by,
        reverses=entry.id,
    )


def closed(account: Account) -> Account:
    """No entry any more. Refused: ``account-closed``, ``hold-open``."""
    _require_open(account)
    if account.holds:
        raise Refused("hold-open", "holds", holds=[h.id for h in account.holds])
    return _with(account, stage="closed")


def _check_release(account: Account, entry: Entry) -> None:
    if not account.separated:
        return
    if entry.released_by is None:
        raise Refused("release-missing", "released_by")
    if entry.released_by == entry.by:
        raise Refused("release-by-proposer", "released_by")


def _marked(account: Account, reversed_entry: str, by: str, n: int) -> tuple[Posted, ...]:
    """What is posted, with that entry marked as taken back by ``by``."""
    found = next((p for p in account.posted if p.entry == reversed_entry), None)
    if found is None:
        raise Refused("entry-unknown", "reverses", entry=reversed_entry)
    if found.reversed_by is not None:
        raise Refused("entry-reversed", "reverses", entry=reversed_entry)
    if found.n != -n:
        raise Refused("entry-not-countered", "legs", entry=reversed_entry)
    marked = found.model_copy(update={"reversed_by": by})
    return tuple(marked if p is found else p for p in account.posted)


def _require_open(account: Account) -> None:
    if account.stage != "open":
        raise Refused("account-closed", "period", period=account.period)


def _above_floor(account: Account) -> Account:
    if account.available < 0:
        raise Refused("below-floor", "n", available=account.available)
    return account


def _with(account: Account, **changes: object) -> Account:
    return account.model_copy(update=changes)
