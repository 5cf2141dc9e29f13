"""Remaining life of an open episode: how fast its fault grows, against the catalogue's lead time.

A fault that began at t0 and will stop the appliance a lead time L later has come (t - t0) / L of its way, to the power
that the catalogue's course tells. What is measured of it is that times a gain: an appliance shows a fault more or less
than the catalogue's typical one does. Lead time, beginning, gain and shape are unknown; their joint distribution given
what was measured so far is a weighted cloud of points (importance sampling on a fixed low-discrepancy sequence, so that
nothing is drawn at random), and the interval is made of quantiles of t0 + L. At first only the catalogue's lead time
and the date of onset speak; as the fault grows its pace does, and the interval narrows.

An end that was told stays where it is while the new one lies beyond it by less than a quarter of the interval's width:
a date does not wander with every cycle's noise.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.clock import MICROS

Floats = NDArray[np.float64]

_DAY = 86_400.0
_BIN = 6 * 3600 * MICROS
_BINS = 32
_POINTS = 1_500
_TAIL = 0.25
"""Lead times beyond the catalogue's become unlikely over such a share of it (log scale)."""
_USED = (0.03, 0.95)
"""Share of the lead time gone when the episode opens: any order of magnitude between these."""
_GAIN = (0.35, 1.6)
_SHAPE = (0.4, 1.5)
_LINEAR, _BENT = 0.85, 0.2
"""What is measured may run ahead of the wear, as the air through a filter does: factors of the course's exponent
below the first are believed less the smaller they are, with such a spread (log scale)."""
_NOISE, _MISFIT = 0.04, 0.15
"""Spread of a measured amount: of its own, and as a share of it."""
_LOOKS = 4.0
"""Measurements of one episode err together: all of them count as so many."""
_ONSET_DAYS, _ONSET_SHARE = 1.5, 0.25
_FAR = 3.0
_LOW, _HIGH = 0.015, 0.95
_LEAST_DAYS, _LEAST_SHARE = 0.25, 0.25
_SLACK = 0.25


class Growth(msgspec.Struct):
    """What is kept of an open episode's fault: amounts by cause, means over some hours each, at most 32.

    Attributes:
        since: event time of the first.
        start: when the bin under way began.
        times: mean event time of each bin.
        counts: judgements in it.
        amounts: of each cause of the family, its mean fraction of functional failure in each bin.
        cause: of which an interval was told last.
        low: its ends, event times; None before the first.
        high: likewise.
    """

    since: int
    start: int = 0
    times: list[int] = msgspec.field(default_factory=list)
    counts: list[int] = msgspec.field(default_factory=list)
    amounts: dict[str, list[float]] = msgspec.field(default_factory=dict)
    cause: str = ""
    low: int | None = None
    high: int | None = None

    def add(self, at: int, amounts: dict[str, float]) -> None:
        """One judgement at event time `at`."""
        if not self.times or at - self.start >= _BIN:
            if len(self.times) >= _BINS:
                self._halve()
            self.start = at
            self.times.append(at)
            self.counts.append(1)
            for cause, amount in amounts.items():
                self.amounts.setdefault(cause, []).append(amount)
            return
        self.counts[-1] += 1
        self.times[-1] += (at - self.times[-1]) // self.counts[-1]
        for cause, amount in amounts.items():
            kept = self.amounts[cause]
            kept[-1] += (amount - kept[-1]) / self.counts[-1]

    def _halve(self) -> None:
        """Two bins become one."""
        weight = [(a, b) for a, b in zip(self.counts[::2], self.counts[1::2], strict=True)]
        self.times = [
            first + (second - first) * b // (a + b)
            for first, second, (a, b) in zip(self.times[::2], self.times[1::2], weight, strict=True)
        ]
        for cause, kept in self.amounts.items():
            pairs = zip(kept[::2], kept[1::2], weight, strict=True)
            self.amounts[cause] = [(x * a + y * b) / (a + b) for x, y, (a, b) in pairs]
        self.counts = [a + b for a, b in weight]


class Prior(msgspec.Struct, frozen=True):
    """What is known of a fault before anything is measured.

    Attributes:
        lead_days: typical days from first sign to failure, low and high.
        shape: exponent of the elapsed share of the lead time.
        onset: earliest and latest likely onset, event times.
    """

    lead_days: tuple[float, float]
    shape: float
    onset: tuple[int, int]


def remaining(prior: Prior, cause: str, growth: Growth, at: int) -> tuple[float, float]:
    """Seconds from `at` to functional failure, lower and upper end; remembers what it told.

    The lower end is meant to lie before the failure in at least 95 % of cases, the interval to hold it in 90 %.
    """
    low, high = _quantiles(prior, growth.amounts.get(cause, []), growth, at)
    least = min(_LEAST_DAYS, _LEAST_SHARE * prior.lead_days[0])
    low = max(least, low)
    high = max(low + 2 * least, high)
    ends = at + round(low * _DAY * MICROS), at + round(high * _DAY * MICROS)
    if growth.cause == cause and growth.low is not None and growth.high is not None:
        ends = _steady(ends, (growth.low, growth.high), at, round(least * _DAY * MICROS))
    growth.cause, (growth.low, growth.high) = cause, ends
    return (ends[0] - at) / MICROS, (ends[1] - at) / MICROS


def _steady(new: tuple[int, int], told: tuple[int, int], at: int, least: int) -> tuple[int, int]:
    """Ends told before stand while the new ones lie beyond them by little."""
    slack = round(_SLACK * (told[1] - told[0]))
    low, high = new
    if told[0] - slack <= low < told[0]:
        low = told[0]
    if told[1] < high <= told[1] + slack:
        high = told[1]
    low = max(at + least, min(low, new[1] - least))
    return low, max(high, low + least)


def _quantiles(prior: Prior, amounts: list[float], growth: Growth, at: int) -> tuple[float, float]:
    """Days from `at`, at which the posterior of the failure has its lower and upper quantile."""
    low, high = (math.log(days) for days in prior.lead_days)
    log_lead = low - 2 * _TAIL + (high - low + 4 * _TAIL) * _CLOUD[:, 0]
    lead = np.exp(log_lead)
    used = _between(_USED, _CLOUD[:, 1])
    # Days are counted from the first judgement of the episode.
    begun = -lead * used
    weight = -0.5 * (np.maximum(0.0, np.maximum(low - log_lead, log_lead - high)) / _TAIL) ** 2
    first, last = ((moment - growth.since) / (_DAY * MICROS) for moment in prior.onset)
    spread = _ONSET_DAYS + _ONSET_SHARE * (last - first)
    weight -= 0.5 * np.minimum(_FAR, np.maximum(0.0, np.maximum(first - begun, begun - last)) / spread) ** 2
    if amounts:
        gain = _between(_GAIN, _CLOUD[:, 2])
        bend = _between(_SHAPE, _CLOUD[:, 3])
        weight -= 0.5 * (np.maximum(0.0, np.log(_LINEAR / bend)) / _BENT) ** 2
        shape = prior.shape * bend
        t = (np.array(growth.times) - growth.since) / (_DAY * MICROS)
        share = np.clip((t[None, :] - begun[:, None]) / lead[:, None], 1e-6, 1.3)
        level = gain[:, None] * share ** shape[:, None]
        variance = _NOISE**2 + (_MISFIT * level) ** 2
        off = np.minimum((np.array(amounts)[None, :] - level) ** 2 / variance, 16.0)
        weight += (-0.5 * off - 0.5 * np.log(variance)).sum(axis=1) * min(1.0, _LOOKS / len(amounts))
    left = begun + lead - (at - growth.since) / (_DAY * MICROS)
    # The appliance still runs: what would have failed by now did not, unless nothing else is left.
    weight = np.where(left > 0, weight, weight.min() - 50.0)
    mass = np.exp(weight - weight.max())
    order = np.argsort(left, kind="stable")
    total = np.cumsum(mass[order])
    low_at, high_at = np.searchsorted(total, np.array((_LOW, _HIGH)) * total[-1])
    ranked = left[order]
    return float(ranked[low_at]), float(ranked[min(high_at, _POINTS - 1)])


def _between(ends: tuple[float, float], share: Floats) -> Floats:
    """From the lower to the upper end in equal ratios."""
    return np.asarray(ends[0] * (ends[1] / ends[0]) ** share)


def _sequence(points: int, size: int) -> Floats:
    """Points that fill the unit cube evenly: multiples of powers of the generalised golden ratio (Roberts 2018)."""
    ratio = 2.0
    for _ in range(64):
        ratio = (1 + ratio) ** (1 / (size + 1))
    steps = (1 / ratio) ** np.arange(1, size + 1)
    return np.asarray((0.5 + np.outer(np.arange(1, points + 1), steps)) % 1.0)


_CLOUD = _sequence(_POINTS, 4)
