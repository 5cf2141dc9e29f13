"""What is gone for a while or for ever: database, stream, the broker's store, and everybody's connection at once."""

from __future__ import annotations

import os
import shutil
import signal
import time
from functools import partial

from storage.pool import connect
from stream.nats_client import NatsStream
from stream.port import STREAM
from telemetry.block import BlockBuilder
from telemetry.identity import DeviceKey, partition_of
from telemetry.message import Envelope
from tests.faults.crowd import Crowd
from tests.faults.kills import PLUGS, RATE, note_rate, unfaulted
from tests.faults.stage import PATIENCE, Case, numbered
from tests.spine.rig import wait_for


def database_down(case: Case, seconds: float) -> None:
    """The database is away for a while under load; readings wait in the stream."""
    reference = unfaulted(case, 2)
    washers = case.washers(2)
    with case.load(case.plugs(PLUGS), RATE) as load, case.saying(washers) as saying:
        began, before = time.monotonic(), load.total()
        with case.rig.hands_off():
            os.kill(case.rig.pid("postgres"), signal.SIGKILL)
            down = time.monotonic()
            saying.say(washers[0], "leak")
            wait_for(lambda: time.monotonic() - down >= seconds, seconds + 1, "the outage's end")
            saying.say(washers[1], "leak")
        load.recovered("the database")
        note_rate(case, load, began, before)
    case.notes.append(f"{seconds:.0f} s without a database")
    case.desk_settled(2)
    case.compare(reference)


def stream_recreated(case: Case) -> None:
    """Somebody deletes the stream under load, twice; it is made anew and numbers from the first."""
    with case.load(case.plugs(PLUGS), RATE) as load:
        began, before = time.monotonic(), load.total()
        for _ in range(2):
            case.until(lambda: load.open() >= 100, 20, "a hundred messages under way")
            stream = NatsStream(case.rig.supervisor.nats_url(), name="fault")
            stream._thread.call(stream._js.delete_stream(STREAM), 10)
            stream.close()
            load.recovered("the stream")
        note_rate(case, load, began, before)


def store_deleted(case: Case) -> None:
    """The broker stops, its store is deleted, it starts; then ingest is killed, which must find its clock again."""
    nats = case.rig.supervisor.nats
    assert nats is not None
    with case.load(case.plugs(PLUGS), RATE) as load:
        began, before = time.monotonic(), load.total()
        case.until(lambda: load.open() >= 100, 20, "a hundred messages under way")
        with case.rig.hands_off():
            nats.stop()
            shutil.rmtree(nats.folder / "jetstream")
        load.recovered("the broker with an empty store")
        os.kill(case.rig.pid("ingest"), signal.SIGKILL)
        load.recovered("ingest after that")
        note_rate(case, load, began, before)


def reconnect_storm(case: Case, devices: int) -> None:
    """The broker is killed under so many devices with a connection each: all come back at once."""
    names = case.plugs(devices)
    crowd = Crowd(case.rig.supervisor.mqtt_url("gateway"), [f"demo/{name}" for name in names], case.folder / "crowd", 1)
    try:
        wait_for(lambda: crowd.connected == devices, 120 * PATIENCE, f"{devices} connections")
        for _ in range(3):
            crowd.say()
        wait_for(crowd.settled, 60 * PATIENCE, "all receipted")
        for _ in range(5):
            crowd.say()
        os.kill(case.rig.pid("nats"), signal.SIGKILL)
        began = time.monotonic()
        case.until(lambda: crowd.connected < devices, 10, "the connections' end")
        crowd.say()
        wait_for(crowd.settled, 60 * PATIENCE, "everything receipted again")
        case.recoveries.append(time.monotonic() - began)
        case.notes.append(f"{devices} devices, {crowd.connections} connections")
    finally:
        case.ledger.sent(crowd.last())
        crowd.stop()


def poison(case: Case) -> None:
    """A block that the database refuses, among good ones: it is kept whole as a dead letter, all others pass."""
    names = case.plugs(2)
    stream = NatsStream(case.rig.supervisor.nats_url(), name="poison")
    answered: list[Exception | None] = []
    for seq in range(1, 31):
        for name in names:
            bad = name == names[0] and seq == 16
            key = DeviceKey("demo", name)
            stream.publish(partition_of(key), "", refused_block(key, seq, bad=bad), answered.append)
            if not bad:
                case.ledger.numbered(name, 1, [seq])
    wait_for(lambda: len(answered) == 60, 20 * PATIENCE, "the stream has the blocks")
    assert not any(answered)
    case.recoveries.append(case.until(partial(_all_stored, case), 60, "everything but the poison"))
    with connect(case.url, application="look") as conn:
        letters = [
            bytes(row[0])  # type: ignore[call-overload]
            for row in conn.execute("select raw from dead_letter where reason = 'poison'").fetchall()
        ]
    assert [letter.count(b"a\0b") for letter in letters] == [1], f"{len(letters)} blocks were buried"
    stream.close()


def refused_block(key: DeviceKey, seq: int, *, bad: bool) -> bytes:
    """As an ingest of another version might make it: a NUL is text for MessagePack, not for the database."""
    good = numbered(seq)
    envelope = Envelope(v=1, epoch=1, seq=seq, base=1, t=good.t, phase="a\0b" if bad else "on", q=good.q)
    builder = BlockBuilder()
    builder.add(key, envelope, round(good.t * 1e6))
    return builder.encode()


def _all_stored(case: Case) -> bool:
    with connect(case.url, application="look") as conn:
        row = conn.execute(
            "select count(*) from reading_smart_plug r join device d on d.no = r.device "
            "where starts_with(d.device, %s)",
            (case.prefix,),
        ).fetchone()
    return row == (len(case.ledger.values),)
