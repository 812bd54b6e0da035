"""What the promises are measured against: the same request kept with as little as the ecosystem offers.

``/bare`` is one motor insert per request; ``/outbox`` the textbook transaction over a record and an outbox collection.
Both keep what they answer: majority and journal. Started by the bench: ``uvicorn tests.load.baselines:app``.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pydantic import BaseModel


class Reporter(BaseModel):
    """Who tells it."""

    name: str
    phone: str


class Concern(BaseModel):
    """The body of the record path."""

    unit: str
    kind: str
    category: str
    channel: str
    subject: str
    text: str
    reporter: Reporter


@asynccontextmanager
async def collections(app: FastAPI) -> AsyncIterator[None]:
    """Made before the first request: transactions that make them conflict with each other."""
    for name in ("bare", "record", "outbox"):
        await database.create_collection(name)
    yield


app = FastAPI(lifespan=collections)
client: AsyncIOMotorClient = AsyncIOMotorClient(os.environ["LINLI_MONGO"], w="majority", journal=True)  # type: ignore[type-arg]
database = client["bench_baseline"]


@app.post("/bare", status_code=201)
async def bare(concern: Concern) -> dict[str, str]:
    """One insert."""
    record = {"_id": str(uuid4()), "at": datetime.now(UTC), **concern.model_dump()}
    await database["bare"].insert_one(record)
    return {"id": record["_id"]}


@app.post("/outbox", status_code=201)
async def outbox(concern: Concern) -> dict[str, str]:
    """A record and its event in one transaction."""
    at, own = datetime.now(UTC), str(uuid4())
    event = {"_id": str(uuid4()), "at": at, "type": "concern.recorded", "subject": own, "data": {"kind": concern.kind}}

    async def both(session: AsyncIOMotorClientSession) -> None:
        await database["record"].insert_one({"_id": own, "at": at, **concern.model_dump()}, session=session)
        await database["outbox"].insert_one(event, session=session)

    async with await client.start_session() as session:
        await session.with_transaction(both)
    return {"id": own}
