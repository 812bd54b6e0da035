"""Accepted is kept, broken where requests are stored."""

from tests.sabotage.sabotage import Sabotage

PROMISE = "accepted is kept"
STORAGE = "services/chassis/storage"
HISTORY = "tests/integration/history/test_history.py"
MAJORITY = "tests/integration/history/test_majority.py"

SABOTAGES = (
    Sabotage(
        name="drop-the-version-guard",
        promise=PROMISE,
        what="An update is written whatever version it was decided on.",
        file=f"{STORAGE}/documents.py",
        old='UpdateOne({"_id": aggregate_id, "version": version}, raw)',
        new='UpdateOne({"_id": aggregate_id}, raw)',
        tests=(f"{HISTORY}::test_concurrent_changes_of_two_processes_are_all_applied_once[motor]",),
        shows=r"assert \d+ == 40",
    ),
    Sabotage(
        name="upsert-instead-of-guarded-update",
        promise=PROMISE,
        what="An update of what is gone makes a new, headless document.",
        file=f"{STORAGE}/documents.py",
        old='UpdateOne({"_id": aggregate_id, "version": version}, raw)',
        new='UpdateOne({"_id": aggregate_id, "version": version}, raw, upsert=True)',
        tests=(f"{HISTORY}::test_an_update_of_what_is_gone_makes_no_ghost[motor]",),
        shows=r"DID NOT RAISE.*Unavailable",
    ),
    Sabotage(
        name="answer-before-the-write",
        promise=PROMISE,
        what="A request is answered when its write is queued, not when it is kept.",
        file=f"{STORAGE}/commit.py",
        old="        await write.done\n",
        new="        await asyncio.sleep(0)\n",
        tests=(f"{HISTORY}::test_a_write_whose_fate_is_unknown_until_the_deadline_is_unavailable[motor]",),
        shows=r"DID NOT RAISE.*Unavailable",
    ),
    Sabotage(
        name="answer-before-majority",
        promise=PROMISE,
        what="A write counts as kept when one member has it in memory.",
        file=f"{STORAGE}/driver.py",
        old='WriteConcern("majority", j=True, wtimeout=8000)',
        new="WriteConcern(1, j=False)",
        tests=(f"{MAJORITY}::test_what_one_member_alone_holds_is_not_accepted_and_the_repeat_is",),
        shows=r"DID NOT RAISE.*Unavailable",
    ),
    Sabotage(
        name="read-back-locally",
        promise=PROMISE,
        what="Reads, and the look for what became of a write, see what may be rolled back.",
        file=f"{STORAGE}/driver.py",
        old='ReadConcern("majority")',
        new='ReadConcern("local")',
        tests=(f"{MAJORITY}::test_what_one_member_alone_holds_is_neither_read_nor_taken_for_done",),
        shows=r"assert 2 == 1",
    ),
    Sabotage(
        name="two-of-one-aggregate-in-a-group",
        promise=PROMISE,
        what="Two writes of one aggregate leave in one unordered bulk write.",
        file=f"{STORAGE}/commit.py",
        old="if write.id in self._busy:",
        new="if False:",
        tests=(f"{HISTORY}::test_two_writes_of_one_aggregate_never_leave_in_one_group[motor]",),
        shows=r"assert \[\['tally_",
    ),
    Sabotage(
        name="slice-a-history",
        promise=PROMISE,
        what="A push cuts the head of a long history off instead of moving it to the archive.",
        file=f"{STORAGE}/documents.py",
        old='"$push": {"history": {"$each": decided.entries}}',
        new='"$push": {"history": {"$each": decided.entries, "$slice": -100}}',
        tests=(f"{HISTORY}::test_a_long_history_moves_to_the_archive_and_is_read_whole[motor]",),
        shows=r"assert .*archived",
    ),
    Sabotage(
        name="skip-the-idempotency-key",
        promise=PROMISE,
        what="A request sent again under its key is taken for another one.",
        file="services/chassis/http/given.py",
        old="operation=digest(who, served.signature, *exchange.path_params.values(), key),",
        new="operation=digest(who, served.signature, *exchange.path_params.values(), key, str(monotonic())),",
        tests=(
            "tests/unit/http/test_operations.py::test_the_same_request_is_the_same_operation",
            "tests/integration/http/test_requests.py::test_a_repeat_gets_the_first_answer",
        ),
        shows=r"assert .*==",
    ),
    Sabotage(
        name="forget-the-first-answer",
        promise=PROMISE,
        what="A command that was carried out already is carried out again.",
        file=f"{STORAGE}/history.py",
        old='done = [entry for entry in document["history"] if entry["op"] == context.operation]',
        new="done: list[Document] = []",
        tests=(f"{HISTORY}::test_the_same_operation_gives_the_first_answer[motor]",),
        shows=r"assert Written",
    ),
    Sabotage(
        name="accept-another-body-under-the-same-key",
        promise=PROMISE,
        what="Another request under a used key is answered as if it had been done.",
        file=f"{STORAGE}/history.py",
        old='if done[0].get("body", "") != context.body:',
        new="if False:",
        tests=(
            f"{HISTORY}::test_the_same_key_with_another_body_is_refused[motor]",
            "tests/integration/http/test_requests.py::test_the_same_key_with_another_body_is_refused",
        ),
        shows=r"DID NOT RAISE.*KeyReused|assert 200 == 422",
    ),
)
