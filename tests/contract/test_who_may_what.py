"""The page that says who may what is the one that the code gives."""

import argparse
from pathlib import Path

import pytest

from services.__main__ import CATALOGUE
from services.chassis.contracts import permits
from services.chassis.http import Application, permission_table

SERVICES = Path(__file__).parents[2] / "services"


def test_the_committed_page_is_what_the_code_gives() -> None:
    assert permits.run(argparse.Namespace(action="check", against=permits.PLACE), CATALOGUE) == 0


def test_a_page_that_differs_or_is_missing_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    for content in (None, "# Who may what\n"):
        if content:
            page.write_text(content)
        assert permits.run(argparse.Namespace(action="check", against=page), CATALOGUE) == 1
        assert "make schemas" in capsys.readouterr().out
    permits.run(argparse.Namespace(action="export", against=page), CATALOGUE)
    assert permits.run(argparse.Namespace(action="check", against=page), CATALOGUE) == 0


@pytest.mark.parametrize("name", CATALOGUE.names)
def test_every_route_and_every_permission_stands_on_the_page(name: str) -> None:
    service = CATALOGUE.load(name)
    page = permits.page([service])
    for row in permission_table(Application(service)):
        assert f"| `{row.method} {row.path}` |" in page
    assert all(f"`{permission}`" in page for permission in frozenset().union(*service.permissions.values()))


@pytest.mark.parametrize("name", CATALOGUE.names)
def test_what_a_route_asks_within_itself_is_really_asked_there(name: str) -> None:
    """Else a role would hold a permission that means nothing."""
    folder = SERVICES / name
    rooms = [file for file in folder.rglob("*.py") if file.name != "access.py"]
    source = "".join(file.read_text("utf-8") for file in rooms)
    for permission in permits.within_routes(CATALOGUE.load(name)):
        assert f'"{permission}"' in source
