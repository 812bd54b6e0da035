"""Personal data at rest: sealed blobs, keyed look-up hashes, and reads that leave a record.

One data key per district, in the service's own database, wrapped by the master key. One blob per purpose, so that a
purpose is read, kept and erased as a whole. See docs/promises/personal-data.md.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import uuid_utils
from bson.binary import Binary
from bson.codec_options import CodecOptions, TypeRegistry
from bson.errors import BSONError
from pymongo.asynchronous.encryption import AsyncClientEncryption
from pymongo.encryption import Algorithm
from pymongo.errors import EncryptionError

from services.chassis.errors import Busy, Invalid, NotFound, Problem, Unavailable
from services.chassis.personal.lookups import TAIL, Lookups
from services.chassis.settings import SettingMissing, Settings
from services.chassis.storage.driver import Client, Database, Document, DuplicateKeyError, is_passing
from services.chassis.telemetry import current_trace
from services.kernel.events import refuse_unstorable

if TYPE_CHECKING:
    from services.chassis.callers.access import Caller
    from services.chassis.storage.history import Stored

KEYS = "__keys"
ACCESS = "access"
TAILS_A_MINUTE = 10  # searches by a phone's last four digits, for one caller
SEEN_WITHIN = 5.0  # seconds
REASON_LENGTH = 200  # characters
CACHED = 60_000  # ms for which a process can still use a data key that was shredded
_ALGORITHM = Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random


def _as_text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


_OPTIONS: CodecOptions[Any] = CodecOptions(tz_aware=True, type_registry=TypeRegistry(fallback_encoder=_as_text))


class Sealing:
    """Seals and opens the personal data of one service."""

    def __init__(self, client: Client, database: Database, settings: Settings) -> None:
        self._keys = database.collection(KEYS)
        self._access = database.collection(ACCESS)
        self._lookups = Lookups(settings.lookup_key, settings.service)
        self._vault = client.vault()
        self._encryption: AsyncClientEncryption[Any] = AsyncClientEncryption(
            {"local": {"key": settings.master_key}},
            f"{database.name}.{KEYS}",
            self._vault,
            _OPTIONS,
            key_expiration_ms=CACHED,
        )
        self._making: dict[str, asyncio.Lock] = {}
        self.lookup = self._lookups.lookup
        self.tail = self._lookups.tail

    async def start(self) -> None:
        """Make the indexes; raises SettingMissing when the master key is not the one the data were sealed with."""
        await self._keys.ensure_indexes(("keyAltNames",), unique=True)
        await self._access.ensure_indexes(
            ("scope", "-_id"), ("scope", "aggregate", "-_id"), ("scope", "by", "-_id"), ("by", "purpose", "-at")
        )
        known = await self._keys.find_one({})
        if known is None:
            return
        try:
            await self._encryption.encrypt({}, _ALGORITHM, key_id=known["_id"])
        except EncryptionError as error:
            if is_passing(error.cause):
                raise Unavailable() from error
            raise SettingMissing("LINLI_MASTER_KEY is not the key that this service's data were sealed with") from None

    async def stop(self) -> None:
        """Forget the keys and close the connections."""
        await self._encryption.close()
        await self._vault.close()

    async def seal(self, district: str, private: Mapping[str, Mapping[str, Any]]) -> dict[str, Binary]:
        """One blob per purpose. Raises Invalid("value-not-storable") and Unavailable."""
        return {purpose: await self._sealed(district, dict(fields)) for purpose, fields in private.items()}

    async def _sealed(self, district: str, fields: Document, *, fresh: bool = False) -> Binary:
        try:
            return await self._encryption.encrypt(fields, _ALGORITHM, key_alt_name=district)
        except (BSONError, OverflowError, UnicodeEncodeError):
            raise Invalid("value-not-storable") from None
        except EncryptionError as error:
            if is_passing(error.cause):
                raise Unavailable() from error
            if fresh:
                raise
        await self._make_key(district)
        return await self._sealed(district, fields, fresh=True)

    async def _make_key(self, district: str) -> None:
        """The district's data key, once, whoever is first: the unique name lets only one be written."""
        async with self._making.setdefault(district, asyncio.Lock()):
            if await self._has_key({"keyAltNames": district}):
                return
            await self._keys.ensure_indexes(("keyAltNames",), unique=True)
            try:
                await self._encryption.create_data_key("local", key_alt_names=[district])
            except EncryptionError as error:
                if is_passing(error.cause):
                    raise Unavailable() from error
                if not isinstance(error.cause, DuplicateKeyError):
                    raise
                await self._until_seen(district)

    async def _until_seen(self, district: str) -> None:
        """Wait for the key that another process has just written: reads show it once a majority holds it."""
        deadline = asyncio.get_running_loop().time() + SEEN_WITHIN
        while not await self._has_key({"keyAltNames": district}):
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable()
            await asyncio.sleep(0.01)

    async def _has_key(self, wanted: Document) -> bool:
        return await self._keys.find_one(wanted, {"_id": 1}) is not None

    async def unseal(self, blob: bytes) -> Document:
        """What was sealed. Raises NotFound("personal-data-shredded") when its district's key is gone.

        Nobody but ``reveal`` and the service's own machinery calls this: it leaves no record.
        """
        try:
            opened: Document = await self._encryption.decrypt(Binary(blob, 6))
        except EncryptionError as error:
            if is_passing(error.cause):
                raise Unavailable() from error
            if not await self._has_key({"_id": Binary(blob[1:17], 4)}):
                raise NotFound("personal-data-shredded") from None
            raise Problem("sealing-broken") from error
        return opened

    async def reveal(self, caller: "Caller", stored: "Stored[Any]", purpose: str, *, because: str) -> Document:
        """The fields sealed for ``purpose``, after the read has been recorded. The route checks the permission.

        ``because`` says why, in the caller's words. Raises Invalid("purpose-missing"), Unavailable,
        NotFound("personal-data-absent") when nothing is sealed for that purpose (any more).
        """
        (revealed,) = await self.reveal_each(caller, [stored], purpose, because=because)
        if revealed is None:
            raise NotFound("personal-data-absent")
        return revealed

    async def reveal_each(
        self, caller: "Caller", stored: "Sequence[Stored[Any]]", purpose: str, *, because: str
    ) -> list[Document | None]:
        """As ``reveal``, for many, with one record for each; None where nothing is sealed for that purpose."""
        reason = _reason(because)
        await self._record([_record(caller, purpose, reason, one.id, one.scope) for one in stored])
        blobs = [one.sealed.get(purpose) for one in stored]
        return [None if blob is None else await self.unseal(blob) for blob in blobs]

    async def search(
        self, caller: "Caller", scope: Sequence[str], kind: str, value: str, *, because: str
    ) -> str:
        """The hash to search by, after the search has been recorded. ``scope`` begins with the district.

        By a phone's tail a caller may search ten times a minute, refused searches counted: Busy("searched-too-often").
        """
        reason = _reason(because)
        hashed = self.lookup(scope[0], kind, value)
        purpose = f"search:{kind}"
        await self._record([_record(caller, purpose, reason, None, scope)])
        if kind == TAIL and await self._searched(caller.sub, purpose) > TAILS_A_MINUTE:
            refused = Busy("searched-too-often")
            refused.retry_after = 60
            raise refused
        return hashed

    async def _searched(self, by: str, purpose: str) -> int:
        minute = datetime.now(UTC) - timedelta(minutes=1)
        wanted = {"by": by, "purpose": purpose, "at": {"$gt": minute}}
        return await self._access.count(wanted, limit=TAILS_A_MINUTE + 1)

    async def _record(self, records: list[Document]) -> None:
        """Keep these. The reason is sealed too: it is free text, and people write names into it."""
        if not records:
            return
        reasons: dict[tuple[str, str], Binary] = {}
        for record in records:
            said = (record["scope"][0], record["because"])
            if said not in reasons:
                reasons[said] = await self._sealed(said[0], {"because": said[1]})
            record["because"] = reasons[said]
        try:
            await self._access.insert_many(records)
        except Exception as error:
            if is_passing(error):
                raise Unavailable() from error
            raise

    async def accesses(
        self,
        scope: str,
        *,
        aggregate: str | None = None,
        by: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[Document]:
        """Who read what and why, newest first, for the data officer of ``scope``; ``before`` is the last id seen.

        ``because`` is None where the district's key is gone.
        """
        wanted: Document = {"scope": scope}
        if aggregate:
            wanted["aggregate"] = aggregate
        if by:
            wanted["by"] = by
        if before:
            wanted["_id"] = {"$lt": before}
        records = await self._access.find(wanted, sort=[("_id", -1)], limit=limit)
        return [record | {"because": await self._reason_of(record)} for record in records]

    async def _reason_of(self, record: Document) -> str | None:
        try:
            return str((await self.unseal(record["because"]))["because"])
        except NotFound:
            return None


def _reason(because: str) -> str:
    reason = because.strip()
    if not reason:
        raise Invalid("purpose-missing", field="because")
    try:
        refuse_unstorable(reason)
    except ValueError:
        raise Invalid("value-not-storable", field="because") from None
    if len(reason) > REASON_LENGTH:
        raise Invalid("purpose-too-long", field="because", limit=REASON_LENGTH)
    return reason


def _record(caller: "Caller", purpose: str, reason: str, aggregate: str | None, scope: Sequence[str]) -> Document:
    return {
        "_id": str(uuid_utils.uuid7()),
        "at": datetime.now(UTC),
        "by": caller.sub,
        "roles": sorted(caller.roles),
        "aggregate": aggregate,
        "purpose": purpose,
        "because": reason,
        "scope": list(scope),
        "trace": current_trace(),
    }
