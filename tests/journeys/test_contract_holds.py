"""Every service keeps its own contract: Schemathesis makes requests of it, right ones and wrong ones, and looks at all
that is answered. As people of several kinds, on the running system."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.install import ROOT
from deploy.local.system import System
from tests.faults.district import COMMUNITIES, DISTRICT, GRIDS, NEIGHBOUR, STREET
from tests.faults.tokens import Tokens
from tests.journeys.records import LINE, Marks, Records, settle, whoever

pytestmark = [pytest.mark.timeout(900)]

SERVICES = ("directory", "complaints", "volunteers", "insight")
SEED = 20260301
HOOKS = Path(__file__).with_name("contract_checks.py")
USUALLY = 0.7  # of the requests name a record that there is
REFUSED_BY_THE_DOMAIN = ["2xx", "3xx", "401", "403", "404", "409", "412", "422", "429"]
STATUSES = {
    "positive_data_acceptance": REFUSED_BY_THE_DOMAIN,
    "missing_required_header": ["400", "401", "403", "415", "422", "429"],
}
"""What fits the contract may still be refused for what it says; then its code must be one of the domain's: see
``contract_checks``. Who asks too often is told so before anything is looked at."""


@dataclass(frozen=True)
class Somebody:
    """Who sends the requests; ``token`` is empty for the anonymous."""

    token: str
    depth: tuple[str, ...]  # how much is tried


@pytest.fixture(scope="module")
def records(system: System, urls: dict[str, str]) -> Records:
    return settle(system, urls, Marks())


@pytest.fixture(scope="module")
def people(system: System) -> dict[str, Somebody]:
    deep = ("--phases", "coverage,fuzzing", "--max-examples", "4")
    quick = ("--phases", "fuzzing", "--max-examples", "2")
    tokens = Tokens(system)
    return {
        "everything": Somebody(whoever(system, DISTRICT).token, deep),
        "grid-worker": Somebody(tokens.of("usr_contract-1", ("grid-worker",), GRIDS[0]).token, quick),
        "operator": Somebody(tokens.of("usr_contract-2", ("operator",), DISTRICT).token, quick),
        "neighbour": Somebody(whoever(system, NEIGHBOUR).token, quick),
        "anonymous": Somebody("", quick),
    }


@pytest.mark.parametrize("who", ["everything", "grid-worker", "operator", "neighbour", "anonymous"])
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_answers_as_its_contract_says(
    service: str, who: str, people: Mapping[str, Somebody], records: Records, urls: Mapping[str, str], tmp_path: Path
) -> None:
    given = tmp_path / "schemathesis.toml"
    given.write_text(configuration(service, records), encoding="utf-8")
    somebody = people[who]
    bearer = ("--header", f"Authorization: Bearer {somebody.token}") if somebody.token else ()
    command = (
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(given), "run", f"{urls[service]}/openapi.json",
        "--seed", str(SEED), "--continue-on-failure", "--no-color", "--request-timeout", "60", *bearer, *somebody.depth,
    )  # fmt: skip
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    tried = re.search(r"(\d+) generated, \1 passed", done.stdout)
    assert tried is not None and int(tried[1]) >= 8, done.stdout[-2_000:]


def configuration(service: str, records: Records) -> str:
    """Which checks, and which records a request names as a rule."""
    known = _known(service, records)
    lines = [f"hooks = {json.dumps(str(HOOKS))}", "generation.allow-x00 = false"]
    lines += [f"checks.{check}.expected-statuses = {json.dumps(statuses)}" for check, statuses in STATUSES.items()]
    for name, values in known.items():
        lines.append(f"dictionaries.{json.dumps(name)}.values = {json.dumps(values)}")
    lines.append("[parameters]")
    for name in known:
        for place in ("path", "query", "body"):
            binding = f"{{ dictionary = {json.dumps(name)}, probability = {USUALLY} }}"
            lines.append(f"{json.dumps(f'{place}.{name}')} = {binding}")
    return "\n".join(lines) + "\n"


def _known(service: str, records: Records) -> dict[str, list[str]]:
    ids = {name.removeprefix(f"{service}."): [value] for name, value in records.ids.items() if "." not in name}
    ids["import_id"] = [records.ids.get(f"{service}.import_id", "import_x")]
    units = [STREET, *COMMUNITIES, *GRIDS, records.ids["unit"]]
    return ids | {
        "unit": units, "parent": units, "building": [records.ids["unit"]], "grid": list(GRIDS), "category": ["welfare"],
        "channel": ["visit"], "line": [LINE], "leader": ids["volunteer"], "into": ids["resident"],
        "template": ["street-concerns"], "indicator": ["complaints.recorded", "complaints.closure_rate"],
        "key": ["complaints.categories"], "queue": ["mine", "late"], "purpose": ["text", "reporter"],
        "code": [records.code], "phone": [Marks().phone],
        "marker": ["partyMember"],
    }  # fmt: skip
