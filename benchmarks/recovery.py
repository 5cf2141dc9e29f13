"""A fleet that a worker finds when it starts: rows and snapshots in the database, one message a device in the stream.

    python -m benchmarks.recovery --nats nats://… --database postgresql://… --devices 10000 --behind 100

Every pump is past commissioning; its snapshot is that of a detector that observed the messages before `--behind`, and
the readings since lie in the table, as a kill leaves them. It says `ready`, then what the worker has come to: `owned`
(its partitions), `first` and `all` (the messages committed), each with the wall time.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from datetime import UTC, datetime

import numpy as np
import psycopg

from benchmarks.generator import CHANNELS, device_name, healthy_rows
from detectors.bank import Bank
from detectors.engine import Observation
from stream.nats_client import NatsStream
from telemetry.block import BlockBuilder
from telemetry.catalogue import load_catalogue
from telemetry.identity import DeviceKey, partition_of
from telemetry.message import telemetry_message

ORG, KIND, EPOCH, OBSERVED = "demo", "pump", 1, 480
_BLOCK = 500
_POLL = 0.1
_PATIENCE = 1_800.0
_DEVICES = """
insert into device (org, device, kind, registered)
select %(org)s, 'pump-' || to_char(i, 'FM00000'), %(kind)s, %(at)s from generate_series(0, %(count)s - 1) as i
"""
_PROGRESS = "insert into device_progress (device, epoch, upto) select no, %(epoch)s, %(seq)s from device"
_OBSERVED = """
insert into device_observed (device, epoch, seq, last_t, last_arrival, health, since)
select no, %(epoch)s, %(seq)s, %(at)s, %(at)s, 'ok', %(at)s from device
"""
_SNAPSHOTS = """
insert into detector_snapshot (device, epoch, seq, version, state)
select no, %(epoch)s, %(snapshot)s, %(version)s, %(state)s from device
"""
_READINGS = """
insert into reading_pump (device, t, epoch, seq, sub, arrival, phase, accel_1, accel_2, current, flow, pressure,
                          temp_fluid, temp_motor, voltage)
select d.no, to_timestamp(r.t), %(epoch)s, r.seq, 0, to_timestamp(r.t), 'running', r.q[1], r.q[2], r.q[3], r.q[4],
       r.q[5], r.q[6], r.q[7], r.q[8]
from device d, (
  select seq, t, array(select jsonb_array_elements_text(q)::real) as q
  from jsonb_to_recordset(%(rows)s::jsonb) as x (seq bigint, t double precision, q jsonb)
) as r
"""
_OWNED = "select count(*) from partition_position where owner_pid is not null"
_DONE = "select count(*) from device_progress where upto > %s"


def commissioned(until: int, start: float) -> tuple[str, bytes]:
    """Version and snapshot of a pump's detector after so many readings of one a second."""
    catalogue = load_catalogue()
    bank = Bank(catalogue)
    spec = catalogue[KIND]
    detector = bank(DeviceKey(ORG, "any"), spec)
    order = [CHANNELS.index(name) for name in spec.channels]
    values = healthy_rows(until)[:, order]
    times = (np.arange(until) * 1_000_000 + int(start * 1e6)).astype(np.int64)
    detector.observe(Observation(epoch=EPOCH, seq=until, t=times, phase="running", values=values))
    return bank.version, detector.snapshot()


def prepare(url: str, devices: int, behind: int, start: float) -> int:
    """Fill the database. Returns the size of one snapshot in bytes."""
    version, state = commissioned(OBSERVED - behind, start)
    rows = healthy_rows(OBSERVED)
    since = [
        {"seq": seq, "t": start + seq - 1, "q": [float(x) for x in rows[seq - 1]]}
        for seq in range(OBSERVED - behind + 1, OBSERVED + 1)
    ]
    given = {
        "org": ORG,
        "kind": KIND,
        "count": devices,
        "at": datetime.fromtimestamp(start + OBSERVED - 1, UTC),
        "epoch": EPOCH,
        "seq": OBSERVED,
        "snapshot": OBSERVED - behind,
        "version": version,
        "state": state,
        "rows": json.dumps(since),
    }
    with psycopg.connect(url) as conn:
        for statement in (_DEVICES, _PROGRESS, _OBSERVED, _SNAPSHOTS, *((_READINGS,) if behind else ())):
            conn.execute(statement, given)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("analyze")
    return len(state)


def feed(url: str, devices: int, start: float) -> None:
    """The next message of every device, in blocks as ingest makes them."""
    values = healthy_rows(1)[0]
    message = telemetry_message(
        epoch=EPOCH,
        seq=OBSERVED + 1,
        base=OBSERVED + 1,
        t_micros=int((start + OBSERVED) * 1e6),
        phase="running",
        q={name: float(value) for name, value in zip(CHANNELS, values, strict=True)},
    )
    stream = NatsStream(url, name="bench-recovery")
    builders: dict[int, BlockBuilder] = {}
    waiting = threading.Semaphore(0)
    failed: list[Exception] = []
    sent = 0

    def done(error: Exception | None) -> None:
        if error is not None:
            failed.append(error)
        waiting.release()

    def send(partition: int) -> None:
        nonlocal sent
        stream.publish(partition, f"recovery-{sent}", builders.pop(partition).encode(), done)
        sent += 1

    for number in range(devices):
        key = DeviceKey(ORG, device_name(number))
        partition = partition_of(key)
        builder = builders.setdefault(partition, BlockBuilder())
        builder.add(key, message, int((start + OBSERVED) * 1e6))
        if len(builder) >= _BLOCK:
            send(partition)
    for partition in list(builders):
        send(partition)
    for _ in range(sent):
        waiting.acquire()
    stream.close()
    if failed:
        raise SystemExit(f"the stream did not take a block: {failed[0]!r}")


def watch(url: str, devices: int) -> None:
    """Say when the worker owns, when it has committed the first message, and when the last."""
    until = time.monotonic() + _PATIENCE
    pause = threading.Event()
    said: set[str] = set()

    def say(what: str) -> None:
        if what not in said:
            said.add(what)
            print(json.dumps({"reached": what, "at": time.time()}), flush=True)

    with psycopg.connect(url, autocommit=True) as conn:
        while "all" not in said and time.monotonic() < until:
            owned = conn.execute(_OWNED).fetchone()
            count = conn.execute(_DONE, (OBSERVED,)).fetchone()
            if owned and owned[0]:
                say("owned")
            if count and count[0]:
                say("first")
            if count and count[0] == devices:
                say("all")
            pause.wait(_POLL)


def main() -> None:
    """Run by command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nats", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--devices", type=int, required=True)
    parser.add_argument("--behind", type=int, default=0)
    given = parser.parse_args()
    start = time.time() - OBSERVED - 60
    size = prepare(given.database, given.devices, given.behind, start)
    feed(given.nats, given.devices, start)
    print(json.dumps({"ready": True}), flush=True)
    watch(given.database, given.devices)
    print(json.dumps({"done": {"snapshot_bytes": size}}), flush=True)


if __name__ == "__main__":
    main()
