"""The trial's figures by fault, by kind and by confounder. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from servicedesk.rates import poisson_interval
from stack.trial.matching import DAY, Alarm, Matching, Outcome, Verdict
from stack.trial.record import ConfounderRecord, TrialRecord
from stack.trial.score import YEAR_DAYS, delays, first_tickets, leads, mended_in_time, names
from stack.trial.statistics import quantile, share

AFTER_DAYS = 3
"""A detector may hold what a confounder did for some cycles: false tickets count as its own so long after its end."""

Row = dict[str, Any]
Span = tuple[int, int]


def by_fault(record: TrialRecord, matching: Matching) -> dict[str, Row]:
    """One row a fault, by `kind.fault`."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for each in matching.outcomes:
        groups[f"{each.fault.kind}.{each.fault.fault}"].append(each)
    return {name: _fault_row(record, groups[name]) for name in sorted(groups)}


def _fault_row(record: TrialRecord, outcomes: Sequence[Outcome]) -> Row:
    judged = [each for each in outcomes if each.judged]
    caught = [each for each in outcomes if each.verdict is Verdict.CAUGHT]
    naming = first_tickets(outcomes)
    return {
        "family": outcomes[0].fault.family,
        "severity": outcomes[0].fault.severity,
        "began": len(outcomes),
        "n": len(judged),
        "caught": len(caught),
        "found": sum(each.found for each in judged),
        "late": sum(each.verdict is Verdict.LATE for each in judged),
        "missed": sum(each.verdict is Verdict.MISSED for each in judged),
        "missed_with_finding": sum(each.verdict is Verdict.MISSED and each.finding for each in judged),
        "recall": share(len(caught), len(judged)),
        "found_share": share(sum(each.found for each in judged), len(judged)),
        "delay_days_p50": quantile(delays(record, caught), 0.5),
        "lead_days_p50": quantile(leads(caught), 0.5),
        "before_failure": share(sum(mended_in_time(each) for each in caught), len(caught)),
        "named": len(naming),
        "top1": share(sum(names(ticket, fault, 1) for ticket, fault in naming), len(naming)),
    }


def by_kind(record: TrialRecord, matching: Matching) -> dict[str, Row]:
    """One row a kind of appliance; every device lived through the whole trial."""
    kinds = sorted({each.kind for each in record.devices})
    each_days = record.device_days / len(record.devices) if record.devices else 0.0
    rows: dict[str, Row] = {}
    for kind in kinds:
        count = sum(each.kind == kind for each in record.devices)
        years = count * each_days / YEAR_DAYS
        judged = [each for each in matching.judged if each.fault.kind == kind]
        caught = [each for each in judged if each.verdict is Verdict.CAUGHT]
        naming = first_tickets([each for each in matching.outcomes if each.fault.kind == kind])
        false = sum(alarm.ticket.kind == kind for alarm in matching.false)
        rows[kind] = {
            "devices": count,
            "device_years": years,
            "n": len(judged),
            "caught": len(caught),
            "recall": share(len(caught), len(judged)),
            "found": sum(each.found for each in judged),
            "found_share": share(sum(each.found for each in judged), len(judged)),
            "lead_days_p50": quantile(leads(caught), 0.5),
            "top1": share(sum(names(ticket, fault, 1) for ticket, fault in naming), len(naming)),
            **_false_rate(false, years),
        }
    return rows


def by_confounder(record: TrialRecord, matching: Matching) -> dict[str, Row]:
    """False tickets while something innocent happened to the device, and up to three days after; `none`: the rest.

    A ticket under two confounders counts with both; days under two count with both.
    """
    spans: dict[str, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    everything: dict[str, list[Span]] = defaultdict(list)
    for each in record.confounders:
        span = _span(each, record)
        if span[0] < span[1]:
            spans[each.confounder][each.device].append(span)
            everything[each.device].append(span)
    rows: dict[str, Row] = {}
    for name in sorted(spans):
        days = _days(spans[name].values())
        false = sum(any(a <= alarm.at < b for a, b in spans[name][alarm.ticket.device]) for alarm in matching.false)
        rows[name] = {"devices": len(spans[name]), "device_days": days, **_false_rate(false, days / YEAR_DAYS)}
    rest = sum(not any(a <= alarm.at < b for a, b in everything[alarm.ticket.device]) for alarm in matching.false)
    days = max(record.device_days - _days(everything.values()), 0.0)
    rows["none"] = {"devices": len(record.devices), "device_days": days, **_false_rate(rest, days / YEAR_DAYS)}
    return rows


def around(record: TrialRecord, alarm: Alarm) -> list[str]:
    """The confounders that held on a device when an alarm was raised, or shortly before."""
    return sorted(
        {
            each.confounder
            for each in record.confounders
            if each.device == alarm.ticket.device and each.begin <= alarm.at < each.end + AFTER_DAYS * DAY
        }
    )


def _false_rate(count: int, years: float) -> Row:
    low, high = poisson_interval(count)
    return {
        "false_tickets": count,
        "false_per_device_year": count / years if years else None,
        "false_per_device_year_ci95": [low / years, high / years] if years else None,
    }


def _span(each: ConfounderRecord, record: TrialRecord) -> Span:
    return max(each.begin, record.start), min(each.end + AFTER_DAYS * DAY, record.end)


def _days(devices: Iterable[Sequence[Span]]) -> float:
    """Device-days that spans cover, overlaps once."""
    covered = 0
    for spans in devices:
        reached: int | None = None
        for begin, end in sorted(spans):
            begin_here = begin if reached is None else max(begin, reached)
            covered += max(end - begin_here, 0)
            reached = end if reached is None else max(reached, end)
    return covered / DAY
