"""What routes answer with."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from services.chassis.http.exchange import Headers

if TYPE_CHECKING:
    from services.chassis.storage.history import Written

JSON = (b"content-type", b"application/json")


class Answer(Response):
    """JSON by orjson. ``version`` becomes the ``ETag``; instants are written in RFC 3339, UTC as ``Z``.

    ``headers`` have lower-case names. Answers may not be kept by caches unless ``headers`` says so.
    """

    media_type = "application/json"

    def __init__(
        self,
        content: Any,
        status: int = 200,
        *,
        version: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status_code = status
        self.background = None
        self.body = dumped(content)
        self.etag = f'"{version}"'.encode() if version is not None else b""
        self.raw_headers: Headers = [(b"content-length", str(len(self.body)).encode()), JSON]
        if self.etag:
            self.raw_headers.append((b"etag", self.etag))
        if headers:
            self.raw_headers += [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def answer(written: "Written", *, location: str | None = None, status: int = 200, **extra: Any) -> Answer:
    """What a command did: ``{"aggregate": id, "seq": n, **extra}``.

    A repeat must give the same answer, so ``extra`` and ``location`` may only hold what follows from the id.
    """
    headers = {"location": location} if location else None
    return Answer({"aggregate": written.id, "seq": written.seq, **extra}, status, version=written.seq, headers=headers)


def dumped(content: Any) -> bytes:
    """JSON of plain values, instants, days, sets and models."""
    return orjson.dumps(content, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
