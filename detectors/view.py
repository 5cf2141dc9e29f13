"""A cycle as features read it, and what several of them need of it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.segment import SLACK, Cycle
from telemetry.clock import MICROS

NAN = math.nan
_DISTURBING = ("defrost", "pulldown")
"""Phases that make a cycle unlike the others; features that compare cycles pass it over."""


class View:
    """A cycle as features read it, with numbers of channels and phases and seconds between a phase's readings."""

    __slots__ = ("_steps", "channels", "cycle", "every", "phases", "run", "seconds")

    def __init__(self, cycle: Cycle, channels: dict[str, int], phases: dict[str, int], every: list[float]) -> None:
        self.cycle = cycle
        self.channels = channels
        self.phases = phases
        self.every = every
        self.seconds: NDArray[np.float64] = (cycle.rows.t - cycle.start) / MICROS
        self.run = int(np.searchsorted(cycle.rows.t, cycle.end))
        self._steps: NDArray[np.float64] | None = None

    def of(self, channel: str) -> NDArray[np.float32]:
        """Values of a channel over the cycle's readings."""
        return self.cycle.rows.values[:, self.channels[channel]]

    def in_phase(self, phase: str) -> NDArray[np.bool_]:
        """Which readings belong to a phase."""
        return np.asarray(self.cycle.rows.phase == self.phases[phase])

    @property
    def steps(self) -> NDArray[np.float64]:
        """Seconds from each reading to the next."""
        if self._steps is None:
            self._steps = self.seconds[1:] - self.seconds[:-1]
        return self._steps

    @property
    def plain(self) -> bool:
        """Whether no defrost, nor what follows it, disturbs the cycle."""
        return not any(self.in_phase(name).any() for name in _DISTURBING if name in self.phases)


def mean(x: NDArray[np.float32]) -> float:
    """Mean of what is known."""
    value = float(x.sum(dtype=np.float64)) / len(x) if len(x) else NAN
    if math.isnan(value) and len(x):
        x = x[np.isfinite(x)]
        value = float(x.sum(dtype=np.float64)) / len(x) if len(x) else NAN
    return value


def median(x: NDArray[np.float32]) -> float:
    """Median of what is known."""
    x = x[np.isfinite(x)]
    n = len(x)
    if n == 0:
        return NAN
    x = np.sort(x)
    return float(x[n // 2]) if n % 2 else (float(x[n // 2 - 1]) + float(x[n // 2])) / 2


def top(x: NDArray[np.float32]) -> float:
    """Greatest of what is known."""
    known = x[np.isfinite(x)]
    return float(known.max()) if len(known) else NAN


def over_time(view: View, channel: str) -> float:
    """Time-weighted mean, each reading holding until the next."""
    x = view.of(channel)
    if len(x) < 2:  # noqa: PLR2004  (one reading has no duration)
        return mean(x)
    step = view.steps
    total = float((x[:-1] * step).sum())
    length = float(step.sum())
    if math.isnan(total):
        known = np.isfinite(x[:-1])
        length = float(step[known].sum())
        total = float((x[:-1][known] * step[known]).sum())
    return total / length if length > 0 else NAN


def run_time(view: View) -> float:
    """Seconds from the first working reading to the first resting one."""
    return (view.cycle.end - view.cycle.start) / MICROS


def energy(view: View) -> float:
    """Integral of power over the run, kJ; each reading holds until the next."""
    power = view.of("power")[: view.run]
    if len(power) == 0:
        return NAN
    step = np.diff(view.seconds[: view.run], append=run_time(view))
    return float((power * step).sum()) / 1000


def phase_time(view: View, phase: str) -> float:
    """Mean length of the cycle's phases of a name: first reading of the phase to the first of the next phase.

    A new phase begins with a reading. Where that comes late for the phase before it, the reading at the edge is
    missing (an appliance restarted just then) and the length is not known.
    """
    number = view.phases[phase]
    of = view.cycle.rows.phase
    inside = of == number
    begun: float | None = 0.0 if inside[0] else None
    lengths: list[float] = []
    for edge in (np.flatnonzero(inside[1:] != inside[:-1]) + 1).tolist():
        before = int(of[edge - 1])
        prompt = before >= 0 and view.steps[edge - 1] <= view.every[before] * SLACK
        at = float(view.seconds[edge])
        if inside[edge]:
            begun = at if prompt else None
        elif begun is not None:
            if prompt:
                lengths.append(at - begun)
            begun = None
    return sum(lengths) / len(lengths) if lengths else NAN


def within(view: View, channel: str, phase: str, skip: int = 0) -> NDArray[np.float32]:
    """Values of a channel in a phase, the first `skip` left out."""
    return view.of(channel)[view.in_phase(phase)][skip:]
