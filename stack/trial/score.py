"""The figures of a trial: how many faults were caught, how early, at how many false tickets, and how well explained.

Pure. Each figure's formula and exclusions stand in docs/trial.md; a figure that nothing defines is None, with a
reason in `undefined`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from servicedesk.rates import poisson_interval
from stack.trial.matching import DAY, Matching, Outcome, Verdict
from stack.trial.record import TicketRecord, TrialRecord, VisitRecord
from stack.trial.statistics import binomial_interval, quantile, share
from telemetry.catalogue import Catalogue

YEAR_DAYS = 365.25
REPEAT_DAYS = 30
SLOW_DAYS = 7
"""A fault is slow when its course is, and its shortest lead time in the catalogue is a week at least."""
TOP = 3
_NO_FAULT = "no fault had its failure within the trial"
_NONE_CAUGHT = "no fault was caught"
_NO_YEARS = "the trial has no device-days"


@dataclass(frozen=True, slots=True)
class Score:
    """Shares are 0 to 1, times days. None: undefined, and `undefined` says why.

    Attributes:
        device_years: 365.25 device-days each.
        faults: judged ones: their failure lies within the trial.
        caught: of these, with a ticket of telemetry after the onset and before the failure.
        late: with one after the failure only.
        missed: without.
        excluded: faults that are not judged, by reason.
        recall: caught / faults.
        recall_ci95: exact interval of it.
        found: judged faults that telemetry named before their owners did: the caught, and the late ones among them.
        found_share: found / faults.
        found_share_ci95: exact interval of it.
        lead_days_p50: from the first ticket to the failure, median of the caught.
        lead_days_p10: likewise, the tenth percentile.
        lead_days_slow_p50: likewise, median of the caught whose course the catalogue calls slow, a week or more from
            onset to failure. A fast fault has no ten days of warning in it.
        slow_caught: how many these are.
        delay_days_p50: from onset to first ticket, of the caught whose onset lies in the trial.
        true_tickets: alarms with a fault behind them.
        false_tickets: alarms without one.
        false_reopenings: of these, reopenings of a ticket.
        false_with_other_fault: of these, on a device that had a fault of another family at the time.
        false_per_device_year: false_tickets / device_years.
        false_per_device_year_ci95: exact interval of it.
        tickets_per_episode: true alarms per fault that has any.
        top1: share of the tickets that name a fault, whose first cause is the right one; with the answer of the
            appliance's own test in mind where the desk asked for it.
        top1_readings: likewise, of what the readings alone said when the ticket opened.
        top3: likewise, among their first three.
        named: how many tickets these two rest on.
        abstained: share of them whose first cause is `unknown`.
        rul_coverage90: share of the intervals of remaining life that hold the failure.
        rul_width_p50: median length of these intervals.
        rul_intervals: how many there are.
        before_failure: share of the caught faults that a visit, or the owner, mended before the failure.
        avoided_visits: faults that the owner mended with the guide; nobody had to come.
        first_time_fix: share of the faults that were visited, whose first visit mended them.
        repeat: share of the visits after which somebody had to come again for the same family within 30 days.
        reported_first: judged faults that an owner reported before telemetry did.
        findings: episodes that detectors opened.
        findings_without_ticket: of these, kept from the desk or weighed too light by it.
        undefined: figure to reason.
    """

    device_years: float
    faults: int
    caught: int
    late: int
    missed: int
    excluded: dict[str, int]
    recall: float | None
    recall_ci95: tuple[float, float] | None
    found: int
    found_share: float | None
    found_share_ci95: tuple[float, float] | None
    lead_days_p50: float | None
    lead_days_p10: float | None
    lead_days_slow_p50: float | None
    slow_caught: int
    delay_days_p50: float | None
    true_tickets: int
    false_tickets: int
    false_reopenings: int
    false_with_other_fault: int
    false_per_device_year: float | None
    false_per_device_year_ci95: tuple[float, float] | None
    tickets_per_episode: float | None
    top1: float | None
    top1_readings: float | None
    top3: float | None
    named: int
    abstained: float | None
    rul_coverage90: float | None
    rul_width_p50: float | None
    rul_intervals: int
    before_failure: float | None
    avoided_visits: int
    first_time_fix: float | None
    repeat: float | None
    reported_first: int
    findings: int
    findings_without_ticket: int
    undefined: dict[str, str] = field(default_factory=dict)


def score(record: TrialRecord, matching: Matching, catalogue: Catalogue) -> Score:
    """All figures of a trial.

    Args:
        record: of the trial.
        matching: its faults and tickets.
        catalogue: of its scenario, which says what course a fault takes.
    """
    judged, caught = matching.judged, matching.caught
    years = record.device_days / YEAR_DAYS
    slow = [each for each in caught if is_slow(catalogue, each)]
    alarmed = [each for each in matching.outcomes if each.alarms]
    naming = first_tickets(matching.outcomes)
    intervals = life_intervals(caught)
    visited = _first_visits(record, matching.outcomes)
    watched = _repeats(record)
    ends = poisson_interval(len(matching.false))
    found = Score(
        device_years=years,
        faults=len(judged),
        caught=len(caught),
        late=_count(matching, Verdict.LATE),
        missed=_count(matching, Verdict.MISSED),
        excluded={
            "failure_after_end": _count(matching, Verdict.OPEN),
            "failure_before_start": _count(matching, Verdict.BEFORE),
            "mended_unnamed": _count(matching, Verdict.MENDED),
        },
        recall=share(len(caught), len(judged)),
        recall_ci95=binomial_interval(len(caught), len(judged)),
        found=len(matching.found),
        found_share=share(len(matching.found), len(judged)),
        found_share_ci95=binomial_interval(len(matching.found), len(judged)),
        lead_days_p50=quantile(leads(caught), 0.5),
        lead_days_p10=quantile(leads(caught), 0.1),
        lead_days_slow_p50=quantile(leads(slow), 0.5),
        slow_caught=len(slow),
        delay_days_p50=quantile(delays(record, caught), 0.5),
        true_tickets=sum(len(each.alarms) for each in alarmed),
        false_tickets=len(matching.false),
        false_reopenings=sum(each.reopening for each in matching.false),
        false_with_other_fault=_with_other_fault(matching),
        false_per_device_year=len(matching.false) / years if years else None,
        false_per_device_year_ci95=(ends[0] / years, ends[1] / years) if years else None,
        tickets_per_episode=share(sum(len(each.alarms) for each in alarmed), len(alarmed)),
        top1=share(sum(names(ticket, fault, 1) for ticket, fault in naming), len(naming)),
        top1_readings=share(sum(ticket.causes[0].fault == fault for ticket, fault in naming), len(naming)),
        top3=share(sum(names(ticket, fault, TOP) for ticket, fault in naming), len(naming)),
        named=len(naming),
        abstained=share(
            sum((ticket.answered or ticket.causes)[0].fault == "unknown" for ticket, _ in naming), len(naming)
        ),
        rul_coverage90=share(sum(low <= failure <= high for low, high, failure in intervals), len(intervals)),
        rul_width_p50=quantile([(high - low) / DAY for low, high, _ in intervals], 0.5),
        rul_intervals=len(intervals),
        before_failure=share(sum(mended_in_time(each) for each in caught), len(caught)),
        avoided_visits=sum(each.fault.by == "self_fix" for each in matching.outcomes),
        first_time_fix=share(sum(each.outcome == "repaired" for each in visited), len(visited)),
        repeat=share(sum(watched), len(watched)),
        reported_first=sum(each.owner_first for each in judged),
        findings=len(record.episodes),
        findings_without_ticket=sum(each.ticket is None for each in record.episodes),
    )
    found.undefined.update(_undefined(found))
    return found


def is_slow(catalogue: Catalogue, outcome: Outcome) -> bool:
    """Whether the catalogue says of a fault that it grows steadily, over a week or more from onset to failure."""
    spec = catalogue[outcome.fault.kind].faults.get(outcome.fault.fault)
    return spec is not None and spec.course.pattern == "slow" and spec.lead_days[0] >= SLOW_DAYS


def leads(caught: Sequence[Outcome]) -> list[float]:
    """Days from first ticket to failure."""
    return [lead for each in caught if (lead := each.lead_days) is not None]


def delays(record: TrialRecord, caught: Sequence[Outcome]) -> list[float]:
    """Days from onset to first ticket, of caught faults that began within the trial."""
    return [(each.alarms[0].at - each.fault.onset) / DAY for each in caught if each.fault.onset >= record.start]


def first_tickets(outcomes: Sequence[Outcome]) -> list[tuple[TicketRecord, str]]:
    """The first ticket that opened for each fault, and the fault's id; tickets that named no cause are left out."""
    found = []
    for each in outcomes:
        ticket = next((alarm.ticket for alarm in each.alarms if not alarm.reopening), None)
        if ticket is not None and ticket.causes:
            found.append((ticket, each.fault.fault))
    return found


def names(ticket: TicketRecord, fault: str, first: int) -> bool:
    """Whether a fault is among the first causes of a ticket; `unknown` takes a place like any other."""
    return fault in [cause.fault for cause in (ticket.answered or ticket.causes)[:first]]


def life_intervals(caught: Sequence[Outcome]) -> list[tuple[int, int, int]]:
    """Of each caught fault: both ends of the remaining life its first ticket gave, and the true failure."""
    found = []
    for each in caught:
        first = each.alarms[0]
        low, high = first.ticket.life_low, first.ticket.life_high
        if not first.reopening and low is not None and high is not None:
            found.append((low, high, each.fault.failure))
    return found


def mended_in_time(outcome: Outcome) -> bool:
    """Whether a fault was mended before its failure."""
    return outcome.fault.repaired is not None and outcome.fault.repaired <= outcome.fault.failure


def _count(matching: Matching, verdict: Verdict) -> int:
    return sum(each.verdict is verdict for each in matching.outcomes)


def _with_other_fault(matching: Matching) -> int:
    return sum(
        any(
            each.fault.device == alarm.ticket.device
            and each.fault.onset <= alarm.at
            and (each.fault.repaired is None or alarm.at <= each.fault.repaired)
            for each in matching.outcomes
        )
        for alarm in matching.false
    )


def _first_visits(record: TrialRecord, outcomes: Sequence[Outcome]) -> list[VisitRecord]:
    """The first finished visit of each fault that has one."""
    visits = {each.id: each for each in record.visits if each.finished is not None}
    found = []
    for each in outcomes:
        mine = [visits[name] for name in each.fault.visits if name in visits]
        if mine:
            found.append(min(mine, key=lambda visit: (visit.finished or 0, visit.id)))
    return found


def _repeats(record: TrialRecord) -> list[bool]:
    """Of each visit that was finished 30 days before the end or earlier: whether another one followed within them."""
    family = {ticket.ref: ticket.family for ticket in record.tickets}
    ends: dict[tuple[str, str], list[int]] = {}
    for visit in record.visits:
        if visit.finished is not None:
            ends.setdefault((visit.device, family.get(visit.ticket, visit.ticket)), []).append(visit.finished)
    window = REPEAT_DAYS * DAY
    return [
        any(at < other <= at + window for other in mine)
        for _, mine in sorted(ends.items())
        for at in sorted(mine)
        if at <= record.end - window
    ]


def _undefined(found: Score) -> dict[str, str]:
    """Why figures are None."""
    no_lead = _NONE_CAUGHT if found.faults else _NO_FAULT
    reasons = {
        "recall": _NO_FAULT,
        "recall_ci95": _NO_FAULT,
        "found_share": _NO_FAULT,
        "found_share_ci95": _NO_FAULT,
        "lead_days_p50": no_lead,
        "lead_days_p10": no_lead,
        "lead_days_slow_p50": "no fault of a slow course was caught",
        "delay_days_p50": "no caught fault began within the trial",
        "false_per_device_year": _NO_YEARS,
        "false_per_device_year_ci95": _NO_YEARS,
        "tickets_per_episode": "no ticket belongs to a fault",
        "top1": "no true ticket names a cause",
        "top1_readings": "no true ticket names a cause",
        "top3": "no true ticket names a cause",
        "abstained": "no true ticket names a cause",
        "rul_coverage90": "no caught fault's ticket gave a remaining life",
        "rul_width_p50": "no caught fault's ticket gave a remaining life",
        "before_failure": no_lead,
        "first_time_fix": "no fault was visited",
        "repeat": f"no visit was finished {REPEAT_DAYS} days before the trial's end",
    }
    return {name: reason for name, reason in reasons.items() if getattr(found, name) is None}
