"""Links from a case to what is done elsewhere.

Invariants: no close over an open ``must`` link unless it was waived with a reason; a link that ended for good, well
or badly, blocks nothing; an ended link stays as it ended.
"""

from typing import Literal

from services.kernel.events import Refused
from services.kernel.values import Code, Part


class Link(Part):
    """``ref`` is the id of the other record, ``kind`` what it is to the case, ``reason`` the code of a waiver."""

    ref: Code
    kind: Code
    must: bool = True
    stage: Literal["open", "done", "failed", "waived"] = "open"
    reason: Code | None = None
    by: Code | None = None


Links = tuple[Link, ...]


def linked(links: Links, link: Link) -> Links:
    """Refused: ``link-known``."""
    if any(known.ref == link.ref for known in links):
        raise Refused("link-known", "ref", ref=link.ref)
    return (*links, link)


def ended(links: Links, ref: str, stage: Literal["done", "failed"]) -> Links:
    """The other record came to its end. A link that was waived meanwhile takes that end too, for the record."""
    link = _named(links, ref)
    if link.stage in ("done", "failed"):
        raise Refused("link-ended", "ref", ref=ref)
    return _with(links, link.model_copy(update={"stage": stage}))


def waived(links: Links, ref: str, reason: str, by: str) -> Links:
    """Somebody answers for closing without it. Refused: ``reason-missing``, ``link-ended``."""
    if not reason:
        raise Refused("reason-missing", "reason")
    link = _named(links, ref)
    if link.stage != "open":
        raise Refused("link-ended", "ref", ref=ref)
    return _with(links, link.model_copy(update={"stage": "waived", "reason": reason, "by": by}))


def refuse_open(links: Links) -> None:
    """Refused: ``link-open``, with every open ``must`` link in ``params["refs"]``."""
    refs = [link.ref for link in links if link.must and link.stage == "open"]
    if refs:
        raise Refused("link-open", "links", refs=refs)


def _named(links: Links, ref: str) -> Link:
    for link in links:
        if link.ref == ref:
            return link
    raise Refused("link-unknown", "ref", ref=ref)


def _with(links: Links, link: Link) -> Links:
    return tuple(link if known.ref == link.ref else known for known in links)
