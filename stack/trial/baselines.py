"""What others would have done with the same fleet: maintenance by calendar, thresholds a channel, and blind controls.

All of them live in the control fleet: the same appliances, faults and households without the product. Rules are
bent in the baselines' favour where a choice had to be made; docs/trial.md says where.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stack.trial.cost import Account, Prices, fails_within
from stack.trial.matching import DAY
from stack.trial.record import FaultRecord, TrialRecord
from stack.trial.score import YEAR_DAYS

ROUNDS_DAYS = (30.0, 61.0, 91.0, 182.0, 365.0, 730.0)
"""Intervals of the calendar that are tried beside the scenario's own, for the cheapest."""
BLIND_DAYS = 30.0
"""A blind control opens a ticket for every device so often."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Maintenance by calendar.

    Attributes:
        account: what it cost; expected values over where in its interval each appliance stands at the start.
        caught: faults that a round found before their failure, expected.
        faults: those with their failure within the trial.
    """

    account: Account
    caught: float
    faults: int


def control_of(record: TrialRecord) -> tuple[FaultRecord, ...]:
    """The truth of the fleet without the product; its own where no control fleet was run."""
    return record.control or record.faults


def calendar(record: TrialRecord, prices: Prices, interval: float | None = None) -> Calendar:
    """Rounds at fixed intervals, each of which finds a developing fault with the scenario's share and mends it.

    A fault that k rounds fall upon stays hidden with (1 - share)^k; k is a whole number or the next, by the chance
    that the interval's phase gives.

    Args:
        record: of the trial.
        prices: of the scenario.
        interval: days; the scenario's own, by kind, unless told.
    """
    account = Account()
    days = (record.end - record.start) / DAY
    for device in record.devices:
        own = prices.of(device.kind)
        account.add("maintenance", own.calendar_visit, days / (interval or own.calendar_days))
    caught = 0.0
    faults = 0
    for fault in control_of(record):
        own = prices.of(fault.kind)
        window = (min(fault.failure, record.end) - max(fault.onset, record.start)) / DAY
        found = 1.0 - _hidden(max(window, 0.0) / (interval or own.calendar_days), own.calendar_catches)
        account.add("labour", prices.labour(fault.kind, fault.fault), found)
        account.add("parts", prices.parts(fault.kind, fault.fault, fault.family), found)
        if fails_within(fault, record.start, record.end):
            faults += 1
            caught += found
            prices.repair_late(account, fault, record.end, 1.0 - found)
    return Calendar(account, caught, faults)


def best_calendar(record: TrialRecord, prices: Prices) -> tuple[float, Calendar]:
    """The cheapest of several intervals, chosen with the truth in hand."""
    tried = [(interval, calendar(record, prices, interval)) for interval in ROUNDS_DAYS]
    return min(tried, key=lambda each: (each[1].account.total, each[0]))


@dataclass(frozen=True, slots=True)
class Blind:
    """A control that looks at nothing; counts are expected values.

    Attributes:
        tickets: opened in all.
        recall: share of the faults with a ticket between onset and failure, whatever family it names.
        false_tickets: opened while the device had no fault at all.
        false_per_device_year: of them.
    """

    tickets: float
    recall: float | None
    false_tickets: float
    false_per_device_year: float | None


def periodic(record: TrialRecord) -> Blind:
    """A ticket for every device every 30 days, at a phase of its own."""
    return _blind(record, record.device_days / BLIND_DAYS, lambda days: min(days / BLIND_DAYS, 1.0))


def random_tickets(record: TrialRecord, tickets: int) -> Blind:
    """As many tickets as the product opened, each on any device at any time."""
    total = record.device_days

    def chance(days: float) -> float:
        return 1.0 - (1.0 - min(days / total, 1.0)) ** tickets if total else 0.0

    return _blind(record, float(tickets), chance)


def _blind(record: TrialRecord, tickets: float, chance: Callable[[float], float]) -> Blind:
    faults = [each for each in control_of(record) if fails_within(each, record.start, record.end)]
    caught = math.fsum(chance((each.failure - max(each.onset, record.start)) / DAY) for each in faults)
    ill = _days_with_fault(control_of(record), record.start, record.end)
    false = tickets * (1.0 - ill / record.device_days) if record.device_days else 0.0
    years = record.device_days / YEAR_DAYS
    return Blind(
        tickets=tickets,
        recall=caught / len(faults) if faults else None,
        false_tickets=false,
        false_per_device_year=false / years if years else None,
    )


def _hidden(rounds: float, catches: float) -> float:
    whole = math.floor(rounds)
    part = rounds - whole
    return float((1.0 - catches) ** whole * (1.0 - part * catches))


def _days_with_fault(faults: Sequence[FaultRecord], start: int, end: int) -> float:
    """Device-days on which a device had a fault, failed ones included; faults of a device that overlap count once."""
    covered = 0
    reached: dict[str, int] = {}
    for fault in sorted(faults, key=lambda each: (each.device, each.onset)):
        begin = max(fault.onset, start, reached.get(fault.device, start))
        until = min(end if fault.repaired is None else fault.repaired, end)
        covered += max(until - begin, 0)
        reached[fault.device] = max(until, reached.get(fault.device, start))
    return covered / DAY
