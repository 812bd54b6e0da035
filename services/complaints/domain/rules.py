"""What a district has decided about concerns, as the domain reads it: parsed policies, resolved for one concern.

Policies: ``complaints.categories``, ``complaints.channels``, ``complaints.promises``, ``complaints.workflow``,
``complaints.escalation`` and ``complaints.reasons``. What is not set stops the decision; it is never a default.
"""

from typing import Literal

from pydantic import Field

from services.complaints.domain.events import Kind
from services.kernel.case.deadlines import Limit
from services.kernel.case.workflow import CoreStep, Step, Workflow, with_core
from services.kernel.events import Refused, Value
from services.kernel.values import Code

LASTING = "feedback"  # promised to the resident: once begun it runs until there is an outcome (hotline practice)
CALLBACK = "callback"
REPLY = "reply"
Purpose = Literal["return", "escalate", "waive", "reopen", "close", "withdraw", "rename"]

_HANDLED = ("in_progress",)
CORE = (
    CoreStep(step=Step(name="solve", sources=_HANDLED, to="done", roles=(), needs=("reply",), outcome="solved")),
    CoreStep(step=Step(name="answer", sources=_HANDLED, to="done", roles=(), needs=("reply",), outcome="answered")),
    CoreStep(step=Step(name="confirm", sources=("done",), to="confirmed", roles=("resident",))),
    CoreStep(step=Step(name="reopen", sources=("done",), to="reopened", roles=("resident",), needs=("reason",))),
    CoreStep(step=Step(name="close", sources=("done", "confirmed"), to="closed", roles=("service",))),
)
"""No district can take the resident's word away: an outcome needs a reply, and the resident may confirm or object."""


class Labelled(Value):
    """A code with what people read for it, Chinese first."""

    code: Code
    zh: str
    en: str


class Category(Labelled):
    """``urgency`` names the row of the promises; ``kinds`` limits it to kinds of concern, none meaning any."""

    urgency: Code
    kinds: tuple[Kind, ...] = ()


class Channel(Labelled):
    """``receiver``: who was asked first, and so answers to the end: who recorded it, or the unit it is recorded for."""

    receiver: Literal["recorder", "unit"]


class Escalation(Value):
    """``levels``: kinds of unit from the lowest to the highest, through which a concern goes up."""

    levels: tuple[Code, ...] = Field(min_length=1)


class Rules(Value):
    """The rules under which a concern is decided: those in force on the day it was opened."""

    categories: dict[str, Category]
    channels: tuple[Channel, ...]
    promises: dict[str, dict[str, Limit]]  # urgency to name to limit
    workflow: Workflow
    escalation: Escalation
    reasons: dict[Purpose, tuple[Labelled, ...]]

    @classmethod
    def read(cls, policies: dict[str, object]) -> "Rules":
        """From the six policies by their last name. Raises ``ValidationError`` and ``Refused`` for unsound data."""
        categories = policies["categories"]
        assert isinstance(categories, list)
        listed = [Category.model_validate(row) for row in categories]
        rest = {name: value for name, value in policies.items() if name != "categories"}
        rules = cls.model_validate(rest | {"categories": {row.code: row for row in listed}})
        with_core(rules.workflow, CORE)
        return rules

    def category(self, code: str, kind: Kind) -> Category:
        """Refused: ``category-unknown``, ``category-not-of-kind``."""
        found = self.categories.get(code)
        if found is None:
            raise Refused("category-unknown", "category")
        if found.kinds and kind not in found.kinds:
            raise Refused("category-not-of-kind", "category", category=code, kind=kind)
        return found

    def channel(self, code: str) -> Channel:
        """Refused: ``channel-unknown``."""
        for channel in self.channels:
            if channel.code == code:
                return channel
        raise Refused("channel-unknown", "channel")

    def refuse_reason(self, purpose: Purpose, code: str) -> None:
        """Refused: ``reason-unknown``."""
        if not any(reason.code == code for reason in self.reasons.get(purpose, ())):
            raise Refused("reason-unknown", "reason", purpose=purpose)

    def limit(self, urgency: str, name: str) -> Limit:
        """Refused: ``promise-not-set``: a stage that promises something needs its time."""
        found = self.promises.get(urgency, {}).get(name)
        if found is None:
            raise Refused("promise-not-set", "category", urgency=urgency, promise=name)
        return found
