"""False alarms on real appliances without a known fault, and how soon a dated change is found.

`tracebase`: plug power of household appliances (see `firmware_sim.recordings`). No fault is known: each finding counts
as false. The upper bound of their rate is exact (Poisson; F. Garwood, Biometrika 28, 1936). Then the same recordings
are changed from a date on: runs last longer, or power is higher, and each change should give one finding within days.
Two detectors are asked: the live one of a plug, and the alarm of the profile `cycles`, not told what is healthy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_sim.recordings import GRID, Change, Recording, changed_power, find_recordings
from stack.scoring.common import Figure, Floats, Result, find_data
from stack.scoring.live import VARIATIONS, episodes, findings_of, judged_from, power_of
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import MICROS

SET = "tracebase"
WITHIN = 5.0
"""Days in which a change should be found."""
SIZES = (0.05, 0.10, 0.15, 0.20)
_DAY = 86_400 * MICROS
_BEFORE = 4.5  # days of a recording before its first change: what is learned from, and a day to be wrong in
_AFTER = 5.0  # days that a change must leave
_MOST_DATES = 7
_BLOCK = 360  # rows between two looks at whether a profile judges: an hour
_SIGMAS = 4.0

Detector = Callable[[Recording, "Change | None"], list[int]]
"""Times, microseconds, at which a recording's findings opened."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one detector made of one changed recording.

    Attributes:
        days: from the change to the first finding; NaN without one.
        findings: opened after the change.
        early: opened before it.
    """

    days: float
    findings: int
    early: int


def upper_bound(events: int, exposure: float, confidence: float = 0.95) -> float:
    """Exact one-sided upper bound of a Poisson rate: the greatest at which so few events are still 5 % likely.

    Args:
        events: counted.
        exposure: in what the rate is per.
        confidence: of the bound.

    Returns:
        The rate; infinite without exposure.
    """
    if exposure <= 0:
        return math.inf
    low, high = 0.0, 10.0 + 4.0 * (events + 1)
    for _ in range(100):
        mean = (low + high) / 2
        term = total = math.exp(-mean)
        for k in range(1, events + 1):
            term *= mean / k
            total += term
        low, high = (mean, high) if total > 1 - confidence else (low, mean)
    return high / exposure


def live(catalogue: Catalogue, variation: str = "as_recorded") -> Detector:
    """The live detector of a plug: what would become a ticket."""

    def detect(recording: Recording, change: Change | None) -> list[int]:
        return [one.opened for one in episodes(findings_of(recording, catalogue, VARIATIONS[variation], change))]

    return detect


def by_profile(recording: Recording, change: Change | None) -> list[int]:
    """The profile `cycles`, not told what is healthy: rows at which its alarm rises."""
    from detectors.profiles.registry import PROFILES  # noqa: PLC0415  (numba, only when it is run)

    t, power = _series(recording, change)
    scores = PROFILES["cycles"](1, None).observe(t / MICROS, power[:, None])
    return [int(t[row]) for row in _rises(scores.alarm)]


def z_score(recording: Recording, change: Change | None) -> list[int]:
    """What per-sample detection would say: an exponentially weighted z-score above 4, each rise counted."""
    t, power = _series(recording, change)
    gain, mean, variance = 0.01, 0.0, 1.0
    over = np.zeros(len(power), np.bool_)
    for row, x in enumerate(np.nan_to_num(power).tolist()):
        off = x - mean
        over[row] = abs(off) > _SIGMAS * math.sqrt(variance)
        mean += gain * off
        variance = (1 - gain) * (variance + gain * off * off)
    return [int(t[row]) for row in _rises(over)]


def _series(recording: Recording, change: Change | None) -> tuple[NDArray[np.int64], Floats]:
    first, power = power_of(recording)
    if change is not None:
        power = changed_power(first, power, change)
    known = np.isfinite(power)
    return (first + np.flatnonzero(known)) * GRID, power[known]


def _rises(on: NDArray[np.bool_]) -> list[int]:
    rises: list[int] = np.flatnonzero(on & ~np.concatenate(([False], on[:-1]))).tolist()
    return rises


def exposure(recording: Recording, since: int | None = 0) -> float:
    """Days that were recorded from a time on, microseconds; none from None on."""
    if since is None:
        return 0.0
    first, power = power_of(recording)
    return int(np.isfinite(power[max(since // GRID - first, 0) :]).sum()) * GRID / _DAY


def profile_judges_from(recording: Recording) -> int | None:
    """Event time, microseconds, from which the profile can raise an alarm; None when it never can."""
    from detectors.profiles.cycles import Cycles  # noqa: PLC0415  (numba, only when it is run)

    t, power = _series(recording, None)
    profile = Cycles(1, None)
    for low in range(0, len(t), _BLOCK):
        rows = slice(low, low + _BLOCK)
        profile.observe(t[rows] / MICROS, power[rows, None])
        if profile.judges:
            return int(t[rows][-1])
    return None


def dates(recording: Recording) -> list[datetime]:
    """Midnights (UTC) at which a change may begin, at most seven, evenly spread."""
    first, power = power_of(recording)
    begin, end = first * GRID, (first + len(power)) * GRID
    midnight = -(-(begin + round(_BEFORE * _DAY)) // _DAY) * _DAY
    all_days = range(midnight, end - round(_AFTER * _DAY) + 1, _DAY)
    count = min(len(all_days), _MOST_DATES)
    chosen = [all_days[round(place)] for place in np.linspace(0, len(all_days) - 1, count)] if count else []
    return [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at) for at in chosen]


def changes() -> Iterator[tuple[str, float, float]]:
    """Name, factor of power, factor of run time."""
    for size in SIZES:
        yield f"run time +{size:.0%}", 1.0, 1.0 + size
    for size in SIZES:
        yield f"power +{size:.0%}", 1.0 + size, 1.0
    yield "run time +20% and power +15%", 1.15, 1.2


def outcome(detector: Detector, recording: Recording, at: datetime, power: float, stretch: float) -> Found:
    """Change a recording from a date on, and ask a detector."""
    when = round(at.timestamp()) * MICROS
    opened = detector(recording, Change(when, {"power": power}, stretch))
    after = [one for one in opened if one >= when]
    days = (after[0] - when) / _DAY if after else math.nan
    return Found(days, len(after), len(opened) - len(after))


def false_alarms(data: Path | None, say: Callable[[str], None] = lambda _line: None) -> Result:
    """False findings and the delay of dated changes; see the module.

    Args:
        data: folder of the sets, or the set's own; None looks where `find_data` does.
        say: takes a line of progress.
    """
    recordings = find_recordings(find_data(data, SET).parent, SET)
    catalogue = load_catalogue()
    detectors: dict[str, Detector] = {"live": live(catalogue), "profile cycles": by_profile}
    since: dict[str, Callable[[Recording], int | None]] = {
        "live": lambda recording: judged_from(recording, catalogue),
        "profile cycles": profile_judges_from,
    }
    figures: dict[str, Figure] = {}
    units: list[dict[str, Any]] = []
    days = {recording.device: exposure(recording) for recording in recordings}
    for name, detector in detectors.items():
        counted, judged = 0, 0.0
        for recording in recordings:
            say(f"{name}: {recording.device}")
            events = len(detector(recording, None))
            length = exposure(recording, since[name](recording))
            counted, judged = counted + events, judged + length
            units.append(_rate(name, recording.device, events, days[recording.device], length))
        total = sum(days.values())
        figures[f"{name}: false findings a device-day"] = Figure(counted / total, 0.0, upper_bound(counted, total))
        figures[f"{name}: the same a judged device-day"] = Figure(
            counted / judged if judged else math.nan, 0.0, upper_bound(counted, judged)
        )
        figures[f"{name}: judged device-days"] = Figure(judged)
    figures["recorded device-days"] = Figure(sum(days.values()))
    missed: list[str] = []
    for recording in recordings:
        starts = dates(recording)
        for change, power, stretch in changes() if starts else ():
            for name, detector in detectors.items():
                say(f"{name}: {recording.device}, {change}")
                results = [outcome(detector, recording, at, power, stretch) for at in starts]
                row = _curve(name, recording.device, change, results)
                units.append(row)
                if row["within_5_days"] < len(results):
                    missed.append(
                        f"{name}, {recording.device}, {change}: "
                        f"{row['within_5_days']} of {len(results)} found within {WITHIN:.0f} days"
                    )
        if not starts:
            missed.append(f"{recording.device}: {days[recording.device]:.1f} days are too few to be changed")
    return Result(
        benchmark="false-alarms",
        protocol=(
            "tracebase, no known fault: findings and alarms a device-day, recorded and judged (a reference stands), "
            "with the exact 95 % upper bound; "
            f"then changes from up to {_MOST_DATES} midnights that leave {_BEFORE} days before and {_AFTER:.0f} after"
        ),
        developed_on="the same refrigerator, washing machine and dryer (see docs/results/false-alarms.md)",
        scored_on=", ".join(f"{device} ({length:.1f} days)" for device, length in days.items()),
        threshold="fixed: the catalogue's tuning of smart_plug; the profile's own",
        figures=figures,
        controls=_controls(recordings, days),
        units=units,
        not_detected=missed,
    )


def _rate(name: str, device: str, events: int, length: float, judged: float) -> dict[str, Any]:
    return {
        "detector": name,
        "device": device,
        "change": "none",
        "found": events,
        "of": round(length, 2),
        "judged_days": round(judged, 2),
        "upper_bound_a_day": round(upper_bound(events, length), 3),
    }


def _curve(name: str, device: str, change: str, results: Sequence[Found]) -> dict[str, Any]:
    delays = sorted(one.days for one in results if math.isfinite(one.days))
    return {
        "detector": name,
        "device": device,
        "change": change,
        "found": len(delays),
        "of": len(results),
        "within_5_days": sum(delay <= WITHIN for delay in delays),
        "once": sum(one.findings == 1 for one in results),
        "before_it": sum(one.early for one in results),
        "median_days": round(delays[len(delays) // 2], 2) if delays else None,
        "most_days": round(delays[-1], 2) if delays else None,
    }


def _controls(recordings: Sequence[Recording], days: dict[str, float]) -> dict[str, dict[str, Figure]]:
    """What detection without cycles costs: findings a device-day."""
    table: dict[str, dict[str, Figure]] = {"a z-score above 4 a sample": {}, "once a day": {}}
    for recording in recordings:
        rate = len(z_score(recording, None)) / days[recording.device]
        table["a z-score above 4 a sample"][recording.device] = Figure(rate)
        table["once a day"][recording.device] = Figure(1.0)
    return table
