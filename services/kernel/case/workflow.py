"""Stages as data: which step leads where, who may take it, what it needs, and which outcome it gives.

Invariants
* Checked on load: every stage can be reached and can reach an end, no unknown stage, no step without a role, no two
  steps of one name from one stage; an open stage has a deadline or declares none.
* A settled stage always has an outcome, an unsettled one never; an end is settled. So solved, answered and closed are
  three things, and a reopened case has no outcome.
* Data cannot remove, weaken or bypass the core steps of a kind (assistance rules of 2021, article 28: nobody enters
  without the procedure).
* What is missing is told all at once (the same rules, article 10).
"""

from collections.abc import Collection, Iterable
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from services.kernel.events import Refused, Value
from services.kernel.values import Code, Part


class Stage(Value):
    """``deadline``: the name of the promise that runs in it; ``None`` must be said, not omitted, for an open stage.

    ``settled``: a case here has its outcome. ``end``: it may rest here for good.
    """

    name: Code
    settled: bool = False
    end: bool = False
    deadline: Code | None = None


class Step(Value):
    """``needs``: names of data that must be given. ``outcome``: the code that the case then has."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: Code
    sources: tuple[Code, ...] = Field(alias="from", min_length=1)
    to: Code
    roles: tuple[Code, ...]
    needs: tuple[Code, ...] = ()
    outcome: Code | None = None


class CoreStep(Value):
    """A step that code demands of a kind: data may add roles, sources and needs, not take them away.

    ``before``: stages that no case may reach without having taken this step.
    """

    step: Step
    before: tuple[Code, ...] = ()


class Moved(Part):
    """The result of a step. ``outcome`` is the case's outcome afterwards, ``deadline`` the promise that now runs."""

    step: Code
    source: Code
    stage: Code
    outcome: Code | None
    settled: bool
    ended: bool
    deadline: Code | None


class Workflow(Value):
    """Raises ``Refused`` with a ``workflow-…`` code when the data does not make a sound workflow."""

    name: Code
    version: int = Field(ge=1)
    start: Code
    stages: tuple[Stage, ...] = Field(min_length=1)
    steps: tuple[Step, ...]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        _check_names(self)
        _check_references(self)
        _check_outcomes(self)
        _check_paths(self)
        return self

    def stage(self, name: str) -> Stage:
        """Refused: ``stage-unknown``."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise Refused("stage-unknown", "stage", stage=name, allowed=[stage.name for stage in self.stages])


def with_core(workflow: Workflow, core: Iterable[CoreStep]) -> Workflow:
    """The same workflow, once it is known to hold every core step. Refused: ``workflow-core-…``."""
    for demanded in core:
        _check_core(workflow, demanded)
    return workflow


def take_step(
    workflow: Workflow,
    stage: str,
    step: str,
    roles: Collection[str],
    given: Collection[str] = (),
    outcome: str | None = None,
) -> Moved:
    """Where ``step`` leads from ``stage``, for a caller with ``roles`` who gives data of the names ``given``.

    ``outcome`` is the one the case has now. Refused: ``stage-unknown``, ``step-unknown``, ``step-not-from-here``,
    ``role-missing``, ``data-missing`` (``params["missing"]`` lists all of it).
    """
    workflow.stage(stage)
    named = [s for s in workflow.steps if s.name == step]
    if not named:
        raise Refused("step-unknown", "step", step=step, allowed=sorted({s.name for s in workflow.steps}))
    found = next((s for s in named if stage in s.sources), None)
    if found is None:
        raise Refused("step-not-from-here", "step", step=step, stage=stage)
    if not set(found.roles) & set(roles):
        raise Refused("role-missing", "step", step=step, roles=list(found.roles))
    missing = [name for name in found.needs if name not in given]
    if missing:
        raise Refused("data-missing", missing[0], step=step, missing=missing)
    target = workflow.stage(found.to)
    after = (found.outcome or outcome) if target.settled else None
    if target.settled and after is None:
        raise Refused("outcome-missing", "outcome", step=step)
    return Moved(
        step=step,
        source=stage,
        stage=target.name,
        outcome=after,
        settled=target.settled,
        ended=target.end,
        deadline=target.deadline,
    )


def open_steps(workflow: Workflow, stage: str, roles: Collection[str]) -> tuple[Step, ...]:
    """The steps that somebody with ``roles`` may take from ``stage``."""
    return tuple(s for s in workflow.steps if stage in s.sources and set(s.roles) & set(roles))


def _check_names(workflow: Workflow) -> None:
    seen: set[tuple[str, ...]] = set()
    for stage in workflow.stages:
        if (stage.name,) in seen:
            raise Refused("workflow-stage-twice", "stages", stage=stage.name)
        seen.add((stage.name,))
        if stage.end and not stage.settled:
            raise Refused("workflow-end-unsettled", "stages", stage=stage.name)
        if not stage.end and "deadline" not in stage.model_fields_set:
            raise Refused("workflow-deadline-undeclared", "stages", stage=stage.name)
        if stage.end and stage.deadline:
            raise Refused("workflow-deadline-at-end", "stages", stage=stage.name)
    for step in workflow.steps:
        if not step.roles:
            raise Refused("workflow-step-without-role", "steps", step=step.name)
        for source in step.sources:
            if (step.name, source) in seen:
                raise Refused("workflow-step-twice", "steps", step=step.name, stage=source)
            seen.add((step.name, source))


def _check_references(workflow: Workflow) -> None:
    known = {s.name for s in workflow.stages}
    for name in (workflow.start, *(n for s in workflow.steps for n in (*s.sources, s.to))):
        if name not in known:
            raise Refused("workflow-stage-unknown", "steps", stage=name, allowed=sorted(known))


def _check_outcomes(workflow: Workflow) -> None:
    settled = {s.name for s in workflow.stages if s.settled}
    if workflow.start in settled:
        raise Refused("workflow-starts-settled", "start", stage=workflow.start)
    for step in workflow.steps:
        if step.to not in settled and step.outcome:
            raise Refused("workflow-outcome-unsettled", "steps", step=step.name)
        if step.to in settled and not step.outcome and not settled.issuperset(step.sources):
            raise Refused("workflow-outcome-missing", "steps", step=step.name)


def _check_paths(workflow: Workflow) -> None:
    forward = [(source, s.to) for s in workflow.steps for source in s.sources]
    reached = _reach({workflow.start}, forward)
    ending = _reach({s.name for s in workflow.stages if s.end}, [(to, source) for source, to in forward])
    for stage in workflow.stages:
        if stage.name not in reached:
            raise Refused("workflow-stage-unreachable", "stages", stage=stage.name)
        if stage.name not in ending:
            raise Refused("workflow-stage-dead", "stages", stage=stage.name)


def _reach(begin: set[str], edges: list[tuple[str, str]]) -> set[str]:
    reached, front = set(begin), set(begin)
    while front:
        front = {to for source, to in edges if source in front} - reached
        reached |= front
    return reached


def _check_core(workflow: Workflow, demanded: CoreStep) -> None:
    core = demanded.step
    for source in core.sources:
        found = next((s for s in workflow.steps if s.name == core.name and source in s.sources), None)
        if found is None:
            raise Refused("workflow-core-removed", "steps", step=core.name, stage=source)
        if (found.to, found.outcome) != (core.to, core.outcome) or not set(core.needs) <= set(found.needs):
            raise Refused("workflow-core-changed", "steps", step=core.name)
        if not set(core.roles) <= set(found.roles):
            raise Refused("workflow-core-changed", "steps", step=core.name)
    without = [(source, s.to) for s in workflow.steps if s.name != core.name for source in s.sources]
    bypassed = _reach({workflow.start}, without) & set(demanded.before)
    if bypassed:
        raise Refused("workflow-core-bypassed", "steps", step=core.name, stage=min(bypassed))
