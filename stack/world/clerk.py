"""The desk's jobs in the world: due things, jobs and control entries, at least once each."""

from __future__ import annotations

from collections.abc import Callable

from servicedesk.states import TicketState
from servicedesk.visiting import move_ticket, ticket_moves
from stack.desk_hands import do, hand_over
from stack.world.database import Database
from stack.world.invariants import Auditor
from stack.world.network import Network
from stack.world.scheduler import Party, Scheduler
from stack.world.streaming import StreamNode
from telemetry.block import BlockBuilder
from telemetry.clock import MICROS, to_datetime, to_micros
from telemetry.control import ControlEntry, ControlKind
from telemetry.identity import partition_of

_EVERY = 300_000
_REPEAT = 2 * MICROS
_HANDS = 20


class Clerk(Party):
    """The process of time-driven work.

    Args:
        time: the world's.
        network: to the stream.
        stream: carries control entries.
        database: jobs and due things.
        auditor: looks after each job.
        fleet_now: fleet time, microseconds.

    Attributes:
        twice: the next jobs, so many, are done but not marked, and so done again.
    """

    def __init__(
        self,
        time: Scheduler,
        network: Network,
        *,
        stream: StreamNode,
        database: Database,
        auditor: Auditor,
        fleet_now: Callable[[], int],
    ) -> None:
        super().__init__(time, "clerk")
        self._network, self._stream, self._database, self._auditor = network, stream, database, auditor
        self._fleet_now = fleet_now
        self.twice = 0

    def begin(self) -> None:
        """Start; what was handed over and not done is handed over again."""
        super().begin()
        self._published: dict[str, int] = {}
        self.later(_EVERY, self._go)

    def _go(self) -> None:
        self.later(_EVERY, self._go)
        if self._database.up:
            self._hand_over()
            self._work()
            self._publish()

    def _hand_over(self) -> None:
        hand_over(self._database.desk.agenda, to_datetime(self._fleet_now()), _HANDS)

    def _work(self) -> None:
        agenda = self._database.desk.agenda
        for _ in range(_HANDS):
            if not agenda.jobs:
                return
            job = agenda.jobs[0]
            now = self._fleet_now()
            self.time.trace(self.name, "does", job.task, dict(sorted(job.arguments.items())))
            do(self._database.office(now), job, to_datetime(now))
            self._auditor.one_ticket_each()
            if self.twice > 0:
                # Done, and killed before it could be marked.
                self.twice -= 1
                return
            agenda.jobs.remove(job)

    def _publish(self) -> None:
        """Control entries: published again until the partition's transaction has recorded their effect."""
        store = self._database.store
        for number, (device, kind, at, body) in self._database.desk.agenda.controls.items():
            if str(number) not in store.controls:
                key = next(row.key for row in store.devices.values() if row.no == device)
                entry = ControlEntry(id=str(number), device=key, kind=ControlKind(kind), at=to_micros(at), body=body)
                store.enter_control(entry)
        for entry, effect in list(store.controls.values()):
            if effect is None and self.time.now - self._published.get(entry.id, -_REPEAT) >= _REPEAT:
                self._published[entry.id] = self.time.now
                builder = BlockBuilder()
                builder.control(entry)
                partition = partition_of(entry.device, self._stream.server.partitions)
                self._stream.publish(self, partition, "", builder.encode(), lambda _number, _error: None, 0)

    def cancel_one(self) -> None:
        """Dispatch takes the oldest open ticket off the list."""
        if not self._database.up:
            return
        now = self._fleet_now()
        rows = self._database.desk.tickets.rows.values()
        for ticket in [each for each in rows if TicketState.CANCELLED in ticket_moves(each)][:1]:
            self.time.trace("dispatch", "cancels", ticket.ref)
            office = self._database.office(now)
            move_ticket(office, ticket.id, TicketState.CANCELLED, to_datetime(now), "dispatch", reason="double")

    def repair_one(self, number: int) -> None:
        """Somebody repairs a device: the entry is a row first."""
        if self._database.up:
            devices = sorted(row.no for row in self._database.store.devices.values())
            device, now = devices[number % len(devices)], self._fleet_now()
            agenda = self._database.desk.agenda
            self.time.trace("technician", "repairs device", device)
            entry = self._database.office(now).new_id()
            agenda.control(entry, device, ControlKind.REPAIR_DONE, to_datetime(now), {"family": None, "fault": None})
