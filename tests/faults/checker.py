"""Whether the promises held: judged from what clients were answered and from raw evidence, by nothing of the services.

Each check yields sentences, one for each violation; no sentence means that it held. They are pure, so that doctored
evidence can be put before them: see ``test_checker.py``.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

from tests.faults.evidence import Entry, Evidence, Published
from tests.faults.ledger import Asked
from tests.faults.poison import Poison

NOT_NOW = ("429", "503")
PATIENCE = timedelta(seconds=15)  # until a deadline that has passed must have come to pass
CASE, ORDER, HOURS = "complaints.case", "volunteers.order", "volunteers.hours"


class Lost(str):
    """A sentence about something that was accepted or written and is missing where it must be."""


class Doubled(str):
    """A sentence about something that took effect more often than once."""


class Inverted(str):
    """A sentence about an order that is not that of the aggregate."""


def violations(
    evidence: Evidence, asked: Sequence[Asked], poison: Sequence[Poison], pages: Sequence[tuple[str, str]] = ()
) -> dict[str, list[str]]:
    """Every check's sentences, by the name of the promise. ``pages``: paths, and what came instead of the page."""
    checks: dict[str, Callable[[], Iterable[str]]] = {
        "every answer was one that may be given": lambda: bad_answers(asked, pages),
        "every accepted request is in its aggregate once": lambda: requests_not_once(evidence, asked),
        "nothing is in a history that nobody asked for": lambda: effects_without_request(evidence, asked),
        "histories are gapless and in order": lambda: broken_histories(evidence),
        "every event is in its topic, in order": lambda: badly_published(evidence, poison),
        "every consumer has applied everything": lambda: unapplied(evidence, poison),
        "each order that was asked for exists once": lambda: orders_not_once(evidence),
        "hours are booked once for a confirmed order": lambda: hours_not_once(evidence),
        "each concern learnt once of its order's end": lambda: ends_not_once(evidence),
        "each deadline came to pass once": lambda: deadlines_not_once(evidence),
        "read models hold what the histories hold": lambda: wrong_rows(evidence),
        "nothing is parked but the poison": lambda: wrongly_parked(evidence, poison),
    }
    return {promise: list(check()) for promise, check in checks.items()}


def _amiss(times: int) -> type[Lost] | type[Doubled]:
    return Doubled if times else Lost


def bad_answers(asked: Iterable[Asked], pages: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Errors of the server's other than "not now, come again after", and requests that nobody answered in time.

    A connection that is refused or broken off is no answer.
    """
    for one in asked:
        if one.status == 0:
            yield f"{one.path}: no answer after {len(one.troubles)} tries"
        if one.status >= 500:
            yield f"{one.path}: answered {one.status} for trace {one.trace}"
        for trouble in sorted(set(one.troubles)):
            if trouble[0].isdigit() and trouble not in NOT_NOW:
                yield f"{one.path}: answered {trouble} for trace {one.trace}"
    for path, trouble in pages:
        if trouble[0].isdigit() and trouble not in NOT_NOW:
            yield f"{path}: answered {trouble}"


def requests_not_once(evidence: Evidence, asked: Iterable[Asked]) -> Iterator[str]:
    """An accepted request must stand in its aggregate, once, up to the sequence that it was answered with.

    A request is known by its trace id: what it caused itself carries that and no cause.
    """
    effects = _direct_effects(evidence)
    for one in asked:
        found = effects.get(one.trace, [])
        if one.accepted and not found:
            yield Lost(f"{one.path}: accepted as {one.aggregate} #{one.seq} and lost")
        elif one.accepted:
            yield from _once(one, found)
        elif found and one.status:
            yield f"{one.path}: refused with {one.status} {one.code}, yet it took effect"
        elif found and len({(subject, entry.op) for subject, entry in found}) > 1:
            yield Doubled(f"{one.path}: never answered, and applied more than once")


def _direct_effects(evidence: Evidence) -> dict[str, list[tuple[str, Entry]]]:
    effects: dict[str, list[tuple[str, Entry]]] = defaultdict(list)
    for histories in evidence.histories.values():
        for subject, history in histories.items():
            for entry in history:
                if not entry.cause:
                    effects[entry.trace].append((subject, entry))
    return effects


def _once(one: Asked, found: list[tuple[str, Entry]]) -> Iterator[str]:
    subjects = {subject for subject, _ in found}
    operations = {entry.op for _, entry in found}
    seqs = [entry.seq for _, entry in found]
    if subjects != {one.aggregate}:
        yield f"{one.path}: accepted as {one.aggregate}, but it stands in {sorted(subjects)}"
    elif len(operations) > 1 or len(seqs) != len(set(seqs)):
        yield Doubled(f"{one.path}: applied {len(operations)} times to {one.aggregate}, at {sorted(seqs)}")
    elif sorted(seqs) != list(range(min(seqs), one.seq + 1)):
        yield Lost(f"{one.path}: answered #{one.seq} of {one.aggregate}, but stands at {sorted(seqs)}")
    elif {entry.by for _, entry in found} != {one.by}:
        yield f"{one.path}: done in another's name in {one.aggregate}"


def effects_without_request(evidence: Evidence, asked: Sequence[Asked]) -> Iterator[str]:
    """What clients are said to have done, without a request of theirs."""
    callers, traces = {one.by for one in asked}, {one.trace for one in asked}
    for trace, found in _direct_effects(evidence).items():
        for subject, entry in found:
            if entry.by in callers and trace not in traces:
                yield f"{subject} #{entry.seq}: {entry.type} by {entry.by}, who asked for no such thing"


def broken_histories(evidence: Evidence) -> Iterator[str]:
    """Sequences that do not run from 1 to the version; ids that are given twice."""
    known: dict[str, str] = {}
    for histories in evidence.histories.values():
        for subject, history in histories.items():
            seqs = [entry.seq for entry in history]
            if seqs != list(range(1, len(seqs) + 1)):
                yield Inverted(f"{subject}: its history runs {seqs}")
            if evidence.versions[subject] != len(seqs):
                yield f"{subject}: version {evidence.versions[subject]} over {len(seqs)} entries"
            for entry in history:
                if entry.id in known:
                    yield Doubled(f"{subject} #{entry.seq}: its id is also that of an entry of {known[entry.id]}")
                known[entry.id] = subject


def badly_published(evidence: Evidence, poison: Sequence[Poison]) -> Iterator[str]:
    """Each entry is in its topic as it stands in the history, first occurrences in order; and nothing else is there."""
    poisonous = {one.subject for one in poison if one.subject}
    for kind, histories in evidence.histories.items():
        by_subject = defaultdict(list)
        for record in evidence.topics.get(kind, ()):
            if record.subject not in poisonous:
                by_subject[record.subject].append(record)
        for subject, history in histories.items():
            records = by_subject.pop(subject, [])
            cut = any(evidence.starts.get(kind, {}).get(record.partition) for record in records)
            yield from _as_in_history(kind, subject, history, records, cut)
        for subject, records in by_subject.items():
            yield f"{kind} {subject}: {len(records)} events of an aggregate that does not exist"


def _as_in_history(
    kind: str, subject: str, history: list[Entry], records: list[Published], cut: bool
) -> Iterator[str]:
    """``cut``: Kafka has dropped the beginning of the partition, so what was published first may be gone."""
    entries = {entry.seq: entry for entry in history}
    firsts: list[int] = []
    for record in records:
        entry = entries.get(record.seq)
        if entry is None or record.id != entry.id:
            yield f"{kind} {subject} #{record.seq}: published {record.id}, which its history does not hold there"
        elif (record.type, record.data) != (f"linli.{kind.partition('.')[0]}.{entry.type}", entry.data):
            yield f"{kind} {subject} #{record.seq}: published otherwise than it stands in the history"
        if record.seq not in firsts:
            firsts.append(record.seq)
    missing = sorted(entries.keys() - set(firsts))
    if missing:
        yield Lost(f"{kind} {subject}: never published {missing}")
    if firsts != sorted(firsts) and not cut:
        yield Inverted(f"{kind} {subject}: first published in the order {firsts}")
    if len({(record.partition, record.key) for record in records}) > 1:
        yield f"{kind} {subject}: spread over several partitions or keys"


def unapplied(evidence: Evidence, poison: Sequence[Poison]) -> Iterator[str]:
    """A consumer's place that is not the last event of an aggregate that it consumes, or one of an aggregate that is
    nowhere."""
    poisonous = {one.subject for one in poison if one.subject}
    if not any(evidence.consumed.values()):
        yield "no consumer consumes anything"
    for consumer, kinds in evidence.consumed.items():
        places = dict(evidence.places.get(consumer, {}))
        for kind in sorted(kinds):
            for subject, history in evidence.histories[kind].items():
                place, last = places.pop(subject, None), history[-1]
                if place is None or (place.seq, place.last_id) != (last.seq, last.id):
                    at = "nowhere" if place is None else f"#{place.seq}"
                    yield Lost(f"{consumer}: stands {at} in {kind} {subject}, which is at #{last.seq}")
        for subject in sorted(places.keys() - poisonous):
            yield f"{consumer}: has a place in {subject}, which does not exist"


def orders_not_once(evidence: Evidence) -> Iterator[str]:
    """A concern names the id of the order that it asks for: that order exists, made of that event and no other."""
    asking = evidence.entries(CASE, "case.order_requested")
    wanted = {entry.data["order"]: (subject, entry.id) for subject, entry in asking}
    requested = evidence.entries(ORDER, "order.requested")
    made = Counter(entry.data["case"] for _, entry in requested if "case" in entry.data)
    for order, (case, event) in wanted.items():
        history = evidence.histories.get(ORDER, {}).get(order)
        if history is None:
            yield Lost(f"{case}: its order {order} was never made")
        elif (history[0].data.get("case"), history[0].cause) != (case, event):
            yield f"{order}: not made of the event by which {case} asked for it"
    asked_by = Counter(case for case, _ in wanted.values())
    for case, count in made.items():
        if count != asked_by[case]:
            yield _amiss(count)(f"{case}: asked for {asked_by[case]} orders, {count} were made")


def hours_not_once(evidence: Evidence) -> Iterator[str]:
    """Every confirmed order has one booking, of its minutes, for its volunteer; nothing else was booked."""
    booked = defaultdict(list)
    for _, entry in evidence.entries(HOURS, "hours.booked"):
        booked[entry.data["order"]].append((entry.data["volunteer"], entry.data["minutes"]))
    for order, entry in evidence.entries(ORDER, "order.confirmed"):
        right = (entry.data["volunteer"], entry.data["minutes"])
        found = booked.pop(order, [])
        if found != [right]:
            booked_as = [minutes for _, minutes in found]
            yield _amiss(len(found))(f"{order}: confirmed with {right[1]} minutes, booked as {booked_as}")
    for order, found in booked.items():
        yield Doubled(f"{order}: not confirmed, booked as {[minutes for _, minutes in found]}")


def ends_not_once(evidence: Evidence) -> Iterator[str]:
    """The end of an order for a concern is in that concern's history once."""
    told = Counter((case, entry.data["order"]) for case, entry in evidence.entries(CASE, "case.order_ended"))
    over = {
        (entry.data["case"], order)
        for event in ("order.confirmed", "order.cancelled", "order.declined", "order.expired")
        for order, entry in evidence.entries(ORDER, event)
        if "case" in entry.data and entry.data.get("last", True)
    }
    for case, order in over:
        if told[(case, order)] != 1:
            yield _amiss(told[(case, order)])(f"{case}: told {told[(case, order)]} times of the end of {order}")
    for case, order in told.keys() - over:
        yield f"{case}: told of the end of {order}, which has not ended"


def wrongly_parked(evidence: Evidence, poison: Sequence[Poison]) -> Iterator[str]:
    """Whatever is parked is poison; and each consumer of a topic has parked the bytes that are no event."""
    known = {(one.topic, one.partition, one.offset) for one in poison}
    for consumer, kinds in evidence.consumed.items():
        rows = evidence.parked.get(consumer, [])
        for row in rows:
            if (row.topic, row.partition, row.offset) not in known:
                yield f"{consumer}: parked {row.topic} {row.partition}/{row.offset} as {row.reason} {row.code}"
        here = {(row.topic, row.partition, row.offset) for row in rows}
        for one in poison:
            if one.topic in kinds and not one.event and (one.topic, one.partition, one.offset) not in here:
                yield f"{consumer}: did not park the bytes at {one.topic} {one.partition}/{one.offset}"
    for one in poison:
        if one.event and not any(one.event == row.event for rows in evidence.parked.values() for row in rows):
            yield f"nobody parked the event of an unknown version at {one.topic} {one.partition}/{one.offset}"


def deadlines_not_once(evidence: Evidence) -> Iterator[str]:
    """What has passed by the domain's clock is an event, and each promise is broken at most once."""
    for subject, at in evidence.due.items():
        if at < evidence.now - PATIENCE:
            yield Lost(f"{subject}: its deadline of {at:%F %T} has not come to pass at {evidence.now:%F %T}")
    for kind, name in ((CASE, "case.overdue"), (ORDER, "order.overdue")):
        broken = Counter((s, entry.data["name"], entry.data["due"]) for s, entry in evidence.entries(kind, name))
        for (subject, promise, due), times in broken.items():
            if times > 1:
                yield Doubled(f"{subject}: the deadline {promise} of {due} came to pass {times} times")


COUNTED = {
    CASE: "registered solved answered confirmed reopened returned overdue escalated replied closed",
    ORDER: "requested accepted declined expired done confirmed cancelled",
    HOURS: "booked corrected",
    "directory.unit": "registered closed",
    "volunteers.volunteer": "registered closed",
}
"""Of which events insight keeps rows; others of the directory's do not happen in a run."""


def wrong_rows(evidence: Evidence) -> Iterator[str]:
    """Insight's row of a subject names exactly those of its events that count; each service knows the units' tree."""
    if evidence.rows is None:
        return
    for kind, verbs in COUNTED.items():
        for subject, history in evidence.histories.get(kind, {}).items():
            right = {entry.seq: entry.id for entry in history if entry.type.split(".")[1] in verbs.split()}
            row = evidence.rows.get(subject)
            if (row.events if row else {}) != right:
                held = sorted(row.events) if row else []
                yield Lost(f"insight: its row of {subject} holds {held}, not {sorted(right)}")
    tree = {s: h[0].data.get("parent") for s, h in evidence.histories.get("directory.unit", {}).items()}
    for service, known in evidence.units.items():
        for unit in tree.keys() | known.keys():
            if tree.get(unit, "nowhere") != known.get(unit, "nowhere"):
                yield f"{service}: {unit} lies below {known.get(unit)}, by the directory below {tree.get(unit)}"
