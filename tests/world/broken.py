"""Deliberately broken parts of the product: what the simulation must notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from firmware_sim.device import DeviceCore
from firmware_sim.gateway import GatewayCore
from firmware_sim.spool import Spool, Spooled
from ingest.core import IngestCore, Token
from stack.world.database import Session
from stack.world.devices import Gateway
from stack.world.ingest import Ingest
from stack.world.network import Link
from stack.world.worker import Worker
from storage.memory_telemetry import MemoryTelemetry
from storage.telemetry_rows import Batch, DeviceHistory, Move
from stream.memory import MemoryStream
from stream.port import Entry, Position
from telemetry.message import Receipt
from worker.core import Outcome, WorkerCore


class ReceiptsBeforeCommit(Worker):
    """Speaks of a transaction as soon as it is decided."""

    def _check(self, session: Session, outcome: Outcome, deadline: int) -> None:
        self._receipts.owe(outcome.receipts)
        if self._core is not None:
            self._after_commit(self._core)
        super()._check(session, outcome, deadline)


class AnyPosition(MemoryTelemetry):
    """Moves positions without comparing them."""

    def write(self, batch: Batch) -> None:
        at = self.positions
        moves = [Move(m.partition, *at.get(m.partition, ("", 0)), m.incarnation, m.seq) for m in batch.moves]
        super().write(replace(batch, moves=moves))


class HastyAcknowledgements(Ingest):
    """Acknowledges a message before the stream has it."""

    def message(self, link: Link, mid: int, topic: str, payload: bytes) -> None:
        super().message(link, mid, topic, payload)
        self.acknowledge(Token(self.connection, mid))


class _AllTokens(IngestCore):
    def published(self, block_id: str, error: Exception | None, now: float) -> list[Token]:
        waiting = self._waiting.get(block_id)
        tokens = [] if waiting is None or error is not None else list(waiting.tokens)
        super().published(block_id, error, now)
        return [Token(self._connection, token.mid) for token in tokens]


class StaleAcknowledgements(Ingest):
    """Acknowledges on a new connection what an old one brought."""

    core_type = _AllTokens


class _SameIds(IngestCore):
    def __init__(self, partitions: int, max_block: int, new_id: object = None) -> None:
        assert new_id is not None
        count = iter(range(1_000_000))
        super().__init__(partitions, max_block, lambda: str(next(count)))


class RepeatedBlockIds(Ingest):
    """Counts its blocks anew after a restart: the stream takes new ones for repeats."""

    core_type = _SameIds


class KeepsItsMemory(Worker):
    """Goes on with advanced memory after a transaction that failed or is in doubt."""

    def _answered(self, outcome: Outcome, error: Exception | None) -> None:
        if error is not None and self._session is not None:
            self._session.open = True
        super()._answered(outcome, None)


class _FireAndForget(GatewayCore):
    def step(self, now: int, room: int) -> list[Spooled]:
        found = super().step(now, room)
        for message in found:
            self.cores[message.device].forget(message.seq)
            self._gone.setdefault(message.device, []).append(message.seq)
            self._flush_at = now
        return found


class FireAndForget(Gateway):
    """Takes a publish for a receipt."""

    core_type = _FireAndForget


class _AnyEpoch(DeviceCore):
    def receipt(self, receipt: Receipt, now: int) -> list[int]:
        return super().receipt(msgspec.structs.replace(receipt, epoch=self.epoch), now)


class _AnyEpochs(GatewayCore):
    def __init__(self, keys: Sequence[str], spool: Spool, now: int) -> None:
        super().__init__(keys, spool, now)
        self.cores = {key: _AnyEpoch(core.epoch, core.pending) for key, core in self.cores.items()}


class ReceiptsOfAnyEpoch(Gateway):
    """Lets a receipt for a lost spool delete from the new one."""

    core_type = _AnyEpochs


class _SkippingStream(MemoryStream):
    def take(self, timeout: float, most: int) -> list[Entry]:
        for reader in self._readers.values():
            reader.position = Position(self._server.incarnation, reader.position.seq)
        return super().take(timeout, most)


class SkipsTheNewStream(Worker):
    """Reads a stream that was made again from the old one's position."""

    stream_type = _SkippingStream


class ForgetsProgress(MemoryTelemetry):
    """Does not give progress back after a restart."""

    def load(self, devices: Sequence[int]) -> dict[int, DeviceHistory]:
        found = super().load(devices)
        for history in found.values():
            history.progress.clear()
        return found


class MisplacedSnapshots(MemoryTelemetry):
    """Keeps snapshots one message too low: a restart observes that message twice."""

    def write(self, batch: Batch) -> None:
        snapshots = [replace(each, seq=max(0, each.seq - 1)) for each in batch.snapshots]
        super().write(replace(batch, snapshots=snapshots))


class _FirstOnly(WorkerCore):
    def decide(self, entries: Sequence[Entry], poison: object = None) -> Outcome:
        assert poison is None
        return super().decide(entries[:1])


class LosesEntries(Worker):
    """Takes entries and works on the first only."""

    core_type = _FirstOnly
