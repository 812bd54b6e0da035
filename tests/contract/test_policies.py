"""What the directory takes for publication is what the service reads that decides by it: neither knows the other."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from deploy.local.demo_district import policies as demonstration
from services.__main__ import CATALOGUE
from services.chassis.contracts import schemas
from services.chassis.contracts.policyschemas import ContractMissing, published
from services.kernel.policy.shape import Shape

READ_AS = {key: shape for service in CATALOGUE.all() for key, shape in service.policies.items()}
SHAPES = published(schemas.PLACE)
DEMO: dict[str, Any] = {policy["key"]: policy["value"] for policy in demonstration()}
CATEGORY = {"code": "property", "zh": "物业", "en": "Property", "urgency": "ordinary"}
LIMIT = {"n": 2, "unit": "hours"}
WORKFLOW, WEIGHTS = DEMO["complaints.workflow"], DEMO["volunteers.matching"]


def told(key: str, value: Any) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in SHAPES[key].faults(value)]


def steps(**changes: Any) -> dict[str, Any]:
    """The demonstration's workflow with its settling step changed; None takes it away."""
    changed = [step | changes if step["name"] == "solve" else step for step in WORKFLOW["steps"]]
    return WORKFLOW | {"steps": [step for step in changed if step["name"] is not None]}


@pytest.mark.parametrize(
    ("key", "value", "faults"),
    [
        ("complaints.categories", "everything", [("value", "not-a-list")]),
        ("complaints.categories", [], [("value", "too-few")]),
        ("complaints.categories", ["property"], [("value.0", "not-an-object")]),
        ("complaints.categories", [{"code": "x"}],
         [(f"value.0.{name}", "field-missing") for name in ("zh", "en", "urgency")]),
        ("complaints.categories", [CATEGORY | {"code": "物业"}], [("value.0.code", "text-format")]),
        ("complaints.categories", [CATEGORY | {"code": "property\n"}], [("value.0.code", "text-format")]),
        ("complaints.categories", [CATEGORY | {"colour": "red"}], [("value.0.*", "field-unknown")]),
        ("complaints.categories", [CATEGORY | {"kinds": ["rumour"]}], [("value.0.kinds.0", "not-one-of")]),
        ("complaints.categories", [CATEGORY, CATEGORY], [("value.1.code", "code-twice")]),
        ("complaints.channels", [{"code": "visit", "zh": "走访", "en": "Visit", "receiver": "dog"}],
         [("value.0.receiver", "not-one-of")]),
        ("complaints.promises", {}, [("value", "too-few")]),
        ("complaints.promises", {"ordinary": {"accept": LIMIT}}, [("value.ordinary.reply", "field-missing")]),
        ("complaints.promises", {"普通": {"reply": LIMIT}}, [("value.*", "text-format")]),
        ("complaints.promises", {"ordinary": {"reply": LIMIT | {"n": 0}}}, [("value.ordinary.reply.n", "below-least")]),
        ("complaints.promises", {"ordinary": {"reply": LIMIT | {"unit": "moons"}}},
         [("value.ordinary.reply.unit", "not-one-of")]),
        ("complaints.promises", {"ordinary": {"reply": LIMIT | {"extendable_to": 1}}},
         [("value.ordinary.reply", "extendable-below-limit")]),
        ("complaints.promises", {"ordinary": {"reply": LIMIT | {"extendable_to": "9"}}},
         [("value.ordinary.reply.extendable_to", "not-an-integer")]),
        ("complaints.workflow", WORKFLOW | {"version": True}, [("value.version", "not-an-integer")]),
        ("complaints.workflow", WORKFLOW | {"start": "nowhere"}, [("value.steps", "workflow-stage-unknown")]),
        ("complaints.workflow", steps(roles=[]), [("value.steps", "workflow-step-without-role")]),
        ("complaints.workflow", steps(name="finish"), [("value.steps", "workflow-core-removed")]),
        ("complaints.workflow", steps(needs=[]), [("value.steps", "workflow-core-changed")]),
        ("complaints.escalation", {"levels": ["planet"]}, [("value.levels.0", "not-one-of")]),
        ("complaints.escalation", {"levels": []}, [("value.levels", "too-few")]),
        ("complaints.reasons", {"celebrate": DEMO["complaints.reasons"]["return"]}, [("value.*", "field-unknown")]),
        ("complaints.reasons", {"return": []}, [("value.return", "too-few")]),
        ("volunteers.lines", [{"code": "repairs", "zh": "维修", "en": "Repairs", "skill": "yes"}],
         [("value.0.skill", "not-true-or-false")]),
        ("volunteers.limits", {"answer": LIMIT, "service": LIMIT}, [("value.confirmation", "field-missing")]),
        ("volunteers.matching", WEIGHTS | {"near": WEIGHTS["free"]}, [("value", "near-outweighed")]),
        ("volunteers.matching", WEIGHTS | {"office_end": 1441}, [("value.office_end", "above-most")]),
        ("householdsPerWorker", 0, [("value", "below-least")]),
        ("householdsPerWorker", True, [("value", "not-an-integer")]),
        ("verifyEveryDays", "90", [("value", "not-an-integer")]),
        ("concernsDayWeekday", 8, [("value", "above-most")]),
    ],
)  # fmt: skip
def test_nonsense_is_told_by_its_place_and_its_kind(key: str, value: Any, faults: list[tuple[str, str]]) -> None:
    assert told(key, value) == faults


@pytest.mark.parametrize("key", sorted(SHAPES))
def test_a_value_that_makes_no_sense_at_all_fits_no_key(key: str) -> None:
    for nonsense in ("banana", [[]], {"a": {"b": "c"}}, -1, None):
        assert told(key, nonsense)


def test_a_fault_repeats_nothing_of_the_value_and_names_what_would_be_taken() -> None:
    row = CATEGORY | {"kinds": ["赵暗桐"], "urgency": "赵暗桐"}
    faults = SHAPES["complaints.categories"].faults([row])
    assert "赵暗桐" not in str([(fault.field, fault.code, fault.params) for fault in faults])
    assert {fault.code: fault.params.get("allowed") for fault in faults} == {
        "text-format": None,
        "not-one-of": ["condition", "voice", "view"],
    }


def test_many_faults_are_told_but_not_all_of_thousands() -> None:
    assert 1 < len(SHAPES["complaints.categories"].faults([{} for _ in range(5000)])) <= 50


def test_without_the_published_shapes_nothing_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ContractMissing):
        published(tmp_path)


def test_every_key_is_published_and_what_is_published_is_a_schema() -> None:
    assert SHAPES.keys() == READ_AS.keys()
    for shape in SHAPES.values():
        Draft202012Validator.check_schema(dict(shape.schema))


def test_the_levels_through_which_a_concern_goes_up_are_the_kinds_of_units() -> None:
    registered = json.loads((schemas.PLACE / "events" / "linli.directory.unit.registered.v1.json").read_text("utf-8"))
    levels = SHAPES["complaints.escalation"].schema["$defs"]["Escalation"]["properties"]["levels"]
    assert sorted(levels["items"]["enum"]) == sorted(registered["properties"]["kind"]["enum"])


@pytest.mark.parametrize("key", sorted(DEMO))
def test_what_the_demonstration_has_decided_is_taken_and_read(key: str) -> None:
    assert told(key, DEMO[key]) == []
    READ_AS[key].validate_python(DEMO[key])


words = st.one_of(
    st.sampled_from(["property", "reply", "recorded", "done", "hours", "resident", "visit", "a\n", ""]),
    st.text(max_size=5),
)
plain = st.one_of(st.none(), st.booleans(), st.integers(-2, 20000), words)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, Any]:
    """A sound policy with some of it replaced, left out, doubled or added."""
    key = draw(st.sampled_from(sorted(SHAPES)))
    value = copy.deepcopy(DEMO.get(key, 7))
    for _ in range(draw(st.integers(1, 3))):
        value = _edit(draw, value)
    return key, value


def _edit(draw: st.DrawFn, value: Any) -> Any:
    places = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not places or draw(st.integers(0, 5)) == 0:
        return draw(values)
    place = draw(st.sampled_from(places))
    what = draw(st.sampled_from(["deeper", "deeper", "deeper", "leave out", "add", "double"]))
    if what == "leave out":
        del value[place]
    elif what == "deeper":
        value[place] = _edit(draw, value[place])
    elif isinstance(value, dict):
        value[draw(words)] = copy.deepcopy(value[place]) if what == "double" else draw(values)
    else:
        value.append(copy.deepcopy(value[place]) if what == "double" else draw(values))
    return value


@settings(max_examples=400, deadline=None)
@given(edited())
def test_whatever_is_taken_is_read(given_: tuple[str, Any]) -> None:
    key, value = given_
    if not SHAPES[key].faults(value):
        READ_AS[key].validate_python(value)


def test_a_shape_is_data_and_knows_no_service() -> None:
    shape = Shape({"type": "integer", "minimum": 1})
    assert [fault.params for fault in shape.faults(0)] == [{"ge": 1}]
