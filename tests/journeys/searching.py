"""Where a trace of a person could lie: topics, logs, metrics, the database's collections and its files."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from kafka import KafkaConsumer, TopicPartition
from pymongo import MongoClient

from deploy.local.plan import Plan
from deploy.local.system import System

PORTION = 8_000_000  # bytes of a file at a time
WAIT_MS = 60_000


class Needles:
    """What is searched for, in every form in which it could be written."""

    def __init__(self, marks: Sequence[str]) -> None:
        self._forms: dict[bytes, str] = {}
        for mark in marks:
            escaped = json.dumps(mark).strip('"')
            forms = (mark.encode(), escaped.encode(), escaped.upper().encode(), mark.encode("gb18030"))
            self._forms |= {form: mark for form in forms} | {mark.encode("utf-16-le"): mark}
        self.longest = max(map(len, self._forms))

    def within(self, content: bytes) -> set[str]:
        """The marks that stand in it."""
        return {mark for form, mark in self._forms.items() if form in content}

    def within_file(self, file: Path) -> set[str]:
        """The marks that stand in a file, also across the portions in which it is read."""
        found: set[str] = set()
        before = b""
        with file.open("rb") as stream:
            while portion := stream.read(PORTION):
                found |= self.within(before + portion)
                before = portion[-self.longest :]
        return found


def in_topics(plan: Plan, needles: Needles) -> dict[str, set[str]]:
    """Raw keys, values and headers of every topic there is, the consumers' own among them."""
    consumer: Any = KafkaConsumer(bootstrap_servers=plan.kafka.split(","), enable_auto_commit=False)
    found: dict[str, set[str]] = {}
    try:
        parts = [TopicPartition(name, n) for name in consumer.topics() for n in consumer.partitions_for_topic(name)]
        consumer.assign(parts)
        consumer.seek_to_beginning()
        ends = {part: end for part, end in consumer.end_offsets(parts).items() if end}
        while any(consumer.position(part) < end for part, end in ends.items()):
            for part, records in consumer.poll(timeout_ms=WAIT_MS).items():
                for record in records:
                    headers = b"".join(name.encode() + (value or b"") for name, value in record.headers)
                    marks = needles.within((record.key or b"") + (record.value or b"") + headers)
                    _keep(found, part.topic, marks)
    finally:
        consumer.close()
    return found


def in_files(files: Sequence[Path], needles: Needles) -> dict[str, set[str]]:
    """Each of these files."""
    found: dict[str, set[str]] = {}
    for file in files:
        _keep(found, str(file), needles.within_file(file))
    return found


def in_metrics(system: System, needles: Needles) -> dict[str, set[str]]:
    """What each process tells of itself: metrics, and whether it is alive and ready."""
    found: dict[str, set[str]] = {}
    for program in system.programs:
        for page in ("metrics", "ready", "live") if program.ready else ():
            answer = httpx.get(str(program.ready).replace("/ready", f"/{page}"), timeout=30)
            _keep(found, f"{program.name} {page}", needles.within(answer.content))
    return found


def in_collections(plan: Plan, needles: Needles) -> dict[str, set[str]]:
    """Every document of every collection, the server's own databases and the log of its operations among them."""
    found: dict[str, set[str]] = {}
    raw: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
    with MongoClient[Any](plan.mongo) as client:
        for database in map(client.get_database, client.list_database_names()):
            for name in database.list_collection_names():
                for document in database.get_collection(name, codec_options=raw).find():
                    _keep(found, f"{database.name}.{name}", needles.within(document.raw))
    return found


def database_files(plan: Plan) -> Iterator[Path]:
    """The files of a MongoDB of our own, after everything has been written to them; none of a given one."""
    if not plan.given_mongo:
        with MongoClient[Any](plan.mongo) as client:
            client.admin.command("fsync")
        yield from sorted(file for file in (plan.data / "mongo").rglob("*") if file.is_file())


def _keep(found: dict[str, set[str]], where: str, marks: set[str]) -> None:
    if marks:
        found.setdefault(where, set()).update(marks)
