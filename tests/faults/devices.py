"""Numbered devices as a process of their own, with their spool on disk: `kill -9` is theirs too.

`python -m tests.faults.devices SPOOL RATE DEVICE…` publishes; the power of the n-th message is n. SIGUSR1 ends the
production of new messages, SIGTERM the process. The broker's address comes as WELLKEPT_MQTT_URL.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np

from firmware_sim.firmware import Body
from firmware_sim.mqtt import Gateway
from firmware_sim.spool import Spool
from telemetry.clock import MICROS, system_wall

_PERIOD = 0.05
_CATCH_UP = 10
"""Periods that are made up for after a hold-up; more would be a burst that no device makes."""


def main(path: Path, rate: float, keys: list[str]) -> None:
    """Publish until told to stop.

    Args:
        path: of the spool.
        rate: messages a second, over all devices.
        keys: `org/device` of each.
    """
    quiet, stop = threading.Event(), threading.Event()
    signal.signal(signal.SIGUSR1, lambda _number, _frame: quiet.set())
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    spool = Spool(path, system_wall)
    gateway = Gateway(
        os.environ["WELLKEPT_MQTT_URL"],
        keys,
        spool,
        system_wall,
        rng=np.random.default_rng(os.getpid()),
        client_id=f"faults-{os.getpid()}",
        window=2_000,
    )
    gateway.start()
    turn = sum(spool.slot(key).next_seq - 1 for key in keys)
    owed, last = 0.0, system_wall()
    while not stop.wait(_PERIOD):
        now = system_wall()
        owed += min(rate * (now - last) / MICROS, rate * _PERIOD * _CATCH_UP)
        last = now
        if quiet.is_set() or owed < 1:
            continue
        made: Counter[str] = Counter()
        bodies: list[tuple[str, Body]] = []
        for number in range(int(owed)):
            key = keys[(turn + number) % len(keys)]
            t = system_wall()
            seq = spool.slot(key).next_seq + made[key]
            made[key] += 1
            bodies.append((key, Body(device=0, done=t, t=t, q={"power": float(seq)})))
        turn += len(bodies)
        owed -= len(bodies)
        gateway.offer(spool.append(bodies))
    gateway.stop()
    spool.close()


class SpoolReader:
    """What a spool holds, read from its file while another process owns it.

    Args:
        path: of the SQLite file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None

    def last(self) -> dict[str, tuple[int, int]]:
        """Device to `(epoch, last seq)`."""
        rows = self._rows("select key, epoch, next_seq - 1 from device")
        return {str(key): (int(epoch), int(seq)) for key, epoch, seq in rows}

    def bases(self) -> dict[str, int]:
        """Device to its lowest seq without a receipt."""
        rows = self._rows(
            "select d.key, d.epoch, coalesce((select min(m.seq) from message m where m.device = d.id), d.next_seq) "
            "from device d"
        )
        return {str(key): int(base) for key, _, base in rows}

    def held(self) -> int:
        """Messages without a receipt."""
        return int(self._rows("select '', 0, count(*) from message")[0][2])

    def close(self) -> None:
        """Let the file go."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _rows(self, query: str) -> list[tuple[str, int, int]]:
        if self._db is None:
            self._db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        return self._db.execute(query).fetchall()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
