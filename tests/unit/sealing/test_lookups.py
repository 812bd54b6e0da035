"""A value is found again however it is written, and its hash gives nothing away."""

import pytest

from services.chassis.errors import Invalid
from services.chassis.personal.lookups import Lookups

LOOKUPS = Lookups(b"k" * 32, "directory")


def same(kind: str, *values: str) -> bool:
    return len({LOOKUPS.lookup("unit_d1", kind, value) for value in values}) == 1


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("phone", "no number", "phone-malformed"),
        ("phone", "", "phone-malformed"),
        ("phone-tail", "80", "phone-tail-malformed"),
        ("number", " - ", "value-empty"),
        ("name", "  ", "value-empty"),
        ("name", "张\ud800", "value-not-storable"),
        ("name", "张\x00三", "value-not-storable"),
    ],
)
def test_what_nothing_is_left_of_has_no_hash(kind: str, value: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        LOOKUPS.lookup("unit_d1", kind, value)
    assert refused.value.code == code


def test_equal_values_hash_apart_by_district_service_kind_and_key() -> None:
    hashes = {
        LOOKUPS.lookup("unit_d1", "name", "5566"),
        LOOKUPS.lookup("unit_d2", "name", "5566"),
        LOOKUPS.lookup("unit_d1", "number", "5566"),
        LOOKUPS.tail("unit_d1", "5566"),
        Lookups(b"k" * 32, "complaints").lookup("unit_d1", "name", "5566"),
        Lookups(b"j" * 32, "directory").lookup("unit_d1", "name", "5566"),
    }
    assert len(hashes) == 6
    assert all(len(one) == 32 for one in hashes)


def test_a_phone_is_found_however_it_is_written() -> None:
    assert same("phone", "13800138000", "+86 138-0013-8000", "86 13800138000", "００８６１３８００１３８０００")
    assert same("phone", "(010) 6552-9988", "010-65529988", "+861065529988")
    assert not same("phone", "13800138000", "13800138001")


def test_a_resident_number_is_found_with_gaps_and_a_small_x() -> None:
    assert same("number", "11010119900307123X", " 110101 19900307 123x ", "１１０１０１１９９００３０７１２３Ｘ")


def test_a_name_is_found_with_spaces_and_any_dot_between_its_parts() -> None:
    assert same("name", "张三", "张 三", " 张\u3000三 ")
    assert same("name", "买买提·艾力", "买买提•艾力", "买买提・艾力", "买买提 · 艾力")
    assert same("name", "Ana María", "ana maría", "ANA MARI\u0301A")


def test_a_tail_is_that_of_the_whole_number() -> None:
    tails = {LOOKUPS.tail("unit_d1", value) for value in ("13800138000", "+86 138 0013 8000", "8000", "８０００")}
    assert len(tails) == 1
