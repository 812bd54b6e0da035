"""Of every service: each list takes a unit, which means the unit with everything under it."""

from pathlib import Path
from typing import Any

import pytest

from services.chassis.http import Application
from services.chassis.http.lists import Listing
from services.chassis.http.routes import given_of
from services.chassis.storage.queries import SCOPE, UNIT

SERVICES = Path(__file__).parents[2] / "services"
NAMES = sorted(file.parent.name for file in SERVICES.glob("*/service.py"))


def service(name: str) -> Any:
    return __import__(f"services.{name}.service", fromlist=["SERVICE"]).SERVICE


def lists(name: str) -> list[tuple[str, Listing]]:
    """Each list that callers may ask for, by its route."""
    served = Application(service(name)).table.served
    return [(one.signature, given) for one in served for given in given_of(one.route) if isinstance(given, Listing)]


def test_there_are_lists_to_look_at() -> None:
    assert sum(len(lists(name)) for name in NAMES) >= 15


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_means_the_unit_with_everything_under_it_in_every_list(name: str) -> None:
    for signature, listing in lists(name):
        assert listing.spec.declared[UNIT].path == SCOPE, signature
        (told,) = [one for one in listing.parameters if one["name"] == UNIT]
        assert "含其下属" in told["description"], signature


@pytest.mark.parametrize("name", NAMES)
def test_no_route_reads_a_unit_of_its_own_beside_a_list(name: str) -> None:
    for one in Application(service(name)).table.served:
        if any(isinstance(given, Listing) for given in given_of(one.route)):
            assert UNIT not in [field.alias for field in one.route.dependant.query_params], one.signature
