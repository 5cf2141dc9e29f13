"""A connection for each device from one process, on a stack of its own, and one message of each receipted."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_sim.chance import generator
from firmware_sim.firmware import Body
from firmware_sim.mqtt import Gateway
from firmware_sim.spool import Spool
from stack.bench_meter import peak_mb
from stack.settings import Settings
from stack.supervisor import Supervisor
from storage.pool import connect
from storage.registry import register_device
from telemetry.clock import MICROS, system_wall, to_datetime
from telemetry.identity import DeviceKey

_PATIENCE_S = 120.0
_TICK_S = 0.1


def keys(count: int) -> list[DeviceKey]:
    """The devices: plugs of the organisation `demo`."""
    return [DeviceKey("demo", f"plug-{number:05d}") for number in range(count)]


@contextmanager
def product(count: int) -> Iterator[str]:
    """The embedded product with the devices registered; yields the broker's address for them."""
    folder = Path(tempfile.mkdtemp(prefix="wellkept-bench-"))
    folder.chmod(0o711)  # the database's account passes through
    stack = Supervisor(Settings(data_dir=folder / "data"), lambda _line: None)
    try:
        stack.start_servers()
        with connect(stack.database_url, application="wellkept-bench", autocommit=True) as conn:
            for key in keys(count):
                register_device(conn, key, "smart_plug", registered=to_datetime(system_wall() - 3_600 * MICROS))
        stack.start_processes()
        stack.wait_ready()
        yield stack.mqtt_url("gateway")
    finally:
        stack.stop()
        if stack.postgres is not None:
            stack.postgres.remove()
        shutil.rmtree(folder, ignore_errors=True)


def hold(connections: int, url: str) -> dict[str, float]:
    """Connect each device, let each say one thing, wait for the receipts; a process of its own.

    Args:
        connections: how many devices.
        url: of the broker.
    """
    folder = Path(tempfile.mkdtemp(prefix="wellkept-devices-"))
    spool = Spool(folder / "spool.sqlite", system_wall)
    names = [str(key) for key in keys(connections)]
    rng = generator(1, -1, "connections")
    gateway = Gateway(url, names, spool, system_wall, rng=rng, client_id="wellkept-bench", each=True, window=20)
    began = time.monotonic()
    try:
        gateway.start()
        while gateway.counts().connections < connections and time.monotonic() - began < _PATIENCE_S:
            time.sleep(_TICK_S)
        up, connected_s = gateway.counts().connections, time.monotonic() - began
        now = system_wall()
        said = [(name, Body(device=i, done=now, t=now, q={"power": 42.0})) for i, name in enumerate(names)]
        gateway.offer(spool.append(said))
        gateway.settled(_PATIENCE_S)
        counts = gateway.counts()
        return {
            "connected": up,
            "receipted": connections - counts.unreceipted,
            "connect_seconds": round(connected_s, 2),
            "seconds": round(time.monotonic() - began, 2),
            "rss_mb": peak_mb(),
        }
    finally:
        gateway.stop()
        spool.close()
        shutil.rmtree(folder, ignore_errors=True)
