"""What a district has decided about concerns, as the domain reads it: parsed policies, resolved for one concern.

Policies: ``complaints.categories``, ``complaints.channels``, ``complaints.promises``, ``complaints.workflow``,
``complaints.escalation`` and ``complaints.reasons``. What is not set stops the decision; it is never a default.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from services.complaints.domain.events import Kind
from services.kernel.case.deadlines import Limit
from services.kernel.case.workflow import CoreStep, Step, Workflow, with_core
from services.kernel.events import Refused, Value
from services.kernel.policy import Codes, Labelled, Name
from services.kernel.policy.shape import CORE as CORE_STEPS

LASTING = "feedback"  # promised to the resident: once begun it runs until there is an outcome (hotline practice)
CALLBACK = "callback"
REPLY = "reply"
Level = Literal["city", "district", "street", "community", "compound", "building", "entrance", "grid"]
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


class Category(Labelled):
    """``urgency`` names the row of the promises; ``kinds`` limits it to kinds of concern, none meaning any."""

    urgency: Name
    kinds: tuple[Kind, ...] = ()


class Channel(Labelled):
    """``receiver``: who was asked first, and so answers to the end: who recorded it, or the unit it is recorded for."""

    receiver: Literal["recorder", "unit"]


class Escalation(Value):
    """``levels``: kinds of unit from the lowest to the highest, through which a concern goes up."""

    levels: tuple[Level, ...] = Field(min_length=1)


def _with_core(workflow: Workflow) -> Workflow:
    return with_core(workflow, CORE)


def _with_reply(promises: dict[str, Limit]) -> dict[str, Limit]:
    if REPLY not in promises:
        raise PydanticCustomError("field-missing", "a level above owes its reply within a time")
    return promises


Promises = Annotated[dict[Name, Limit], AfterValidator(_with_reply), Field(json_schema_extra={"required": [REPLY]})]
"""What is promised to concerns of one urgency: each time by its name, that of a reply in any case."""

_DEMANDED = [core.model_dump(mode="json", by_alias=True) for core in CORE]
POLICIES: dict[str, TypeAdapter[Any]] = {
    "categories": TypeAdapter(Annotated[Codes[Category], Field(title="民情类别 · Categories of concerns")]),
    "channels": TypeAdapter(Annotated[Codes[Channel], Field(title="受理渠道 · Channels of intake")]),
    "promises": TypeAdapter(
        Annotated[dict[Name, Promises], Field(min_length=1, title="承诺时限 · Promised times, by urgency and name")]
    ),
    "workflow": TypeAdapter(
        Annotated[
            Workflow,
            AfterValidator(_with_core),
            Field(title="办理流程 · Stages and steps of a concern", json_schema_extra={CORE_STEPS: _DEMANDED}),
        ]
    ),
    "escalation": TypeAdapter(Annotated[Escalation, Field(title="上报层级 · Levels through which a concern goes up")]),
    "reasons": TypeAdapter(
        Annotated[dict[Purpose, Codes[Labelled]], Field(title="原因 · Reasons, by what they are given for")]
    ),
}
"""The type of each policy by its last name: what is published of its shape, and what it is read as."""


class Rules(Value):
    """The rules under which a concern is decided: those in force on the day it was opened."""

    categories: dict[str, Category]
    channels: tuple[Channel, ...]
    promises: dict[str, dict[str, Limit]]  # urgency to name to limit
    workflow: Workflow
    escalation: Escalation
    reasons: dict[Purpose, tuple[Labelled, ...]]

    @classmethod
    def of(cls, read: Mapping[str, Any]) -> "Rules":
        """From the six policies by their last name, each as ``POLICIES`` reads it."""
        return cls(**{**read, "categories": {row.code: row for row in read["categories"]}})

    def category(self, code: str, kind: Kind) -> Category:
        """Refused: ``category-unknown``, ``category-not-of-kind``."""
        found = self.categories.get(code)
        if found is None:
            raise Refused("category-unknown", "category", allowed=self._categories_for(kind))
        if found.kinds and kind not in found.kinds:
            allowed = self._categories_for(kind)
            raise Refused("category-not-of-kind", "category", category=code, kind=kind, allowed=allowed)
        return found

    def _categories_for(self, kind: Kind) -> list[str]:
        return [row.code for row in self.categories.values() if not row.kinds or kind in row.kinds]

    def channel(self, code: str) -> Channel:
        """Refused: ``channel-unknown``."""
        for channel in self.channels:
            if channel.code == code:
                return channel
        raise Refused("channel-unknown", "channel", allowed=[channel.code for channel in self.channels])

    def refuse_reason(self, purpose: Purpose, code: str) -> None:
        """Refused: ``reason-unknown``."""
        allowed = [reason.code for reason in self.reasons.get(purpose, ())]
        if code not in allowed:
            raise Refused("reason-unknown", "reason", purpose=purpose, allowed=allowed)

    def limit(self, urgency: str, name: str) -> Limit:
        """Refused: ``promise-not-set``: a stage that promises something needs its time."""
        found = self.promises.get(urgency, {}).get(name)
        if found is None:
            raise Refused("promise-not-set", "category", urgency=urgency, promise=name)
        return found
