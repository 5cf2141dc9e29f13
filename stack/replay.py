"""`wellkept dead-letter replay`: what a device sent before it was registered goes through its partition once more."""

from __future__ import annotations

import threading

from storage.clock_store import read_clock
from storage.dead_letters import DeadLetter, mark_replayed, waiting_letters
from storage.pool import connect
from storage.registry import find_device
from stream.nats_client import NatsStream
from stream.port import StreamError
from telemetry.block import BlockBuilder
from telemetry.clock import production_clock, system_wall, to_datetime, to_micros
from telemetry.errors import WellkeptError
from telemetry.identity import DeviceKey, parse_key, partition_of
from telemetry.message import decode_envelope

_BATCH = 200
_ANSWER_S = 15.0


def replay_dead_letters(device: str, database_url: str, nats_url: str) -> int:
    """Put a device's dead letters into the stream, with their own arrival stamps. Returns how many.

    Letters are marked after the stream has them: an interruption repeats some, which then count as duplicates.

    Raises:
        WellkeptError: the device is not registered, or the stream does not take them.
    """
    key = parse_key(device)
    stream = NatsStream(nats_url, name="replay")
    try:
        with connect(database_url, application="wellkept-replay", autocommit=True) as conn:
            if find_device(conn, key) is None:
                raise WellkeptError(f"{key} is not registered; enter it with `wellkept device add {key} KIND`")
            clock = read_clock(conn) or production_clock()
            count = last = 0
            while letters := waiting_letters(conn, key, after=last, limit=_BATCH):
                last = letters[-1].id
                _publish(stream, key, letters, clock.speed)
                mark_replayed(conn, [letter.id for letter in letters], to_datetime(clock.fleet_at(system_wall())))
                count += len(letters)
            return count
    finally:
        stream.close()


def _publish(stream: NatsStream, key: DeviceKey, letters: list[DeadLetter], speed: float) -> None:
    builder = BlockBuilder()
    for letter in letters:
        builder.add(key, decode_envelope(bytes(letter.raw)), to_micros(letter.arrival))
    answered = threading.Event()
    failures: list[Exception] = []

    def done(error: Exception | None) -> None:
        if error is not None:
            failures.append(error)
        answered.set()

    block_id = f"replay-{key}-{letters[0].id}-{letters[-1].id}"
    stream.publish(partition_of(key, stream.partitions), block_id, builder.encode(speed), done)
    if not answered.wait(_ANSWER_S) or failures:
        raise StreamError(f"the stream did not take the messages of {key}: {failures or 'no answer'}")
