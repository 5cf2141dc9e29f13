"""What docs/api.md says is so: its examples run, its tables are those of the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from api.problems import PROBLEMS, TYPE
from storage.api_events import KEPT_FOR as EVENTS_KEPT
from storage.idempotency import KEPT_FOR as ANSWERS_KEPT
from storage.pool import connect
from storage.registry import register_device
from telemetry.identity import DeviceKey
from tests.api.case import NOW, ORG, Seeded

_PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
_EXAMPLES = re.findall(r"```sh\n(.*?)```\n```text\n(.*?)```", _PAGE, re.DOTALL)
_END = "---- end of an example"


def test_the_examples_run_as_they_stand(base_url: str, seeded: Seeded, database_url: str, tmp_path: Path) -> None:
    for program in ("bash", "curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: install it, the examples of docs/api.md use it")
    assert len(_EXAMPLES) == _PAGE.count("```sh") >= 6
    with connect(database_url, application="test") as conn:
        register_device(conn, DeviceKey(ORG, "washer-1"), "washing_machine", registered=NOW)
    script = "set -euo pipefail\n" + "".join(f"{code}\necho '{_END}'\n" for code, _ in _EXAMPLES)
    environment = {**os.environ, "WELLKEPT": base_url, "TOKEN": seeded.tokens["dispatcher"]}
    run = subprocess.run(  # noqa: S603  (our own page)
        ["bash", "-c", script],  # noqa: S607  (the reader's own shell)
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    outputs = run.stdout.split(_END)
    for (code, expected), output in zip(_EXAMPLES, outputs, strict=False):
        at = 0
        for line in expected.splitlines():
            found = output.find(line, at)
            assert found >= 0, f"{line!r} is not in the output of\n{code}\nwhich is\n{output}\n{run.stderr}"
            at = found


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
