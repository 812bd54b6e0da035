"""Issued document (文书、公示): a text built from facts, released by a named person, shown for a window.

``masking`` finds and hides the numbers that point at a person, ``names`` names as far as that goes; ``release`` is the
life of the document.
"""

from services.kernel.document.masking import Found, find_identifiers, mask
from services.kernel.document.names import find_names, mask_names
from services.kernel.document.release import (
    Document,
    Kind,
    drafted,
    erased,
    intact,
    released,
    superseded,
    visible,
    withdrawn,
)

__all__ = [
    "Document",
    "Found",
    "Kind",
    "drafted",
    "erased",
    "find_identifiers",
    "find_names",
    "intact",
    "mask",
    "mask_names",
    "released",
    "superseded",
    "visible",
    "withdrawn",
]
