"""Two reports side by side. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stack.trial.words import Report, number

FIGURES = (
    "device_years",
    "faults",
    "caught",
    "recall",
    "found_share",
    "lead_days_p50",
    "lead_days_p10",
    "lead_days_slow_p50",
    "delay_days_p50",
    "false_tickets",
    "false_per_device_year",
    "tickets_per_episode",
    "top1",
    "top3",
    "rul_coverage90",
    "rul_width_p50",
    "before_failure",
    "avoided_visits",
    "first_time_fix",
    "repeat",
    "cost.per_device_year",
    "baselines.repair_on_failure.cost_ratio",
    "baselines.calendar.cost_ratio",
    "baselines.thresholds.cost_ratio",
    "baselines.thresholds.false_per_device_year",
)


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of both reports.

    Attributes:
        figure: its key, nested keys with dots.
        first: of the first report, as shown.
        second: of the second one.
        change: second minus first, or nothing when either is undefined.
        apart: the exact 95 % intervals of the two do not meet; None where there are none.
    """

    figure: str
    first: str
    second: str
    change: str
    apart: bool | None


def compare(first: Report, second: Report) -> list[Line]:
    """The figures of both, then recall by fault."""
    lines = [_line(name, _get(first, name), _get(second, name), _apart(first, second, name)) for name in FIGURES]
    faults = sorted({*first["by_fault"], *second["by_fault"]})
    for name in faults:
        one, other = (each["by_fault"].get(name, {}) for each in (first, second))
        lines.append(_line(f"recall of {name}", one.get("recall"), other.get("recall"), None))
    return lines


def _line(name: str, one: float | None, other: float | None, apart: bool | None) -> Line:  # noqa: FBT001  (a field)
    change = "" if one is None or other is None else f"{other - one:+.4g}"
    return Line(name, number(one, 4), number(other, 4), change, apart)


def _get(found: Report, path: str) -> float | None:
    value: object = found
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value if isinstance(value, int | float) else None


def _apart(first: Report, second: Report, name: str) -> bool | None:
    key = f"{name}_ci95"
    if first.get(key) is None or second.get(key) is None:
        return None
    (low, high), (other_low, other_high) = first[key], second[key]
    return bool(high < other_low or other_high < low)
