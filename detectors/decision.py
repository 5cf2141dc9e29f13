"""From scores to a decision: calibrated p-values, and an e-process with persistence and hysteresis.

The p-value of a cycle is conformal against a fixed clean reference where that has enough cycles, and never below
what the predictive distribution gives. Its betting score `log(0.5 / sqrt(p))` feeds a CUSUM: the e-detector of
Shin, Ramdas and Rinaldo (arXiv 2309.09111) with the power calibrator of Vovk and Wang (2021). For exchangeable
cycles a threshold h means on average at least exp(h) cycles between false alarms.
"""

from __future__ import annotations

import math
from bisect import bisect_left

import msgspec
from river.drift import ADWIN
from scipy.special import ndtr

_ENOUGH = 20
_FLOOR = 1e-4
_RING = 128
_CEILING = 1.5


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
    """

    clean: list[float] = msgspec.field(default_factory=list)
    log_e: float = 0.0
    begun: int = 0
    level: float = 0.0
    n: int = 0
    over: int = 0
    times: list[int] = msgspec.field(default_factory=list)
    scores: list[float] = msgspec.field(default_factory=list)

    def remember(self, t: int, score: float) -> None:
        """Keep the score for dating an onset; the ring is bounded."""
        self.times.append(t)
        self.scores.append(score)
        if len(self.times) > _RING:
            del self.times[0], self.scores[0]

    def step(self, t: int, score: float, tolerance: float, threshold: float, forget: float) -> None:
        """One judged cycle. A shift up to `tolerance` is nobody's fault."""
        self.n += 1
        weight = max(forget, 1 / self.n)
        self.level += weight * (score - self.level)
        p = p_value(score - tolerance, self.clean)
        before = self.log_e
        self.log_e = min(_CEILING * threshold, max(0.0, before + math.log(0.5 / math.sqrt(p))))
        if before == 0.0 and self.log_e > 0.0:
            self.begun = t

    def reset(self) -> None:
        """Begin anew after a repair; the clean reference stays."""
        self.log_e = self.level = 0.0
        self.begun = self.n = self.over = 0


def p_value(score: float, clean: list[float]) -> float:
    """Upper p-value of a score: conformal with enough reference scores, and at least the normal tail."""
    p = max(_FLOOR, upper_tail(score))
    if len(clean) >= _ENOUGH:
        above = len(clean) - bisect_left(clean, score)
        p = max(p, (1 + above) / (len(clean) + 1))
    return p


def upper_tail(z: float) -> float:
    """P(Z >= z) of the standard normal."""
    return float(ndtr(-z))


def date_shift(times: list[int], scores: list[float], delta: float = 0.01) -> tuple[int, int, int] | None:
    """When the scores shifted upwards: (estimate, low, high), or None when ADWIN sees no shift.

    ADWIN (Bifet and Gavalda 2007) reads the bounded ring anew at each call, so it has no state to restore.
    After a cut its window holds what came after the change.
    """
    adwin = ADWIN(delta=delta, clock=1, min_window_length=3, grace_period=6)
    found: int | None = None
    before = 0.0
    for index, score in enumerate(scores):
        before = adwin.estimation
        adwin.update(max(-3.0, min(6.0, score)))
        if adwin.drift_detected and adwin.estimation > before:
            found = max(0, index + 1 - int(adwin.width))
    if found is None:
        return None
    margin = max(2, (len(scores) - found) // 4)
    return times[found], times[max(0, found - margin)], times[min(len(times) - 1, found + margin)]
