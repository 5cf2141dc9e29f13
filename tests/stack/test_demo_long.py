"""The demo as a newcomer runs it, without a person: five minutes, judged by its last line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.stack]


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own: as root the database runs under another account.
    made = Path(tempfile.mkdtemp(prefix="wellkept-demo-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.timeout(500)
def test_the_demo_keeps_its_promise(folder: Path) -> None:
    command = [str(Path(sys.executable).parent / "wellkept"), "demo", "--headless", "--for", "300", "--json"]
    done = subprocess.run(  # noqa: S603  (our own command)
        [*command, "--data-dir", str(folder / "demo")], capture_output=True, text=True, timeout=450, check=True
    )
    score = json.loads(done.stdout.splitlines()[-1])
    assert score["first_ticket_s"] <= 60
    assert score["false_tickets"] == 0
    assert score["lost"] == 0
    for what in ("messages", "readings", "findings", "tickets", "visits", "notices", "closed_verified", "caught"):
        assert score[what] >= 1, what
    for what in ("quotes", "self_fixed", "no_fault_found", "reopened"):
        assert score[what] >= 1, what
    assert score["caught"] <= score["faults"]
