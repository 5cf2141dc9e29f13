"""Profile `univariate`: one series of any kind and sampling, judged row by row against its own past.

Three statistics, each against its own past as a tail probability: how far the last 4 rows and the last 19 are from
anything before (`discord`), and how far the last 12 are from the usual of this time of day (`seasons`). Their
-log10 p are added. A long past and fine sampling make extremes likely, so that the sum is lowered by shares of log10 of
the rows seen and of the rows a second (`pace`). An alarm silences those that follow, for a while that grows with the
past.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from detectors.profiles.base import Scores
from detectors.profiles.discord import Discord
from detectors.profiles.pace import Pace
from detectors.profiles.seasons import Season
from detectors.profiles.tails import Tail

_SHORT = (4, 5)  # rows of a window, neighbours
_LONG = (19, 10)
PARTS = ("short discord", "long discord", "season")
PATIENCE = 0.2  # of log10 of the rows seen, taken off each -log10 p
_HEAD_START = 20
TEMPO = 0.5  # of log10 of the sampling step over five minutes, added to each: fewer rows a day are fewer false alarms
_LONGEST = 40_000  # rows: a longer past makes no extreme likelier, because the tails forget
THRESHOLD = 4.1
"""Of the sum; chosen on the 27 files of NAB that the results page names, for the benchmark's standard costs."""
_QUIET_SHARE = 0.1  # of the past that an alarm silences,
_QUIET_LEAST = 20  # and rows at least,
_QUIET_MOST = 300  # and at most
_HALF = 0.5  # score at the threshold
_WARM_UP = 100
_LARGEST = 1e100  # beyond it squares are no numbers
_ROUNDING = 1e-12  # of the values' size


class Univariate:
    """One series, or several that are judged apart: the greatest of their sums counts.

    Args:
        channels: columns.
        train_rows: healthy rows at the start, which raise no alarm; None: the first 100.
    """

    def __init__(self, channels: int, train_rows: int | None) -> None:
        self._evidence = Evidence(channels)
        self._decision = Decision(THRESHOLD, train_rows)

    def observe(self, t: NDArray[np.float64], x: NDArray[np.float64]) -> Scores:
        """Score the next rows; see `Profile`."""
        return self._decision.observe(self._evidence.observe(t, x))


class Evidence:
    """What speaks against each row: the sum of -log10 p, lowered by the length of the past.

    Args:
        channels: columns.
        parts: the statistics that speak; all, but for studies of what each is worth.
        tempo: share of the sampling step that is added, of log10, for each part.
        patience: share of the rows seen that is taken off, likewise.
    """

    def __init__(
        self, channels: int, parts: Sequence[str] = PARTS, *, tempo: float = TEMPO, patience: float = PATIENCE
    ) -> None:
        if channels < 1:
            raise ValueError("a series has at least one channel")
        self._series = [_Series(parts, tempo, patience) for _ in range(channels)]

    def observe(self, t: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The greatest sum of the columns, at least 0, for the next rows; see `Profile` for t and x."""
        sums = np.zeros(len(t))
        for series, column in zip(self._series, x.T, strict=True):
            sums = np.maximum(sums, series.observe(np.ascontiguousarray(t), np.ascontiguousarray(column)))
        return sums


class _Series:
    """The past of one column."""

    def __init__(self, parts: Sequence[str], tempo: float, patience: float) -> None:
        self._tempo, self._patience = tempo, patience
        made: dict[str, Discord | Season] = {
            "short discord": Discord(*_SHORT),
            "long discord": Discord(*_LONG),
            "season": Season(),
        }
        self._parts = [(made[name], Tail()) for name in parts]
        self._last = (np.nan, np.nan)
        self._pace = Pace()
        self._seen = 0

    def observe(self, t: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum a row, at least 0; 0 for absent rows and for those that repeat the one before, time and all."""
        found = np.zeros(len(x))
        if len(x) == 0:
            return found
        again = (t == np.append(self._last[0], t[:-1])) & (x == np.append(self._last[1], x[:-1]))
        self._last = (float(t[-1]), float(x[-1]))
        rows = np.flatnonzero(np.isfinite(x) & ~again)
        t, x = t[rows], np.clip(x[rows], -_LARGEST, _LARGEST)
        noise = _ROUNDING * np.abs(x)
        total = np.zeros(len(x))
        for statistic, tail in self._parts:
            total += tail.observe(statistic.observe(t, x), noise)
        past = np.minimum(self._seen + np.arange(len(x)) + _HEAD_START, _LONGEST)
        self._seen += len(x)
        allowance = self._tempo * self._pace.observe(t) - self._patience * np.log10(past)
        found[rows] = np.maximum(total + len(self._parts) * allowance, 0.0)
        return found


class Decision:
    """Says an event once: for a while after an alarm, and below the threshold, a row keeps half of its score.

    Args:
        threshold: of the sum.
        train_rows: healthy rows at the start; None: the first 100. None of them scores.
    """

    def __init__(self, threshold: float, train_rows: int | None) -> None:
        self._threshold = threshold
        self._warm_up = _WARM_UP if train_rows is None else max(train_rows, _WARM_UP)
        self._state = np.array([0, -(10**9)], dtype=np.int64)  # rows seen, row of the last alarm

    def observe(self, sums: NDArray[np.float64]) -> Scores:
        """Scores and alarms of the next rows: a sum s scores s / (s + threshold)."""
        score = sums / (sums + self._threshold)
        said, alarm = np.zeros(len(score)), np.zeros(len(score), np.bool_)
        _silence(score, self._state, said, alarm, self._warm_up)
        return Scores(said, alarm)


@compiled
def _silence(
    score: NDArray[np.float64],
    state: NDArray[np.int64],
    said: NDArray[np.float64],
    alarm: NDArray[np.bool_],
    warm_up: int,
) -> None:
    for i in range(len(score)):
        row = int(state[0])
        state[0] += 1
        if row < warm_up:
            continue
        quiet = min(max(_QUIET_SHARE * row, _QUIET_LEAST), _QUIET_MOST)
        alarm[i] = score[i] >= _HALF and row - state[1] > quiet
        said[i] = score[i] if alarm[i] else _HALF * score[i]
        if alarm[i]:
            state[1] = row
