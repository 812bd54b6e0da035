"""What a district has decided holds for its units from its day on; nearer decisions win; nothing is made up."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.chassis.consuming.reactions import Doing
from services.chassis.contracts.wire import Envelope
from services.chassis.districts.policies import Policies, policy_reactions
from services.chassis.districts.units import Units, UnitUnknown
from services.chassis.runtime import Runtime
from services.chassis.storage.together import Together
from services.kernel.events import Refused

DAY = date(2026, 3, 1)
KEY = "complaints.dispatch-hours"

async def publish(policies: Policies, unit: str, since: str, value: Any, seq: int = 1) -> None:
    data = {"key": KEY, "unit": unit, "from": since, "value": value, "source": f"notice of {unit or 'the operator'}"}
    await policies.apply(f"policy_{unit}", seq, "policy.published.v1", data)


@pytest.fixture
def policies(runtime: Runtime, tree: Units) -> Policies:
    return runtime.policies


async def test_what_nobody_has_decided_is_refused_and_not_made_up(policies: Policies) -> None:
    await publish(policies, "district-2", "2026-01-01", 1)
    await publish(policies, "district", "2026-03-02", 2)
    with pytest.raises(Refused) as unset:
        await policies.value(KEY, "street", DAY)
    assert (unset.value.code, unset.value.params) == ("parameter-not-set", {"key": KEY, "day": "2026-03-01"})


async def test_nothing_holds_for_a_unit_nobody_knows(policies: Policies) -> None:
    await publish(policies, "", "2026-01-01", 1)
    with pytest.raises(UnitUnknown):
        await policies.value(KEY, "street-9", DAY)


async def test_the_nearest_on_the_path_decides_and_the_operator_last(policies: Policies) -> None:
    await publish(policies, "", "2020-01-01", {"n": 24, "unit": "hours"})
    assert await policies.value(KEY, "entrance", DAY) == {"n": 24, "unit": "hours"}
    await publish(policies, "district", "2026-01-01", {"n": 12, "unit": "hours"})
    await publish(policies, "street", "2026-02-01", {"n": 6, "unit": "hours"})
    assert (await policies.value(KEY, "entrance", DAY))["n"] == 6
    assert (await policies.value(KEY, "street-2", DAY))["n"] == 12
    assert (await policies.value(KEY, "district-2", DAY))["n"] == 24
    assert (await policies.value(KEY, "", DAY))["n"] == 24
    decided = await policies.in_force(KEY, "entrance", DAY)
    assert (decided.unit, decided.since, decided.source) == ("street", date(2026, 2, 1), "notice of street")


async def test_a_day_has_the_version_in_force_on_it(policies: Policies) -> None:
    for seq, (since, value) in enumerate([("2026-01-01", 1), ("2026-06-01", 3), ("2026-03-01", 2)], start=1):
        await publish(policies, "district", since, value, seq)
    on = {day: await policies.value(KEY, "street", date.fromisoformat(day)) for day in
          ("2026-01-01", "2026-02-28", "2026-03-01", "2026-05-31", "2026-06-01", "2030-01-01")}  # fmt: skip
    assert list(on.values()) == [1, 1, 2, 2, 3, 3]


async def test_a_correction_of_the_same_day_holds_whatever_comes_first(policies: Policies) -> None:
    await publish(policies, "district", "2026-01-01", "corrected", 2)
    await publish(policies, "district", "2026-01-01", "mistaken", 1)
    await publish(policies, "district", "2026-01-01", "corrected", 2)
    assert await policies.value(KEY, "street", DAY) == "corrected"


async def test_a_published_policy_holds_at_once_in_the_process_that_hears_of_it(runtime: Runtime, tree: Units) -> None:
    await publish(runtime.policies, "", "2020-01-01", 1)
    assert await runtime.policies.value(KEY, "street", DAY) == 1
    data = {"key": KEY, "unit": "district", "value": 2, "from": "2026-01-01", "source": "x", "by": "unit_d"}
    full = "linli.directory.policy.published.v1"
    envelope = Envelope(
        "event-1", full, "directory", "policy", "policy.published", 1, "policy_1", 1, datetime.now(UTC), "district",
        "district", None, None, data,
    )  # fmt: skip
    (reaction,) = policy_reactions("sample").of(full)
    doing = Doing(envelope, runtime, reaction.name, Together(runtime.database))
    await reaction.run(reaction.reader.model_validate(data), doing)
    assert await runtime.policies.value(KEY, "street", DAY) == 2
