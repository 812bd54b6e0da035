"""Reference figures of real areas come out of the system's own reports, from what was imported and nothing else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.local.demo import import_concerns
from deploy.local.demo_concerns import last_full_year
from deploy.local.demo_district import STREET, build_street
from deploy.local.desk import Desk
from tests.journeys.people import Person

P3 = {
    "complaints.recorded": 1869,
    "complaints.closed": 1594,
    "complaints.closed.property": 58,
    "complaints.closed.dispute": 398,
    "complaints.open": 275,
}


@pytest.fixture(scope="module")
def april() -> str:
    """The period of the street's workbook."""
    year = last_full_year(datetime.now(UTC))
    return f"unit={STREET}&since={year}-01-01&until={year}-04-30&as_of={year}-04-30"


@pytest.fixture(scope="module")
def before(urls: dict[str, str], april: str) -> dict[str, int]:
    """What other journeys on the same system had recorded in that period."""
    page = Person(urls, "street-s1").get("insight", f"/reports/street-concerns?{april}")
    return {figure["indicator"]: figure["value"] for figure in page["figures"] if figure["indicator"] in P3}


@pytest.fixture(scope="module")
def report(urls: dict[str, str], april: str, before: dict[str, int]) -> dict[str, dict[str, Any]]:
    """The street's report as of 30 April, by indicator, after the import, when insight has caught up."""
    build_street(Desk(urls, "admin-d1"))
    import_concerns(Desk(urls, "street-s1"))
    officer = Person(urls, "street-s1")

    def complete(page: Any) -> Any:
        figures = {figure["indicator"]: figure for figure in page["figures"]}
        keys = ("complaints.recorded", "complaints.closed")
        return figures if all(figures[key]["value"] >= before[key] + P3[key] for key in keys) else None

    found: dict[str, dict[str, Any]] = officer.wait_for("insight", f"/reports/street-concerns?{april}", complete, 120)
    return found


@pytest.mark.mechanism("CMP-02", "CMP-03", "CMP-04", "INF-07", "INF-08")
def test_the_streets_report_as_of_30_april_shows_its_figures(
    report: dict[str, dict[str, Any]], before: dict[str, int]
) -> None:
    assert {key: report[key]["value"] - before[key] for key in P3} == P3
    assert report["complaints.closure_rate"]["printed"] == "85.3 %"
    parts = report["complaints.solved"]["value"] + report["complaints.answered"]["value"]
    assert parts == report["complaints.closed"]["value"]


@pytest.mark.mechanism("INF-07")
@pytest.mark.parametrize("indicator", sorted(P3))
def test_each_figure_opens_down_to_exactly_its_concerns(
    indicator: str, report: dict[str, dict[str, Any]], urls: dict[str, str]
) -> None:
    officer, link = Person(urls, "street-s1"), report[indicator]["subjects"]
    listed: list[str] = []
    page = officer.get("insight", f"{link}&limit=2000")
    while page["items"]:
        listed += [item["id"] for item in page["items"]]
        page = officer.get("insight", f"{link}&limit=2000&cursor={listed[-1]}")
    assert len(set(listed)) == len(listed) == report[indicator]["value"]


def test_the_same_workbook_again_changes_nothing(
    report: dict[str, dict[str, Any]], urls: dict[str, str], april: str
) -> None:
    import_concerns(Desk(urls, "street-s1"), again=True)
    page = Person(urls, "street-s1").get("insight", f"/reports/street-concerns?{april}")
    again = {f["indicator"]: f["value"] for f in page["figures"] if f["indicator"] in P3}
    assert again == {key: report[key]["value"] for key in P3}


def test_the_neighbours_officer_sees_none_of_it(
    report: dict[str, dict[str, Any]], urls: dict[str, str], april: str
) -> None:
    Person(urls, "street-d2").get("insight", f"/reports/street-concerns?{april}", 404)
