"""The judge can find guilty: doctored histories, topics and places are put before it, and it says what is wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faults.checker import CASE, HOURS, ORDER, Doubled, Inverted, Lost, violations
from tests.faults.evidence import Entry, Evidence, Parked, Place, Published, Row
from tests.faults.ledger import Asked
from tests.faults.poison import Poison
from tests.faults.recount import recounted, value_of, wrong_figures

WORKER, SCOPE = "usr_worker", ("unit_d", "unit_c")
BYTES = Poison("complaints.case", 0, 99)
NEWER = Poison("complaints.case", 0, 100, "evt_newer", "case_newer")


class World:
    """One concern with an order that was confirmed, as it stands when every promise held; tests spoil it."""

    def __init__(self) -> None:
        self.asked = [
            _asked("t1", "/cases", "case_1", 1),
            _asked("t2", "/cases/case_1/orders", "case_1", 2),
            _asked("t3", "/orders/order_1/confirm", "order_1", 3),
        ]
        case = [
            _entry("c1", 1, "case.registered", "t1", category="property"),
            _entry("c2", 2, "case.order_requested", "t2", order="order_1"),
            _entry("c3", 3, "case.order_ended", "t3", cause="o3", order="order_1"),
        ]
        order = [
            _entry("o1", 1, "order.requested", "t2", cause="c2", case="case_1"),
            _entry("o2", 2, "order.offered", "t2", cause="o1", case="case_1"),
            _entry("o3", 3, "order.confirmed", "t3", case="case_1", volunteer="vol_1", minutes=30),
        ]
        hours = [_entry("h1", 1, "hours.booked", "t3", cause="o3", order="order_1", volunteer="vol_1", minutes=30)]
        self.evidence = Evidence(
            histories={CASE: {"case_1": case}, ORDER: {"order_1": order}, HOURS: {"hours_1": hours}},
            consumed={"insight": {CASE, ORDER, HOURS}, "volunteers": {CASE, ORDER}, "complaints": {ORDER}},
        )
        for kind, histories in self.evidence.histories.items():
            for subject, history in histories.items():
                self.evidence.versions[subject] = len(history)
                self.evidence.topics[kind] = _published(kind, subject, history)
        for consumer, kinds in self.evidence.consumed.items():
            held = {subject: history for kind in kinds for subject, history in self.evidence.histories[kind].items()}
            self.evidence.places[consumer] = {s: Place(h[-1].seq, h[-1].id) for s, h in held.items()}
            self.evidence.parked[consumer] = [_parked(BYTES)] if CASE in kinds else []
        self.evidence.parked["insight"].append(_parked(NEWER))

    @property
    def case(self) -> list[Entry]:
        return self.evidence.histories[CASE]["case_1"]

    def broken(self) -> set[str]:
        """The promises that the judge finds broken."""
        found = violations(self.evidence, self.asked, [BYTES, NEWER])
        return {promise for promise, sentences in found.items() if sentences}


def _asked(trace: str, path: str, aggregate: str, seq: int) -> Asked:
    return Asked(trace, f"key-{trace}", WORKER, "complaints", path, 0.0, 201, 0.1, aggregate, seq)


def _entry(event: str, seq: int, name: str, trace: str, cause: str = "", **data: object) -> Entry:
    return Entry(event, seq, f"{name}.v1", WORKER, f"op-{trace}-{cause}-{event}", cause, trace, SCOPE, data)


def _published(kind: str, subject: str, history: list[Entry]) -> list[Published]:
    service = kind.partition(".")[0]
    return [
        Published(0, offset, subject, subject, entry.seq, entry.id, f"linli.{service}.{entry.type}", entry.data)
        for offset, entry in enumerate(history)
    ]


def _parked(one: Poison) -> Parked:
    return Parked(one.topic, one.partition, one.offset, one.event, "undecodable", "header-missing")


ANSWERS = "every answer was one that may be given"
ONCE = "every accepted request is in its aggregate once"
HISTORIES = "histories are gapless and in order"
TOPICS = "every event is in its topic, in order"
APPLIED = "every consumer has applied everything"


def test_a_world_in_which_all_was_kept_is_found_so() -> None:
    assert World().broken() == set()


def lose_a_request(world: World) -> None:
    world.asked.append(_asked("t9", "/cases", "case_9", 1))


def apply_a_request_twice(world: World) -> None:
    world.case.append(_entry("c4", 4, "case.order_requested", "t2", order="order_1"))


def apply_it_to_another(world: World) -> None:
    world.asked[1].aggregate = "case_2"


def answer_with_another_sequence(world: World) -> None:
    world.asked[1].seq = 7


def apply_in_anothers_name(world: World) -> None:
    world.asked[1].by = "usr_another"


def apply_what_was_refused(world: World) -> None:
    world.asked[1].status, world.asked[1].code = 409, "step-not-from-here"


@pytest.mark.parametrize(
    "spoil",
    [
        lose_a_request, apply_a_request_twice, apply_it_to_another, answer_with_another_sequence,
        apply_in_anothers_name, apply_what_was_refused,
    ],
)  # fmt: skip
def test_it_sees_an_accepted_request_that_is_lost_doubled_or_misplaced(spoil: Callable[[World], None]) -> None:
    world = World()
    spoil(world)
    assert ONCE in world.broken()


def test_it_sees_a_request_without_an_answer_and_a_server_error() -> None:
    world = World()
    world.asked[0].status = 0
    assert world.broken() == {"every answer was one that may be given"}
    world = World()
    world.asked[0].troubles = ["503", "500"]
    assert world.broken() == {"every answer was one that may be given"}


def test_an_error_that_does_not_say_when_to_come_again_is_no_answer_that_may_be_given() -> None:
    for trouble in ("502", "503 without Retry-After", "429 without Retry-After", "504"):
        world = World()
        world.asked[0].troubles = [trouble]
        assert world.broken() == {"every answer was one that may be given"}
        assert violations(World().evidence, World().asked, [BYTES, NEWER], [("/cases", trouble)])[ANSWERS]
    world = World()
    world.asked[0].troubles = ["503", "429", "ConnectError"]
    assert world.broken() == set()


def test_it_sees_what_nobody_asked_for() -> None:
    world = World()
    world.case[0] = world.case[0]._replace(trace="t-of-nobody")
    assert "nothing is in a history that nobody asked for" in world.broken()


def invert(world: World) -> None:
    world.case[0], world.case[1] = world.case[1], world.case[0]


def leave_a_gap(world: World) -> None:
    del world.case[1]


def give_an_id_twice(world: World) -> None:
    world.case[2] = world.case[2]._replace(id="o1")


def miscount(world: World) -> None:
    world.evidence.versions["case_1"] = 4


@pytest.mark.parametrize("spoil", [invert, leave_a_gap, give_an_id_twice, miscount])
def test_it_sees_a_history_with_a_gap_an_inversion_or_a_double(spoil: Callable[[World], None]) -> None:
    world = World()
    spoil(world)
    assert HISTORIES in world.broken()


def lose_a_record(world: World) -> None:
    del world.evidence.topics[CASE][1]


def publish_out_of_order(world: World) -> None:
    records = world.evidence.topics[CASE]
    records[0], records[1] = records[1], records[0]


def publish_something_else(world: World) -> None:
    records = world.evidence.topics[CASE]
    records[1] = records[1]._replace(data={"order": "order_2"})


def publish_under_another_id(world: World) -> None:
    records = world.evidence.topics[CASE]
    records.append(records[1]._replace(id="forked", offset=9))


def publish_of_nothing(world: World) -> None:
    records = world.evidence.topics[CASE]
    records.append(records[0]._replace(subject="case_ghost", offset=9))


def publish_to_another_partition(world: World) -> None:
    records = world.evidence.topics[CASE]
    records[2] = records[2]._replace(partition=1)


@pytest.mark.parametrize(
    "spoil",
    [
        lose_a_record, publish_out_of_order, publish_something_else, publish_under_another_id, publish_of_nothing,
        publish_to_another_partition,
    ],
)  # fmt: skip
def test_it_sees_an_event_that_is_not_in_its_topic_as_it_should(spoil: Callable[[World], None]) -> None:
    world = World()
    spoil(world)
    assert world.broken() == {TOPICS}


def test_a_record_that_is_repeated_late_breaks_nothing() -> None:
    world = World()
    records = world.evidence.topics[CASE]
    records.append(records[0]._replace(offset=9))
    assert world.broken() == set()


def fall_behind(world: World) -> None:
    world.evidence.places["insight"]["case_1"] = Place(2, "c2")


def lose_the_place(world: World) -> None:
    del world.evidence.places["volunteers"]["case_1"]


def run_ahead(world: World) -> None:
    world.evidence.places["complaints"]["order_1"] = Place(4, "o4")


def apply_another_event(world: World) -> None:
    world.evidence.places["insight"]["case_1"] = Place(3, "forked")


def apply_a_ghost(world: World) -> None:
    world.evidence.places["insight"]["case_ghost"] = Place(1, "g1")


def consume_nothing(world: World) -> None:
    world.evidence.consumed.clear()


@pytest.mark.parametrize(
    "spoil", [fall_behind, lose_the_place, run_ahead, apply_another_event, apply_a_ghost, consume_nothing]
)
def test_it_sees_a_consumer_that_is_not_where_the_histories_are(spoil: Callable[[World], None]) -> None:
    world = World()
    spoil(world)
    assert APPLIED in world.broken()


def test_it_sees_an_order_that_was_never_made_or_made_twice() -> None:
    world = World()
    del world.evidence.histories[ORDER]["order_1"]
    assert "each order that was asked for exists once" in world.broken()
    world = World()
    world.evidence.histories[ORDER]["order_2"] = [_entry("p1", 1, "order.requested", "t2", cause="c2", case="case_1")]
    world.evidence.versions["order_2"] = 1
    assert "each order that was asked for exists once" in world.broken()


def test_it_sees_hours_that_are_missing_doubled_wrong_or_undeserved() -> None:
    promise = "hours are booked once for a confirmed order"
    double = _entry("h2", 1, "hours.booked", "t3", cause="o3", order="order_1", volunteer="vol_1", minutes=30)
    for booked in (
        {},
        {"hours_1": [double], "hours_2": [double._replace(id="h3")]},
        {"hours_1": [double._replace(data=double.data | {"minutes": 60})]},
        {"hours_1": [double], "hours_2": [double._replace(id="h3", data=double.data | {"order": "order_9"})]},
    ):
        world = World()
        world.evidence.histories[HOURS] = booked
        world.evidence.versions |= {"hours_1": 1, "hours_2": 1}
        assert promise in world.broken()


def test_it_sees_a_concern_that_never_learnt_or_learnt_twice_of_its_orders_end() -> None:
    promise = "each concern learnt once of its order's end"
    world = World()
    del world.case[2]
    assert promise in world.broken()
    world = World()
    world.case.append(world.case[2]._replace(id="c4", seq=4))
    assert promise in world.broken()


def test_it_sees_a_deadline_that_passed_unnoticed_or_came_to_pass_twice() -> None:
    promise = "each deadline came to pass once"
    world = World()
    world.evidence.due["case_1"] = world.evidence.now - timedelta(minutes=1)
    assert world.broken() == {promise}
    world = World()
    for seq in (4, 5):
        entry = _entry(f"c{seq}", seq, "case.overdue", f"clock-{seq}")
        world.case.append(entry._replace(by="clock", data={"name": "accept", "due": "2026-01-01T00:00:00Z"}))
    assert promise in world.broken()


def test_it_sees_a_row_of_insight_that_is_not_its_history() -> None:
    promise = "read models hold what the histories hold"
    right = {"case_1": Row("", {1: "c1"}), "order_1": Row("", {1: "o1", 3: "o3"}), "hours_1": Row("", {1: "h1"})}
    world = World()
    world.evidence.rows = right
    assert world.broken() == set()
    for subject, wrong in (("case_1", {}), ("order_1", {1: "o1", 3: "o2"}), ("hours_1", {1: "h1", 2: "h2"})):
        world.evidence.rows = right | {subject: Row("", wrong)}
        assert world.broken() == {promise}


def test_it_sees_a_service_that_does_not_know_the_tree_of_units() -> None:
    world = World()
    world.evidence = Evidence(rows={})
    world.evidence.histories["directory.unit"] = {"unit_c": [_entry("u1", 1, "unit.registered", "t0", parent="unit_d")]}
    world.evidence.rows = {"unit_c": Row("unit", {1: "u1"})}
    world.evidence.versions["unit_c"] = 1
    world.evidence.units = {"complaints": {"unit_c": "unit_x"}, "volunteers": {"unit_c": "unit_d"}}
    found = violations(world.evidence, [], [])["read models hold what the histories hold"]
    assert found == ["complaints: unit_c lies below unit_x, by the directory below unit_d"]


def test_where_kafka_dropped_the_beginning_the_order_of_what_is_left_is_not_judged() -> None:
    world = World()
    records = world.evidence.topics[CASE]
    records.append(records.pop(0))
    assert world.broken() == {TOPICS}
    world.evidence.starts[CASE] = {0: 1}
    assert world.broken() == set()
    del records[1]
    assert world.broken() == {TOPICS}


def test_sentences_say_whether_something_is_lost_doubled_or_inverted() -> None:
    for spoil, kind in ((lose_a_request, Lost), (apply_a_request_twice, Doubled), (publish_out_of_order, Inverted)):
        world = World()
        spoil(world)
        sentences = [s for of in violations(world.evidence, world.asked, [BYTES, NEWER]).values() for s in of]
        assert any(isinstance(sentence, kind) for sentence in sentences)


def test_it_sees_what_is_parked_besides_the_poison_and_poison_that_is_not() -> None:
    promise = "nothing is parked but the poison"
    world = World()
    world.evidence.parked["insight"].append(Parked("volunteers.order", 0, 7, "o2", "gap", ""))
    assert world.broken() == {promise}
    world = World()
    world.evidence.parked["volunteers"].clear()
    assert world.broken() == {promise}
    world = World()
    world.evidence.parked["insight"].pop()
    assert world.broken() == {promise}


def test_the_recount_counts_by_outcome_and_unit_and_sees_a_wrong_figure() -> None:
    world = World()
    world.case.append(_entry("c4", 4, "case.solved", "t4"))
    figures = recounted(world.evidence, "unit_c")
    assert figures["complaints.recorded"] == figures["complaints.closed.property"] == 1
    assert (figures["volunteers.orders.confirmed"], figures["volunteers.minutes"]) == (1, 30)
    assert not any(recounted(world.evidence, "unit_other").values())
    report = {"figures": [{"indicator": name, "value": value} for name, value in figures.items()]}
    assert list(wrong_figures(report, world.evidence, "unit_c")) == []
    world.case.append(_entry("c5", 5, "case.reopened", "t5"))
    assert len(list(wrong_figures(report, world.evidence, "unit_c"))) == 4  # closed, solved, open and property


def test_every_figure_is_recounted_by_its_definition() -> None:
    world, now = World(), datetime.now(UTC)
    world.case.append(_entry("c4", 4, "case.solved", "t4"))
    property_: dict[str, Any] = {"category": "property"}
    closed = {"measure": "count", "subject": "case", "outcome": ["solved"], "where": property_}
    definitions: dict[str, dict[str, Any]] = {
        "closed": closed,
        "recorded": {"measure": "count", "subject": "case"},
        "rate": {"measure": "ratio", "numerator": "closed", "denominator": "recorded"},
        "minutes": {"measure": "sum", "subject": "hours"},
        "served": {"measure": "distinct", "subject": "hours", "dimension": "volunteer"},
        "unescalated": closed | {"without_step": ["escalated"]},
        "reopened": {"measure": "count", "subject": "case", "with_step": ["reopened"]},
        "hidden": {"measure": "level", "subject": "case", "hide_below": 3},
    }
    right = {"closed": 1, "recorded": 1, "rate": 1.0, "minutes": 30, "served": 1, "unescalated": 1, "reopened": 0}
    for key, value in (right | {"hidden": None}).items():
        assert value_of(definitions[key], definitions, world.evidence, "unit_c", now) == value, key
    world.case[0] = world.case[0]._replace(at=now + timedelta(hours=1))
    assert value_of(definitions["recorded"], definitions, world.evidence, "unit_c", now) == 0
