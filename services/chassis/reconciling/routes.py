"""The operators' page of the reconciliation, the same in every service: numbers and sentences, no id of any record."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.chassis.callers.access import Caller
from services.chassis.http.answers import Answer
from services.chassis.http.given import Running, allow
from services.chassis.reconciling.figures import lately

router = APIRouter()
Operator = Annotated[Caller, Depends(allow("reconciliation.read"))]


@router.get("/reconciliation")
async def read_reconciliation(
    caller: Operator, running: Running, days: Annotated[int, Query(ge=1, le=14)] = 1
) -> Answer:
    """对账 · Per closed hour and aggregate type: what histories hold, what topics hold, what is applied here."""
    return Answer(await lately(running.database, running.service.name, days))
