"""What a district decides about volunteers."""

import pytest
from pydantic import ValidationError

from services.kernel.events import Refused
from tests.unit.volunteers.given import RAW, RULES, read


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": [{"code": "", "zh": "空", "en": "Empty"}]},
        {"limits": {"answer": RAW["limits"]["answer"]}},
        {"limits": RAW["limits"] | {"answer": {"n": 0, "unit": "hours"}}},
        {"matching": RAW["matching"] | {"radius": 0}},
        {"matching": RAW["matching"] | {"strange": 1}},
    ],
)
def test_unsound_decisions_are_not_read(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read(RAW | wrong)


def test_weights_that_would_put_a_free_stranger_before_the_grid_are_refused() -> None:
    near = RAW["matching"]["free"] * 50 + RAW["matching"]["after_hours"]
    with pytest.raises(ValidationError, match="near must outweigh"):
        read(RAW | {"matching": RAW["matching"] | {"near": near}})
    read(RAW | {"matching": RAW["matching"] | {"near": near + 1}})


def test_a_line_that_the_district_does_not_have_is_refused() -> None:
    with pytest.raises(Refused, match="line-unknown"):
        RULES.line("dancing")


@pytest.mark.mechanism("VOL-04")
def test_the_demonstration_has_the_lines_of_service_and_wants_training_for_medical_care() -> None:
    assert [line.zh for line in RULES.lines] == [
        "时政宣教", "困难帮扶", "医疗保健", "技能培训", "就业服务", "便民维修"
    ]  # fmt: skip
    assert [line.code for line in RULES.lines if line.skill] == ["medical_care"]
