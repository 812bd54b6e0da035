"""The resident's code of an order."""

from hypothesis import given
from hypothesis import strategies as st

from services.volunteers.codes import ALPHABET, code_of, hash_of

KEY = b"k" * 32


def test_another_order_or_another_key_gives_another_code() -> None:
    assert len({code_of(KEY, "order_1"), code_of(KEY, "order_2"), code_of(b"o" * 32, "order_1")}) == 3


def test_the_code_does_not_follow_from_its_hash_nor_the_other_way_without_the_key() -> None:
    code = code_of(KEY, "order_1")
    assert hash_of(KEY, code) != hash_of(b"o" * 32, code)


@given(st.text(min_size=1, max_size=60))
def test_a_code_is_the_same_at_every_repeat_and_can_be_read_out(order: str) -> None:
    code = code_of(KEY, order.encode("utf-8", "ignore").decode())
    assert code == code_of(KEY, order.encode("utf-8", "ignore").decode())
    first, second = code.split("-")
    assert len(first) == len(second) == 5
    assert set(first + second) <= set(ALPHABET)


def test_it_is_found_however_it_was_written_down() -> None:
    code = code_of(KEY, "order_1")
    assert hash_of(KEY, code.lower().replace("-", " ")) == hash_of(KEY, f" {code} ") == hash_of(KEY, code)
