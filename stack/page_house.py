"""A house with everything in it, for whoever looks at the pages: an api process over an embedded, full database.

The benchmark of pages and the pictures of `docs/` are taken in it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path

import httpx

from stack.embedded_postgres import EmbeddedPostgres
from stack.page_fleet import House, furnish
from stack.process import end_child, free_port, wait_ready
from storage.migrate import migrate
from storage.pool import connect
from telemetry.catalogue import load_catalogue
from telemetry.clock import system_wall

Told = Callable[[str], None]
_READY_S = 60.0
_OK = 200


def pages_of(house: House) -> dict[str, str]:
    """Every page by name; names of owners' pages begin with `owner`."""
    return {
        "owner_alert": f"/o/{house.alert}",
        "owner_time": f"/o/{house.alert}/time",
        "owner_visit": f"/o/{house.visit}/visit",
        "owner_quote": f"/o/{house.quote}/quote",
        "owner_report": f"/o/{house.report}/report",
        "owner_home": f"/o/{house.home}/home",
        "owner_privacy": f"/o/{house.home}/privacy",
        "dispatch": "/dispatch",
        "ticket": f"/tickets/{house.ref}",
        "board": f"/board?date={house.day}",
        "technicians": "/technicians",
        "wall": "/wall",
        "faults": "/faults",
        "reports": "/reports",
        "rules": "/rules",
        "audit": "/audit",
        "webhooks": "/webhooks",
        "lab": "/lab",
        "lab_device": f"/lab/{house.device}",
        "lab_scoreboard": "/lab/scoreboard",
        "day": f"/day/{house.day}",
    }


@contextmanager
def full_house(devices: int, tickets: int, told: Told) -> Iterator[tuple[str, House]]:
    """A running api over an embedded database that is full: its address, and what a visitor holds in hand."""
    # Not below a folder that is closed to other accounts: as root the database runs under one.
    with tempfile.TemporaryDirectory(prefix="wellkept-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = EmbeddedPostgres(folder / "postgres")
        postgres.start()
        try:
            migrate(postgres.url())
            with connect(postgres.url(), application="wellkept-bench") as conn:
                house = furnish(conn, load_catalogue(), devices, tickets, system_wall(), told)
            with connect(postgres.url(), application="wellkept-bench", autocommit=True) as conn:
                conn.execute("analyze")
            with _api(postgres.url(), folder) as base:
                yield base, house
        finally:
            postgres.remove()


@contextmanager
def _api(url: str, folder: Path) -> Iterator[str]:
    port, log = free_port(0), folder / "api.log"
    base = f"http://127.0.0.1:{port}"
    settings = {"WELLKEPT_DATABASE_URL": url, "WELLKEPT_HTTP_PORT": str(port), "WELLKEPT_PUBLIC_URL": base}
    with log.open("ab") as out:
        child = subprocess.Popen([sys.executable, "-m", "api"], env={**environ, **settings}, stdout=out, stderr=out)

    def answers() -> bool:
        try:
            return httpx.get(f"{base}/healthz", timeout=2).status_code == _OK
        except httpx.HTTPError:
            return False

    try:
        wait_ready("api", child, answers, log, _READY_S)
        yield base
    finally:
        end_child(child)
