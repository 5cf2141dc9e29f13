"""Which finding becomes a ticket, how urgent it is, and when each thing is due: numbers on one page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from servicedesk.model import TicketDraft
from telemetry.catalogue import FaultSpec, KindSpec
from telemetry.finding import EpisodeState, Finding, Proof

UNKNOWN_CAUSE = "unknown"
_SMALLEST_P = 1e-12


@dataclass(frozen=True, slots=True)
class Policy:
    """The desk's numbers; money in the currency of the catalogue's price bands.

    Attributes:
        prior: probability that an episode reported for a device is a fault, before its evidence is weighed.
        callout: what sending a technician costs.
        minute: what a minute of work costs.
        failure_factor: by severity: what a failure costs as a multiple of the upper end of the repair's price band
            (food, water, days without the appliance).
        respond: by severity: time to the first human or confirmed contact.
        lead: earliest start of a visit after its notice may be read, so that owners can answer.
        lead_urgent: likewise for severity 1, for safety and when little life remains.
        horizon: how far ahead visits are planned.
        hold_before: the owner's time to answer ends so long before the window.
        hold_least: of that time, at least; and at least so long before the window when a hold would end at night.
        close_after: a verified ticket stays open so long, for objections.
        reopen_within: a recurrence within this time of closing reopens the ticket.
        proof_patience: a proof that takes so many times its nominal length is escalated.
        cycle_hours: assumed time between cycles, for faults verified by cycles.
        overdue_after: a visit without an outcome so long after its window is looked at by dispatch.
        guarantee: the work and parts of a repair are answered for so long: what is not fixed is taken up again.
        learning: until an appliance's own usual range is known to it; before, that of its kind counts alone.
        test_below: a first cause that is less probable than this has the appliance asked to test itself.
        test_between: so has a second one at least so probable, where the test reads something else under it.
    """

    prior: float = 0.05
    callout: float = 120.0
    minute: float = 2.0
    failure_factor: tuple[float, float, float, float] = (12.0, 6.0, 4.0, 2.0)
    respond: tuple[timedelta, timedelta, timedelta, timedelta] = (
        timedelta(minutes=5),
        timedelta(hours=4),
        timedelta(hours=24),
        timedelta(hours=48),
    )
    lead: timedelta = timedelta(hours=20)
    lead_urgent: timedelta = timedelta(hours=4)
    horizon: timedelta = timedelta(days=14)
    hold_before: timedelta = timedelta(hours=6)
    hold_least: timedelta = timedelta(hours=1)
    close_after: timedelta = timedelta(hours=24)
    reopen_within: timedelta = timedelta(days=30)
    proof_patience: float = 3.0
    cycle_hours: float = 48.0
    overdue_after: timedelta = timedelta(hours=3)
    guarantee: timedelta = timedelta(days=365)
    learning: timedelta = timedelta(days=14)
    test_below: float = 0.8
    test_between: float = 0.1


DEFAULT = Policy()


def decide(finding: Finding, kind: KindSpec, policy: Policy = DEFAULT) -> TicketDraft | None:
    """Weigh the expected cost of doing nothing against that of a visit.

    None for history, for revisions that end an episode or speak of a repair's proof, and when waiting is cheaper.
    A safety fault always opens.
    """
    if finding.history or finding.state is not EpisodeState.OPEN or finding.proof is not Proof.NONE:
        return None
    family = kind.family_faults(finding.family)
    if not family:
        return None
    lead = next((cause.fault for cause in finding.causes if cause.fault in family), None)
    main = family[lead] if lead is not None else max(family.values(), key=lambda fault: fault.prior)
    safety = main.safety or finding.severity == 1
    cost = fault_probability(finding.score, policy.prior) * _failure_cost(finding, family, policy)
    visit = policy.callout + policy.minute * main.minutes
    if cost <= visit and not safety:
        return None
    return TicketDraft(
        family=finding.family,
        fault=lead,
        severity=finding.severity,
        safety=safety,
        priority=priority(finding.severity, safety=safety),
        expected_cost=cost,
        visit_cost=visit,
    )


def self_test_helps(finding: Finding, kind: KindSpec, policy: Policy = DEFAULT) -> bool:
    """Whether the appliance's own test may tell the causes of a finding apart.

    Never where safety is at stake: an appliance that may do harm runs no routine.
    """
    if not kind.self_test or not finding.causes or finding.severity == 1:
        return False
    named = [cause for cause in finding.causes if cause.fault in kind.faults]
    if not named or any(kind.faults[cause.fault].safety for cause in named):
        return False
    if finding.causes[0].probability < policy.test_below:
        return True
    first, *others = named
    return any(
        cause.probability >= policy.test_between
        and kind.faults[cause.fault].self_test != kind.faults[first.fault].self_test
        for cause in others
    )


def fault_probability(score: float, prior: float) -> float:
    """P(fault) from a calibrated score, 1 - p, by the bound -e p ln p on the Bayes factor of "healthy".

    Source: Sellke, Bayarri, Berger, "Calibration of p values for testing precise null hypotheses",
    The American Statistician 55 (2001). The bound favours the fault, so `prior` is chosen low.
    """
    p = max(1.0 - score, _SMALLEST_P)
    if p >= 1 / math.e:
        return prior
    healthy = -math.e * p * math.log(p)
    odds = prior / (1 - prior) / healthy
    return odds / (1 + odds)


def priority(severity: int, *, safety: bool) -> int:
    """Order of work: lower first; safety before everything."""
    return 0 if safety else severity * 10


def respond_due(severity: int, opened: datetime, policy: Policy = DEFAULT) -> datetime:
    """When the first contact is due."""
    return opened + policy.respond[severity - 1]


def proof_time(fault: FaultSpec | None, policy: Policy = DEFAULT) -> timedelta:
    """Nominal time until telemetry has borne out a repair."""
    if fault is None:
        return timedelta(hours=72)
    if fault.verify.hours is not None:
        return timedelta(hours=fault.verify.hours)
    return timedelta(hours=(fault.verify.cycles or 1) * policy.cycle_hours)


def fault_of(kind: KindSpec, family: str, fault: str | None) -> FaultSpec | None:
    """The fault a ticket is about: the named one, else the family's most frequent, else None."""
    faults = kind.family_faults(family)
    if fault in faults:
        return faults[fault]
    return max(faults.values(), key=lambda each: each.prior, default=None)


def _failure_cost(finding: Finding, family: dict[str, FaultSpec], policy: Policy) -> float:
    """What the fault costs when nobody comes, over the causes' probabilities; an unknown one counts as an average."""
    known = {name: policy.failure_factor[fault.severity - 1] * fault.price.high for name, fault in family.items()}
    mean = sum(known.values()) / len(known)
    if not finding.causes:
        return mean
    return sum(cause.probability * known.get(cause.fault, mean) for cause in finding.causes)
