"""Definitions of figures: refused when they contradict themselves, rounded only in print."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.insight.catalogue import catalogue
from services.insight.domain.indicators import Catalogue, ancestors, outcome_at, printed_percentage, shown

COUNT = {"key": "a", "zh": "甲", "en": "A", "measure": "count", "subject": "case"}
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "wrong",
    [
        {"indicators": [COUNT, COUNT], "templates": []},
        {"indicators": [COUNT | {"subject": ""}], "templates": []},
        {"indicators": [COUNT | {"measure": "distinct"}], "templates": []},
        {"indicators": [COUNT | {"measure": "ratio", "numerator": "b", "denominator": "c"}], "templates": []},
        {"indicators": [COUNT], "templates": [{"key": "t", "zh": "", "en": "", "figures": ["missing"]}]},
    ],
)
def test_definitions_that_contradict_themselves_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Catalogue.model_validate(wrong)


@pytest.mark.mechanism("INF-08")
def test_every_figure_of_every_report_template_is_defined() -> None:
    known = catalogue()
    for template in known.templates:
        assert all(known.indicator(key) for key in template.figures)


def test_nothing_below_the_line_is_no_value() -> None:
    assert printed_percentage(0, 0) is None


def test_a_rate_is_rounded_half_up_in_print() -> None:
    assert printed_percentage(1594, 1869) == "85.3 %"
    assert printed_percentage(1, 8, 0) == "13 %"


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_printed_rate_is_within_half_a_digit_of_the_exact_one(part: int, whole: int) -> None:
    printed = printed_percentage(part, whole)
    assert printed is not None
    assert abs(Fraction(printed.removesuffix(" %")) - Fraction(part, whole) * 100) <= Fraction(5, 100)


def test_a_figure_over_too_few_persons_is_hidden_but_none_is_told() -> None:
    assert [shown(count, 3) for count in (0, 1, 2, 3)] == [0, None, None, 3]


def test_a_category_counts_under_those_above_it() -> None:
    assert ancestors("property.lift.stuck") == ["property", "property.lift", "property.lift.stuck"]


steps = st.lists(
    st.tuples(st.sampled_from(["solved", "answered", "reopened", "overdue"]), st.integers(0, 30)), max_size=8
)


@given(steps, st.integers(0, 30), st.randoms())
@pytest.mark.mechanism("CMP-02")
def test_an_outcome_does_not_depend_on_the_order_in_which_facts_became_known(
    happened: list[tuple[str, int]], day: int, chance: Any
) -> None:
    known = {
        str(seq): {"what": what, "on": START + timedelta(days=on), "seq": seq}
        for seq, (what, on) in enumerate(sorted(happened, key=lambda step: step[1]), start=2)
    }
    shuffled = list(known.items())
    chance.shuffle(shuffled)
    as_of = START + timedelta(days=day)
    turns = [s["what"] for s in known.values() if s["what"] != "overdue" and s["on"] <= as_of]
    expected = turns[-1] if turns and turns[-1] != "reopened" else None
    assert outcome_at(dict(shuffled), as_of) == outcome_at(known, as_of) == expected
