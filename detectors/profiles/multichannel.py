"""The profile of machines with several sensors: a level that leaves what its own healthy wander explains.

A multivariate EWMA chart (C. A. Lowry et al., "A multivariate exponentially weighted moving average control chart",
Technometrics 34, 1992) with three changes that recordings ask for: each channel is judged by itself, because what one
sensor tells is lost among seven that tell nothing; the limits are those of its wander and not of its noise; and the
centre follows slow drift, except while the channel is out of bounds. What several channels tell only together shows in
the residuals of those that the others foretell, which are watched as channels of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.profiles.base import Scores
from detectors.profiles.levels import follow
from detectors.profiles.redundancy import residual_weights, watched
from detectors.profiles.wander import Usual, learn

Array = NDArray[np.float64]

_TRAIN_ROWS = 400
_LEAST_TRAINING = 40
_HALF = 0.5
_PACE = 2 / 3
_NEVER = np.inf
_DETREND = 3.0
"""How many times quicker than the centre drift is taken away before channels are compared."""
_GAIN, _DRIFT, _ENTER, _TIMES = 0, 1, 2, 8
_LEVEL, _CENTRE, _SCALE, _PEAK, _CALM, _SQUARE, _WEIGHT, _TOLD = range(8)


@dataclass(frozen=True, slots=True)
class Rules:
    """The constants, for 400 healthy rows.

    What counts rows grows with the healthy rows, by the power of two thirds: twice as many may come from twice the
    sampling rate, and then twice the rows are needed to show the same, or from twice the time, and then as many.

    Attributes:
        gain: of the moving level: it forgets in 1 / gain rows.
        drift: of the centre that follows it.
        enter: scales from the centre at which a channel is out of bounds.
        leave: scales within which it is back.
        share: of its farthest distance within which it is back.
        hold: rows that it must be back for.
        slew: most standard deviations of a row by which one row can differ from the level: one wild row is no fault.
        reach: most standard deviations of a row that a level is away from its centre: the way back from a great
            distance is not longer than from a small one.
        times: the square of a scale over the mean squared distance of rows that stood the test.
        memory: rows that mean reaches back, at most.
        test: rows without an alarm of the channel that must follow before a row counts as healthy.
    """

    gain: float = 0.15
    drift: float = 1 / 300
    enter: float = 4.0
    leave: float = 2.0
    share: float = 0.35
    hold: float = 30.0
    slew: float = 6.0
    reach: float = 20.0
    times: float = 1.5
    memory: float = 4_000.0
    test: float = 60.0

    def paced(self, healthy: int) -> Array:
        """For so many healthy rows, in the order of `detectors.profiles.levels.follow`."""
        pace = _pace(healthy)
        return np.array(
            [
                min(self.gain / pace, _HALF),
                self.drift / pace,
                self.enter,
                self.leave,
                self.share,
                self.hold * pace,
                self.slew,
                self.reach,
                self.times,
                self.memory * pace,
            ]
        )

    def ring(self, healthy: int) -> int:
        """Rows under test, for so many healthy rows."""
        return round(self.test * _pace(healthy))


class Multichannel:
    """Levels of all channels, each against its own wander. Implements `detectors.profiles.base.Profile`.

    The first `train_rows` rows score 0. A row's score is half the greatest distance over its bound while no channel is
    out of bounds, and at least 0.5 while one is: from 0.5 on it is an alarm.

    Args:
        channels: columns.
        train_rows: healthy first rows; None: 400. At least 40 are taken.
        rules: the constants; those of every file unless a benchmark asks what others would have done.
    """

    def __init__(self, channels: int, train_rows: int | None, rules: Rules | None = None) -> None:
        self._healthy = max(_LEAST_TRAINING, _TRAIN_ROWS if train_rows is None else train_rows)
        rules = rules or Rules()
        self._rules = rules.paced(self._healthy)
        self._training: list[Array] = []
        self._missing = self._healthy
        self._ring = rules.ring(self._healthy)
        self._weights = np.zeros((0, channels))
        self._usual = Usual(*np.zeros((3, channels)))
        self._state, self._waiting = np.zeros((8, channels)), np.zeros((self._ring, channels))
        self._out = np.zeros(channels, np.bool_)

    def observe(self, t: NDArray[np.float64], x: NDArray[np.float64]) -> Scores:
        """Score the next rows; see `detectors.profiles.base.Profile.observe`. Times are not looked at."""
        taken = self._train(x)
        ratio, alarm = np.zeros(len(t)), np.zeros(len(t), np.bool_)
        if taken < len(x):
            rows = watched(np.ascontiguousarray(x[taken:], dtype=np.float64), self._weights)
            self._follow(rows, self._rules, ratio[taken:], alarm[taken:])
        return Scores(_HALF * np.where(alarm, 1 + ratio / (1 + ratio), ratio), alarm)

    def _follow(self, rows: Array, rules: Array, ratio: Array, alarm: NDArray[np.bool_]) -> None:
        usual = self._usual
        follow(rows, usual.noise, usual.scale, rules, self._state, self._waiting, self._out, ratio, alarm)

    def _train(self, x: Array) -> int:
        """Gather healthy rows; learn from them when there are enough. Returns how many rows were gathered."""
        taken = min(len(x), self._missing)
        if taken:
            self._training.append(np.array(x[:taken], dtype=np.float64))
            self._missing -= taken
            if not self._missing:
                self._learn(np.concatenate(self._training))
                self._training = []
        return taken

    def _learn(self, healthy: Array) -> None:
        """Learn what is usual, and follow the healthy rows to where they end."""
        self._weights = residual_weights(healthy, _DETREND * self._rules[_DRIFT])
        rows = watched(healthy, self._weights)
        usual = self._usual = learn(rows, self._rules[_GAIN], _pace(self._healthy))
        channels = rows.shape[1]
        self._state, self._waiting = np.zeros((8, channels)), np.zeros((self._ring, channels))
        self._out = np.zeros(channels, np.bool_)
        self._state[_LEVEL] = self._state[_CENTRE] = usual.centre
        self._state[_SCALE] = usual.scale
        without = self._rules.copy()
        without[_ENTER] = _NEVER
        self._follow(rows, without, np.zeros(len(rows)), np.zeros(len(rows), np.bool_))
        self._state[_SCALE] = usual.scale
        self._state[_SQUARE] = usual.scale**2 / self._rules[_TIMES]
        self._state[_WEIGHT] = self._healthy
        self._state[_TOLD] = 0.0


def _pace(healthy: int) -> float:
    return float(min(max(healthy / _TRAIN_ROWS, 0.25), 4.0) ** _PACE)
