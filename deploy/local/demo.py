"""Load the demonstration over HTTP: ``python -m deploy.local.demo``. Again, nothing changes.

The street's 1,869 concerns go in through the same import that a user has; the neighbouring district's register too.
"""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from deploy.local.demo_concerns import last_full_year, workbook
from deploy.local.demo_district import (
    FIRST,
    SECOND,
    STREET,
    build_neighbour,
    build_street,
    found_districts,
    register_helpers,
)
from deploy.local.demo_homes import load_homes, publish_norms
from deploy.local.demo_register import HOUSEHOLDS, RESIDENTS
from deploy.local.desk import Desk
from deploy.local.install import ROOT
from deploy.local.trouble import Trouble, give_up

PATIENCE = 300.0  # seconds for the import of the concerns


def addresses() -> dict[str, str]:
    """Where the services and the identity provider answer, from the environment of the run."""
    peers = dict(pair.split("=", 1) for pair in os.environ["LINLI_PEERS"].split(","))
    return peers | {"identity": os.environ["LINLI_OIDC_ISSUER"]}


def load(urls: dict[str, str]) -> None:
    """Districts, policies, units, volunteers, concerns."""
    _tell("街道、社区、网格和政策 · streets, communities, grids and policies")
    operator, admin = Desk(urls, "operator-d1"), Desk(urls, "admin-d1")
    found_districts(operator)
    for district in (FIRST, SECOND):
        publish_norms(operator, district)
    build_street(admin)
    build_neighbour(Desk(urls, "admin-d2"))
    load_homes(admin)
    _tell("志愿者 · volunteers")
    register_helpers(Desk(urls, "coordinator-c1"))
    import_concerns(Desk(urls, "street-s1"))


def import_concerns(street: Desk, again: bool = False) -> None:
    """The street's concerns of the last year whose April is over, with progress. ``again``: as another request."""
    year = last_full_year(datetime.now(UTC))
    _tell(f"导入 {year} 年 1 至 4 月民情台账 · the concerns of January to April {year}")
    begun = street.post(
        "complaints", f"/imports?unit={STREET}", key=f"demo|concerns|{year}|{again}", content=workbook(year)
    )
    limit = time.monotonic() + PATIENCE
    while True:
        page = street.get("complaints", f"/imports/{begun['aggregate']}")
        _progress(page["done"], page["rows"])
        if page["status"] == "done":
            print(flush=True)
            return
        if time.monotonic() > limit:
            raise Trouble(
                "民情台账的导入仍在进行,请用 GET /imports 查看进度。", "The import goes on; GET /imports shows how far."
            )
        time.sleep(0.5)


def begin_register(urls: dict[str, str]) -> None:
    """The neighbouring district's register, in the background: it takes minutes and nobody needs to wait for it."""
    figures = Desk(urls, "admin-d2").get("directory", f"/register-figures?unit={SECOND}")["figures"]
    if figures.get("households", 0) >= HOUSEHOLDS and figures.get("residents", 0) >= RESIDENTS:
        return
    log = Path(os.environ["LINLI_LOGS"]) / "demo-register.log"
    _tell(f"邻区名册({HOUSEHOLDS:,} 户、{RESIDENTS:,} 人)在后台导入,进度见 {log} · imported in the background")
    with log.open("ab") as output:
        command = [sys.executable, "-m", "deploy.local.demo_register"]
        subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)


def _tell(text: str) -> None:
    print(f"  {text}", flush=True)


def _progress(done: int, rows: int) -> None:
    print(f"\r    {done:,} / {rows:,}", end="", flush=True)


def main() -> int:
    """Load, or say in one sentence why not."""
    try:
        load(addresses())
        begin_register(addresses())
    except Trouble as trouble:
        return give_up(trouble)
    except httpx.HTTPError as error:
        return give_up(Trouble(f"服务没有应答({error})。", f"A service does not answer ({error})."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
