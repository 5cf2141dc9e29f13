"""From scores to a decision: calibrated p-values, and an e-process with persistence and hysteresis.

The p-value of a cycle is conformal against a fixed clean reference where that has enough cycles, and never below
what the predictive distribution gives. Its betting score `log(0.5 / sqrt(p))` feeds a CUSUM: the e-detector of
Shin, Ramdas and Rinaldo (arXiv 2309.09111) with the power calibrator of Vovk and Wang (2021). For exchangeable
cycles a threshold h means on average at least exp(h) cycles between false alarms.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Any

import msgspec
import numpy as np

# What `river.drift.ADWIN` is made of: river.drift imports scipy.stats and data sets, two seconds of a worker's restart.
from river._river_rust.drift import AdaptiveWindowing

_ENOUGH = 20
_FLOOR = 1e-4
_RING = 128
_CEILING = 1.5
_LEAST_EXCESS = 0.25
_LOW = 3.0
_HIGH = 6.0
_LEAST = 8
_LIKELIHOOD = 3.0


class Sudden(msgspec.Struct):
    """Cycles in a row that are far off as one fast fault would have them: see `detectors.sudden`.

    Attributes:
        evidence: sum of their squared scores.
        n: how many.
        least: the smallest of the scores.
        since: event time at which the first began.
    """

    evidence: float = 0.0
    n: int = 0
    least: float = 0.0
    since: int = 0

    def add(self, t: int, score: float) -> None:
        """One more cycle, which began at event time `t`."""
        if self.n == 0:
            self.since, self.least = t, score
        self.n += 1
        self.evidence += score * score
        self.least = min(self.least, score)

    def reset(self) -> None:
        """A cycle that is as usual, or a repair."""
        self.evidence, self.n, self.least, self.since = 0.0, 0, 0.0, 0


class Track(msgspec.Struct):
    """The evidence against one family's health, cycle by cycle.

    Attributes:
        clean: scores of the reference cycles, ascending.
        log_e: the CUSUM, 0 at least.
        begun: event time at which it last left 0.
        level: moving average of the score.
        n: cycles in that average.
        over: cycles in a row for which the decision's cohort score was above its threshold.
        times: event times of the last cycles.
        scores: their scores.
        sudden: cycles far off in a row.
    """

    clean: list[float] = msgspec.field(default_factory=list)
    log_e: float = 0.0
    begun: int = 0
    level: float = 0.0
    n: int = 0
    over: int = 0
    times: list[int] = msgspec.field(default_factory=list)
    scores: list[float] = msgspec.field(default_factory=list)
    sudden: Sudden = msgspec.field(default_factory=Sudden)

    def remember(self, t: int, score: float) -> None:
        """Keep the score for dating an onset; the ring is bounded."""
        self.times.append(t)
        self.scores.append(score)
        if len(self.times) > _RING:
            del self.times[0], self.scores[0]

    def step(
        self, t: int, score: float, tolerance: float, threshold: float, forget: float, *, beyond: bool = False
    ) -> None:
        """One judged cycle. A shift up to `tolerance` is nobody's fault; `beyond` is that of `p_value`."""
        self.n += 1
        weight = max(forget, 1 / self.n)
        self.level += weight * (score - self.level)
        p = p_value(score - tolerance, self.clean, beyond=beyond)
        before = self.log_e
        self.log_e = min(_CEILING * threshold, max(0.0, before + math.log(0.5 / math.sqrt(p))))
        if before == 0.0 and self.log_e > 0.0:
            self.begun = t

    def reset(self) -> None:
        """Begin anew after a repair; the clean reference stays."""
        self.log_e = self.level = 0.0
        self.begun = self.n = self.over = 0
        self.sudden.reset()


def p_value(score: float, clean: list[float], *, beyond: bool = False) -> float:
    """Upper p-value of a score: conformal with enough reference scores, and at least the normal tail.

    Args:
        score: of a cycle.
        clean: scores of the reference, ascending.
        beyond: beyond the highest reference score the tail goes on exponentially, by the mean excess of the reference's
            highest fifth (peaks over a threshold: Coles, *An Introduction to Statistical Modeling of Extreme Values*,
            2001, ch. 4). Few reference cycles could not say much in few judged ones otherwise.
    """
    p = max(_FLOOR, upper_tail(score))
    n = len(clean)
    if n < _ENOUGH:
        return p
    above = n - bisect_left(clean, score)
    conformal = (1 + above) / (n + 1)
    if beyond and above == 0:
        high = n // 5
        excess = sum(clean[-high:]) / high - clean[-high - 1]
        conformal *= math.exp(-(score - clean[-1]) / max(_LEAST_EXCESS, excess))
    return max(p, conformal)


def upper_tail(z: float) -> float:
    """P(Z >= z) of the standard normal."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def shifted(scores: list[float], delta: float = 0.01) -> bool:
    """Whether ADWIN (Bifet and Gavalda 2007) sees the scores' mean rise.

    It reads the bounded ring anew at each call, so it has no state of its own to restore.
    """
    window, drifted = _window(delta), False
    for score in scores:
        before = _mean(window)
        if drifted:
            window = _window(delta)
        drifted = window.update(_bounded(score))
        if drifted and _mean(window) > before:
            return True
    return False


def _window(delta: float) -> Any:  # noqa: ANN401  (the library has no types)
    return AdaptiveWindowing(delta=delta, clock=1, max_buckets=5, min_window_length=3, grace_period=6)


def _mean(window: Any) -> float:  # noqa: ANN401  (likewise)
    width = window.get_width()
    return float(window.get_total() / width) if width else 0.0


def date_shift(times: list[int], scores: list[float]) -> tuple[int, int, int] | None:
    """When the scores rose: (estimate, low, high), or None when ADWIN sees no rise.

    ADWIN says that there is a change; its buckets date it coarsely. The date is the split with the largest
    likelihood ratio for one shift of the mean, the interval every split within 3 of it (a likelihood interval, about
    98 %; Hinkley 1970).
    """
    n = len(scores)
    if n < _LEAST or not shifted(scores):
        return None
    x = np.clip(np.array(scores), -_LOW, _HIGH)
    k = np.arange(2, n - 1)
    sums = np.cumsum(x)
    below, above = sums[k - 1] / k, (sums[-1] - sums[k - 1]) / (n - k)
    gain = np.where(above > below, k * (n - k) / n * (above - below) ** 2, 0.0)
    best = int(np.argmax(gain))
    split = int(k[best])
    rest = float(((x[:split] - below[best]) ** 2).sum() + ((x[split:] - above[best]) ** 2).sum())
    noise = max(rest / (n - 2), 1e-6)
    near = k[gain >= gain[best] - 2 * _LIKELIHOOD * noise]
    return times[split], times[int(near[0]) - 1], times[min(int(near[-1]) + 1, n - 1)]


def _bounded(score: float) -> float:
    return max(-_LOW, min(_HIGH, score))
