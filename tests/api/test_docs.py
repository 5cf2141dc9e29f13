"""What docs/api.md says is so: its examples run, its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from api.problems import PROBLEMS, TYPE
from storage.api_events import KEPT_FOR as EVENTS_KEPT
from storage.idempotency import KEPT_FOR as ANSWERS_KEPT
from storage.pool import connect
from storage.registry import register_device
from telemetry.identity import DeviceKey
from tests.api.case import NOW, ORG, Seeded
from tests.api.page_examples import page_of, run_examples

_PAGE = page_of("api.md")


def test_the_examples_run_as_they_stand(base_url: str, seeded: Seeded, database_url: str, tmp_path: Path) -> None:
    with connect(database_url, application="test") as conn:
        register_device(conn, DeviceKey(ORG, "washer-1"), "washing_machine", registered=NOW)
    run_examples("api.md", {"WELLKEPT": base_url, "TOKEN": seeded.tokens["dispatcher"]}, tmp_path)


def test_the_problems_are_those_of_the_code() -> None:
    told = {
        kind: (int(status), when)
        for kind, status, when in re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \| (.*) \|$", _PAGE, re.MULTILINE)
    }
    assert told == {kind: (known.status, known.when) for kind, known in PROBLEMS.items()}
    assert f"`{TYPE}`" in _PAGE


def test_the_routes_are_those_of_the_document(http: httpx.Client) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    lasts = {(m.upper(), p.rsplit("/", 1)[1]) for p, ms in paths.items() if p.startswith("/v1/") for m in ms}
    table = _PAGE.partition("## Routes")[2].partition("## Lists")[0]
    for method, last in lasts:
        assert method in table
        assert last.startswith("{") or last in table, f"{method} …/{last} is not in the table of routes"


def test_seven_days_are_seven_days() -> None:
    assert ANSWERS_KEPT.days == EVENTS_KEPT.days == 7
    assert _PAGE.count("seven days") >= 2
