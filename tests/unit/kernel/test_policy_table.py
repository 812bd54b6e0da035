import copy
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.kernel.case.deadlines import Limit, promised
from services.kernel.events import Refused
from services.kernel.policy import Table, decide

HOTLINE = {
    "name": "case_time_limits",
    "facts": {
        "step": {"codes": ["accept", "dispatch", "feedback"]},
        "urgency": {"codes": ["emergency", "utility", "ordinary"]},
        "complex": {"codes": [True, False]},
    },
    "rows": [
        {"when": {"step": "accept"}, "then": {"n": 2, "unit": "hours"}, "article": "hotline 1"},
        {
            "when": {"step": ["dispatch"], "urgency": "emergency"},
            "then": {"n": 1, "unit": "hours"},
            "article": "hotline 2",
        },
        {"when": {"step": "dispatch", "urgency": "utility"}, "then": {"n": 2, "unit": "hours"}, "article": "hotline 3"},
        {
            "when": {"step": "dispatch", "urgency": "ordinary"},
            "then": {"n": 24, "unit": "hours"},
            "article": "hotline 4",
        },
        {"when": {"step": "feedback", "urgency": "emergency"}, "then": {"n": 2, "unit": "hours"}, "article": "f 1"},
        {"when": {"step": "feedback", "urgency": "utility"}, "then": {"n": 24, "unit": "hours"}, "article": "f 2"},
        {
            "when": {"step": "feedback", "urgency": "ordinary", "complex": False},
            "then": {"n": 7, "unit": "calendar_days"},
            "article": "f 3",
        },
        {
            "when": {"step": "feedback", "urgency": "ordinary", "complex": True},
            "then": {"n": 15, "unit": "calendar_days"},
            "article": "f 4",
        },
    ],
}


def hotline(**changes):
    return Table.model_validate({**copy.deepcopy(HOTLINE), **changes})


def table(facts, *rows):
    numbered = [{"when": when, "then": then, "article": f"a{n}"} for n, (when, then) in enumerate(rows)]
    return Table.model_validate({"name": "t", "facts": facts, "rows": numbered})


def refusal(code, act):
    with pytest.raises(Refused) as seen:
        act()
    assert seen.value.code == code
    return seen.value


def test_a_gap_does_not_load_and_the_missing_combination_is_shown():
    seen = refusal("table-gap", lambda: hotline(rows=copy.deepcopy(HOTLINE["rows"])[:-1]))
    assert seen.params["facts"] == {"step": "feedback", "urgency": "ordinary", "complex": True}


def test_a_contradiction_does_not_load_and_names_both_rows():
    rows = [*copy.deepcopy(HOTLINE["rows"]), {"when": {"urgency": "emergency"}, "then": 0, "article": "x"}]
    assert refusal("table-contradiction", lambda: hotline(rows=rows)).params["rows"] == [0, 8]


def test_rows_that_agree_may_overlap():
    both = table({"a": {"codes": [1, 2]}}, ({"a": 1}, "x"), ({}, "x"))
    assert decide(both, {"a": 1}).row == 0


INCOME = {"income": {"range": {"from": 0}}}


def test_a_gap_or_contradiction_between_ranges_is_found_at_its_edge():
    gap = refusal("table-gap", lambda: table(INCOME, ({"income": {"until": 60}}, 1), ({"income": {"from": 61}}, 2)))
    assert gap.params["facts"] == {"income": 60}
    refusal("table-contradiction", lambda: table(INCOME, ({"income": {"until": 61}}, 1), ({"income": {"from": 60}}, 2)))
    whole = table(INCOME, ({"income": {"until": 60}}, 1), ({"income": {"from": 60}}, 2))
    assert [decide(whole, {"income": n}).outcome for n in (0, 59, 60, 10**12)] == [1, 1, 2, 2]


def test_open_text_needs_a_row_for_what_nobody_named():
    text = {"word": {"text": True}}
    refusal("table-gap", lambda: table(text, ({"word": "fire"}, 1)))
    refusal("table-contradiction", lambda: table(text, ({"word": "fire"}, 1), ({}, 2)))
    assert decide(table(text, ({"word": "fire"}, 1), ({}, 1)), {"word": "anything"}).outcome == 1


@pytest.mark.parametrize(
    ("code", "facts", "when"),
    [
        ("table-fact-unknown", {"a": {"codes": [1]}}, {"b": 1}),
        ("table-condition-never-met", {"a": {"codes": [1]}}, {"a": 2}),
        ("table-condition-never-met", {"a": {"codes": [1]}}, {"a": True}),
        ("table-condition-never-met", {"a": {"codes": [1]}}, {"a": []}),
        ("table-condition-never-met", {"a": {"codes": [1]}}, {"a": {"from": 0}}),
        ("table-condition-never-met", {"a": {"range": {"from": 5}}}, {"a": {"until": 5}}),
        ("table-condition-never-met", {"a": {"text": True}}, {"a": 5}),
    ],
)
def test_a_condition_that_can_never_hold_is_a_mistake(code, facts, when):
    refusal(code, lambda: table(facts, ({}, 1), (when, 1)))


def test_an_outcome_holds_no_float_and_a_table_too_wide_to_check_is_refused():
    refusal("float-refused", lambda: table({"a": {"codes": [1]}}, ({}, {"rate": [0.5]})))
    wide = {f"f{n}": {"codes": list(range(10))} for n in range(6)}
    refusal("table-too-wide", lambda: table(wide, ({}, 1)))
    with pytest.raises(ValidationError):
        table({"a": {"codes": [1], "text": True}}, ({}, 1))


@pytest.mark.mechanism("LAW-07")
def test_a_decision_wants_all_facts_and_tells_all_that_are_missing():
    seen = refusal("fact-missing", lambda: decide(hotline(), {"step": "accept"}))
    assert seen.params["missing"] == ["urgency", "complex"]


def test_a_fact_outside_its_domain_is_refused():
    facts = {"step": "accept", "urgency": "ordinary", "complex": False}
    refusal("fact-outside-domain", lambda: decide(hotline(), {**facts, "urgency": "whatever"}))
    refusal("fact-outside-domain", lambda: decide(hotline(), {**facts, "complex": 0}))
    refusal("fact-unknown", lambda: decide(hotline(), {**facts, "colour": "red"}))


def limit(step, urgency, complex_matter=False):
    return decide(hotline(), {"step": step, "urgency": urgency, "complex": complex_matter})


@pytest.mark.mechanism("LAW-40")
def test_dispatch_is_due_by_urgency_and_the_decision_names_its_article():
    found = [limit("dispatch", u) for u in ("emergency", "utility", "ordinary")]
    assert [d.outcome["n"] for d in found] == [1, 2, 24]
    assert [(d.row, d.article) for d in found] == [(1, "hotline 2"), (2, "hotline 3"), (3, "hotline 4")]
    assert limit("accept", "ordinary").outcome == {"n": 2, "unit": "hours"}


@pytest.mark.mechanism("LAW-41")
def test_feedback_is_due_by_urgency_and_complexity():
    start = datetime(2026, 3, 3, 1, tzinfo=UTC)

    def due(*facts):
        return promised("feedback", Limit.model_validate(limit("feedback", *facts).outcome), start, "Asia/Shanghai").at

    assert due("emergency") == start + timedelta(hours=2)
    assert due("utility") == start + timedelta(hours=24)
    assert due("ordinary", False) == datetime(2026, 3, 10, 16, tzinfo=UTC)
    assert due("ordinary", True) == datetime(2026, 3, 18, 16, tzinfo=UTC)


def test_a_table_comes_back_from_its_document_unchanged():
    whole = table(
        {"n": {"range": {"from": 0, "until": 9}}, "c": {"codes": ["x", 1, True]}}, ({"n": {"until": 9}}, 1), ({}, 1)
    )
    assert Table.model_validate(whole.model_dump(mode="python")) == whole


scalars = st.sampled_from(["x", 1, True])
bounds = st.integers(0, 8)
conditions = st.one_of(
    st.builds(lambda a, n: {"from": a, "until": a + n}, bounds, st.integers(1, 4)),
    st.builds(lambda a: {"from": a}, bounds),
    bounds,
    st.lists(bounds, min_size=1, max_size=3),
)
rows = st.lists(
    st.tuples(st.fixed_dictionaries({}, optional={"n": conditions, "c": scalars}), st.integers(0, 2)), max_size=6
)


def holds(condition, value):
    if isinstance(condition, dict):
        return condition["from"] <= value < condition.get("until", 99)
    if isinstance(condition, list):
        return value in condition
    return type(condition) is type(value) and condition == value


@given(rows)
def test_a_table_loads_exactly_when_every_combination_has_one_outcome(given_rows):
    """Against plain enumeration of the whole domain."""
    domain = {"n": {"range": {"from": 0, "until": 10}}, "c": {"codes": ["x", 1, True]}}
    outcomes = {
        (n, repr(c)): {then for when, then in given_rows if all(holds(when[f], {"n": n, "c": c}[f]) for f in when)}
        for n, c in product(range(10), ["x", 1, True])
    }
    sound = bool(given_rows) and all(len(found) == 1 for found in outcomes.values())
    try:
        loaded = table(domain, *given_rows)
    except (Refused, ValidationError):
        assert not sound
        return
    assert sound
    for n, c in product(range(10), ["x", 1, True]):
        assert {decide(loaded, {"n": n, "c": c}).outcome} == outcomes[(n, repr(c))]
