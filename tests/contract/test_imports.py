"""Every service that takes files answers in one shape, and its published contract says so."""

from typing import Any

import pytest

from services.__main__ import CATALOGUE
from services.chassis.http import openapi

DOCUMENTS: dict[str, Any] = {service.name: openapi(service) for service in CATALOGUE.all()}
TAKING = [name for name, document in DOCUMENTS.items() if "/imports" in document["paths"]]
ROUTES = (("/imports/check", "post", "200"), ("/imports", "post", "202"), ("/imports/{import_id}", "get", "200"))


def test_the_services_that_take_files_are_known() -> None:
    assert TAKING == ["directory", "complaints"]


@pytest.mark.parametrize("name", TAKING)
@pytest.mark.parametrize(("path", "method", "status"), ROUTES)
def test_every_import_answers_in_the_shape_of_all(name: str, path: str, method: str, status: str) -> None:
    mine, first = (DOCUMENTS[one] for one in (name, TAKING[0]))
    told, expected = (one["paths"][path][method] for one in (mine, first))
    assert told["responses"][status] == expected["responses"][status]
    assert told.get("requestBody") == expected.get("requestBody")
    for shape in ("Checked", "Counts", "Accepted", "Progress", "RowRefused", "Problem"):
        assert mine["components"]["schemas"][shape] == first["components"]["schemas"][shape]


@pytest.mark.parametrize("name", TAKING)
def test_a_dry_run_is_a_route_of_its_own_that_needs_no_key(name: str) -> None:
    check = DOCUMENTS[name]["paths"]["/imports/check"]["post"]
    assert "Idempotency-Key" not in {parameter["name"] for parameter in check.get("parameters", ())}


@pytest.mark.parametrize("name", TAKING)
def test_a_fault_in_a_file_is_told_by_its_cell(name: str) -> None:
    entry = DOCUMENTS[name]["components"]["schemas"]["Problem"]["properties"]["errors"]["items"]
    assert {"field", "code", "detail", "cell", "column", "zh", "en", "allowed"} == set(entry["properties"])
