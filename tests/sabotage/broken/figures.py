"""Figures come from facts."""

from tests.sabotage.sabotage import Sabotage

PROMISE = "figures come from facts"
FIGURES = "tests/integration/insight/test_figures.py"

SABOTAGES = (
    Sabotage(
        name="count-a-figure-twice",
        promise=PROMISE,
        what="An event that is delivered again counts again.",
        file="services/insight/rows.py",
        old='return {f"steps.{envelope.sequence}": fact}',
        new="return {f\"steps.{envelope.sequence}-{__import__('time').monotonic_ns()}\": fact}",
        tests=(f"{FIGURES}::test_hours_are_the_sum_of_entries_and_counter_entries",),
        shows=r"\[180, 270, 210\] == \[90, 135, 105\]",
    ),
    Sabotage(
        name="drill-down-that-leaves-one-out",
        promise=PROMISE,
        what="The list behind a figure is shorter than the figure.",
        file="services/insight/queries.py",
        old='stages += [{"$sort": {"_id": 1}}, {"$limit": limit},',
        new='stages += [{"$sort": {"_id": 1}}, {"$skip": 1}, {"$limit": limit},',
        tests=(f"{FIGURES}::test_every_figure_opens_down_to_exactly_its_subjects",),
        shows=r"assert \d+ == \d+",
    ),
    Sabotage(
        name="list-that-ends-at-its-first-page",
        promise=PROMISE,
        what="Whoever follows the list behind a figure page by page is told too soon that there is no more.",
        file="services/insight/api.py",
        old='"next": items[-1]["id"] if len(items) == limit else None',
        new='"next": None',
        tests=(
            "tests/integration/insight/test_drill_down.py"
            "::test_whoever_follows_a_figures_link_finds_as_many_as_it_says",
        ),
        shows=r"assert 7 == \d+",
    ),
)
