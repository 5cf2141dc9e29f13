"""Keeps account while a trial runs, and makes its record when it has ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from firmware_sim.people import Deed
from firmware_sim.wear import Fault
from servicedesk.memory import MemoryDesk
from servicedesk.model import Ticket, TicketEvent
from servicedesk.model import Visit as DeskVisit
from servicedesk.states import TicketState
from stack.trial.record import CauseRecord, EpisodeRecord, FaultRecord, TicketRecord, VisitRecord
from storage.registry import DeviceRow
from telemetry.catalogue import Catalogue
from telemetry.clock import MICROS, to_micros
from telemetry.finding import EpisodeState, Finding


@dataclass(slots=True)
class Ledger:
    """What the record needs beyond what the desk keeps.

    Attributes:
        desk: of the trial.
        rows: devices by number.
        catalogue: with the scenario's own faults.
        openings: the record of each ticket as it was when it opened.
        episodes: by finding.
        visits: deeds of technicians by visit.
        calls: when owners reported a fault, by device and onset.
        opened_by: tickets that an episode opened or reopened.
        heard: the last revision of each finding that the desk has heard of.
    """

    desk: MemoryDesk
    rows: Mapping[int, DeviceRow]
    catalogue: Catalogue
    openings: dict[UUID, TicketRecord] = field(default_factory=dict)
    episodes: dict[str, EpisodeRecord] = field(default_factory=dict)
    visits: dict[str, Deed] = field(default_factory=dict)
    calls: dict[tuple[str, int], int] = field(default_factory=dict)
    opened_by: dict[str, str] = field(default_factory=dict)
    heard: dict[str, Finding] = field(default_factory=dict)

    @classmethod
    def fresh(cls, rows: Sequence[DeviceRow], catalogue: Catalogue) -> Ledger:
        """With a desk of its own, which somebody else fills."""
        return cls(MemoryDesk(), {row.no: row for row in rows}, catalogue)

    def revised(self, finding: Finding, told: int) -> None:
        """The desk hears of a revision."""
        self.heard[finding.id] = finding
        ended = finding.observed if finding.state is EpisodeState.ENDED else None
        known = self.episodes.get(finding.id)
        if known is None:
            known = EpisodeRecord(
                id=finding.id,
                device=str(finding.device),
                family=finding.family,
                opened=finding.opened,
                told=told,
                onset=finding.onset,
                severity=finding.severity,
                score=finding.score,
                revisions=0,
                history=finding.history,
            )
        self.episodes[finding.id] = msgspec.structs.replace(
            known,
            severity=min(known.severity, finding.severity),
            score=max(known.score, finding.score),
            revisions=known.revisions + 1,
            ended=ended,
        )

    def opened(self, ticket: Ticket, finding: Finding | None) -> None:
        """A ticket is new."""
        if ticket.id in self.openings:
            return
        row = self.rows[ticket.device]
        record = TicketRecord(
            ref=ticket.ref,
            device=str(row.key),
            kind=row.kind,
            model=row.model or "",
            family=ticket.family,
            severity=ticket.severity,
            opened=to_micros(ticket.opened),
            source="owner" if finding is None else "telemetry",
            safety=ticket.safety,
        )
        if finding is not None:
            record = msgspec.structs.replace(record, **_said(finding))
            self.opened_by[finding.id] = ticket.ref
        self.openings[ticket.id] = record

    def catch_up(self) -> None:
        """Enter the tickets that are new, whoever opened them: a revision, or the due thing of one that had to wait."""
        rows = self.desk.tickets.rows
        if len(rows) == len(self.openings):
            return
        for ticket in rows.values():
            if ticket.id not in self.openings:
                self.opened(ticket, None if ticket.finding is None else self.heard[str(ticket.finding)])

    def done(self, deed: Deed) -> None:
        """People did something."""
        if deed.what == "visit":
            self.visits[deed.visit] = deed
        elif deed.what == "breakdown" and deed.fault is not None:
            self.calls[deed.device, deed.fault.onset] = deed.at

    # the record

    def tickets(self) -> tuple[TicketRecord, ...]:
        """All of them, by opening."""
        events: dict[UUID, list[TicketEvent]] = defaultdict(list)
        for event in self.desk.tickets.events:
            events[event.ticket].append(event)
        numbers = self._numbers()
        found = [
            _closed(self.openings[row.id], row, events[row.id], numbers, self.desk)
            for row in self.desk.tickets.rows.values()
        ]
        return tuple(sorted(found, key=lambda one: (one.opened, one.ref)))

    def visit_records(self) -> tuple[VisitRecord, ...]:
        """All of them, by proposal."""
        names = {one.id: one.name for one in self.desk.people.technician_rows}
        numbers = self._numbers()
        found = []
        for row in self.desk.visits.rows.values():
            ticket = self.desk.tickets.get(row.ticket)
            deed, outcome = self.visits.get(str(row.id)), self.desk.visits.outcome(row.id)
            found.append(
                VisitRecord(
                    id=numbers[row.id],
                    ticket=ticket.ref,
                    device=str(self.rows[ticket.device].key),
                    proposed=to_micros(row.proposed),
                    start=to_micros(row.start),
                    end=to_micros(row.end),
                    technician=names[row.technician],
                    state=str(row.state),
                    confirmed=None if row.confirmed is None else to_micros(row.confirmed),
                    arrived=None if row.arrived is None else to_micros(row.arrived),
                    finished=None if row.finished is None else to_micros(row.finished),
                    travel_minutes=0.0 if deed is None else round(deed.travel_minutes, 1),
                    work_minutes=0.0 if deed is None else round(deed.work_minutes, 1),
                    outcome=None if deed is None else deed.outcome,
                    cause=None if outcome is None else outcome.cause,
                    parts=() if outcome is None else outcome.parts,
                    reactive=self._reactive(ticket, row),
                    free=self.openings[ticket.id].opened < to_micros(row.proposed)
                    and row.sequence == 0
                    and any(
                        other.finished is not None and other.finished <= row.proposed
                        for other in self.desk.visits.of_ticket(ticket.id)
                    ),
                )
            )
        return tuple(found)

    def faults(self, truth: Sequence[Fault], *, product: bool = True) -> tuple[FaultRecord, ...]:
        """The truth with what people made of it; of the control fleet without."""
        visits: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        numbers = self._numbers() if product else {}
        reactive: set[tuple[str, str, int]] = set()
        for name, deed in self.visits.items() if product else ():
            if deed.fault is None:
                continue
            key = deed.device, deed.fault.fault, deed.fault.onset
            visits[key].append(numbers[UUID(name)])
            visit = self.desk.visits.get(UUID(name))
            if self._reactive(self.desk.tickets.get(visit.ticket), visit):
                reactive.add(key)
        by_key = {str(row.key): row for row in self.rows.values()}
        found = []
        for fault in truth:
            row, key = by_key[fault.device], (fault.device, fault.fault, fault.onset)
            by = (fault.by or "visit") if fault.repaired is not None else "none"
            if by == "visit" and key in reactive:
                by = "breakdown"
            spec = self.catalogue[row.kind].faults[fault.fault]
            found.append(
                FaultRecord(
                    device=fault.device,
                    kind=row.kind,
                    model=row.model or "",
                    family=fault.family,
                    fault=fault.fault,
                    severity=spec.severity,
                    onset=fault.onset,
                    failure=fault.failure,
                    repaired=fault.repaired,
                    by=by,
                    reported=self.calls.get((fault.device, fault.onset)) if product else None,
                    visits=tuple(sorted(visits.get(key, ()), key=lambda name: int(name[1:]))),
                )
            )
        return tuple(sorted(found, key=lambda one: (one.onset, one.device, one.fault)))

    def episode_records(self) -> tuple[EpisodeRecord, ...]:
        """All of them, by when the desk heard of them."""
        refs = {str(one.finding): one.ref for one in self.desk.tickets.rows.values() if one.finding is not None}
        found = [
            msgspec.structs.replace(one, ticket=self.opened_by.get(one.id) or refs.get(one.id))
            for one in self.episodes.values()
        ]
        return tuple(sorted(found, key=lambda one: (one.told, one.device, one.family, one.id)))

    def _numbers(self) -> dict[UUID, str]:
        """Visits are entered in the order of their proposals."""
        return {name: f"V{number}" for number, name in enumerate(self.desk.visits.rows, 1)}

    def _reactive(self, ticket: Ticket, visit: DeskVisit) -> bool:
        """Whether a visit was proposed to somebody who had reported the appliance as broken."""
        opening = self.openings[ticket.id]
        if opening.source == "owner":
            return True
        proposed = to_micros(visit.proposed)
        return any(
            device == opening.device and opening.opened <= at <= proposed for (device, _), at in self.calls.items()
        )


def _said(finding: Finding) -> dict[str, object]:
    """What telemetry said when the ticket opened."""
    low, high = finding.life_low, finding.life_high
    return {
        "onset": finding.onset,
        "causes": tuple(
            CauseRecord(
                cause.fault,
                round(cause.probability, 6),
                tuple((feature, round(value, 6), round(usual, 6)) for feature, value, usual in cause.reasons),
            )
            for cause in finding.causes
        ),
        "rejected": tuple(one.cause for one in finding.rejected),
        "life_low": None if low is None else finding.observed + round(low * MICROS),
        "life_high": None if high is None else finding.observed + round(high * MICROS),
        "score": round(finding.score, 9),
        "detector": finding.detector,
    }


def _closed(
    record: TicketRecord, row: Ticket, events: Sequence[TicketEvent], numbers: Mapping[UUID, str], desk: MemoryDesk
) -> TicketRecord:
    """A ticket's record at the end of the trial."""
    visits = desk.visits.of_ticket(row.id)
    moves = [event for event in events if event.kind == "moved"]

    def last(state: TicketState) -> int | None:
        return max((to_micros(each.at) for each in moves if each.body["new"] == state), default=None)

    tested = [event.body["causes"] for event in events if event.kind == "self_test" and event.body.get("causes")]
    outcomes = [desk.visits.outcome(visit.id) for visit in visits]
    outcome = next((each for each in reversed(outcomes) if each is not None), None)
    return msgspec.structs.replace(
        record,
        state=str(row.state),
        answered=tuple(CauseRecord(fault, probability) for fault, probability in tested[0]) if tested else (),
        visits=tuple(numbers[visit.id] for visit in visits),
        outcome=None if outcome is None else str(outcome.code),
        cause=None if outcome is None else outcome.cause,
        confirmed=min((to_micros(visit.confirmed) for visit in visits if visit.confirmed is not None), default=None),
        done=last(TicketState.DONE),
        verified=last(TicketState.VERIFIED),
        reopened=tuple(sorted(to_micros(each.at) for each in moves if each.body["new"] == TicketState.REOPENED)),
        closed=None if row.closed is None else to_micros(row.closed),
        cancelled=row.reason if row.state is TicketState.CANCELLED else None,
        self_fixed=last(TicketState.SELF_FIXED),
        complaints=sum(1 for event in events if event.kind == "complaint"),
    )
