"""The profile of machines with several sensors: a level that leaves what its own healthy wander explains."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.profiles.base import Scores
from detectors.profiles.levels import follow
from detectors.profiles.wander import Usual, learn

Array = NDArray[np.float64]

_TRAIN_ROWS = 400
_LEAST_TRAINING = 40
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Rules:
    """The constants, for `_TRAIN_ROWS` healthy rows.

    What counts rows grows and falls with the healthy rows, fourfold at most: a machine that is sampled twice as often
    needs twice the rows to show the same.

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
    """

    gain: float = 0.15
    drift: float = 0.005
    enter: float = 4.0
    leave: float = 1.5
    share: float = 0.3
    hold: float = 30.0
    slew: float = 6.0
    reach: float = 20.0

    def paced(self, healthy: int) -> Rules:
        """For so many healthy rows."""
        pace = min(max(healthy / _TRAIN_ROWS, 0.25), 4.0)
        return Rules(
            min(self.gain / pace, _HALF),
            self.drift / pace,
            self.enter,
            self.leave,
            self.share,
            self.hold * pace,
            self.slew,
            self.reach,
        )


class Multichannel:
    """Levels of all channels, each against its own wander. Implements `detectors.profiles.base.Profile`.

    The first `train_rows` rows score 0. A row's score is half the greatest distance over its bound while no channel is
    out of bounds, and at least 0.5 while one is: above 0.5 it is an alarm.

    Args:
        channels: columns.
        train_rows: healthy first rows; None: 400. At least 40 are taken.
    """

    def __init__(self, channels: int, train_rows: int | None) -> None:
        self._healthy = max(_LEAST_TRAINING, _TRAIN_ROWS if train_rows is None else train_rows)
        rules = Rules().paced(self._healthy)
        self._gain = rules.gain
        self._rules = np.array(astuple(rules))
        self._training: Array | None = np.empty((0, channels))
        self._usual = Usual(*np.zeros((3, channels)))
        self._level, self._centre, self._peak, self._calm = np.zeros((4, channels))
        self._out = np.zeros(channels, np.bool_)

    def observe(self, t: NDArray[np.float64], x: NDArray[np.float64]) -> Scores:
        """Score the next rows; see `detectors.profiles.base.Profile.observe`. Times are not looked at."""
        taken = self._train(x)
        rest = np.ascontiguousarray(x[taken:], dtype=np.float64)
        ratio, alarm = np.zeros(len(t)), np.zeros(len(t), np.bool_)
        if len(rest):
            usual = self._usual
            follow(
                rest,
                usual.noise,
                usual.scale,
                self._rules,
                self._level,
                self._centre,
                self._peak,
                self._calm,
                self._out,
                ratio[taken:],
                alarm[taken:],
            )
        return Scores(_HALF * np.where(alarm, 1 + ratio / (1 + ratio), ratio), alarm)

    def _train(self, x: Array) -> int:
        """Gather healthy rows; learn from them when there are enough. Returns how many rows were gathered."""
        if self._training is None:
            return 0
        taken = min(len(x), self._healthy - len(self._training))
        self._training = np.vstack([self._training, x[:taken]])
        if len(self._training) == self._healthy:
            self._usual = learn(self._training, self._gain)
            self._level[:] = self._usual.centre
            self._centre[:] = self._usual.centre
            self._training = None
        return taken
