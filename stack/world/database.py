"""The database in the world: the memory forms of telemetry and desk behind connections that can end at any moment."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from servicedesk.cohorts import take_summary
from servicedesk.memory import MemoryDesk
from servicedesk.office import Office
from stack.desk_hands import tell
from storage.memory_telemetry import MemoryTelemetry
from storage.registry import DeviceRow
from storage.telemetry_rows import Batch, DeviceHistory, Replay, SeqRange, StoredControl, StoredMessage
from telemetry.catalogue import Catalogue
from telemetry.clock import to_datetime
from telemetry.errors import WellkeptError
from telemetry.identity import DeviceKey
from telemetry.ids import maker
from telemetry.progress import Progress
from worker.core import Outcome
from worker.desk import appliance_of

if TYPE_CHECKING:
    from stack.world.invariants import Auditor


class DatabaseGoneError(WellkeptError):
    """The connection is gone; whether a COMMIT under way took effect is not known."""


class Database:
    """One database.

    Args:
        store: the spine's tables.
        desk: the desk's.
        catalogue: for the desk's decisions.
        auditor: told of every commit.
        rng: of ids.
        fences: whether a taker can end its predecessor's connection; without, the compare-and-set stands alone.
    """

    def __init__(
        self,
        store: MemoryTelemetry,
        desk: MemoryDesk,
        catalogue: Catalogue,
        auditor: Auditor,
        rng: random.Random,
        *,
        fences: bool,
    ) -> None:
        self.store, self.desk, self.catalogue = store, desk, catalogue
        self.up = True
        self.fences = fences
        self._auditor, self._rng = auditor, rng
        self._sessions: list[Session] = []
        self.owners: dict[int, Session] = {}

    def open(self, name: str) -> Session:
        """Connect.

        Raises:
            DatabaseGoneError: it is down.
        """
        if not self.up:
            raise DatabaseGoneError("the database is down")
        session = Session(self, name)
        self._sessions.append(session)
        return session

    def end_sessions(self) -> None:
        """Break every connection; what was not committed is rolled back."""
        for session in self._sessions:
            session.open = False
        self._sessions.clear()

    def commit(self, outcome: Outcome, name: str) -> None:
        """One transaction of a worker, all of it or nothing.

        Raises:
            PositionLostError: another owner moved a partition meanwhile.
        """
        before = len(self.store.messages), len(self.store.dead)
        self.store.write(outcome.batch)
        for reported in outcome.batch.findings:
            office, appliance = self.office(reported.arrival), appliance_of(reported.device)
            tell(office, self.desk.agenda, reported.finding, appliance, reported.arrival)
        for device, (summary, arrival) in sorted(outcome.batch.summaries.items()):
            take_summary(self.desk, device, summary, to_datetime(arrival))
        self._auditor.committed(outcome, name, before)

    def office(self, now: int) -> Office:
        """The desk at a fleet time, microseconds."""
        return Office(self.desk, self.catalogue, maker(lambda: now, self._rng))


class Session:
    """A worker's connection; everything raises DatabaseGoneError once it has ended. Implements `History`."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self.name = name
        self.open = True

    def take(self, partitions: Iterable[int]) -> dict[int, tuple[str, int]]:
        """Own partitions: their positions; the former owner's connection ends."""
        store = self._store()
        for partition in partitions:
            former = self._database.owners.get(partition)
            if former is not None and former is not self and self._database.fences:
                former.open = False
            self._database.owners[partition] = self
        return store.take(list(partitions))

    def release(self, partitions: Iterable[int]) -> None:
        """Own them no more."""
        self._store()
        for partition in partitions:
            if self._database.owners.get(partition) is self:
                del self._database.owners[partition]

    def commit(self, outcome: Outcome) -> None:
        """See `Database.commit`."""
        self._store()
        self._database.commit(outcome, self.name)

    def write(self, batch: Batch) -> None:
        """Snapshots, outside of a block's transaction."""
        self._store().write(batch)

    def end(self) -> None:
        """Break the connection."""
        self.open = False

    # History

    def find(self, keys: Sequence[DeviceKey]) -> dict[DeviceKey, DeviceRow]:
        """See `worker.history.History`, here and below."""
        return self._store().find(keys)

    def load(self, devices: Sequence[int]) -> dict[int, DeviceHistory]:
        """Progress, losses, snapshots."""
        return self._store().load(devices)

    def load_strangers(self, keys: Sequence[DeviceKey]) -> dict[tuple[DeviceKey, int], Progress]:
        """Of devices that are not registered."""
        return self._store().load_strangers(keys)

    def replay(self, kind: str, ranges: Sequence[SeqRange]) -> Replay:
        """What is observed again."""
        return self._store().replay(kind, ranges)

    def read_back(self, device: int, kind: str, epoch: int, from_seq: int, to_seq: int) -> list[StoredMessage]:
        """Messages."""
        return self._store().read_back(device, kind, epoch, from_seq, to_seq)

    def came_late(self, device: DeviceRow, epoch: int, seq: int) -> bool:
        """Whether a message is there already that had been declared lost."""
        return self._store().came_late(device, epoch, seq)

    def is_stored(self, device: DeviceRow, t: int) -> bool:
        """Whether a reading with this event time is kept."""
        return self._store().is_stored(device, t)

    def read_controls(self, devices: Sequence[int]) -> dict[int, list[StoredControl]]:
        """Entries that took effect."""
        return self._store().read_controls(devices)

    def asked_tests(self, ids: Sequence[str]) -> dict[str, int]:
        """Self-tests that were asked for."""
        return self._store().asked_tests(ids)

    def taken_effect(self, ids: Sequence[str]) -> set[str]:
        """Which of them took effect."""
        return self._store().taken_effect(ids)

    def _store(self) -> MemoryTelemetry:
        if not (self.open and self._database.up):
            self.open = False
            raise DatabaseGoneError("the connection is gone")
        return self._database.store
