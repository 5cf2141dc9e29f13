"""Which ticket belongs to which fault of the truth, and what became of each fault.

A ticket is true when, at the moment it opened, its device had a fault of its family: after the onset and before the
repair. Nothing else counts: a ticket of another family is false even when the device has some other fault, and a
ticket one minute before an onset is false.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stack.trial.record import FaultRecord, TicketRecord, TrialRecord

DAY = 86_400_000_000
TELEMETRY = "telemetry"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A moment at which a ticket opened, or a closed one was reopened: each may send somebody.

    Attributes:
        ticket: which.
        at: fleet time, microseconds.
        reopening: whether the ticket had been open before.
    """

    ticket: TicketRecord
    at: int
    reopening: bool


class Verdict(StrEnum):
    """What is said of a fault. The first three are judged, the others are no part of recall."""

    CAUGHT = "caught"
    LATE = "late"
    MISSED = "missed"
    OPEN = "open"
    BEFORE = "before"
    MENDED = "mended"


JUDGED = (Verdict.CAUGHT, Verdict.LATE, Verdict.MISSED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A fault and what was said of it.

    Attributes:
        fault: of the truth.
        verdict: `caught` with a ticket of telemetry before the failure; `late` with one after it; `missed` without;
            `open` when the failure lies beyond the trial's end; `before` when it lies before its start; `mended`
            when the fault was mended before its failure though nobody had named it.
        alarms: true ones of telemetry, in order.
        told: first time that an owner's ticket named it, or None.
        finding: whether a finding of its family was open meanwhile, with or without a ticket.
    """

    fault: FaultRecord
    verdict: Verdict
    alarms: tuple[Alarm, ...]
    told: int | None = None
    finding: bool = False

    @property
    def judged(self) -> bool:
        """Whether it counts towards recall."""
        return self.verdict in JUDGED

    @property
    def owner_said(self) -> int | None:
        """When the owner first named it, by a ticket of their own or a call; None: never."""
        return min((at for at in (self.told, self.fault.reported) if at is not None), default=None)

    @property
    def owner_first(self) -> bool:
        """Whether the owner named it before telemetry did."""
        said = self.owner_said
        return said is not None and (not self.alarms or said < self.alarms[0].at)

    @property
    def found(self) -> bool:
        """Whether telemetry named it at all before anybody else: caught, or late and still ahead of the owner."""
        return self.verdict is Verdict.CAUGHT or (self.verdict is Verdict.LATE and not self.owner_first)

    @property
    def lead_days(self) -> float | None:
        """Days from the first ticket to the failure, of a caught fault."""
        return (self.fault.failure - self.alarms[0].at) / DAY if self.verdict is Verdict.CAUGHT else None


@dataclass(frozen=True, slots=True)
class Matching:
    """All of a trial's faults and alarms, told apart.

    Attributes:
        outcomes: one a fault, by onset and device.
        false: alarms with no fault behind them, by time and device.
        alarms: how many telemetry raised in all.
    """

    outcomes: tuple[Outcome, ...]
    false: tuple[Alarm, ...]
    alarms: int

    @property
    def judged(self) -> list[Outcome]:
        """The faults that count towards recall."""
        return [each for each in self.outcomes if each.judged]

    @property
    def caught(self) -> list[Outcome]:
        """Those with a ticket before their failure."""
        return [each for each in self.outcomes if each.verdict is Verdict.CAUGHT]

    @property
    def found(self) -> list[Outcome]:
        """Those that telemetry named before their owners did, in time or late."""
        return [each for each in self.outcomes if each.found]


def alarms_of(record: TrialRecord) -> list[Alarm]:
    """Every opening and reopening that goes back to telemetry, by time.

    A ticket that an owner opened counts from the moment a finding reopened it.
    """
    told = {(each.ticket, each.told) for each in record.episodes if each.ticket is not None}
    found = []
    for ticket in record.tickets:
        ours = ticket.source == TELEMETRY
        if ours:
            found.append(Alarm(ticket, ticket.opened, reopening=False))
        found += [Alarm(ticket, at, reopening=True) for at in ticket.reopened if ours or (ticket.ref, at) in told]
    return sorted(found, key=lambda each: (each.at, each.ticket.device, each.ticket.family, each.ticket.ref))


def match(record: TrialRecord) -> Matching:
    """Match tickets to faults by device and family; of two faults at once, the older one is meant."""
    faults = sorted(record.faults, key=_order)
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, fault in enumerate(faults):
        places[fault.device, fault.family].append(place)
    mine: dict[int, list[Alarm]] = defaultdict(list)
    false: list[Alarm] = []
    alarms = alarms_of(record)
    for alarm in alarms:
        behind = _behind(faults, places, alarm.ticket.device, alarm.ticket.family, alarm.at)
        if behind is None:
            false.append(alarm)
        else:
            mine[behind].append(alarm)
    owners = _owners(record, faults, places)
    findings = _findings(record, faults, places)
    outcomes = [
        Outcome(
            fault=fault,
            verdict=_verdict(record, fault, mine[place], owners.get(place)),
            alarms=tuple(mine[place]),
            told=owners.get(place),
            finding=place in findings,
        )
        for place, fault in enumerate(faults)
    ]
    return Matching(tuple(outcomes), tuple(false), len(alarms))


def _order(fault: FaultRecord) -> tuple[int, str, str, str, int, float]:
    ended = math.inf if fault.repaired is None else fault.repaired
    return fault.onset, fault.device, fault.family, fault.fault, fault.failure, ended


def _behind(
    faults: Sequence[FaultRecord], places: Mapping[tuple[str, str], list[int]], device: str, family: str, at: int
) -> int | None:
    for place in places.get((device, family), ()):
        fault = faults[place]
        if fault.onset <= at and (fault.repaired is None or at <= fault.repaired):
            return place
    return None


def _verdict(record: TrialRecord, fault: FaultRecord, alarms: Sequence[Alarm], told: int | None) -> Verdict:
    """The exclusions look at the truth alone, so that what the product does cannot move them."""
    if fault.failure <= record.start:
        return Verdict.BEFORE
    if fault.failure > record.end:
        return Verdict.OPEN
    if alarms and alarms[0].at < fault.failure:
        return Verdict.CAUGHT
    if alarms:
        return Verdict.LATE
    if told is None and fault.reported is None and fault.repaired is not None and fault.repaired < fault.failure:
        return Verdict.MENDED
    return Verdict.MISSED


def _owners(
    record: TrialRecord, faults: Sequence[FaultRecord], places: Mapping[tuple[str, str], list[int]]
) -> dict[int, int]:
    """Faults that owners named, and when first."""
    found: dict[int, int] = {}
    for ticket in record.tickets:
        if ticket.source == TELEMETRY:
            continue
        place = _behind(faults, places, ticket.device, ticket.family, ticket.opened)
        if place is not None:
            found[place] = min(ticket.opened, found.get(place, ticket.opened))
    return found


def _findings(
    record: TrialRecord, faults: Sequence[FaultRecord], places: Mapping[tuple[str, str], list[int]]
) -> set[int]:
    """Faults for which a finding of their family was told in their time."""
    named = {_behind(faults, places, each.device, each.family, each.told) for each in record.episodes}
    return {place for place in named if place is not None}
