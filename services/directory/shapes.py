"""The shapes of all policies, as their owners have published them: data, loaded once for a process."""

from collections.abc import Mapping
from functools import lru_cache

from services.chassis.contracts.policyschemas import published
from services.chassis.contracts.schemas import PLACE
from services.kernel.policy.shape import Shape


@lru_cache(maxsize=1)
def shapes() -> Mapping[str, Shape]:
    """Every key with the shape of its values. Raises ContractMissing."""
    return published(PLACE)
