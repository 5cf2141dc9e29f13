"""The baseline most fleets have: an alarm when any channel leaves its usual range by so many standard deviations.

One number for the whole fleet, chosen with the truth in hand so that it catches as many faults as the product did;
its false tickets and its cost are what that takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from servicedesk.rates import poisson_interval
from stack.trial.baselines import control_of
from stack.trial.cost import Account, Prices, fails_within
from stack.trial.matching import DAY
from stack.trial.record import DailyPeaks, FaultRecord, TrialRecord
from stack.trial.score import YEAR_DAYS
from stack.trial.statistics import quantile

PERSISTENCE = (1, 2, 3)
"""Days in a row on which one channel must be outside; the best one for the baseline is reported."""
QUIET_DAYS = 30
"""After a false ticket the device has no further one for so long."""
SWEEP = tuple(float(z) for z in np.geomspace(2.0, 6e4, 72))

Floats = NDArray[np.float32]
Days = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Setting:
    """A threshold and what it does.

    Attributes:
        z: standard deviations.
        persistence: days.
        caught: places, in the control truth, of faults with a ticket before their failure, to its time.
        false: tickets without a fault behind them, by device.
        recall: caught / judged.
    """

    z: float
    persistence: int
    caught: dict[int, int]
    false: dict[str, int]
    recall: float

    @property
    def false_tickets(self) -> int:
        """How many."""
        return sum(self.false.values())


@dataclass(frozen=True, slots=True)
class _Device:
    """A device's days: the largest |z| that held for the persistence, and its faults with their places."""

    name: str
    levels: dict[int, Floats]
    faults: tuple[tuple[int, FaultRecord], ...]


def sweep(record: TrialRecord) -> list[Setting]:
    """Every setting that was tried, by persistence and rising threshold; empty without peaks or judged faults."""
    faults = control_of(record)
    judged = sum(fails_within(each, record.start, record.end) for each in faults)
    if not judged or not record.peaks:
        return []
    by_device: dict[str, list[tuple[int, FaultRecord]]] = defaultdict(list)
    for place, fault in enumerate(faults):
        by_device[fault.device].append((place, fault))
    devices = [
        _Device(name, levels, tuple(sorted(by_device[name], key=lambda each: each[1].onset)))
        for peaks in record.peaks
        for name, levels in _levels(peaks)
    ]
    return [_try(record, devices, judged, z, persistence) for persistence in PERSISTENCE for z in SWEEP]


def at_recall(settings: Sequence[Setting], recall: float) -> Setting | None:
    """The setting whose recall is nearest to the product's; of equals the one with the fewest false tickets."""
    return min(
        settings,
        key=lambda each: (round(abs(each.recall - recall), 9), each.false_tickets, each.persistence, each.z),
        default=None,
    )


def threshold_account(record: TrialRecord, setting: Setting, prices: Prices) -> Account:
    """Cost of a setting: caught faults are visited as soon as the product's policy lets a visit come, others late.

    A visit comes the scenario's `appointment_days` after the alarm; when the failure comes first, it still counts as
    caught, but the appliance broke down.
    """
    account = Account()
    kinds = {each.device: each.kind for each in record.devices}
    for place, fault in enumerate(control_of(record)):
        at = setting.caught.get(place)
        if at is not None:
            comes = at + round(prices.of(fault.kind).appointment_days * DAY)
            prices.repair(account, fault, urgent=False)
            if comes > fault.failure and fails_within(fault, record.start, record.end):
                prices.break_down(account, fault, (comes - fault.failure) / DAY)
        elif fails_within(fault, record.start, record.end):
            prices.repair_late(account, fault, record.end)
    for device, count in sorted(setting.false.items()):
        own = prices.of(kinds[device])
        account.add("visits", own.visit, count)
        account.add("false_visits", own.false_visit, count)
    return account


def setting_row(record: TrialRecord, setting: Setting) -> dict[str, object]:
    """A setting for the report."""
    faults = control_of(record)
    years = record.device_days / YEAR_DAYS
    low, high = poisson_interval(setting.false_tickets)
    leads = [
        (faults[place].failure - at) / DAY
        for place, at in sorted(setting.caught.items())
        if fails_within(faults[place], record.start, record.end)
    ]
    return {
        "z": setting.z,
        "persistence_days": setting.persistence,
        "recall": setting.recall,
        "lead_days_p50": quantile(leads, 0.5),
        "false_tickets": setting.false_tickets,
        "false_per_device_year": setting.false_tickets / years if years else None,
        "false_per_device_year_ci95": [low / years, high / years] if years else None,
    }


def _levels(peaks: DailyPeaks) -> list[tuple[str, dict[int, Floats]]]:
    """By device and persistence: the level that some channel kept for so many days, ending on each day."""
    z = peaks.values()
    found: dict[int, Floats] = {}
    kept = z
    for persistence in PERSISTENCE:
        if persistence > 1:
            kept = np.minimum(kept[:, 1:], z[:, : kept.shape[1] - 1]) if kept.shape[1] > 1 else kept[:, :0]
        most = kept.max(axis=2) if kept.shape[2] and kept.shape[1] else np.zeros(kept.shape[:2], dtype=np.float32)
        level = np.zeros(z.shape[:2], dtype=np.float32)
        level[:, persistence - 1 :] = most
        found[persistence] = level
    return [(name, {days: level[row] for days, level in found.items()}) for row, name in enumerate(peaks.devices)]


def _try(record: TrialRecord, devices: Sequence[_Device], judged: int, z: float, persistence: int) -> Setting:
    caught: dict[int, int] = {}
    false: dict[str, int] = {}
    good = 0
    for device in devices:
        days = np.flatnonzero(device.levels[persistence] >= z)
        mine, wrong = _walk(record, device, days)
        caught |= mine
        good += sum(fails_within(fault, record.start, record.end) for place, fault in device.faults if place in mine)
        if wrong:
            false[device.name] = wrong
    return Setting(z, persistence, caught, false, good / judged)


def _walk(record: TrialRecord, device: _Device, days: Days) -> tuple[dict[int, int], int]:
    """What the rule's days amount to: when each fault was first named, and how many tickets had none behind them.

    A day that a fault touches belongs to it, and its ticket opens at noon, or at the onset when that is later. The
    time for which a device is left alone after a false ticket spares it further ones and hides no fault.
    """
    caught: dict[int, int] = {}
    touched = np.zeros(len(days), dtype=np.bool_)
    begins = record.start + days * DAY
    for place, fault in device.faults:
        mine = begins + DAY > fault.onset
        if fault.repaired is not None:
            mine &= begins < fault.repaired
        touched |= mine
        if mine.any():
            opened = max(int(begins[mine][0]) + DAY // 2, fault.onset)
            if opened < fault.failure:
                caught[place] = opened
    false = 0
    rest = days[~touched]
    at = 0
    while at < len(rest):
        false += 1
        at = int(np.searchsorted(rest, rest[at] + QUIET_DAYS))
    return caught, false
