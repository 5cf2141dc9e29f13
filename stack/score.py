"""The demo's score: what the desk did against what the simulator knows to be true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class TrueFault:
    """A fault that the simulator put in. Times are fleet times, Unix seconds.

    Attributes:
        device: `org/device`.
        family: what one visit would mend.
        onset: when it began to be there.
        stops: when the appliance would stop, None when not within the run.
        ended: when it was repaired, None when it was not.
    """

    device: str
    family: str
    onset: float
    stops: float | None = None
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class OpenedTicket:
    """A ticket as the database has it; `opened` in fleet time, Unix seconds."""

    ref: str
    device: str
    family: str
    opened: float


@dataclass(frozen=True, slots=True)
class Score:
    """Counts over a run.

    Attributes:
        faults: true faults whose onset lies early enough to be judged.
        caught: those with a ticket of their family.
        false_tickets: tickets without a true fault behind them.
        false_refs: which.
        lead_days: median of days between ticket and stop, where the stop is known.
        delay_days: median of days between onset and ticket, over the caught ones that began within the run.
    """

    faults: int
    caught: int
    false_tickets: int
    false_refs: tuple[str, ...]
    lead_days: float | None
    delay_days: float | None


def score(
    faults: Sequence[TrueFault],
    tickets: Sequence[OpenedTicket],
    *,
    started: float,
    ended: float,
    grace_days: float = 5.0,
) -> Score:
    """Match tickets to faults by device and family; a ticket before its fault's onset or after its repair is false.

    Args:
        faults: the truth.
        tickets: what was opened.
        started: first fleet time of the run.
        ended: last fleet time of the run.
        grace_days: faults whose onset is nearer to the end are not counted as missed, nor as caught.
    """
    judged = [fault for fault in faults if fault.onset <= ended - grace_days * DAY_S]
    caught = 0
    leads: list[float] = []
    delays: list[float] = []
    for fault in judged:
        mine = [ticket for ticket in tickets if _belongs(ticket, fault)]
        if not mine:
            continue
        caught += 1
        first = min(ticket.opened for ticket in mine)
        if fault.stops is not None:
            leads.append((fault.stops - first) / DAY_S)
        if fault.onset >= started:
            delays.append((first - fault.onset) / DAY_S)
    false = tuple(ticket.ref for ticket in tickets if not any(_belongs(ticket, fault) for fault in faults))
    return Score(
        faults=len(judged),
        caught=caught,
        false_tickets=len(false),
        false_refs=false,
        lead_days=round(median(leads), 2) if leads else None,
        delay_days=round(median(delays), 2) if delays else None,
    )


def _belongs(ticket: OpenedTicket, fault: TrueFault) -> bool:
    same = ticket.device == fault.device and ticket.family == fault.family
    return same and ticket.opened >= fault.onset and (fault.ended is None or ticket.opened <= fault.ended)
