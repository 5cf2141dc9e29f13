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
from uuid import UUID

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
_TICK = 0.1
_NEVER = threading.Event()


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until a condition holds. Returns the seconds it took.

    Raises:
        AssertionError: it did not hold in time.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        _NEVER.wait(0.02)
    return time.monotonic() - began


class RigSupervisor(Supervisor):
    """The supervisor, whose workers may be told another address of the database: a proxy's.

    Attributes:
        proxied: turns the database's address into the one that workers get.
    """

    proxied: Callable[[str], str] | None = None

    def _environment(self, module: str, *more: object) -> dict[str, str]:
        environment = super()._environment(module, *more)
        if module == "worker" and self.proxied is not None:
            environment["WELLKEPT_DATABASE_URL"] = self.proxied(environment["WELLKEPT_DATABASE_URL"])
        return environment


class Rig:
    """Servers, ingest and worker; the API is not part of the spine.

    Args:
        folder: holds everything.
        settings: of the supervisor, beside its folder and organisation.
    """

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.supervisor = RigSupervisor(
            Settings(data_dir=folder / "data", org="demo", **settings),  # type: ignore[arg-type]
            self.said.append,
        )
        self._ended = threading.Event()
        self._hands = threading.RLock()
        self._looking_after = threading.Thread(target=self._look_after, daemon=True)

    def start(self) -> None:
        """Start servers, ingest and one worker, and look after them."""
        self.supervisor.start_servers()
        for name, module in (("ingest", "ingest"), ("worker-1", "worker")):
            self.supervisor.add(name, ("-m", module), self.supervisor._environment(module))
        self._looking_after.start()

    def start_all(self, before: Callable[[Rig], None] | None = None) -> None:
        """Start everything as `wellkept up` does, the API included, and look after it.

        Args:
            before: called when the servers run and the processes do not yet.
        """
        self.supervisor.start_servers()
        if before is not None:
            before(self)
        self.supervisor.start_processes()
        self.supervisor.wait_ready()
        self._looking_after.start()

    def stop(self) -> None:
        """Stop everything."""
        self._ended.set()
        if self._looking_after.ident is not None:
            self._looking_after.join(30)
        self.supervisor.stop()

    @contextmanager
    def hands_off(self) -> Iterator[None]:
        """Nothing that dies is started again meanwhile."""
        with self._hands:
            yield

    @property
    def database_url(self) -> str:
        return self.supervisor.database_url

    def pid(self, part: str) -> int:
        """Of a part, `nats`, `postgres` or a process."""
        return pid_of(self.supervisor, part)

    def runs(self, part: str) -> bool:
        """Whether a part runs now."""
        server = {"nats": self.supervisor.nats, "postgres": self.supervisor.postgres}.get(part)
        if server is not None:
            return server.pid is not None
        return any(child.name == part and child.running for child in self.supervisor.children)

    def register(self, kind: str, names: list[str], household: UUID | None = None) -> None:
        """Enter devices of the organisation `demo`."""
        with connect(self.database_url, application="rig") as conn:
            for name in names:
                key = DeviceKey("demo", name)
                register_device(conn, key, kind, registered=datetime.now(UTC), household=household)

    def _look_after(self) -> None:
        while not self._ended.wait(_TICK):
            with self._hands:
                self.supervisor.tend()


def make_folder() -> Path:
    """A folder that the database's account can reach; the caller removes it."""
    folder = Path(tempfile.mkdtemp(prefix="wellkept-rig-"))
    folder.chmod(0o711)
    return folder


def pid_of(supervisor: Supervisor, part: str) -> int:
    """Of a part, `nats`, `postgres` or a process."""
    server = {"nats": supervisor.nats, "postgres": supervisor.postgres}.get(part)
    if server is not None:
        assert server.pid is not None
        return server.pid
    identity = next(child for child in supervisor.children if child.name == part).identity
    assert identity is not None
    return identity.pid


@contextmanager
def whole_product(workers: int = 1) -> Iterator[Supervisor]:
    """Everything that `wellkept up` starts, in a folder of its own; whoever wants the dead started again tends it."""
    folder = make_folder()
    supervisor = Supervisor(Settings(data_dir=folder / "data", workers=workers), lambda _line: None)
    try:
        supervisor.start_servers()
        supervisor.start_processes()
        supervisor.wait_ready()
        yield supervisor
    finally:
        supervisor.stop()
        if supervisor.postgres is not None:
            supervisor.postgres.remove()


@contextmanager
def rig(**settings: object) -> Iterator[Rig]:
    """A running rig in a folder of its own; `settings` of its supervisor."""
    folder = make_folder()
    running = Rig(folder, **settings)
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
