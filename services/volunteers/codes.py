"""The code by which a resident follows and confirms a deed: short enough to read out, and not to be guessed.

It is derived from the order's id under the service's look-up key, so that a repeated request gets the same code and no
table of codes exists. Only a hash of it is stored.
"""

import hmac
import re

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without 0 O 1 I L, which people mistake for one another
LENGTH = 10  # 31^10, nearly 50 bits; and few tries are allowed a minute
_GAPS = re.compile(r"[\s\-]+")


def code_of(key: bytes, order: str) -> str:
    """The code of an order, for example ``7KQ2M-X94TB``."""
    number = int.from_bytes(hmac.digest(key, b"order-code\x1f" + order.encode(), "sha256"), "big")
    letters = []
    for _ in range(LENGTH):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "".join(letters[:5]) + "-" + "".join(letters[5:])


def hash_of(key: bytes, code: str) -> str:
    """What is stored of a code (128 bits, hex), however it was written down."""
    plain = _GAPS.sub("", code).upper()
    return hmac.digest(key, b"order-code-hash\x1f" + plain.encode("utf-8", "replace"), "sha256")[:16].hex()
