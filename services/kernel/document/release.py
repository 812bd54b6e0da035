"""The life of an issued document: draft, released, then withdrawn, superseded or erased.

The texts (``fields``) are not part of the state: a service keeps them where their secrecy asks, and gives them here to
be checked and frozen. After erasing, the hash alone is left.

Invariants
* Nothing leaves unreleased; a named person releases, and never the text's own subject.
* Only fields that the kind allows, none of the required ones missing (assistance rules of 2021, article 24: the
  applicant's name, household size, amount, nothing else).
* A public text holds no unmasked number. It is frozen by its SHA-256 and shown until a day that is not before the
  kind's minimum (article 19: seven days) and never moves.
* It is erased only when it is no longer shown.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from services.kernel.document.masking import find_identifiers
from services.kernel.events import Refused, Value
from services.kernel.values import Code, Instant, Part


class Kind(Value):
    """What a district decided on one kind of document. ``fields`` lists the lawful ones, ``required`` some of them."""

    name: Code
    version: int = Field(ge=1)
    fields: tuple[Code, ...] = Field(min_length=1)
    required: tuple[Code, ...] = ()
    public: bool = True
    minimum_days: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _required_is_allowed(self) -> Self:
        if not set(self.required) <= set(self.fields):
            raise ValueError("a required field must be an allowed one")
        return self


class Document(Part):
    """State. ``subject``: whom it is about; ``hash``: SHA-256 over kind, version and fields, from the release on."""

    kind: Code
    version: int
    drafted_by: Code
    subject: Code | None = None
    stage: Literal["draft", "released", "withdrawn", "superseded", "erased"] = "draft"
    released_by: Code | None = None
    released_at: Instant | None = None
    shown_until: Instant | None = None
    hash: str | None = None
    ended_at: Instant | None = None
    reason: Code | None = None
    superseded_by: Code | None = None


def drafted(kind: Kind, by: str, subject: str | None = None) -> Document:
    """A draft, which nobody but its authors sees."""
    return Document(kind=kind.name, version=kind.version, drafted_by=by, subject=subject)


def released(
    document: Document, kind: Kind, fields: Mapping[str, str], by: str, at: datetime, until: datetime | None = None
) -> Document:
    """The document as the public or its addressee sees it, from ``at`` and before ``until`` (None: for good).

    Refused: ``document-not-draft``, ``kind-changed``, ``releaser-missing``, ``subject-releases``,
    ``field-not-allowed``, ``field-missing``, ``window-too-short``, and ``unmasked-number`` with the field, the
    position of the first finding and how many there are.
    """
    _require(document, "draft", "document-not-draft")
    if (document.kind, document.version) != (kind.name, kind.version):
        raise Refused("kind-changed", "kind", kind=document.kind, version=document.version)
    if not by:
        raise Refused("releaser-missing", "by")
    if kind.public and by == document.subject:
        raise Refused("subject-releases", "by")
    _check_fields(kind, fields)
    if until is not None and (until <= at or until < at + timedelta(days=kind.minimum_days)):
        raise Refused("window-too-short", "until", days=kind.minimum_days)
    frozen = _hash(kind.name, kind.version, fields)
    return _with(document, stage="released", released_by=by, hash=frozen, released_at=at, shown_until=until)


def withdrawn(document: Document, reason: str, at: datetime) -> Document:
    """No longer shown, because it was wrong. Refused: ``document-not-released``, ``reason-missing``."""
    _require(document, "released", "document-not-released")
    if not reason:
        raise Refused("reason-missing", "reason")
    return _with(document, stage="withdrawn", reason=reason, ended_at=at)


def superseded(document: Document, by_document: str, at: datetime) -> Document:
    """Another one takes its place. Refused: ``document-not-released``."""
    _require(document, "released", "document-not-released")
    return _with(document, stage="superseded", superseded_by=by_document, ended_at=at)


def erased(document: Document, at: datetime) -> Document:
    """Its texts are gone; the caller removes them in the same write. Refused: ``document-shown`` while its window is
    open, ``document-erased``."""
    if document.stage == "erased":
        raise Refused("document-erased")
    if visible(document, at):
        raise Refused("document-shown", "at")
    return _with(document, stage="erased", ended_at=at)


def visible(document: Document, now: datetime) -> bool:
    """Whether it is to be shown: released, and its window is open."""
    if document.stage != "released" or document.released_at is None or now < document.released_at:
        return False
    return document.shown_until is None or now < document.shown_until


def intact(document: Document, fields: Mapping[str, str]) -> bool:
    """Whether ``fields`` are those that were released."""
    return document.hash is not None and document.hash == _hash(document.kind, document.version, fields)


def _check_fields(kind: Kind, fields: Mapping[str, str]) -> None:
    for name in fields:
        if name not in kind.fields:
            raise Refused("field-not-allowed", f"fields.{name}")
    missing = [name for name in kind.required if not fields.get(name, "").strip()]
    if missing:
        raise Refused("field-missing", f"fields.{missing[0]}", missing=missing)
    for name, text in fields.items() if kind.public else ():
        found = find_identifiers(text)
        if found:
            raise Refused("unmasked-number", f"fields.{name}", at=found[0].start, count=len(found))


def _hash(kind: str, version: int, fields: Mapping[str, str]) -> str:
    text = json.dumps([kind, version, dict(fields)], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _require(document: Document, stage: str, code: str) -> None:
    if document.stage != stage:
        raise Refused(code, "stage", stage=document.stage)


def _with(document: Document, **changes: object) -> Document:
    return Document.model_validate({**document.model_dump(), **changes})
