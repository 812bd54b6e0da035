"""Load the demonstration over HTTP: ``python -m deploy.local.demo``. Again, nothing changes.

The street's 1,869 concerns go in through the same import that a user has; the neighbouring district's register too.
"""

import os
import sys
import time
from datetime import UTC, datetime

import httpx

from deploy.local.demo_concerns import last_full_year, workbook
from deploy.local.demo_district import STREET, build_neighbour, build_street, found_districts, register_helpers
from deploy.local.desk import Desk
from deploy.local.trouble import Trouble, give_up

PATIENCE = 300.0  # seconds for the import of the concerns


def addresses() -> dict[str, str]:
    """Where the services and the identity provider answer, from the environment of the run."""
    peers = dict(pair.split("=", 1) for pair in os.environ["LINLI_PEERS"].split(","))
    return peers | {"identity": os.environ["LINLI_OIDC_ISSUER"]}


def load(urls: dict[str, str]) -> None:
    """Districts, policies, units, volunteers, concerns."""
    _tell("街道、社区、网格和政策 · streets, communities, grids and policies")
    found_districts(Desk(urls, "operator-d1"))
    build_street(Desk(urls, "admin-d1"))
    build_neighbour(Desk(urls, "admin-d2"))
    _tell("志愿者 · volunteers")
    register_helpers(Desk(urls, "coordinator-c1"))
    import_concerns(Desk(urls, "street-s1"))


def import_concerns(street: Desk) -> None:
    """The street's concerns of the last year whose April is over, with progress."""
    year = last_full_year(datetime.now(UTC))
    _tell(f"导入 {year} 年 1 至 4 月民情台账 · the concerns of January to April {year}")
    begun = street.post(
        "complaints", f"/imports?unit={STREET}", key=f"demo|concerns|{year}", content=workbook(year)
    )
    limit = time.monotonic() + PATIENCE
    while True:
        page = street.get("complaints", f"/imports/{begun['aggregate']}")
        _progress(page["through"], page["rows"])
        if page["through"] >= page["rows"]:
            print(flush=True)
            return
        if time.monotonic() > limit:
            raise Trouble(
                "民情台账的导入仍在进行,请用 GET /imports 查看进度。", "The import goes on; GET /imports shows how far."
            )
        time.sleep(0.5)


def _tell(text: str) -> None:
    print(f"  {text}", flush=True)


def _progress(done: int, rows: int) -> None:
    print(f"\r    {done:,} / {rows:,}", end="", flush=True)


def main() -> int:
    """Load, or say in one sentence why not."""
    try:
        load(addresses())
    except Trouble as trouble:
        return give_up(trouble)
    except httpx.HTTPError as error:
        return give_up(Trouble(f"服务没有应答({error})。", f"A service does not answer ({error})."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
