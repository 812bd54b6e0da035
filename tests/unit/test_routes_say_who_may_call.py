"""Of every service: each route says who may call, each POST may be repeated, each code has its text."""

from pathlib import Path
from typing import Any

import pytest

from services.chassis.http import Application, permission_table, undeclared_routes
from services.chassis.http.given import TheOperation
from services.chassis.http.routes import given_of
from services.chassis.texts import faults
from services.chassis.texts.codes import unspoken

# A POST so named only asks: its body holds what may not stand in a URL, and nothing is kept.
ASKING = ("/search", "/check")
SERVICES = Path(__file__).parents[2] / "services"
NAMES = sorted(file.parent.name for file in SERVICES.glob("*/service.py"))


def service(name: str) -> Any:
    return __import__(f"services.{name}.service", fromlist=["SERVICE"]).SERVICE


@pytest.mark.parametrize("name", NAMES)
def test_no_route_leaves_open_who_may_call(name: str) -> None:
    assert undeclared_routes(Application(service(name))) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_permission_that_a_route_asks_for_is_given_to_some_role(name: str) -> None:
    own = service(name)
    given = frozenset().union(*own.permissions.values())
    asked = {row.permission for row in permission_table(Application(own)) if row.permission}
    assert asked - given == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_post_names_its_operation(name: str) -> None:
    served = Application(service(name)).table.served
    posts = [one for one in served if one.method == "POST" and not one.template.endswith(ASKING)]
    nameless = [one.signature for one in posts if not any(isinstance(g, TheOperation) for g in given_of(one.route))]
    assert nameless == []


@pytest.mark.parametrize("name", NAMES)
def test_every_code_that_a_service_raises_has_its_text(name: str) -> None:
    own = service(name)
    assert unspoken(SERVICES / name, own.texts) == []
    assert faults(own.texts) == []
