"""Measurements: the table in the handbook is what the processes show, and the figures are right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest.meters import Forbidden
from stack.status import collect
from storage.pool import connect
from tests.spine.rig import Publisher, Rig, make_folder, wait_for

ROW = re.compile(r"^\| `(wellkept_\w+)` \| (\w+) \| (\w+) \| ", re.MULTILINE)
HANDBOOK = Path(__file__).parents[2] / "docs" / "operate.md"


def test_what_the_broker_forbids_is_counted_once_each(tmp_path: Path) -> None:
    log = tmp_path / "nats.log"
    log.write_text('[1] [ERR] 127.0.0.1:1 - mid:5 - "x" - Publish Violation - Subject "old"\n')
    forbidden = Forbidden(log)
    assert forbidden.counts() == {"publish": 0, "subscribe": 0, "login": 0}
    with log.open("a") as file:
        file.write('[1] [ERR] 127.0.0.1:1 - mid:5 - "x" - Publish Violation - Subject "a"\n[1] [INF] quiet\n')
        file.write('[1] [ERR] 127.0.0.1:1 - mid:5 - "x" - Subscription Violation - Subject "b", SID b\n[1] [ERR] 127')
    assert forbidden.counts() == {"publish": 1, "subscribe": 1, "login": 0}
    with log.open("a") as file:
        file.write('.0.0.1:1 - mid:24 - "y" - authentication error - User "nobody"\n')
    assert forbidden.counts() == {"publish": 1, "subscribe": 1, "login": 1}
    log.write_text("")
    assert forbidden.counts() == {"publish": 1, "subscribe": 1, "login": 1}


class Running(Rig):
    """The whole product, api too."""

    def start(self) -> None:
        self.start_all()
        self.addresses = {each["name"]: each["address"] for each in collect(self.supervisor.data_dir)["parts"]}

    def shown(self, part: str) -> dict[str, dict[tuple[str, ...], float]]:
        """Families of a process, as written in the handbook, to label values to value."""
        address = self.addresses[part]
        url = address if address.endswith("/metrics") else f"{address}/metrics"
        with urlopen(url, timeout=10) as answer:  # noqa: S310  (http on the loopback)
            text = answer.read().decode()
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for family in text_string_to_metric_families(text):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found[f"{name} {family.type}"] = {
                tuple(v for k, v in sample.labels.items() if k != "le"): sample.value
                for sample in family.samples
                if not sample.name.endswith("_created")
            }
        return found


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    folder = make_folder()
    one = Running(folder)
    try:
        one.start()
        yield one
    finally:
        one.stop()
        if one.supervisor.postgres is not None:
            one.supervisor.postgres.remove()


@pytest.mark.stack
def test_the_handbook_lists_what_the_processes_show(running: Running) -> None:
    listed: dict[str, set[str]] = {"ingest": set(), "worker": set(), "api": set()}
    for name, process, kind in ROW.findall(HANDBOOK.read_text(encoding="utf-8")):
        listed[process].add(f"{name} {kind}")
    # Made once something is asked of it.
    wait_for(lambda: "wellkept_stream_bytes gauge" in running.shown("worker-1"), 10, "a look at the stream")
    shown = {process: set(running.shown(part)) for process, part in (("ingest", "ingest"), ("worker", "worker-1"))}
    shown["api"] = set(running.shown("api"))
    assert shown == listed


@pytest.mark.stack
def test_figures_follow_what_happens(running: Running, tmp_path: Path) -> None:
    running.register("smart_plug", ["plug"])
    devices = Publisher(running, tmp_path, ["plug", "stranger"], 40.0)
    wait_for(lambda: devices.receipted({"demo/plug": (1, 20)}), 30, "receipts")
    ends = devices.end()
    strange, sent = ends["demo/stranger"][1], sum(last for _, last in ends.values())
    assert strange > 0

    def right() -> bool:
        ingest, worker, api = (running.shown(part) for part in ("ingest", "worker-1", "api"))
        return (
            ingest["wellkept_ingest_messages_total counter"][()] >= sent
            and ingest["wellkept_ingest_in_flight gauge"][()] == 0
            and worker["wellkept_worker_messages_total counter"][()] >= sent
            and worker["wellkept_worker_dead_letters_total counter"] == {("unknown_device",): strange}
            and worker["wellkept_worker_partitions gauge"][()] == 16
            and worker["wellkept_oldest_unreceipted_seconds gauge"][()] == 0
            and sum(worker["wellkept_lag_blocks gauge"].values()) == 0
            and api["wellkept_dead_letters gauge"][()] == strange
            and set(api["wellkept_ready gauge"].values()) == {1}
        )

    wait_for(right, 10, "figures that agree")
    worker = running.shown("worker-1")
    transactions = worker["wellkept_worker_transactions_total counter"][()]
    assert worker["wellkept_worker_transaction_seconds histogram"][()] > 0
    assert 0 < transactions <= worker["wellkept_worker_messages_total counter"][()]


@pytest.mark.stack
def test_lag_is_told_while_a_worker_stands(running: Running, tmp_path: Path) -> None:
    """The database is locked: blocks pile up behind the position."""
    running.register("smart_plug", ["other"])
    devices = Publisher(running, tmp_path, ["other"], 20.0)
    wait_for(lambda: running.shown("worker-1")["wellkept_oldest_unreceipted_seconds gauge"][()] == 0, 20, "no lag")
    with connect(running.database_url, application="test") as conn:
        conn.execute("lock table device_progress in access exclusive mode")
        wait_for(
            lambda: running.shown("worker-1")["wellkept_oldest_unreceipted_seconds gauge"][()] > 2, 20, "a lag is told"
        )
        assert max(running.shown("worker-1")["wellkept_lag_blocks gauge"].values()) > 0
    devices.end()
