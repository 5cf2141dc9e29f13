"""Gives the messages of devices without a spool their places: a block in, the same block with canonical rows out."""

from __future__ import annotations

import numpy as np

from storage.telemetry_rows import Batch, HeldReading
from telemetry.block import Block, BlockBuilder, Message, decode_block, refused, repack
from telemetry.catalogue import Catalogue
from telemetry.identity import DeviceKey
from telemetry.message import NO_SPOOL, decode_unchecked
from worker.history import History
from worker.hold import LATE_EPOCH, OBSERVED_EPOCH, Hold, hold_of, numbered
from worker.memory import DeviceMemory
from worker.verdict import check, unknown


class Unfolder:
    """Works for one batch.

    Args:
        catalogue: channels of kinds.
        history: the database, asked when a reading comes late.
        batch: takes what begins to wait and what waits no longer.
    """

    def __init__(self, catalogue: Catalogue, history: History, batch: Batch) -> None:
        self._catalogue = catalogue
        self._history = history
        self._batch = batch
        self._holds: dict[int, Hold] = {}
        self._late: set[tuple[int, int]] = set()
        self.duplicates = 0

    def close(self) -> None:
        """The batch is decided: what waits now waits in the database."""
        for no, t in self._batch.held:
            self._holds[no].stored.add(t)

    def unfold(self, block: Block, devices: dict[DeviceKey, DeviceMemory]) -> Block:
        """The block without messages that nobody numbered: what is due stands in their place, with numbers."""
        if not len(block) or not bool(np.any(block.epoch == NO_SPOOL)):
            return block
        builder, offsets, rejects = BlockBuilder(), block.offsets(), list(block.rejects)
        for row in range(len(block)):
            message = block.message(row, int(offsets[row]))
            if message.epoch != NO_SPOOL:
                builder.add(message.device, decode_unchecked(repack(message)), message.arrival)
                continue
            memory = devices.get(message.device)
            if memory is None:
                rejects.append(refused(message, *unknown(message.device)))
                continue
            dead = check(message, self._catalogue[memory.row.kind], block.speed)
            if dead is None:
                self._take(builder, memory, message)
            else:
                rejects.append(refused(message, *dead))
        made = decode_block(builder.encode(block.speed))
        made.rejects, made.controls = rejects, block.controls
        return made

    def _take(self, builder: BlockBuilder, memory: DeviceMemory, message: Message) -> None:
        hold = memory.hold
        if hold is None:
            hold = memory.hold = hold_of(memory.progress.values(), memory.last_t, ())
        self._holds[memory.row.no] = hold
        for t, values in zip(message.times().tolist(), message.values.tolist(), strict=True):
            # What is absent is not said.
            q = {name: value for name, value in zip(message.channels, values, strict=True) if value == value}  # noqa: PLR0124
            reading = HeldReading(memory.row.no, t, message.arrival, q)
            if q and t <= hold.passed:
                self._take_late(builder, memory, hold, reading)
            elif q:
                self._wait(hold, reading)
        for due in hold.release(message.arrival):
            self._let_go(hold, due)
            builder.add(memory.key, numbered(due, OBSERVED_EPOCH, hold.number()), due.arrival)

    def _take_late(self, builder: BlockBuilder, memory: DeviceMemory, hold: Hold, reading: HeldReading) -> None:
        place = reading.device, reading.t
        if place in self._late or self._history.is_stored(memory.row, reading.t):
            self.duplicates += 1
            return
        self._late.add(place)
        builder.add(memory.key, numbered(reading, LATE_EPOCH, hold.number_late()), reading.arrival)

    def _wait(self, hold: Hold, reading: HeldReading) -> None:
        waits = hold.add(reading)
        if waits is None:
            self.duplicates += 1
        else:
            self._batch.held[waits.device, waits.t] = waits

    def _let_go(self, hold: Hold, due: HeldReading) -> None:
        self._batch.held.pop((due.device, due.t), None)
        if due.t in hold.stored:
            hold.stored.discard(due.t)
            self._batch.released.append((due.device, due.t))
