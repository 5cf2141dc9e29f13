"""What a new firmware does to an appliance: its features move at once, and that is nobody's fault.

A device says in its own sequence that it has started with another version (`firmware:2.5.0`), so a detector learns of
an update at its place among the readings, in whatever order and partition they arrive. From there on each feature has
a shift of its own, unknown by what an update may do, which the first cycles after it tell (a scalar Kalman filter:
West & Harrison 1997, ch. 2). The reference itself stands: its slopes are those of the appliance, and what a feature
was off before the update it stays off after it, so that wear is not taken for the firmware's doing.
"""

from __future__ import annotations

import math

import msgspec

from detectors.baseline import FeatureModel, OwnState
from detectors.episodes import DAY

STARTED_WITH = "firmware:"
"""Begin of the event that names the version."""
RUNS = "programme:"
"""Begin of the event that names the programme."""
_CYCLES = 8
"""Cycles with a feature that tell its shift; what moves it later is no update's doing."""
_FAR = 2.0
"""Standard deviation of what an update does, in spreads between units of the kind."""
_CLIP = 4.0
_SETTLES = DAY
"""What an appliance does until it has come to its new set points tells neither the update's shift nor a fault."""


class Shift(msgspec.Struct, array_like=True):
    """How far updates have moved one feature.

    Attributes:
        mean: in the feature's unit.
        variance: of it.
        kept: how far the feature was off when the last update came; that stays.
        left: cycles that are still learned from.
    """

    mean: float = 0.0
    variance: float = 0.0
    kept: float = 0.0
    left: int = 0

    def begin(self, spread: float, off: float) -> None:
        """An update comes.

        Args:
            spread: between units.
            off: how far the feature was off lately.
        """
        self.variance += (_FAR * spread) ** 2
        self.kept = off
        self.left = _CYCLES

    def learn(self, off: float, noise: float) -> None:
        """One cycle after an update.

        Args:
            off: how far the feature is off what is expected, the shift so far included.
            noise: variance of a cycle about the expectation.
        """
        if self.left == 0:
            return
        bound = _CLIP * math.sqrt(self.variance + noise)
        gain = self.variance / (self.variance + noise)
        self.mean += gain * max(-bound, min(bound, off - self.kept))
        self.variance *= 1.0 - gain
        self.left -= 1


class UpdateState(msgspec.Struct):
    """What is remembered of updates.

    Attributes:
        version: that runs, once one was named.
        at: event time from which on it is judged, microseconds.
        programme: that runs, or ran last; empty where a kind has none.
        begun: what each feature's shift began with, from the first update on.
        shifts: by programme, of each feature: an update may change one programme alone.
    """

    version: str = ""
    at: int = 0
    programme: str = ""
    begun: list[Shift] = msgspec.field(default_factory=list)
    shifts: dict[str, list[Shift]] = msgspec.field(default_factory=dict)

    def hear(self, events: tuple[str, ...], at: int) -> bool:
        """Take a message's events: which programme runs, and whether another version does from now on.

        Args:
            events: codes.
            at: event time of the message, microseconds.
        """
        before = self.version
        for code in events:
            if code.startswith(RUNS):
                self.programme = code.removeprefix(RUNS)
            elif code.startswith(STARTED_WITH):
                self.version = code.removeprefix(STARTED_WITH)
        if self.version == before:
            return False
        self.at = at + _SETTLES
        return True

    def moved(self) -> list[Shift]:
        """Of each feature in the programme that ran; empty before the first update."""
        if self.begun and self.programme not in self.shifts:
            self.shifts[self.programme] = [msgspec.structs.replace(one) for one in self.begun]
        return self.shifts.get(self.programme, [])

    def begin(self, of: list[tuple[float, float]]) -> None:
        """An update comes: of each feature the spread between units, and how far it was off lately."""
        self.begun = self.begun or [Shift() for _ in of]
        for shifts in (self.begun, *self.shifts.values()):
            for shift, (spread, off) in zip(shifts, of, strict=True):
                shift.begin(spread, off)


NOT_MOVED = Shift()


def off_lately(
    model: FeatureModel, own: OwnState, conditions: list[float], residual: float, tolerance: float
) -> tuple[float, float]:
    """Spread of a feature between units, and how far it has been off lately beyond what is tolerated.

    Args:
        model: of the feature.
        own: the unit's reference.
        conditions: regressors of the last cycles on average; empty where there were none.
        residual: of these cycles to the cohort's expectation.
        tolerance: what is nobody's fault, in standard deviations of a cycle.
    """
    if not conditions:
        return model.spec.spread, 0.0
    usual = model.own(own, conditions)
    off = model.prior(conditions).mean + residual - usual.mean
    sd = math.sqrt(usual.noise + usual.doubt + (0.3 * model.spec.spread) ** 2)
    return model.spec.spread, math.copysign(max(0.0, abs(off) - tolerance * sd), off)


def learn_shifts(shifts: list[Shift], off: list[float], sd: list[float]) -> None:
    """One clean cycle tells the shifts of the features that it shows."""
    for shift, by, spread in zip(shifts, off, sd, strict=bool(shifts)):
        if not math.isnan(by):
            shift.learn(by, spread**2 - shift.variance)
