"""A worker in the world: ownership, the worker's core and its receipts, with every step a moment of its own.

Between taking entries and knowing that they are committed there are five moments; a fault may fall on each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from detectors.engine import DetectorFactory
from stack.world.database import Database, DatabaseGoneError, Session
from stack.world.invariants import Auditor
from stack.world.network import Network
from stack.world.scheduler import Party, Scheduler
from stack.world.streaming import StreamNode
from storage.telemetry_store import PositionLostError
from stream.memory import MemoryStream
from stream.port import Entry, Position, Record
from telemetry.catalogue import Catalogue
from telemetry.clock import MICROS
from telemetry.errors import WellkeptError
from telemetry.message import encode_json
from telemetry.topics import Channel
from worker.core import Outcome, WorkerCore
from worker.ownership import Effect, Ownership
from worker.receipts import OwedReceipts
from worker.settlement import Holdings, carry_out, settle

DECIDED, SENT, APPLIED, KNOWN = "decided", "sent", "applied", "known"
"""Moments of a transaction: not yet sent, COMMIT under way, committed but not known, known but not yet receipted."""
_LOOK = 400_000
_IDLE = 250_000
_RETRY = 300_000
_PATIENCE = 2 * MICROS
_PURGE = 1 * MICROS
_MOST = 64


class Worker(Party):
    """One worker process.

    Args:
        time: the world's.
        network: to stream and database.
        stream: blocks, leases and the way out.
        database: where it commits.
        auditor: told of receipts.
        catalogue: kinds.
        detectors: makes detectors.
        name: of its membership.
    """

    core_type: type[WorkerCore] = WorkerCore
    stream_type: type[MemoryStream] = MemoryStream

    def __init__(
        self,
        time: Scheduler,
        network: Network,
        *,
        stream: StreamNode,
        database: Database,
        auditor: Auditor,
        catalogue: Catalogue,
        detectors: DetectorFactory,
        name: str,
    ) -> None:
        super().__init__(time, name)
        self._network, self._node, self._database, self._auditor = network, stream, database, auditor
        self._catalogue, self._detectors = catalogue, detectors
        self.traps: dict[str, list[Callable[[], None]]] = {}
        """By moment, what shall happen the next time it is reached."""
        stream.readers.append(lambda: self.time.after(network.delay(), self._ring, self.life))

    def begin(self) -> None:
        """Start: join, and take what the leases give."""
        super().begin()
        self._ownership = Ownership(self.name, f"{self.name}-{self.life}", self._node.server.partitions)
        self._stream = self.stream_type(self._node.server)
        self._receipts = OwedReceipts()
        self._session: Session | None = None
        self._core: WorkerCore | None = None
        self._terms: dict[int, int] = {}
        self._busy = False
        self._sent = False
        self._purged = 0
        self._leaving = False
        self.later(self._network.delay(), self._look)
        self.later(self._network.delay(), self._go)

    def kill(self) -> None:
        """End at once; a COMMIT that is under way is not stopped by that."""
        super().kill()
        if self._session is not None and not self._sent:
            self._session.end()

    def break_connection(self) -> None:
        """The connection to the database ends."""
        if self._session is not None:
            self._session.end()

    @property
    def idle(self) -> bool:
        """Whether nothing is in work."""
        return not self._busy

    def owned(self) -> Mapping[int, Position]:
        """Partitions it works on, with where it stands."""
        return {} if self._core is None else {p: self._core.position(p) for p in self._core.owned}

    def snapshots(self) -> dict[int, bytes]:
        """State of the detectors of devices that it heard of since their last snapshot, by device."""
        return {} if self._core is None else {each.device: each.state for each in self._core.close().snapshots}

    def reach(self, moment: str) -> None:
        """A moment of a transaction is reached: what waits for it happens."""
        for trap in self.traps.pop(moment, []):
            trap()

    # Leases, as `worker.leases` keeps them

    def _look(self) -> None:
        self.later(_LOOK, self._look)
        if self._node.alive and not self._network.is_cut(self.name, self._node.name):
            self.time.after(self._network.delay(), self._read_leases, self.life)

    def _read_leases(self, life: int) -> None:
        if self._node.alive:
            records = self._node.leases.read_records()
            self.time.after(self._network.delay(), self._if_same, life, self._seen, records)

    def _seen(self, records: dict[str, Record]) -> None:
        now = self._now()
        self._ownership.observe(records, now)
        if self._ownership.replaced:
            self.time.trace(self.name, "is replaced")
            self.kill()
            return
        self._write(self._ownership.step(now))

    def _write(self, effects: list[Effect]) -> None:
        if effects and not self._network.is_cut(self.name, self._node.name):
            self.time.after(self._network.delay(), self._write_leases, self.life, effects, self._now())

    def _write_leases(self, life: int, effects: list[Effect], sent: float) -> None:
        if self._node.alive:
            revisions = self._node.leases.write_records([effect.write for effect in effects])
            if not self._network.is_cut(self.name, self._node.name):
                self.time.after(self._network.delay(), self._if_same, life, self._wrote, effects, revisions, sent)

    def _wrote(self, effects: list[Effect], revisions: list[int | None], sent: float) -> None:
        for effect, revision in zip(effects, revisions, strict=True):
            self._ownership.wrote(effect, revision, sent)

    def _if_same(self, life: int, action: Callable[..., None], *args: object) -> None:
        if life == self.life:
            self.hear(action, *args)

    def _now(self) -> float:
        return self.time.now / MICROS

    # The pipeline

    def _ring(self, life: int) -> None:
        if life == self.life and self.alive and not self._busy and self._core is not None:
            self.hear(self._go_once)

    def _go(self) -> None:
        self.later(_IDLE, self._go)
        self._go_once()

    def _go_once(self) -> None:
        if self._busy or self._leaving:
            return
        try:
            if self._settle():
                self._step()
        except DatabaseGoneError as error:
            self._forget(error)

    def _settle(self) -> bool:
        """Make what is owned agree with the leases. Returns whether entries may be taken."""
        return carry_out(settle(self._terms, self._holdings()), self) and self._core is not None

    def _holdings(self) -> Holdings:
        return Holdings(self._ownership.holdings(), self._now())

    def lose(self, partition: int) -> None:
        """See `Hands.lose`."""
        self._stream.unseek(partition)
        del self._terms[partition]
        if self._core is not None:
            self._core.forget(partition)

    def let_go(self, partition: int, term: int) -> None:
        """See `Hands.let_go`."""
        self._ownership.released(partition, term)

    def take(self, new: dict[int, int]) -> None:
        """See `Hands.take`."""
        if self._network.is_cut(self.name, "database"):
            raise DatabaseGoneError("the database cannot be reached")
        if self._session is None:
            self._session = self._database.open(self.name)
        if self._core is None:
            self._core = self.core_type(self._catalogue, self._detectors, self._session)
        for partition, (incarnation, seq) in self._session.take(sorted(new)).items():
            self._core.own(partition, Position(incarnation, seq))
            self._stream.seek(partition, Position(incarnation, seq))
            self._terms[partition] = new[partition]
        self.time.trace(self.name, "owns", sorted(self._terms))

    def hand_over(self, partitions: list[int]) -> None:
        """See `Hands.hand_over`."""
        if not partitions or self._core is None or self._session is None:
            return
        for partition in partitions:
            self._session.write(self._core.disown(partition))
        self._session.release(partitions)
        for partition in partitions:
            self._ownership.released(partition, self._terms[partition])
            self.lose(partition)
        self.time.trace(self.name, "hands over", partitions)

    def _step(self) -> None:
        if self._core is None or self._session is None:
            return
        entries = [] if self._network.is_cut(self.name, self._node.name) else self._stream.take(0, _MOST)
        if entries:
            self._busy = True
            self._decide(self._core, self._session, entries)
        else:
            self._after_commit(self._core)

    def _after_commit(self, core: WorkerCore) -> None:
        """Memory is what is committed: only now may it be spoken of."""
        for key, receipt in self._receipts.due(self._now()):
            self._auditor.receipted(key, receipt)
            self.time.trace(self.name, "receipts", key.device, receipt.epoch, receipt.upto, receipt.beyond)
            if not self._network.is_cut(self.name, self._node.name):
                self._stream.send(key, Channel.RECEIPT, encode_json(receipt))
        if self.time.now - self._purged >= _PURGE and self._node.alive:
            self._purged = self.time.now
            for partition in core.owned:
                position = core.position(partition)
                if position.seq:
                    self._stream.purge(partition, position)

    def _decide(self, core: WorkerCore, session: Session, entries: list[Entry]) -> None:
        outcome = core.decide(entries)
        moved = [(m.partition, m.seq) for m in outcome.batch.moves]
        self.time.trace(self.name, "decides", moved, "messages", outcome.messages, "again", outcome.duplicates)
        self.reach(DECIDED)
        self.later(self._network.delay(), self._check, session, outcome, self.time.now + _PATIENCE)

    def _check(self, session: Session, outcome: Outcome, deadline: int) -> None:
        """COMMIT is sent under valid leases only; a renewal that is late is waited for."""
        held = self._holdings()
        terms = {move.partition: self._terms[move.partition] for move in outcome.batch.moves}
        lapsed = any(held.lapsed(partition, term) for partition, term in terms.items())
        lost = any(held.lost(partition, term) for partition, term in terms.items())
        if lost or (lapsed and self.time.now >= deadline):
            self._forget(WellkeptError("a lease was lost"))
        elif lapsed:
            self.later(_IDLE, self._check, session, outcome, deadline)
        else:
            self.reach(SENT)
            if self.alive:
                self.later(0, self._send, session, outcome)

    def _send(self, session: Session, outcome: Outcome) -> None:
        if self._network.is_cut(self.name, "database"):
            session.end()
            self.later(self._network.delay(), self._answered, outcome, DatabaseGoneError("cut"))
            return
        # From here on the transaction's fate is the database's, whatever becomes of the worker.
        self._sent = True
        self.time.after(self._network.delay(), self._apply, self.life, session, outcome)

    def _apply(self, life: int, session: Session, outcome: Outcome) -> None:
        error: WellkeptError | None = None
        try:
            session.commit(outcome)
        except (DatabaseGoneError, PositionLostError) as refusal:
            error = refusal
        if life == self.life:
            self._sent = False
            self.reach(APPLIED)
        if error is None and not session.open:
            error = DatabaseGoneError("no answer to COMMIT")
        self.time.after(self._network.delay(), self._if_same, life, self._answered, outcome, error)

    def _answered(self, outcome: Outcome, error: WellkeptError | None) -> None:
        if error is not None:
            self._forget(error)
            return
        self.reach(KNOWN)
        if self.alive:
            self.later(0, self._known, outcome)

    def _known(self, outcome: Outcome) -> None:
        self._receipts.owe(outcome.receipts)
        self._busy = False
        if self._core is not None:
            self._after_commit(self._core)
        self._go_once()

    def _forget(self, error: Exception) -> None:
        """Never go on with advanced memory after a transaction that failed or is in doubt."""
        self.time.trace(self.name, "starts anew", type(error).__name__)
        for partition in self._terms:
            self._stream.unseek(partition)
        self._terms.clear()
        self._core = None
        self._receipts.forget()
        if self._session is not None:
            self._session.end()
            self._session = None
        self._busy = True
        self.later(_RETRY, self._again)

    def _again(self) -> None:
        self._busy = False
        self._go_once()
