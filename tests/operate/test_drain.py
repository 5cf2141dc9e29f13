"""SIGTERM under load: every process ends in order, in bounded time, with nothing half done."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from stack.process import Identity, wait_until
from stack.run_state import RunState, load
from stack.status import stream_state
from storage.pool import connect
from tests.faults.auditor import Ledger, audit
from tests.spine.rig import Publisher, Rig, make_folder, rig, wait_for

pytestmark = pytest.mark.stack

PLUGS = [f"plug-{n}" for n in range(8)]
RATE = 300.0
# Ends within: what a supervisor waits before it kills.
PATIENCE = 15.0


@pytest.fixture(scope="module")
def running() -> Iterator[Rig]:
    with rig() as one:
        one.register("smart_plug", PLUGS)
        yield one


def last_line(rig: Rig, part: str, event: str) -> dict[str, object]:
    """The last line of a process's log with an event."""
    text = (rig.supervisor.data_dir / "logs" / f"{part}.log").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return next(line for line in reversed(lines) if line["event"] == event)


@pytest.mark.parametrize(("part", "event"), [("ingest", "ingest ended"), ("worker-1", "worker ended")])
def test_a_process_that_is_told_to_end_finishes_what_it_has_begun(
    running: Rig, part: str, event: str, tmp_path: Path
) -> None:
    prefix = "plug"
    if part == "worker-1":
        running.register("smart_plug", [f"late-{n}" for n in range(8)])
        prefix = "late"
    devices = Publisher(running, tmp_path, [f"{prefix}-{n}" for n in range(8)], RATE)
    wait_for(lambda: devices.receipted(dict.fromkeys(devices.keys, (1, 10))), 60, "the first receipts")
    child = next(child for child in running.supervisor.children if child.name == part)
    assert child.identity is not None
    before, restarts = child.identity, child.restarts
    began = time.monotonic()
    os.kill(before.pid, signal.SIGTERM)
    wait_for(lambda: not before.alive(), PATIENCE, f"{part} ends")
    took = time.monotonic() - began
    # Started again like one that died: the supervisor did not ask for its end.
    wait_for(lambda: child.restarts > restarts and child.running, 20, "its restart")
    assert child.exit_status == 0, "an end in order"
    assert last_line(running, part, event)["level"] == "info"
    mark = devices.last()
    wait_for(lambda: devices.receipted(mark), 30, "receipts for all that was sent meanwhile")
    ledger = Ledger()
    ledger.sent(devices.end())
    found = audit(running.database_url, prefix, ledger)
    assert found.clean, found
    print(f"{part} ended in {took:.1f} s, {found.messages} messages")  # noqa: T201  (shown with -s)


def test_a_worker_leaves_snapshots_of_every_device_behind(running: Rig, tmp_path: Path) -> None:
    running.register("smart_plug", [f"snap-{n}" for n in range(8)])
    devices = Publisher(running, tmp_path, [f"snap-{n}" for n in range(8)], RATE)
    wait_for(lambda: devices.receipted(dict.fromkeys(devices.keys, (1, 10))), 60, "the first receipts")
    devices.end()
    child = next(child for child in running.supervisor.children if child.name == "worker-1")
    restarts = child.restarts
    assert child.identity is not None
    os.kill(child.identity.pid, signal.SIGTERM)
    wait_for(lambda: child.restarts > restarts, 20, "its restart")
    with connect(running.database_url, application="test") as conn:
        behind = conn.execute(
            "select count(*) from device_observed o join device d on d.no = o.device "
            "left join detector_snapshot s on s.device = o.device and (s.epoch, s.seq) = (o.epoch, o.seq) "
            "where starts_with(d.device, 'snap') and s.device is null"
        ).fetchone()
        assert behind == (0,)


class Product:
    """`wellkept up` as its users start it."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.process = subprocess.Popen(  # noqa: S603  (our own interpreter)
            [
                sys.executable,
                "-c",
                "from stack.cli import main; main()",
                "up",
                "--data-dir",
                str(self.data_dir),
                "--json",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self.said = json.loads(output.readline())
        state = load(self.data_dir)
        assert isinstance(state, RunState)
        self.state = state


@pytest.mark.long
def test_up_drains_in_order_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = make_folder()
    product = Product(folder)
    try:
        url = product.said["http"]
        with urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310  (http on the loopback)
            assert answer.status == 200
        database = product.state.secrets["database_url"]
        shadow = Shadow(product)
        shadow.register("smart_plug", PLUGS)
        devices = Publisher(shadow, tmp_path, PLUGS, RATE)
        wait_for(lambda: devices.receipted(dict.fromkeys(devices.keys, (1, 10))), 60, "the first receipts")
        ended: dict[str, float] = {}
        watching = threading.Thread(target=watch_ends, args=(product.state, ended), daemon=True)
        watching.start()
        began = time.monotonic()
        product.process.send_signal(signal.SIGTERM)
        product.process.send_signal(signal.SIGTERM)  # a second one changes nothing
        assert product.process.wait(60) == 0
        took = time.monotonic() - began
        watching.join(5)
        order = sorted(ended, key=lambda name: ended[name])
        assert order == ["ingest", "worker-1", "api", "nats", "postgres"]
        assert took < 30
        print(f"ended in {took:.1f} s: {order}")  # noqa: T201  (shown with -s)
        devices._stop.set()
        devices._thread.join(5)

        again = Product(folder)
        try:
            assert again.state.secrets["database_url"] == database, "the same ports and passwords"
            monitor = again.state.monitor
            ledger = Ledger()
            ledger.sent(devices.end())
            found = audit(database, "plug", ledger)
            assert found.clean, found
            assert wait_until(lambda: (stream_state(monitor) or {"mqtt_waiting": 1})["mqtt_waiting"] == 0, 20)
        finally:
            again.process.send_signal(signal.SIGTERM)
            assert again.process.wait(60) == 0
    finally:
        if product.process.poll() is None:
            product.process.kill()
        shutil.rmtree(folder, ignore_errors=True)


class Shadow(Rig):
    """The rig's face over a product in another process."""

    def __init__(self, product: Product) -> None:
        super().__init__(product.data_dir.parent)
        self._product = product
        assert self.supervisor.nats is not None
        self.supervisor.nats._load()

    @property
    def database_url(self) -> str:
        return self._product.state.secrets["database_url"]


def watch_ends(state: RunState, ended: dict[str, float]) -> None:
    """Note when each process ends."""
    alive = {part.name: Identity(part.pid, str(part.started)) for part in state.parts if part.pid is not None}
    until = time.monotonic() + 60
    while alive and time.monotonic() < until:
        for name in [name for name, who in alive.items() if not who.alive()]:
            ended[name] = time.monotonic()
            del alive[name]
        time.sleep(0.005)
