"""A fault's signature: what it changes inside the appliance, in its channels, in its features and in its self-test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from firmware_sim.mechanism import DRIVE, SENSOR, Acting, influence
from firmware_sim.physics.base import ContinuousPhysics, Floats, gather
from firmware_sim.testbed import Piece, Setup, Trace, set_up, traces
from telemetry.catalogue import Catalogue, FaultSpec, Influence, KindSpec

LEVELS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""At which a signature is measured; the last is functional failure."""
SHOWN = 0.8
"""The level that curves show: late, but before failure."""
_DAYS = {False: 1, True: 3}
"""Days on the test bed of what runs programmes, and of what never ends: its features want some cycles."""
Reader = Callable[[KindSpec, Sequence[Piece], Sequence[Piece]], Mapping[str, float]]
"""Features of an appliance's samples, by id, given those of the healthy one; what it cannot tell is absent or NaN. The
product's detectors are one."""


@dataclass(frozen=True, slots=True)
class Change:
    """How a fault's mechanism changes one quantity of the appliance.

    Attributes:
        target: parameter, `sensor.CHANNEL` or `drive.NAME`.
        healthy: its value in the model, None for what is no parameter.
        worn: at `SHOWN`.
        failed: at functional failure.
        words: the mechanism as it stands in the catalogue.
    """

    target: str
    healthy: float | None
    worn: float | None
    failed: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Signature:
    """All that the test bed shows of a fault.

    Attributes:
        setup: the appliance.
        id: of the fault, None for the healthy appliance alone.
        fault: its catalogue page, likewise.
        changes: inside the appliance.
        traces: one a level of `levels`.
        levels: of the fault.
        features: of each trace, by id; empty without a reader.
    """

    setup: Setup
    id: str | None
    fault: FaultSpec | None
    changes: list[Change]
    traces: list[Trace]
    levels: tuple[float, ...]
    features: list[dict[str, float]] = field(default_factory=list)

    @property
    def healthy(self) -> Trace:
        """Without the fault."""
        return self.traces[0]

    @property
    def shown(self) -> Trace:
        """With it, at the level that curves show."""
        return self.traces[self.shown_at]

    @property
    def shown_at(self) -> int:
        """Which of the traces that is: bursts of an intermittent fault are wholly there."""
        if self.fault is not None and self.fault.course.pattern == "intermittent":
            return len(self.levels) - 1
        return min(range(len(self.levels)), key=lambda i: abs(self.levels[i] - SHOWN))

    def feature(self, name: str) -> Floats:
        """A feature at each level, NaN where it is not known."""
        return np.array([some.get(name, np.nan) for some in self.features], dtype=np.float64)

    def test(self, name: str) -> Floats:
        """A quantity of the self-test at each level."""
        return np.array([trace.test.get(name, np.nan) for trace in self.traces], dtype=np.float64)


def signature(
    catalogue: Catalogue,
    kind: str,
    fault: str | None,
    *,
    model: str | None = None,
    levels: Sequence[float] = LEVELS,
    reader: Reader | None = None,
) -> Signature:
    """Measure a fault on the test bed; without a fault the healthy appliance alone.

    Raises:
        UnknownNameError: no such kind, fault or model, or nothing simulates the kind.
    """
    setup, acting = set_up(catalogue, kind, fault, model)
    chosen = tuple(levels) if fault is not None else (0.0,)
    found = traces(setup, acting, chosen, _DAYS[isinstance(setup.physics, ContinuousPhysics)])
    read = [dict(reader(setup.kind, trace.pieces, found[0].pieces)) for trace in found] if reader is not None else []
    page = setup.kind.faults[fault] if fault is not None else None
    return Signature(setup, fault, page, [_change(setup, one) for one in acting], found, chosen, read)


def in_words(what: Influence) -> str:
    """An influence at level 1, as in `x 0.2, seizes at 0`."""
    parts = []
    if what.factor is not None:
        parts.append(f"x {what.factor:g}")
    if what.add is not None:
        parts.append(f"{what.add:+g}")
    if what.failed is not None:
        parts.append(f"x {what.failed:g} once failed")
    if what.bias is not None:
        parts.append(f"reads {what.bias:+g}")
    if what.noise is not None:
        parts.append(f"noise {what.noise:g}")
    if what.stuck is not None:
        parts.append(f"stuck at {what.stuck:g}")
    if what.dropout is not None:
        parts.append(f"{what.dropout:.0%} of readings missing")
    return ", ".join(parts)


def _change(setup: Setup, acting: Acting) -> Change:
    words = in_words(acting.what)
    if acting.target.startswith((SENSOR, DRIVE)):
        return Change(acting.target, None, None, None, words)
    healthy = gather(setup.physics, [setup.parameters])[acting.target]
    worn, failed = (float(influence(healthy, acting.what, np.array([level]))[0]) for level in (SHOWN, 1.0))
    return Change(acting.target, float(healthy[0]), worn, failed, words)
