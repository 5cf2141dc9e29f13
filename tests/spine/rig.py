"""The product's own servers and processes under a supervisor, with numbered devices that keep publishing."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from firmware_sim.firmware import Body
from firmware_sim.mqtt import Gateway
from firmware_sim.spool import Spool
from stack.settings import Settings
from stack.supervisor import Supervisor
from storage.pool import connect
from storage.registry import register_device
from telemetry.clock import system_wall
from telemetry.identity import DeviceKey

_PERIOD = 0.05


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until a condition holds. Returns the seconds it took.

    Raises:
        AssertionError: it did not hold in time.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)
    return time.monotonic() - began


class Rig:
    """Servers, ingest and one worker; the API is not part of the spine."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.supervisor = Supervisor(Settings(data_dir=folder / "data", org="demo"), self.said.append)
        self._looking_after = threading.Thread(target=self.supervisor.run, daemon=True)

    def start(self) -> None:
        """Start everything and look after it."""
        self.supervisor.start_servers()
        for name, module in (("ingest", "ingest"), ("worker-1", "worker")):
            self.supervisor.add(name, ("-m", module), self.supervisor._environment(module))
        self._looking_after.start()

    def stop(self) -> None:
        """Stop everything."""
        self.supervisor.ask_to_stop()
        self._looking_after.join(30)
        self.supervisor.stop()

    @property
    def database_url(self) -> str:
        return self.supervisor.database_url

    def pid(self, part: str) -> int:
        """Of a part, `nats`, `postgres` or a process."""
        server = {"nats": self.supervisor.nats, "postgres": self.supervisor.postgres}.get(part)
        if server is not None:
            assert server.pid is not None
            return server.pid
        child = next(child for child in self.supervisor.children if child.name == part)
        assert child.identity is not None
        return child.identity.pid
        assert child.process is not None
        return child.process.pid

    def register(self, kind: str, names: list[str]) -> None:
        """Enter devices of the organisation `demo`."""
        with connect(self.database_url, application="rig") as conn:
            for name in names:
                register_device(conn, DeviceKey("demo", name), kind, registered=datetime.now(UTC))


@contextmanager
def rig() -> Iterator[Rig]:
    """A running rig in a folder that the database's account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="wellkept-rig-"))
    folder.chmod(0o711)
    running = Rig(folder)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Publisher:
    """Devices that number their messages: the power of the n-th message is n."""

    def __init__(self, rig: Rig, folder: Path, names: list[str], rate: float) -> None:
        self.keys = [f"demo/{name}" for name in names]
        self.spool = Spool(folder / "spool.sqlite", lambda: 1)
        self.gateway = Gateway(
            rig.supervisor.mqtt_url("gateway"),
            self.keys,
            self.spool,
            system_wall,
            rng=np.random.default_rng(1),
            client_id="test-gateway",
            window=2_000,
        )
        self._rate = rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.gateway.start()
        self._thread.start()

    def last(self) -> dict[str, tuple[int, int]]:
        """Device to `(epoch, last seq)`."""
        return {key: (self.spool.slot(key).epoch, self.spool.slot(key).next_seq - 1) for key in self.keys}

    def receipted(self, mark: dict[str, tuple[int, int]]) -> bool:
        """Whether every message up to the mark has its receipt, without a gap."""
        return all(self.spool.slot(key).base > seq for key, (_, seq) in mark.items())

    def say(self, name: str, *events: str) -> None:
        """One message with events."""
        t = system_wall()
        body = Body(device=0, done=t, t=t, q={}, events=events)
        self.gateway.offer(self.spool.append([(f"demo/{name}", body)]))

    def end(self) -> dict[str, tuple[int, int]]:
        """Publish no more, wait until everything is receipted. Returns what was sent."""
        self._stop.set()
        self._thread.join(5)
        assert self.gateway.settled(40), f"not all receipted: {self.gateway.counts()}"
        sent = self.last()
        self.gateway.stop()
        self.spool.close()
        return sent

    def _run(self) -> None:
        count = round(self._rate * _PERIOD)
        turn = 0
        while not self._stop.wait(_PERIOD):
            bodies: list[tuple[str, Body]] = []
            for key in (self.keys[(turn + i) % len(self.keys)] for i in range(count)):
                seq = self.spool.slot(key).next_seq + [other for other, _ in bodies].count(key)
                t = system_wall()
                bodies.append((key, Body(device=0, done=t, t=t, q={"power": float(seq)})))
            turn += count
            self.gateway.offer(self.spool.append(bodies))
