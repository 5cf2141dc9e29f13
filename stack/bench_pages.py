"""`wellkept bench pages`: time to the first byte, bytes and requests of each page, over a full house.

A real api process answers over the loopback to one visitor at a time. `ttfb_p95_ms` is of the page itself, from the
request's last byte to the answer's first, connection kept; the first visit of each page is not counted. `bytes` and
`requests` are of a first load with nothing in the browser's cache: the page, and every style, script and picture that
it names, as they travel.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import environ
from pathlib import Path
from typing import Any

import httpx

from stack.embedded_postgres import EmbeddedPostgres
from stack.errors import StackError
from stack.page_fleet import House, furnish
from stack.process import end_child, free_port, wait_ready
from storage.migrate import migrate
from storage.pool import connect
from telemetry.catalogue import load_catalogue
from telemetry.clock import system_wall

Told = Callable[[str], None]
Figures = dict[str, Any]
_NAMED = re.compile(r'(?:src|href)="(/static/[^"]+)"')
_READY_S = 60.0
_PATIENCE_S = 30.0
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


def measure(devices: int, tickets: int, visits: int, told: Told) -> Figures:
    """Measure every page.

    Args:
        devices: registered.
        tickets: opened among them.
        visits: of each page.
        told: hears what is going on.

    Raises:
        StackError: a page does not answer with a page.
    """
    with full_house(devices, tickets, told) as (base, house):
        found: dict[str, Mapping[str, float]] = {}
        with _visitor(base, "desk", house.password) as desk, _visitor(base, "road", house.password) as road:
            for name, path in pages_of(house).items():
                found[name] = _page(road if name == "day" else desk, path, visits)
                told(f"{name}: {found[name]['ttfb_p95_ms']:.0f} ms, {found[name]['bytes']:.0f} bytes")
    return {"devices": devices, "tickets": tickets, "visits": visits, "pages": found}


def _page(client: httpx.Client, path: str, visits: int) -> Mapping[str, float]:
    seconds = []
    body = b""
    for _ in range(visits + 1):
        began = time.perf_counter()
        with client.stream("GET", path) as answer:
            seconds.append(time.perf_counter() - began)
            if answer.status_code != _OK:
                raise StackError(f"{path} answered {answer.status_code}: nothing to measure")
            body = answer.read()
            travelled = answer.num_bytes_downloaded
    named = sorted(set(_NAMED.findall(body.decode())))
    for asset in named:
        with client.stream("GET", asset) as answer:
            answer.read()
            travelled += answer.num_bytes_downloaded
    counted = seconds[1:]
    ninety_five = statistics.quantiles(counted, n=20)[-1] if len(counted) > 1 else counted[0]
    return {
        "ttfb_p50_ms": round(1_000 * statistics.median(counted), 1),
        "ttfb_p95_ms": round(1_000 * ninety_five, 1),
        "bytes": travelled,
        "requests": 1 + len(named),
    }


@contextmanager
def _visitor(base: str, login: str, password: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, timeout=_PATIENCE_S, headers={"Accept": "text/html"}) as client:
        answer = client.post("/login", data={"login": login, "password": password})
        if not client.cookies:
            raise StackError(f"{login} could not log in: {answer.status_code}")
        yield client


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
