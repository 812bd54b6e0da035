import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.kernel.case.workflow import CoreStep, Step, Workflow, open_steps, take_step, with_core
from services.kernel.events import Refused

CONCERN = {
    "name": "concern",
    "version": 1,
    "start": "recorded",
    "stages": [
        {"name": "recorded", "deadline": "acceptance"},
        {"name": "accepted", "deadline": "dispatch"},
        {"name": "in_progress", "deadline": "feedback"},
        {"name": "settled", "settled": True, "deadline": None},
        {"name": "closed", "settled": True, "end": True},
    ],
    "steps": [
        {"name": "accept", "from": ["recorded"], "to": "accepted", "roles": ["worker"]},
        {"name": "assign", "from": ["accepted"], "to": "in_progress", "roles": ["worker"]},
        {
            "name": "solve",
            "from": ["in_progress"],
            "to": "settled",
            "roles": ["worker"],
            "needs": ["evidence", "text"],
            "outcome": "solved",
        },
        {
            "name": "answer",
            "from": ["accepted", "in_progress"],
            "to": "settled",
            "roles": ["worker", "clerk"],
            "needs": ["text"],
            "outcome": "answered",
        },
        {"name": "confirm", "from": ["settled"], "to": "closed", "roles": ["resident"]},
        {
            "name": "reopen",
            "from": ["settled", "closed"],
            "to": "in_progress",
            "roles": ["resident"],
            "needs": ["reason"],
        },
    ],
}


def concern(**changes):
    return Workflow.model_validate({**copy.deepcopy(CONCERN), **changes})


def with_stage(**stage):
    return concern(stages=[*copy.deepcopy(CONCERN["stages"]), stage])


def with_step(**step):
    return concern(steps=[*copy.deepcopy(CONCERN["steps"]), step])


def without_step(*names):
    return concern(steps=[s for s in copy.deepcopy(CONCERN["steps"]) if s["name"] not in names])


def refusal(code, act):
    with pytest.raises(Refused) as seen:
        act()
    assert seen.value.code == code
    return seen.value


@pytest.mark.parametrize(
    ("code", "load"),
    [
        ("workflow-stage-unreachable", lambda: with_stage(name="island", deadline=None)),
        ("workflow-stage-twice", lambda: with_stage(name="recorded", deadline=None)),
        ("workflow-end-unsettled", lambda: with_stage(name="gone", end=True)),
        ("workflow-deadline-undeclared", lambda: with_stage(name="waiting")),
        ("workflow-deadline-at-end", lambda: with_stage(name="gone", end=True, settled=True, deadline="x")),
        (
            "workflow-stage-unknown",
            lambda: with_step(**{"name": "x", "from": ["nowhere"], "to": "closed", "roles": ["a"]}),
        ),
        (
            "workflow-stage-unknown",
            lambda: with_step(**{"name": "x", "from": ["recorded"], "to": "limbo", "roles": ["a"]}),
        ),
        ("workflow-stage-unknown", lambda: concern(start="limbo")),
        (
            "workflow-step-without-role",
            lambda: with_step(**{"name": "x", "from": ["recorded"], "to": "accepted", "roles": []}),
        ),
        (
            "workflow-step-twice",
            lambda: with_step(**{"name": "accept", "from": ["recorded"], "to": "in_progress", "roles": ["a"]}),
        ),
        (
            "workflow-outcome-missing",
            lambda: with_step(**{"name": "x", "from": ["accepted"], "to": "closed", "roles": ["a"]}),
        ),
        (
            "workflow-outcome-unsettled",
            lambda: with_step(
                **{"name": "x", "from": ["recorded"], "to": "accepted", "roles": ["a"], "outcome": "solved"}
            ),
        ),
        ("workflow-starts-settled", lambda: concern(start="settled")),
        ("workflow-stage-unreachable", lambda: without_step("assign", "reopen")),
    ],
)
def test_an_unsound_workflow_does_not_load(code, load):
    refusal(code, load)


def test_a_stage_from_which_no_end_can_be_reached_is_dead():
    stages = [*copy.deepcopy(CONCERN["stages"]), {"name": "stuck", "deadline": None}]
    steps = [*copy.deepcopy(CONCERN["steps"]), {"name": "park", "from": ["accepted"], "to": "stuck", "roles": ["a"]}]
    assert refusal("workflow-stage-dead", lambda: concern(stages=stages, steps=steps)).params == {"stage": "stuck"}


def test_an_unknown_word_in_the_data_is_refused():
    with pytest.raises(ValidationError):
        with_step(**{"name": "x", "from": ["recorded"], "to": "accepted", "roles": ["a"], "script": "rm"})


def test_a_step_that_the_stage_does_not_offer_is_refused():
    flow = concern()
    refusal("step-unknown", lambda: take_step(flow, "recorded", "vanish", ["worker"]))
    refusal("stage-unknown", lambda: take_step(flow, "nowhere", "accept", ["worker"]))
    assert refusal("step-not-from-here", lambda: take_step(flow, "recorded", "solve", ["worker"])).params == {
        "step": "solve",
        "stage": "recorded",
    }


def test_a_step_wants_one_of_its_roles():
    flow = concern()
    refusal("role-missing", lambda: take_step(flow, "in_progress", "solve", ["resident"], ["evidence", "text"]))
    refusal("role-missing", lambda: take_step(flow, "recorded", "accept", []))


@pytest.mark.mechanism("LAW-07")
def test_everything_that_is_missing_is_told_at_once():
    seen = refusal("data-missing", lambda: take_step(concern(), "in_progress", "solve", ["worker"]))
    assert seen.params["missing"] == ["evidence", "text"]


@pytest.mark.mechanism("CMP-02")
def test_solved_and_answered_are_outcomes_beside_the_stage():
    flow = concern()
    solved = take_step(flow, "in_progress", "solve", ["worker"], ["text", "evidence"])
    answered = take_step(flow, "in_progress", "answer", ["clerk"], ["text"])
    assert (solved.stage, solved.outcome) == ("settled", "solved")
    assert (answered.stage, answered.outcome) == ("settled", "answered")
    confirmed = take_step(flow, "settled", "confirm", ["resident"], outcome="solved")
    assert (confirmed.stage, confirmed.outcome, confirmed.ended) == ("closed", "solved", True)


@pytest.mark.mechanism("CMP-02")
def test_a_reopened_case_has_no_outcome_and_its_deadline_runs_again():
    again = take_step(concern(), "closed", "reopen", ["resident"], ["reason"], outcome="solved")
    assert (again.stage, again.outcome, again.deadline, again.settled) == ("in_progress", None, "feedback", False)


def test_a_settled_case_that_lost_its_outcome_does_not_close():
    refusal("outcome-missing", lambda: take_step(concern(), "settled", "confirm", ["resident"], outcome=None))


CORE = [
    CoreStep(
        step=Step(
            name="solve",
            sources=("in_progress",),
            to="settled",
            roles=("worker",),
            needs=("evidence",),
            outcome="solved",
        )
    ),
    CoreStep(
        step=Step(name="accept", sources=("recorded",), to="accepted", roles=("worker",)), before=("in_progress",)
    ),
]


def test_data_may_add_to_a_core_step():
    assert with_core(concern(), CORE).name == "concern"


@pytest.mark.mechanism("LAW-21")
def test_data_cannot_remove_weaken_or_bypass_a_core_step():
    steps = copy.deepcopy(CONCERN["steps"])
    steps[2]["needs"] = ["text"]
    refusal("workflow-core-removed", lambda: with_core(without_step("solve"), CORE))
    refusal("workflow-core-changed", lambda: with_core(concern(steps=steps), CORE))
    steps = copy.deepcopy(CONCERN["steps"])
    steps[0]["roles"] = ["anyone"]
    refusal("workflow-core-changed", lambda: with_core(concern(steps=steps), CORE))
    shortcut = with_step(**{"name": "rush", "from": ["recorded"], "to": "in_progress", "roles": ["chief"]})
    refusal("workflow-core-bypassed", lambda: with_core(shortcut, CORE))


def test_only_the_steps_that_lead_on_from_here_are_open_to_a_role():
    flow = concern()
    assert [s.name for s in open_steps(flow, "accepted", ["worker"])] == ["assign", "answer"]
    assert [s.name for s in open_steps(flow, "accepted", ["clerk"])] == ["answer"]
    assert open_steps(flow, "accepted", ["resident"]) == ()


def test_a_workflow_comes_back_from_its_document_unchanged():
    flow = concern()
    document = flow.model_dump(mode="python")
    assert document["steps"][0]["from"] == ("recorded",)
    assert Workflow.model_validate(document) == flow


@given(st.lists(st.integers(0, 99), max_size=30))
def test_on_every_walk_a_case_has_an_outcome_exactly_while_it_is_settled(choices):
    flow, stage, outcome = concern(), "recorded", None
    everyone = ["worker", "clerk", "resident"]
    for choice in choices:
        steps = open_steps(flow, stage, everyone)
        step = steps[choice % len(steps)]
        moved = take_step(flow, stage, step.name, everyone, step.needs, outcome)
        stage, outcome = moved.stage, moved.outcome
        assert (outcome is not None) == flow.stage(stage).settled


STAGES = ["a", "b", "c", "d"]


@given(
    st.lists(st.tuples(st.sampled_from(STAGES), st.sampled_from(STAGES)), min_size=1, max_size=8, unique=True),
)
def test_whatever_loads_can_always_reach_an_end(edges):
    data = {
        "name": "any",
        "version": 1,
        "start": "a",
        "stages": [{"name": n, "deadline": None} for n in STAGES[:-1]] + [{"name": "d", "settled": True, "end": True}],
        "steps": [
            {"name": f"s{i}", "from": [x], "to": y, "roles": ["r"], "outcome": "done" if y == "d" else None}
            for i, (x, y) in enumerate(edges)
        ],
    }
    try:
        flow = Workflow.model_validate(data)
    except Refused as refused:
        assert refused.code in ("workflow-stage-unreachable", "workflow-stage-dead")
        return
    for stage in STAGES[:-1]:
        seen, front = {stage}, [stage]
        while front:
            for step in open_steps(flow, front.pop(), ["r"]):
                if step.to not in seen:
                    seen.add(step.to)
                    front.append(step.to)
        assert "d" in seen
