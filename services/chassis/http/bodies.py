"""Bodies: bounded in size and time, and JSON read more strictly than Python's own reader does."""

import asyncio
from functools import lru_cache
from json import JSONDecoder
from math import isinf
from typing import Any

from services.chassis.errors import Problem
from services.chassis.http.exchange import Exchange, Malformed
from services.kernel.events import depth

LARGEST = 256 * 1024  # bytes, unless the route says otherwise (``max_body_size``)
PATIENCE = 10.0  # seconds until the whole body must be here
DEEPEST = 32  # levels of nesting; MongoDB ends at 100
MOST_WAITING = 256  # bodies that are on their way at once


class TooLarge(Problem):
    """The body exceeds the route's bound: 413."""

    status, code = 413, "body-too-large"


class TooSlow(Problem):
    """The body did not arrive in time: 408."""

    status, code = 408, "body-too-slow"


class UnknownMedia(Problem):
    """The body is not of a type that the route reads: 415."""

    status, code = 415, "media-type-unknown"


class Gone(Exception):
    """The caller hung up while sending; nobody waits for an answer."""


class BodyReader:
    """Reads bodies within ``patience`` seconds. One timer for all: one per request would cost more.

    When ``most`` are on their way and one more comes, the one that has been longest on its way is given up.
    """

    def __init__(self, patience: float = PATIENCE, most: int = MOST_WAITING) -> None:
        self._patience, self._most = patience, most
        self._reading: dict[Exchange, float] = {}
        self._reaping = False

    @property
    def waiting(self) -> int:
        """How many bodies are on their way."""
        return len(self._reading)

    async def read(self, exchange: Exchange, receive: Any, most: int) -> bytes:
        """The whole body. Raises TooLarge, TooSlow, UnknownMedia for a compressed one, or Gone."""
        announced = exchange.headers.get(b"content-length")
        if announced is not None and (not announced.isdigit() or int(announced[:12]) > most):
            raise TooLarge(most=most)
        if exchange.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise UnknownMedia("content-encoding-unknown")
        if len(self._reading) >= self._most:
            _give_up(next(iter(self._reading)))
        loop = asyncio.get_running_loop()
        exchange.task = asyncio.current_task()
        self._reading[exchange] = loop.time() + self._patience
        if not self._reaping:
            self._reaping = True
            loop.call_later(self._patience / 4, self._reap, loop)
        try:
            return await _received(receive, most)
        except asyncio.CancelledError:
            if exchange.late and exchange.task is not None:
                exchange.task.uncancel()
                raise TooSlow() from None
            raise
        finally:
            del self._reading[exchange]

    def _reap(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for exchange, deadline in self._reading.items():
            if deadline <= now:
                _give_up(exchange)
        self._reaping = bool(self._reading)
        if self._reaping:
            loop.call_later(self._patience / 4, self._reap, loop)


def _give_up(exchange: Exchange) -> None:
    if not exchange.late and exchange.task is not None:
        exchange.late = True
        exchange.task.cancel()


async def _received(receive: Any, most: int) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > most:
            raise TooLarge(most=most)
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False):
        if size > most:
            raise TooLarge(most=most)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if size > most:
        raise TooLarge(most=most)
    return b"".join(parts)


@lru_cache(maxsize=128)
def is_json(content_type: bytes) -> bool:
    """Whether a ``Content-Type`` announces JSON in UTF-8."""
    media, _, parameters = content_type.decode("latin-1").lower().partition(";")
    media, charset = media.strip(), parameters.strip()
    if charset.startswith("charset=") and charset[8:].strip('" ') != "utf-8":
        return False
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def read_json(body: bytes) -> Any:
    """The value of a JSON text (RFC 8259): UTF-8, no repeated names, no NaN, no infinity, no deep nesting.

    Raises Malformed, which says what is wrong and never quotes the text.
    """
    try:
        value = _DECODER.decode(body.decode("utf-8"))
    except RecursionError:
        raise Malformed("json-too-deep", most=DEEPEST) from None
    except ValueError:
        raise Malformed("json-malformed") from None
    # Fewer brackets than levels allowed cannot be too deep; counting them is a hundred times cheaper than walking.
    if body.count(b"{") + body.count(b"[") > DEEPEST and depth(value) > DEEPEST:
        raise Malformed("json-too-deep", most=DEEPEST)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("json-key-repeated")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError
    return number


def _constant(_: str) -> Any:
    raise ValueError


_DECODER = JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_constant)
