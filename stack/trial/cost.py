"""What a trial cost: the product as it ran, and repair on failure. Pure; amounts come from the table `[costs]`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from firmware_sim.costs import Costs
from stack.trial.matching import DAY, Matching
from stack.trial.record import FaultRecord, TicketRecord, TrialRecord, VisitRecord
from telemetry.catalogue import Catalogue

INCLUDED_MINUTES = 30
"""Of work on site, in the price of a visit."""
LINES = (
    "visits",
    "urgent_visits",
    "labour",
    "parts",
    "false_visits",
    "false_alerts",
    "repeat_visits",
    "maintenance",
    "breakdowns",
    "standstill",
)
FITTED = ("repaired", "badly", "wrong_part")
NOTHING_FOUND = "no_fault_found"


@dataclass(slots=True)
class Account:
    """Amounts and counts by line; counts of the baselines may be expected values, hence not whole."""

    amounts: dict[str, float] = field(default_factory=lambda: dict.fromkeys(LINES, 0.0))
    counts: dict[str, float] = field(default_factory=lambda: dict.fromkeys(LINES, 0.0))

    def add(self, line: str, amount: float, count: float = 1.0) -> None:
        """Book `count` times an amount."""
        self.amounts[line] += amount * count
        self.counts[line] += count

    @property
    def total(self) -> float:
        """Sum of all lines, in their fixed order."""
        return sum(self.amounts[line] for line in LINES)


@dataclass(frozen=True, slots=True)
class Prices:
    """What a visit, a repair and a breakdown cost, by kind and fault.

    Attributes:
        costs: of the scenario.
        catalogue: of the trial, for minutes and price bands.
    """

    costs: Costs
    catalogue: Catalogue

    def of(self, kind: str) -> Costs:
        """The costs of a kind."""
        return self.costs.of(kind)

    def parts(self, kind: str, fault: str | None, family: str) -> float:
        """The middle of a fault's price band times the scenario's factor; of its family's costliest when unknown."""
        faults = self.catalogue[kind].faults if kind in self.catalogue else {}
        spec = faults.get(fault or "")
        bands = [spec.price] if spec else [each.price for each in faults.values() if each.family == family]
        middle = max(((band.low + band.high) / 2.0 for band in bands), default=0.0)
        return middle * self.of(kind).parts_factor

    def labour(self, kind: str, fault: str) -> float:
        """Work on site beyond what a visit includes."""
        spec = self.catalogue[kind].faults.get(fault) if kind in self.catalogue else None
        return self.minutes(kind, float(spec.minutes) if spec else 0.0)

    def minutes(self, kind: str, worked: float) -> float:
        """Likewise, for minutes that were worked."""
        return max(worked - INCLUDED_MINUTES, 0.0) * self.of(kind).minute

    def break_down(self, account: Account, fault: FaultRecord, days: float, count: float = 1.0) -> None:
        """Book a functional failure after which the appliance stood still for so many days."""
        own = self.of(fault.kind)
        account.add("breakdowns", own.breakdown, count)
        account.add("standstill", own.breakdown_day * days, count)

    def repair(self, account: Account, fault: FaultRecord, *, urgent: bool, count: float = 1.0) -> None:
        """Book one visit that mends a fault, at the catalogue's minutes and parts."""
        own = self.of(fault.kind)
        account.add("urgent_visits" if urgent else "visits", own.urgent_visit if urgent else own.visit, count)
        account.add("labour", self.labour(fault.kind, fault.fault), count)
        account.add("parts", self.parts(fault.kind, fault.fault, fault.family), count)

    def repair_late(self, account: Account, fault: FaultRecord, end: int, count: float = 1.0) -> None:
        """Book a failure that its owner reported, and its repair."""
        self.repair(account, fault, urgent=True, count=count)
        self.break_down(account, fault, days_still(fault, end), count)


def fails_within(fault: FaultRecord, start: int, end: int) -> bool:
    """Whether the failure itself falls into the trial."""
    return start < fault.failure <= end


def days_still(fault: FaultRecord, end: int) -> float:
    """Days from the failure to the repair, or to the trial's end."""
    until = end if fault.repaired is None else min(fault.repaired, end)
    return max(until - fault.failure, 0) / DAY


def product_account(record: TrialRecord, matching: Matching, prices: Prices) -> Account:
    """What the trial's visits, false alerts and breakdowns cost, as they happened.

    A visit counts when the technician set off. Faults that were mended early cost their repair even when their
    failure would have come after the trial: no account is taken of what that saves later.
    """
    account = Account()
    tickets = {each.ref: each for each in record.tickets}
    visited: set[str] = set()
    for visit in record.visits:
        if visit.arrived is None and visit.travel_minutes <= 0:
            continue
        ticket = tickets.get(visit.ticket)
        if ticket is not None:
            visited.add(ticket.ref)
            _book_visit(account, visit, ticket, prices)
    for fault in record.faults:
        again = len(_finished(fault, record.visits)) - 1
        if again > 0:
            account.add("repeat_visits", prices.of(fault.kind).repeat_visit, again)
        late = fault.repaired is None or fault.repaired > fault.failure
        if late and fails_within(fault, record.start, record.end):
            prices.break_down(account, fault, days_still(fault, record.end))
    for alarm in matching.false:
        if alarm.ticket.ref not in visited:
            account.add("false_alerts", prices.of(alarm.ticket.kind).false_alert)
    return account


def repair_on_failure(control: Sequence[FaultRecord], start: int, end: int, prices: Prices) -> Account:
    """The same fleet without the product: every failure is reported, and mended at one urgent visit."""
    account = Account()
    for fault in control:
        if fails_within(fault, start, end):
            prices.repair_late(account, fault, end)
    return account


def as_row(account: Account, device_years: float) -> dict[str, object]:
    """An account for the report: total, by device-year, and its lines that are not empty."""
    return {
        "total": account.total,
        "per_device_year": account.total / device_years if device_years else None,
        "lines": {line: account.amounts[line] for line in LINES if account.counts[line]},
        "counts": {line: account.counts[line] for line in LINES if account.counts[line]},
    }


def _book_visit(account: Account, visit: VisitRecord, ticket: TicketRecord, prices: Prices) -> None:
    own = prices.of(ticket.kind)
    if visit.reactive:
        account.add("urgent_visits", own.urgent_visit)
    else:
        account.add("visits", own.visit)
    account.add("labour", prices.minutes(ticket.kind, visit.work_minutes))
    if visit.outcome in FITTED:
        account.add("parts", prices.parts(ticket.kind, visit.cause, ticket.family))
    if visit.outcome == NOTHING_FOUND:
        account.add("false_visits", own.false_visit)


def _finished(fault: FaultRecord, visits: Iterable[VisitRecord]) -> list[str]:
    done: Mapping[str, VisitRecord] = {each.id: each for each in visits if each.finished is not None}
    return [name for name in fault.visits if name in done]
