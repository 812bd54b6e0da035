"""Every code has a text in both languages, and no text can carry what somebody typed."""

from datetime import date
from pathlib import Path

import pytest

from services.chassis.aggregate import Text
from services.chassis.texts import Texts, faults, language_of, sayable_path
from services.chassis.texts.chassis import CHASSIS
from services.chassis.texts.codes import raised_codes, unspoken
from services.chassis.texts.input import CODES, INPUT, OTHERWISE
from services.chassis.texts.kernel import KERNEL

SERVICES = Path(__file__).parents[3] / "services"


@pytest.mark.parametrize("package", ["chassis", "kernel"])
def test_every_code_that_is_raised_has_a_text(package: str) -> None:
    assert unspoken(SERVICES / package, {}) == []


def test_the_catalogues_are_sound_and_say_nothing_twice() -> None:
    assert faults({**CHASSIS, **INPUT, **KERNEL}) == []
    assert not CHASSIS.keys() & INPUT.keys()
    assert not KERNEL.keys() & (CHASSIS.keys() | INPUT.keys())


def test_every_error_type_of_pydantic_leads_to_a_text() -> None:
    assert {*CODES.values(), OTHERWISE} <= INPUT.keys()


def test_what_is_wrong_with_a_catalogue_is_found() -> None:
    odd = {"a": Text("", "x"), "b": Text("有 {x}", "has {y}"), "c": Text("好", "good", 42)}
    assert len(faults(odd)) == 3


def test_codes_are_found_in_source_wherever_they_are_raised(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    source = 'raise Refused("one", "field")\nraise errors.Invalid(code="two")\nx = Conflict("three")\nprint("four")\n'
    (tmp_path / "inner" / "steps.py").write_text(source, "utf-8")
    assert [raised.code for raised in raised_codes(tmp_path)] == ["one", "two", "three"]
    missing = unspoken(tmp_path, {"one": Text("一", "one")})
    assert [line.rpartition(": ")[2] for line in missing] == ["two", "three"]


def test_a_service_may_word_a_code_its_own_way() -> None:
    texts = Texts({"not-found": Text("没有这件诉求。", "No such case.", 404)})
    assert texts.detail("not-found", "zh", {}) == "没有这件诉求。"
    assert texts.status("not-found") == 404


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (5, "5"),
        (True, "True"),
        (date(2026, 3, 1), "2026-03-01"),
        ("open", "open"),
        ("case.record", "case.record"),
        ("case_0190c1a0-0000-7000-8000-000000000001", "case_0190c1a0-0000-7000-8000-000000000001"),
        ("张三", "…"),
        ("13800001234", "…"),
        ("a b", "…"),
        ("x" * 80, "…"),
        ("", "…"),
        (None, "…"),
        ([], "…"),
        (["open", "张三"], "open, …"),
        ([["a"]], ""),
        ("<b>", "…"),
        ("{y}", "…"),
    ],
)
def test_a_parameter_that_looks_typed_is_hidden(value: object, told: str) -> None:
    texts = Texts({"c": Text("甲 {x} 乙", "a {x} b")})
    assert texts.detail("c", "en", {"x": value}) == f"a {told} b"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("reporter.phones.0.number", "reporter.phones.0.number"),
        ("fields.张三", "fields.*"),
        ("fields.13800001234", "fields.*"),
        ("", "*"),
        ("a b", "*"),
        ("query.*", "query.*"),
    ],
)
def test_a_field_path_holds_no_made_up_name(path: str, told: str) -> None:
    assert sayable_path(path) == told


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (b"", "zh"),
        (b"en", "en"),
        (b"en-US,en;q=0.9", "en"),
        (b"zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (b"en;q=0.5,zh;q=0.9", "zh"),
        (b"en,zh", "zh"),
        (b"*", "zh"),
        (b"fr", "zh"),
        (b"fr,en;q=0.1", "en"),
        (b"en;q=0", "zh"),
        (b"en;q=x", "zh"),
        (b"EN-gb", "en"),
        (b"\xff\xfe,;;=,en;level=1", "en"),
        (b"," * 5000, "zh"),
    ],
)
def test_the_language_is_chinese_unless_english_is_preferred(header: bytes, language: str) -> None:
    assert language_of(header) == language
