"""Blocks to the database: takes entries, decides, writes one transaction, and only then sends receipts."""

from __future__ import annotations

import threading
import time

import psycopg
import structlog

from detectors.engine import DetectorFactory
from storage.backup_store import purge_floor
from storage.partition_owner import release
from storage.pool import Connection, connect
from storage.telemetry_store import PositionLostError, TelemetryStore
from stream.nats_client import NatsStream
from stream.port import Entry, Position
from telemetry.catalogue import Catalogue
from telemetry.control import ControlKind
from telemetry.message import encode_json
from telemetry.topics import Channel
from worker.core import EntryId, Outcome, WorkerCore, entry_id
from worker.desk import hear_answer, hear_summaries, report
from worker.leases import LeaseKeeper, LeaseLostError
from worker.receipts import INTERVAL, OwedReceipts
from worker.settlement import carry_out, settle
from worker.totals import Totals

log = structlog.get_logger()

_MOST = 256
_WAIT = 0.1
_RETRY = 0.3
_PURGE_EVERY = 1.0
# Those of a thousand devices fall due one by one; each would cut the next transaction short.
_RECEIPTS_EVERY = 0.1
_PATIENCE = 2.0
APPLICATION = "wellkept-worker"


class Pipeline:
    """Owns the partitions whose leases it has.

    Args:
        stream: where blocks come from and receipts go to.
        leases: says which partitions are this worker's.
        database_url: a connection of its own, opened again when it breaks.
        catalogue: kinds and channels.
        detectors: makes detectors.
    """

    def __init__(
        self,
        stream: NatsStream,
        leases: LeaseKeeper,
        database_url: str,
        catalogue: Catalogue,
        detectors: DetectorFactory,
    ) -> None:
        self._stream = stream
        self._leases = leases
        self._url = database_url
        self._catalogue = catalogue
        self._detectors = detectors
        self._receipts = OwedReceipts()
        self._conn: Connection | None = None
        self._store: TelemetryStore | None = None
        self._core: WorkerCore | None = None
        self._terms: dict[int, int] = {}
        self._purged: dict[int, Position] = {}
        self._next_purge = 0.0
        self._next_receipts = 0.0
        self._turn = -1
        self._most = _MOST
        self._at_work: list[Entry] = []
        self._poison: dict[EntryId, str] = {}
        self.totals = Totals()
        # For those who watch from other threads: replaced as a whole, never changed.
        self.standing: dict[int, Position] = {}

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop, surviving the loss of database, stream and leases."""
        while not stop.is_set():
            self.totals.passed = time.monotonic()
            self.standing = {p: self._core.position(p) for p in self._terms} if self._core is not None else {}
            try:
                if self._settle():
                    self._step()
                else:
                    self._leases.wait(_WAIT)
            except LeaseLostError as error:
                log.warning("a lease was lost; what was in work is thrown away", error=str(error))
                self.totals.retries += 1
                self._forget()
            except (psycopg.Error, PositionLostError) as error:
                log.warning("transaction failed or in doubt; starting anew from the database", error=repr(error))
                if isinstance(error, psycopg.DataError | psycopg.IntegrityError) and self._at_work:
                    self._bisect(error)
                self.totals.retries += 1
                self._forget()
                stop.wait(_RETRY)
        self._close()

    def _settle(self) -> bool:
        """Make what is owned agree with the leases. Returns whether entries may be taken."""
        return carry_out(settle(self._terms, self._leases.holdings()), self) and self._core is not None

    def lose(self, partition: int) -> None:
        """See `Hands.lose`."""
        log.warning("partition lost; its memory is thrown away", partition=partition)
        self._drop(partition)

    def let_go(self, partition: int, term: int) -> None:
        """See `Hands.let_go`."""
        self._leases.released(partition, term)

    def take(self, new: dict[int, int]) -> None:
        """Own partitions at their committed positions, remembering nothing; end their former owner's backend."""
        if self._conn is None:
            self._conn = connect(self._url, application=APPLICATION)
        if self._core is None or self._store is None:
            self._store = TelemetryStore(self._conn, self._catalogue)
            self._core = WorkerCore(self._catalogue, self._detectors, self._store)
        positions = self._store.take(sorted(new))
        self._conn.commit()
        for partition, (incarnation, seq) in positions.items():
            self._core.own(partition, Position(incarnation, seq))
            self._stream.seek(partition, Position(incarnation, seq))
            self._terms[partition] = new[partition]
        log.info("partitions taken", taken=sorted(new), owned=sorted(self._terms))

    def hand_over(self, partitions: list[int]) -> None:
        """Nothing of them is in work: leave snapshots and the positions behind, and only then the leases."""
        if not partitions or self._core is None or self._store is None or self._conn is None:
            return
        for partition in partitions:
            self._store.write(self._core.disown(partition))
        release(self._conn, partitions)
        self._conn.commit()
        for partition in partitions:
            self._leases.released(partition, self._terms[partition])
            self._drop(partition)
        log.info("partitions handed over", left=partitions, owned=sorted(self._terms))

    def _drop(self, partition: int) -> None:
        """Remember nothing of a partition and read it no more."""
        self._stream.unseek(partition)
        del self._terms[partition]
        if self._core is not None:
            self._core.forget(partition)

    def _step(self) -> None:
        if self._core is None or self._store is None or self._conn is None:
            raise RuntimeError("the pipeline has not begun")
        now = time.monotonic()
        due = self._receipts.next_due()
        wait = _WAIT if due is None else max(0.0, min(_WAIT, max(due, self._next_receipts) - now))
        self._at_work = self._stream.take(wait, self._most)
        if self._at_work:
            began = time.monotonic()
            outcome = self._core.decide(self._at_work, self._poison)
            self._commit(self._conn, self._store, outcome)
            self.totals.committed(time.monotonic() - began)
            self._at_work = []
            self._most = min(_MOST, 2 * self._most)
        done = time.monotonic()
        if done >= self._next_receipts:
            self._next_receipts = done + _RECEIPTS_EVERY
            self._send_receipts(done)
        self._purge(now)

    def _send_receipts(self, now: float) -> None:
        self._stream.send_many(
            [(key, Channel.RECEIPT, encode_json(receipt)) for key, receipt in self._receipts.due(now)]
        )

    def _commit(self, conn: Connection, store: TelemetryStore, outcome: Outcome) -> None:
        batch = outcome.batch
        store.stage(batch.readings)
        store.write(batch)
        for reported in batch.findings:
            report(conn, reported.finding, reported.device, reported.arrival)
        hear_summaries(conn, batch.summaries)
        for effect in batch.controls:
            if effect.entry.kind is ControlKind.SELF_TEST:
                hear_answer(conn, effect.entry)
        self._leases.check({move.partition: self._terms[move.partition] for move in batch.moves}, _PATIENCE)
        conn.commit()
        self._receipts.owe(outcome.receipts)
        self.totals.messages += outcome.messages
        self.totals.duplicates += outcome.duplicates
        self.totals.dead += len(batch.dead)
        self.totals.dead_by_reason.update(each.reason for each in batch.dead)
        self.totals.errors += len(batch.errors)
        self.totals.findings += len(batch.findings)

    def _purge(self, now: float) -> None:
        """Now and then drop from the stream what is committed and no backup needs, one partition after the other."""
        if self._core is None or self._conn is None or now < self._next_purge:
            return
        self._next_purge = now + _PURGE_EVERY
        positions = {partition: self._core.position(partition) for partition in self._core.owned}
        floor = purge_floor(self._conn)  # after the positions: see there
        self._conn.commit()
        upto = {p: Position(at.incarnation, floor.upto(p, at.incarnation, at.seq)) for p, at in positions.items()}
        behind = [p for p, position in upto.items() if position.seq and self._purged.get(p) != position]
        if behind:
            self._turn = next((p for p in behind if p > self._turn), behind[0])
            self._stream.purge(self._turn, upto[self._turn])
            self._purged[self._turn] = upto[self._turn]

    def _bisect(self, error: psycopg.Error) -> None:
        """The database refused something: halve what is taken at once until one entry stands alone, and bury that."""
        if len(self._at_work) == 1:
            entry = self._at_work[0]
            self._poison[entry_id(entry)] = str(error)[:200].replace("\0", "\ufffd")
            log.error(
                "an entry is refused by the database; kept as a dead letter", entry=entry_id(entry), error=str(error)
            )
        else:
            self._most = max(1, len(self._at_work) // 2)
            log.warning("the database refused a batch; taking less at once", entries=self._most, error=str(error))

    def _forget(self) -> None:
        for partition in self._terms:
            self._stream.unseek(partition)
        self._terms.clear()
        self._core = None
        self._store = None
        self._receipts.forget()
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _close(self) -> None:
        """Leave snapshots behind, so that whoever goes on starts quickly, and then the leases."""
        held = self._leases.holdings()
        try:
            self.hand_over([p for p, term in self._terms.items() if not held.lapsed(p, term)])
        except psycopg.Error as error:
            log.warning("no snapshots at the end; the next owner rebuilds", error=repr(error))
        # What is committed is said, however short ago the last receipt was.
        self._send_receipts(time.monotonic() + INTERVAL)
        self._forget()
        self._leases.leave()
