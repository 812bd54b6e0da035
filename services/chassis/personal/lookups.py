"""Keyed hashes by which sealed values are found again: equal values give equal hashes, nothing gives the value back."""

import hmac
import re
import unicodedata
from collections.abc import Callable

import phonenumbers

from services.chassis.errors import Invalid
from services.kernel.events import refuse_unstorable

PHONE, TAIL, NUMBER, NAME, TEXT = "phone", "phone-tail", "number", "name", "text"
_GAPS = re.compile(r"[\s\-\u2010-\u2015]+")
_SPACES = re.compile(r"\s+")
_DOTS = re.compile(r"[\u00b7\u2022\u2027\u2219\u22c5\u30fb]")  # written between the parts of a name in many ways
_HASH_BYTES = 16
_SHORTEST = 8  # of +86110 nobody keeps a tail


def phone(value: str) -> str:
    """E.164, for example ``+8613800138000``; numbers without a country are taken as Chinese.

    Raises Invalid("phone-malformed") for what is no telephone number at all. One that nobody may own is not refused:
    a look-up must find what was once recorded.
    """
    try:
        parsed = phonenumbers.parse(value, "CN")
    except phonenumbers.NumberParseException:
        raise Invalid("phone-malformed") from None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def phone_tail(value: str) -> str:
    """The last four digits of a telephone number, or four digits as they are. Raises Invalid with either code."""
    digits = unicodedata.normalize("NFKC", value).strip()
    if not (len(digits) == 4 and digits.isascii() and digits.isdigit()):
        whole = phone(value)
        if len(whole) < _SHORTEST:
            raise Invalid("phone-tail-malformed")
        digits = whole[-4:]
    return digits


def resident_number(value: str) -> str:
    """A resident number without gaps, upper-case; whether it is a valid one is not judged here."""
    return _GAPS.sub("", unicodedata.normalize("NFKC", value)).upper()


def name(value: str) -> str:
    """A person's name without spaces, in one form for each way of writing it."""
    return _SPACES.sub("", _DOTS.sub("·", unicodedata.normalize("NFKC", value))).casefold()


def text(value: str) -> str:
    """Any other text, such as an address, without its spaces, regardless of case and width."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", value)).casefold()


_FORMS: dict[str, Callable[[str], str]] = {
    PHONE: phone,
    TAIL: phone_tail,
    NUMBER: resident_number,
    NAME: name,
    TEXT: text,
}


class Lookups:
    """HMAC-SHA256 under a key of its own, apart for each service, district and kind of value."""

    def __init__(self, key: bytes, service: str) -> None:
        self._key, self._service = key, service

    def lookup(self, district: str, kind: str, value: str) -> str:
        """The hash (128 bits, hex) of a value in its normal form.

        ``kind`` is ``phone``, ``number`` (a resident's), ``name`` or ``text``. Raises Invalid("phone-malformed") and
        Invalid("value-empty") for a value of which nothing is left.
        """
        try:
            refuse_unstorable(value)
        except ValueError:
            raise Invalid("value-not-storable") from None
        normal = _FORMS[kind](value)
        if not normal:
            raise Invalid("value-empty")
        message = "\x1f".join((self._service, district, kind, normal))
        return hmac.digest(self._key, message.encode(), "sha256")[:_HASH_BYTES].hex()

    def tail(self, district: str, value: str) -> str:
        """The hash of a telephone number's last four digits; also of the four digits alone."""
        return self.lookup(district, TAIL, value)
