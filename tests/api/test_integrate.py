"""docs/integrate.md runs as it stands: a real server, a real worker's jobs, a real receiver on the loopback."""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from api.app import create_app
from api.settings import Settings
from servicedesk.hook_tries import SCHEDULE, TIMEOUT
from storage.access import Role, create_token
from storage.pool import connect
from telemetry.clock import to_datetime, to_micros
from tests.api.case import NOW, ORG, WALL, Seeded
from tests.api.page_examples import page_of, run_examples
from worker import jobs_main

_ALLOW = "127.0.0.0/8"


@pytest.fixture
def app(database_url: str) -> Iterator[FastAPI]:
    settings = Settings(database_url=database_url, pool_size=4, webhook_allow=_ALLOW)
    made = create_app(settings, wall=lambda: WALL)
    yield made
    made.state.context.pool.close()


@pytest.fixture
def worker(database_url: str) -> Iterator[None]:
    """The jobs of a worker."""
    stop = threading.Event()
    settings = jobs_main.JobSettings(webhook_allow=_ALLOW)
    thread = threading.Thread(
        target=jobs_main.run, args=(database_url, stop, lambda: to_micros(NOW), settings), daemon=True
    )
    thread.start()
    yield
    stop.set()
    thread.join(20)


@pytest.mark.long
@pytest.mark.usefixtures("worker")
def test_the_examples_run_as_they_stand(base_url: str, seeded: Seeded, database_url: str, tmp_path: Path) -> None:
    with connect(database_url, application="test") as conn:
        token = create_token(conn, Role.INTEGRATION, now=to_datetime(WALL), label="dispatch", org=ORG)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "WELLKEPT": base_url,
        "WELLKEPT_DATABASE_URL": database_url,
        "TOKEN": token,
        "RECEIVER": f"http://127.0.0.1:{port}/",
        "RECEIVER_PORT": str(port),
    }
    assert seeded.ref in run_examples("integrate.md", environment, tmp_path)


def test_the_schedule_is_that_of_the_code() -> None:
    page = page_of("integrate.md")
    told = re.search(r"tried again after ([^.]*?), or later", page.replace("\n", " "))
    assert told is not None
    units = {"s": 1, "min": 60, "h": 3600}
    waits = [int(n) * units[unit] for n, unit in re.findall(r"(\d+) (s|min|h)\b", told[1])]
    assert waits == [each.total_seconds() for each in SCHEDULE]
    assert f"within {TIMEOUT.seconds} s" in page
