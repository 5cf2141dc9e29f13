# ruff: noqa: PLR0917  (compiled functions take their arguments by position)
"""Profile `cycles`: the power of one appliance that works in cycles, judged run by run.

A test per sample alarms at every switch-on. Here each run of the main load is one observation: how long it takes and
how much power it draws, against healthy runs that began alike (`usual`). The belief is a moving average of these
deviations, which fades while time passes: an appliance that runs twice a day is judged by today, one that runs every
hour by its last few hours. The score is the probability that the appliance is off by more than one spread. The alarm is
an e-process over runs (`detectors.decision`) with hysteresis, and does not fade.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from detectors.decision import Track
from detectors.profiles.base import Scores
from detectors.profiles.runs import (
    BREAKS,
    FINISHES,
    STARTS,
    Load,
    Run,
    fresh,
    learn_load,
    level_of,
    runs_of,
    walk,
    without_run,
)
from detectors.profiles.usual import Reference, Usual

_FORGET = 0.15  # weight of the newest run: the last six or seven count
_FADE = 16 * 3_600.0  # seconds: of what was believed so long ago a third is left; rows that are numbered do not fade
_CLIP = 2.25  # spreads: what one run's length can say at most, so that a single long draw of water is no fault
_CLIP_LEVEL = 3.0  # likewise its power, which nobody's use changes
_FAR = 6.0  # likewise for the alarm, which asks for several runs anyway
_TOLERANCE = 1.0  # spreads: a shift up to this is nobody's fault
_DOUBT = 0.75  # spreads: of the belief, from day to day
_LESS = 0.5  # a run that is shorter or weaker than usual says half as much: more often use than wear
_THRESHOLD = 14.0
_CALM = 1.0
_LEAST_RUNS = 3
# Where nobody says what is healthy: provisional from so many runs on, silent until the reference stands.
_FIRST_RUNS = 8
_FIRST_LOOK = 256
_OWN_RUNS = 24
_OWN_SECONDS = 3 * 86_400.0
_MANY_RUNS = 200  # instead, where rows are numbered and no day ever passes
_AGAIN = 1.25  # look again after a quarter more rows
_MOST = 1 << 20  # rows kept for learning


class Cycles:
    """One series under the profile. Of several channels the first counts.

    Args:
        channels: columns.
        train_rows: healthy rows at the start; nothing is said of them. None: what came so far is taken as healthy
            until it spans three days and 24 runs; there is no alarm before.
    """

    def __init__(self, channels: int, train_rows: int | None) -> None:
        if channels < 1:
            raise ValueError("a series has at least one channel")
        self._told = bool(train_rows)
        self._look = train_rows or _FIRST_LOOK
        self._kept: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self._seen = 0
        self._settled = False
        self._judge: Judge | None = None

    @property
    def judges(self) -> bool:
        """Whether the reference stands; before, there is no alarm."""
        return self._settled

    def observe(self, t: NDArray[np.float64], x: NDArray[np.float64]) -> Scores:
        """Score the next rows; see `Profile`."""
        times, power = np.array(t, np.float64), np.array(x[:, 0], np.float64)
        power[~np.isfinite(power)] = np.nan
        n, done = len(times), 0
        scores = Scores(np.zeros(n), np.zeros(n, np.bool_))
        while done < n:
            count = n - done if self._settled else min(n - done, self._look - self._seen)
            rows = slice(done, done + count)
            if self._judge is not None:
                self._judge.observe(times[rows], power[rows], scores.score[rows], scores.alarm[rows])
            if not self._settled:
                scores.alarm[rows] = False
                self._kept.append((times[rows], power[rows]))
                self._seen += count
                if self._seen >= self._look:
                    self._learn()
            done += count
        return scores

    def _learn(self) -> None:
        """Look at what was kept: a reference, or a better one than before."""
        t, x = (np.concatenate(column)[-_MOST:] for column in zip(*self._kept, strict=True))
        self._kept = [(t, x)]
        self._look = math.ceil(self._seen * _AGAIN)
        load = learn_load(t, x)
        if load is None:
            return
        memory = fresh()
        runs = runs_of(t, x, load, memory)
        if len(runs) < (_LEAST_RUNS if self._told else _FIRST_RUNS):
            return
        self._judge = Judge(load, runs, without_run(memory))
        days_passed = np.nanmax(t) - np.nanmin(t) >= _OWN_SECONDS
        self._settled = self._told or (len(runs) >= _OWN_RUNS and days_passed) or len(runs) >= _MANY_RUNS
        if self._settled:
            self._kept = []
        else:
            for run in runs:
                self._judge.take(run)


class Judge:
    """What is said of the rows once the reference stands.

    Args:
        load: what was learned.
        runs: healthy ones.
        memory: of `walk` after the healthy rows.
    """

    def __init__(self, load: Load, runs: list[Run], memory: NDArray[np.float64]) -> None:
        self._load = load
        self._reference = Reference(runs)
        self._memory = memory
        self._rows: list[NDArray[np.float64]] | None = None
        self._rest = math.nan
        self._length = 0.0
        self._level = 0.0
        self._clock = np.array([math.nan, 0.0])
        self._at = 0.0
        self._usual = Usual(0.0, 1.0)
        self._alarm = False
        self._tracks = (Track(), Track())
        own = [self._deviations(run) for run in runs]
        for track, column in zip(self._tracks, zip(*own, strict=True), strict=True):
            track.clean = sorted(_said(z) for z in column)

    def observe(
        self,
        t: NDArray[np.float64],
        x: NDArray[np.float64],
        score: NDArray[np.float64],
        alarm: NDArray[np.bool_],
    ) -> None:
        """Fill in what is said of rows."""
        load, n = self._load, len(t)
        marks, length, rest = np.empty(n, np.int64), np.empty(n), np.empty(n)
        walk(t, x, load.on, load.off, load.bridge, load.longest, load.step, self._memory, marks, length, rest)
        passed = np.empty(n)
        pass_time(t, self._clock, passed)
        at = 0
        for row in np.flatnonzero(marks).tolist():
            self._fill((length, passed), at, row, score, alarm)
            if self._rows is not None:
                self._rows.append(x[at:row].copy())
            mark = int(marks[row])
            if mark & FINISHES and self._rows is not None and length[row] >= load.shortest:
                level = level_of(np.concatenate(self._rows), load)
                self._fade(float(passed[row]))
                self.take(Run(float(length[row]), level, self._rest))
            if mark & (FINISHES | BREAKS):
                self._rows = None
                length[row] = 0.0
            if mark & STARTS:
                self._rows = []
                self._rest = float(rest[row])
                self._usual = self._reference.length(self._rest)
            at = row
        self._fill((length, passed), at, n, score, alarm)
        if self._rows is not None:
            self._rows.append(x[at:].copy())

    def _fill(
        self,
        rows: tuple[NDArray[np.float64], NDArray[np.float64]],
        low: int,
        high: int,
        score: NDArray[np.float64],
        alarm: NDArray[np.bool_],
    ) -> None:
        believe(
            *rows,
            self._rows is not None,
            low,
            high,
            self._usual.centre,
            self._usual.spread,
            2.0 * self._reference.longest,
            self._length,
            self._level,
            self._at,
            score,
        )
        alarm[low:high] = self._alarm

    def _fade(self, now: float) -> None:
        """What is believed, as of now."""
        left = math.exp((self._at - now) / _FADE)
        self._length *= left
        self._level *= left
        self._at = now

    def take(self, run: Run) -> None:
        """One finished run moves belief and evidence."""
        length, level = self._deviations(run)
        weight = _weight(run.length, 2.0 * self._reference.longest)
        self._length += weight * (_clipped(length, _CLIP) - self._length)
        self._level += weight * (_clipped(level, _CLIP_LEVEL) - self._level)
        for track, z in zip(self._tracks, (length, level), strict=True):
            track.step(0, _said(z), _TOLERANCE, _THRESHOLD, _FORGET)
        if self._alarm:
            self._alarm = any(track.level >= _CALM for track in self._tracks)
        else:
            self._alarm = any(track.log_e >= _THRESHOLD for track in self._tracks)
        if not self._alarm:
            return
        for track in self._tracks:
            track.log_e = 0.0

    def _deviations(self, run: Run) -> tuple[float, float]:
        reference = self._reference
        return reference.length(run.rest).deviation(run.length), reference.level(run.rest).deviation(run.level)


@compiled
def pass_time(t: NDArray[np.float64], clock: NDArray[np.float64], passed: NDArray[np.float64]) -> None:
    """How much time has passed at each row since the first; steps back and absent times add nothing.

    Args:
        t: times (n,).
        clock: the last time, and how much had passed; changed.
        passed: (n,); filled.
    """
    for row in range(len(t)):
        if math.isfinite(t[row]):
            if t[row] > clock[0]:
                clock[1] += t[row] - clock[0]
            clock[0] = t[row]
        passed[row] = clock[1]


@compiled
def believe(
    length: NDArray[np.float64],
    passed: NDArray[np.float64],
    running: bool,  # noqa: FBT001  (by position)
    low: int,
    high: int,
    centre: float,
    spread: float,
    limit: float,
    by_length: float,
    by_level: float,
    at: float,
    score: NDArray[np.float64],
) -> None:
    """Score rows: the belief of finished runs, and of the running one where that is worse.

    Args:
        length: of the run under way at each row; 0 between runs.
        passed: time at each row.
        running: whether it is one that counts.
        low: first row.
        high: row after the last.
        centre: usual logarithm of this run's length.
        spread: of it.
        limit: a run longer than this counts as several.
        by_length: belief of finished runs about lengths.
        by_level: the same about power.
        at: time that both are of.
        score: filled.
    """
    for row in range(low, high):
        left = math.exp((at - passed[row]) / _FADE)
        now = by_length * left
        if running and length[row] > 0.0:
            z = min((math.log(length[row]) - centre) / spread, _CLIP)
            if z > now:
                weight = 1.0 - (1.0 - _FORGET) ** max(1.0, length[row] / limit)
                now += weight * (z - now)
        level = by_level * left
        power = max(level, -_LESS * level) - _TOLERANCE
        off = max(now, -_LESS * now - _TOLERANCE) + max(power, 0.0)
        score[row] = 0.5 * math.erfc((_TOLERANCE - off) / (_DOUBT * math.sqrt(2.0)))


def _weight(length: float, limit: float) -> float:
    """Of a run in the moving average: one far beyond all healthy ones counts as several."""
    return 1.0 - float((1.0 - _FORGET) ** max(1.0, length / limit))


def _clipped(z: float, bound: float) -> float:
    return max(-bound, min(bound, z))


def _said(z: float) -> float:
    """What a deviation says about wear, for the alarm."""
    return _clipped(max(z, -_LESS * z), _FAR)
