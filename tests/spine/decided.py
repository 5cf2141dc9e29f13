"""An appliance that changes, through a worker's core into a real database, with the desk's ticket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import count
from uuid import UUID

from detectors.bank import Bank
from detectors.engine import Observation
from servicedesk.model import Ticket
from storage.pool import connect
from storage.registry import register_device
from storage.telemetry_store import TelemetryStore
from stream.port import Entry, Position
from telemetry.block import BlockBuilder
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import MICROS, to_datetime
from telemetry.control import ControlEntry, ControlKind
from telemetry.identity import DeviceKey
from telemetry.message import telemetry_message
from worker.core import WorkerCore
from worker.desk import report

_BLOCK = 150


@cache
def catalogue() -> Catalogue:
    """The product's own, as commands have it."""
    return load_catalogue()


@cache
def bank() -> Bank:
    """Its detectors."""
    return Bank(catalogue())


class Worker:
    """Blocks to the database, one transaction each, as a pipeline commits them.

    Attributes:
        tickets: that were opened.
        latest: arrival of the last message.
    """

    def __init__(self, url: str, kind: str, name: str = "one") -> None:
        self.conn = connect(url, application="wellkept-worker")
        self.kind, self.key = kind, DeviceKey("demo", name)
        self.device = register_device(
            self.conn, self.key, kind, registered=datetime(2026, 1, 1, tzinfo=UTC), model="M1"
        )
        self.conn.commit()
        self.tickets: list[Ticket] = []
        self.latest = 0
        self._numbers = count(1)
        self.restart()

    def restart(self) -> None:
        """Forget everything that is not in the database."""
        self.store = TelemetryStore(self.conn, catalogue())
        self.core = WorkerCore(catalogue(), bank(), self.store)
        incarnation, seq = self.store.take([0])[0]
        self.conn.commit()
        self.core.own(0, Position(incarnation, seq))

    def tell(self, messages: Sequence[Observation]) -> None:
        """Messages of one device, a few hundred a block."""
        for low in range(0, len(messages), _BLOCK):
            builder = BlockBuilder()
            for message in messages[low : low + _BLOCK]:
                columns = zip(catalogue()[self.kind].channels, message.values.T.tolist(), strict=True)
                step = int(message.t[1] - message.t[0]) if len(message.t) > 1 else None
                envelope = telemetry_message(
                    epoch=message.epoch,
                    seq=message.seq,
                    base=1,
                    t_micros=int(message.t[0]),
                    dt_micros=step,
                    q=dict(columns),
                    phase=message.phase,
                    events=message.events,
                )
                self.latest = int(message.t[-1]) + MICROS
                builder.add(self.key, envelope, self.latest)
            self._commit(builder)

    def control(self, kind: ControlKind, body: dict[str, object], at: int | None = None) -> None:
        """A control entry, as a row and in the stream."""
        when = self.latest if at is None else at
        entry = ControlEntry(id=str(UUID(int=next(self._numbers))), device=self.key, kind=kind, at=when, body=body)
        self.conn.execute(
            "insert into control_entry (id, device, kind, at, body) values (%s, %s, %s, %s, %s::text::jsonb)",
            (entry.id, self.device.no, kind, to_datetime(when), json.dumps(body)),
        )
        builder = BlockBuilder()
        builder.control(entry)
        self._commit(builder)

    def close(self) -> None:
        self.conn.close()

    def _commit(self, builder: BlockBuilder) -> None:
        outcome = self.core.decide([Entry(0, "a", self.core.position(0).seq + 1, builder.encode(), 0)])
        self.store.stage(outcome.batch.readings)
        self.store.write(outcome.batch)
        for each in outcome.batch.findings:
            ticket = report(self.conn, each.finding, each.device, each.arrival)
            if ticket is not None:
                self.tickets.append(ticket)
        self.conn.commit()
