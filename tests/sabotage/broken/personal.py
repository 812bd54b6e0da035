"""Personal data stays home: sealed, recorded when read, gone when erased, in no event and no answer."""

from tests.sabotage.sabotage import Sabotage

PROMISE = "personal data stays home"
SEALING = "services/chassis/personal/sealing.py"
HISTORY = "tests/integration/history/test_history.py"

SABOTAGES = (
    Sabotage(
        name="keep-the-sealed-value-in-clear",
        promise=PROMISE,
        what="What should be sealed is stored as it was told.",
        file=SEALING,
        old="return await self._encryption.encrypt(fields, _ALGORITHM, key_alt_name=district)",
        new="return Binary(str(fields).encode())",
        tests=("tests/integration/sealing/test_sealing.py::test_a_name_and_a_phone_are_found_in_no_document",),
        shows=r"assert .* not in ",
    ),
    Sabotage(
        name="read-without-a-record",
        promise=PROMISE,
        what="A sealed value is opened and nobody can tell who read it.",
        file=SEALING,
        old="        await self._record([_record(caller, purpose, reason, one.id, one.scope) for one in stored])\n",
        new="        _reason(reason)\n",
        tests=(
            "tests/integration/sealing/test_sealing.py::test_the_record_stands_also_when_the_data_cannot_be_opened",
        ),
        shows=r"assert \[\] == \['call back",
    ),
    Sabotage(
        name="erase-and-leave-the-archive",
        promise=PROMISE,
        what="What is erased stays in the older part of a long history.",
        file="services/chassis/storage/archive.py",
        old='entries = [self.without(entry, purposes) for entry in part["entries"]]',
        new='entries = list(part["entries"])',
        tests=(f"{HISTORY}::test_erasing_removes_sealed_values_from_state_history_and_archive[motor]",),
        shows=r"assert False",
    ),
    Sabotage(
        name="erase-and-leave-what-was-moved-meanwhile",
        promise=PROMISE,
        what="What another process moved to the archive during the erasure stays there.",
        file="services/chassis/storage/history.py",
        old="await self.archive.erase(aggregate_id, purposes)  # what another process moved there meanwhile",
        new="await self.archive.entries(aggregate_id)",
        tests=(f"{HISTORY}::test_what_another_process_moves_to_the_archive_meanwhile_is_erased_there_too[motor]",),
        shows=r"assert b'sealed for' not in",
    ),
    Sabotage(
        name="send-free-text-in-an-event",
        promise=PROMISE,
        what="What a volunteer wrote leaves with the event.",
        file="services/volunteers/domain/hours.py",
        old="asked = HoursCorrectionAsked(volunteer=state.volunteer, order=state.order, total=command.total)",
        new="asked = HoursCorrectionAsked(volunteer=state.volunteer, order=command.note, total=command.total)",
        tests=("tests/unit/volunteers/test_hours.py::test_what_the_volunteer_wrote_stays_out_of_the_event",),
        shows=r"assert '王大妈' not in ",
    ),
    Sabotage(
        name="send-a-name-in-an-event",
        promise=PROMISE,
        what="The name of who reported a concern leaves with the event.",
        file="services/complaints/domain/recording.py",
        old="resident=command.resident,",
        new='resident=command.reporter.get("name", command.resident),',
        tests=("tests/unit/complaints/test_recording.py::test_no_word_leaves_in_an_event",),
        shows=r"'张三' not in ",
    ),
    Sabotage(
        name="log-what-a-parser-quotes",
        promise=PROMISE,
        what="The message of an exception stands in the log.",
        file="services/chassis/telemetry.py",
        old='event["raised"], event["where"] = _types(raised), _places(raised.__traceback__)',
        new='event["raised"], event["where"], event["said"] = (\n'
        "            _types(raised), _places(raised.__traceback__), str(raised)\n"
        "        )",
        tests=(
            "tests/unit/http/test_telemetry.py::test_an_exception_is_logged_by_type_and_place_and_never_by_its_message",
        ),
        shows=r"'张三丰' not in ",
    ),
    Sabotage(
        name="hash-alike-everywhere",
        promise=PROMISE,
        what="Equal values have equal look-up hashes in all districts, so that persons can be followed across them.",
        file="services/chassis/personal/lookups.py",
        old="(self._service, district, kind, normal)",
        new="(self._service, kind, normal)",
        tests=("tests/unit/sealing/test_lookups.py::test_equal_values_hash_apart_by_district_service_kind_and_key",),
        shows=r"assert 5 == 6",
    ),
    Sabotage(
        name="echo-input-in-an-error",
        promise=PROMISE,
        what="An error quotes what was sent.",
        file="services/chassis/http/problems.py",
        old='"instance": exchange.trail.request,',
        new='"instance": exchange.trail.request, "input": exchange.body.decode(errors="replace"),',
        tests=("tests/unit/http/test_problems.py::test_nothing_that_was_sent_is_ever_repeated",),
        shows=r" not in ",
    ),
)
