"""What somebody may do to a concern now: each step is tried as it would be taken, so the list and the refusal agree."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.complaints.domain import commands as c
from services.complaints.domain.decide import decide
from services.complaints.domain.rules import Purpose, Rules
from services.complaints.domain.state import Case
from services.kernel.case.custody import Party
from services.kernel.events import Refused

WORDS = "…"  # any text will do: whether a step is open does not hang on what somebody writes
SOMEBODY = "?"  # to whom it was never offered


@dataclass(frozen=True, slots=True)
class Taker:
    """Who asks: as a party of the concern, with roles for the workflow and permissions for the routes."""

    by: Party
    roles: frozenset[str]
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Try:
    """A step as ``taker`` would take it, with what anybody may give."""

    state: Case
    rules: Rules
    taker: Taker

    def plain(self, kind: Callable[..., Any], *more: Any) -> list[Any]:
        return [kind(self.rules, self.taker.by, self.taker.roles, *more)]

    def dispatch(self, ruling: bool) -> list[Any]:
        return self.plain(c.Dispatch, Party(id=SOMEBODY, unit=self.taker.by.unit), ruling)

    def reasons(self, purpose: Purpose) -> list[str]:
        """One of the district's reasons: any of them will do, and without one the step cannot be taken."""
        return [reason.code for reason in self.rules.reasons.get(purpose, ())[:1]]

    def reasoned(self, kind: Callable[..., Any], purpose: Purpose) -> list[Any]:
        return [one for why in self.reasons(purpose) for one in self.plain(kind, why)]

    def escalate(self) -> list[Any]:
        return [c.Escalate(self.rules, self.taker.by, why) for why in self.reasons("escalate")]

    def reopen(self) -> list[Any]:
        return [c.Reopen(self.rules, self.taker.roles, why, self.taker.by) for why in self.reasons("reopen")]

    def waive(self) -> list[Any]:
        refs = [link.ref for link in self.state.orders]
        return [c.Waive(self.rules, self.taker.by, ref, why) for ref in refs for why in self.reasons("waive")]

    def withdraw(self) -> list[Any]:
        return [c.Withdraw(self.rules, self.taker.by, why) for why in self.reasons("withdraw")]


STEPS: dict[str, tuple[tuple[str, ...], Callable[[_Try], list[Any]]]] = {
    "accept": (("case.handle",), lambda t: t.plain(c.Accept)),
    "dispatch": (("case.handle",), lambda t: t.dispatch(ruling=False)),
    "rule": (("case.handle", "case.rule"), lambda t: t.dispatch(ruling=True)),
    "take": (("case.handle",), lambda t: t.plain(c.Take)),
    "return": (("case.handle",), lambda t: t.reasoned(c.Return, "return")),
    "supplement": (("case.handle",), lambda t: [c.Supplement(t.taker.by, WORDS)]),
    "escalate": (("case.escalate",), _Try.escalate),
    "reply": (("case.reply",), lambda t: [c.Reply(t.taker.by, "advised", WORDS)]),
    "solve": (("case.settle",), lambda t: t.plain(c.Settle, "solved", WORDS)),
    "answer": (("case.settle",), lambda t: t.plain(c.Settle, "answered", WORDS)),
    "confirm": (("case.call_back",), lambda t: [c.Confirm(t.rules, t.taker.roles, t.taker.by)]),
    "reopen": (("case.call_back",), _Try.reopen),
    "close": (("case.close",), lambda t: t.reasoned(c.Close, "close")),
    "order": (("case.order",), lambda t: [c.RequestOrder(t.taker.by, SOMEBODY, WORDS, "dispatch")]),
    "waive": (("case.waive",), _Try.waive),
    "release": (("wall.release",), lambda t: [c.Release(t.taker.by, WORDS, WORDS)]),
    "withdraw": (("wall.withdraw",), _Try.withdraw),
}
"""Each step with the permissions that its route asks for, and the commands of which one must be taken.

``rule`` is ``dispatch`` with ``ruling``; ``order`` asks for one, ``waive`` goes on without one of those that are open;
``release`` and ``withdraw`` are about the wall.
"""


def may(state: Case, command: c.Command, now: datetime) -> bool:
    """Whether the command would be taken."""
    try:
        decide(state, command, now)
    except Refused:
        return False
    return True


def open_to(state: Case, rules: Rules, taker: Taker, now: datetime) -> list[str]:
    """The steps that ``taker`` may take now: none that would be refused for the stage, for whose the concern is or for
    what it waits for, and none that is left out though it would be taken."""
    tried = _Try(state, rules, taker)
    return [
        name
        for name, (permissions, commands) in STEPS.items()
        if taker.permissions.issuperset(permissions) and any(may(state, one, now) for one in commands(tried))
    ]
