"""The report of a trial: one mapping of plain values, rounded, in sorted keys; the same seed gives the same bytes.

Pure. Nothing in it depends on when, where or on how many processes the trial ran.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from firmware_sim.costs import Costs
from stack.trial.baselines import best_calendar, calendar, control_of, periodic, random_tickets
from stack.trial.cost import Account, Prices, as_row, fails_within, product_account, repair_on_failure
from stack.trial.matching import DAY, Matching, match
from stack.trial.record import TrialRecord
from stack.trial.score import Score, leads, score
from stack.trial.statistics import quantile, share
from stack.trial.tables import around, by_confounder, by_fault, by_kind
from stack.trial.thresholds import at_recall, setting_row, sweep, threshold_account
from telemetry.catalogue import Catalogue

VERSION = 1
_DIGITS = 4
_REACHED = 0.02


def report(record: TrialRecord, costs: Costs, catalogue: Catalogue) -> dict[str, Any]:
    """Everything that `report.json` holds.

    Args:
        record: of the trial.
        costs: of its scenario.
        catalogue: of its scenario: titles, minutes and price bands.
    """
    matching = match(record)
    found = score(record, matching, catalogue)
    prices = Prices(costs, catalogue)
    product = product_account(record, matching, prices)
    undefined = dict(found.undefined)
    baselines = _baselines(record, found, prices, product, undefined)
    value = {
        "version": VERSION,
        "scenario": record.scenario,
        "seed": record.seed,
        "days": record.days,
        "devices": len(record.devices),
        "device_days": record.device_days,
        **{name: getattr(found, name) for name in Score.__slots__ if name != "undefined"},
        "owner_tickets": sum(each.source != "telemetry" for each in record.tickets),
        "visits": sum(each.finished is not None for each in record.visits),
        "messages": record.messages,
        "readings": record.readings,
        "duplicates": record.duplicates,
        "lost": record.lost,
        "dead_letters": dict(record.dead_letters),
        "detector_errors": record.detector_errors,
        "currency": costs.currency,
        "cost": as_row(product, found.device_years),
        "baselines": baselines,
        "controls": _controls(record, matching),
        "by_fault": by_fault(record, matching),
        "service_levels": {
            name: {"kept": kept, "broken": broken, "share_kept": share(kept, kept + broken)}
            for name, (kept, broken) in sorted(record.promises.items())
        },
        "by_kind": by_kind(record, matching),
        "by_confounder": by_confounder(record, matching),
        "false": _false(record, matching),
        "undefined": undefined,
    }
    rounded: dict[str, Any] = round_all(value)
    return rounded


def encode(value: Mapping[str, Any]) -> str:
    """As JSON: sorted keys, two spaces, a line end."""
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def round_all(value: Any) -> Any:  # noqa: ANN401  (plain values of any shape, as json takes them)
    """Floats to four digits behind the point, minus zero to zero; tuples become lists."""
    if isinstance(value, float):
        return round(value, _DIGITS) + 0.0
    if isinstance(value, Mapping):
        return {str(name): round_all(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [round_all(part) for part in value]
    return value


def _baselines(
    record: TrialRecord, found: Score, prices: Prices, product: Account, undefined: dict[str, str]
) -> dict[str, Any]:
    years = found.device_years
    failure = repair_on_failure(control_of(record), record.start, record.end, prices)
    rounds = calendar(record, prices)
    best_days, best = best_calendar(record, prices)
    rows: dict[str, Any] = {
        "repair_on_failure": {
            **as_row(failure, years),
            "failures": sum(fails_within(each, record.start, record.end) for each in control_of(record)),
        },
        "calendar": {
            **as_row(rounds.account, years),
            "recall": rounds.caught / rounds.faults if rounds.faults else None,
            "best_interval_days": best_days,
            "best_total": best.account.total,
            "best_recall": best.caught / best.faults if best.faults else None,
        },
        "thresholds": _thresholds(record, found, prices, undefined),
    }
    for name, row in rows.items():
        total = row.get("total") if isinstance(row, dict) else None
        ratio = product.total / total if total else None
        if row is not None:
            row["cost_ratio"] = ratio
            if ratio is None:
                undefined[f"baselines.{name}.cost_ratio"] = "this baseline cost nothing"
    return rows


def _thresholds(record: TrialRecord, found: Score, prices: Prices, undefined: dict[str, str]) -> dict[str, Any] | None:
    """The setting at the product's recall, and the whole sweep so that it can be drawn."""
    if found.recall is None:
        undefined["baselines.thresholds"] = found.undefined["recall"]
        return None
    tried = sweep(record)
    chosen = at_recall(tried, found.recall)
    if chosen is None:
        undefined["baselines.thresholds"] = "no daily peaks, or no failure in the control fleet"
        return None
    most = max(each.recall for each in tried)
    return {
        **as_row(threshold_account(record, chosen, prices), found.device_years),
        **setting_row(record, chosen),
        "reached": abs(chosen.recall - found.recall) <= _REACHED,
        "most_recall": most,
        "false_ratio": chosen.false_tickets / found.false_tickets if found.false_tickets else None,
        "sweep": [
            {"z": each.z, "recall": each.recall, "false_tickets": each.false_tickets}
            for each in tried
            if each.persistence == chosen.persistence
        ],
    }


def _controls(record: TrialRecord, matching: Matching) -> dict[str, Any]:
    """What looking at nothing gives, beside the result."""
    ahead = leads(matching.caught)
    always, chance = periodic(record), random_tickets(record, matching.alarms)
    low, high = quantile(ahead, 0.05), quantile(ahead, 0.95)
    shares: dict[str, dict[str, int]] = {}
    for each in matching.outcomes:
        group = shares.setdefault(f"{each.fault.kind}.{each.fault.family}", {})
        group[each.fault.fault] = group.get(each.fault.fault, 0) + 1
    total = sum(sum(group.values()) for group in shares.values())
    return {
        "periodic_30_days": {name: getattr(always, name) for name in type(always).__slots__},
        "random_same_rate": {name: getattr(chance, name) for name in type(chance).__slots__},
        "top1_most_frequent": sum(max(group.values()) for group in shares.values()) / total if total else None,
        "rul_width_one_for_all": None if low is None or high is None else high - low,
    }


def _false(record: TrialRecord, matching: Matching) -> list[dict[str, Any]]:
    """Every false ticket with what it rested on and what innocent thing was going on."""
    visits = {each.id: each for each in record.visits}
    rows = []
    for alarm in matching.false:
        ticket = alarm.ticket
        rows.append(
            {
                "ref": ticket.ref,
                "device": ticket.device,
                "kind": ticket.kind,
                "model": ticket.model,
                "family": ticket.family,
                "severity": ticket.severity,
                "safety": ticket.safety,
                "day": (alarm.at - record.start) / DAY,
                "reopening": alarm.reopening,
                "causes": [[cause.fault, cause.probability] for cause in ticket.causes[:3]],
                "evidence": [
                    {"feature": feature, "value": value, "usual": usual}
                    for feature, value, usual in (ticket.causes[0].reasons if ticket.causes else ())
                ],
                "rejected": list(ticket.rejected),
                "score": ticket.score,
                "detector": ticket.detector,
                "confounders": around(record, alarm),
                "other_fault": sorted(
                    each.fault.fault
                    for each in matching.outcomes
                    if each.fault.device == ticket.device
                    and each.fault.onset <= alarm.at
                    and (each.fault.repaired is None or alarm.at <= each.fault.repaired)
                ),
                "visited": any(visits[name].finished is not None for name in ticket.visits if name in visits),
                "state": ticket.state,
            }
        )
    return rows
