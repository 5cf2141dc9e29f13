"""`wellkept bench pages`: time to the first byte, bytes and requests of each page, over a full house.

A real api process answers over the loopback to one visitor at a time. `ttfb_p95_ms` is of the page itself, from the
request's last byte to the answer's first, connection kept; the first visit of each page is not counted. `bytes` and
`requests` are of a first load with nothing in the browser's cache: the page, and every style, script and picture that
it names, as they travel.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from stack.errors import StackError
from stack.page_house import Told, full_house, pages_of

Figures = dict[str, Any]
_NAMED = re.compile(r'(?:src|href)="(/static/[^"]+)"')
_PATIENCE_S = 30.0
_OK = 200


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
