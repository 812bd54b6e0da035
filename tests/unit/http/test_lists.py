"""What a caller may ask of a list, and that scope is added to every query."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from services.chassis.errors import Invalid
from services.chassis.storage.queries import Filter, ListSpec, read_page, under
from tests.unit.http.sample import CASES


@pytest.mark.parametrize("scope", ["", None, 0, False, [], ["unit_a"], {"$ne": ""}])
def test_a_query_without_one_unit_is_not_built(scope: Any) -> None:
    with pytest.raises(TypeError):
        under(scope, {"_id": "x"})


def test_no_query_brings_a_scope_of_its_own() -> None:
    with pytest.raises(TypeError):
        under("unit_a", {"scope": "unit_b"})
    assert under("unit_a", {"_id": "x"}) == {"scope": "unit_a", "_id": "x"}


@pytest.mark.parametrize(
    "query",
    [
        "stage[$ne]=x",
        "stage[%24gt]=",
        "%24where=1",
        "scope=unit_x",
        "_id=x",
        "sort=-changed",
        "state.stage=x",
        "13800001234=1",
    ],
)
async def test_only_declared_filters_are_taken(recorder: httpx.AsyncClient, query: str) -> None:
    answer = await recorder.get(f"/cases?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "filter-unknown")
    assert answer.json()["errors"][0]["field"] == "query.*"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("minutes=ten", "filter-invalid"),
        ("minutes=1e3", "filter-invalid"),
        ("minutes=" + "9" * 19, "filter-invalid"),
        ("minutes=", "filter-invalid"),
        ("open=yes", "filter-invalid"),
        ("open=1", "filter-invalid"),
        ("stage=", "filter-invalid"),
        ("stage=a%00b", "filter-invalid"),
        ("stage=" + "x" * 201, "filter-invalid"),
        ("stage=a&stage=b", "filter-invalid"),
        ("limit=0", "limit-invalid"),
        ("limit=201", "limit-invalid"),
        ("limit=-1", "limit-invalid"),
        ("limit=ten", "limit-invalid"),
        ("limit=" + quote("５"), "limit-invalid"),
        ("limit=99999", "limit-invalid"),
    ],
)
async def test_a_filter_of_the_wrong_form_is_refused(recorder: httpx.AsyncClient, query: str, code: str) -> None:
    answer = await recorder.get(f"/cases?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("query", ["stage=%ff", "stage=" + "&".join("limit=1" for _ in range(60))])
async def test_a_query_that_cannot_be_read_is_malformed(recorder: httpx.AsyncClient, query: str) -> None:
    assert (await recorder.get(f"/cases?{query}")).status_code == 400


async def test_every_list_takes_a_unit_and_says_that_it_means_what_lies_under_it(recorder: httpx.AsyncClient) -> None:
    answer = await recorder.get("/cases?unit=unit_x")
    assert answer.json()["filters"] == {"unit": "unit_x"}
    assert [(await recorder.get(f"/cases?{wrong}")).status_code for wrong in ("unit=", "unit=a&unit=b")] == [422, 422]
    contract = (await recorder.get("/openapi.json")).json()
    (told,) = [one for one in contract["paths"]["/cases"]["get"]["parameters"] if one["name"] == "unit"]
    assert "含其下属" in told["description"] and "all that lies under it" in told["description"]


def test_no_list_means_something_else_by_unit() -> None:
    with pytest.raises(ValueError, match="unit"):
        ListSpec("case", ("-changed",), {"unit": "unit"})


async def test_what_looks_like_an_operator_is_only_text(recorder: httpx.AsyncClient) -> None:
    answer = await recorder.get("/cases", params={"stage": '{"$gt": ""}'})
    assert answer.json()["filters"] == {"stage": '{"$gt": ""}'}


async def test_values_have_the_declared_type(recorder: httpx.AsyncClient) -> None:
    answer = await recorder.get("/cases?stage=open&minutes=-5&open=true&limit=7")
    assert answer.json()["filters"] == {"stage": "open", "minutes": -5, "open": True}
    assert answer.json()["limit"] == 7
    assert (await recorder.get("/cases")).json()["limit"] == 50


def test_times_need_a_zone_and_choices_are_held() -> None:
    since = Filter("state.at", datetime, "from")
    assert since.read("since", "2026-03-01T08:00:00+08:00") == datetime(2026, 3, 1, tzinfo=UTC)
    assert since.condition(5) == {"state.at": {"$gte": 5}}
    for wrong in ("2026-03-01T08:00:00", "yesterday", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(Invalid):
            since.read("since", wrong)
    with pytest.raises(Invalid):
        Filter("state.kind", choices=frozenset({"a"})).read("kind", "b")


def test_the_order_is_total_and_each_filter_has_its_index() -> None:
    assert CASES.sort == ("-changed", "-_id")
    assert CASES.indexes() == (
        ("-changed", "-_id"),
        ("state.stage", "-changed", "-_id"),
        ("state.minutes", "-changed", "-_id"),
        ("state.open", "-changed", "-_id"),
    )
    assert CASES.own_indexes()[0] == ("scope", "-changed", "-_id")


def test_a_range_over_another_field_than_the_order_has_no_index_and_is_not_offered() -> None:
    with pytest.raises(ValueError, match="since"):
        ListSpec("case", ("-changed",), {"since": Filter("state.at", datetime, "from")})


def test_a_page_is_read_from_the_query() -> None:
    asked = read_page(CASES, [("cursor", "abc"), ("limit", "200")])
    assert (asked.cursor, asked.limit, dict(asked.filters)) == ("abc", 200, {})
