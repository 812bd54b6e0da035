"""The code by which a resident follows and confirms an order: short, not to be guessed, derived from the order's id."""

from services.chassis.sealing import Sealing

LENGTH = 12


def code_of(sealing: Sealing, district: str, order: str) -> str:
    """Twelve hexadecimal digits (48 bits) that only this service can compute; the same at every repeat."""
    return sealing.lookup(district, "text", f"order-code {order}")[:LENGTH].upper()


def key_of(sealing: Sealing, code: str) -> str:
    """The keyed hash under which the order of a code is found, whatever its district."""
    return sealing.lookup("", "text", f"order-key {code}")
