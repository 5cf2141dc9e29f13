"""A device among its peers: what it tells of itself, and how what they all do is taken out of what it is judged by.

Detectors see one device. What its peers do reaches it as the control entry `cohort_reference`, so that a finding stays
a function of readings and control entries. A movement that peers share is nobody's fault: it is subtracted before a
judgement, and as far as peers move differently the judgement is less sure. That is bounded, so that a wear which many
share is not learned away: never by more than `_FARTHEST` scatters, in full for `_FULL` days and then less and less,
until after `_GONE` days nothing is subtracted. What then remains of a batch is one fleet finding of the desk.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from telemetry.clock import MICROS
from telemetry.cohort import CohortReference, CohortSummary, Common, Own, reference_of
from telemetry.control import ControlEntry
from telemetry.finding import Finding

DAY = 86_400 * MICROS
_KEPT = 0.5
"""Weight of yesterday in today's average: it reaches back over some two days."""
_STALE = 8
"""Days after which a reference says nothing any more; it is repeated sooner."""
_FARTHEST = 3.0
_FULL = 30
_GONE = 60
_FEWEST = 0.4
"""An average of fewer cycles is not told."""
_DIGITS = 6


class Sums(msgspec.Struct, array_like=True):
    """Decaying sums of one feature: cycles, levels, cycles with a shift, shifts; and the scatter."""

    weight: float = 0.0
    level: float = 0.0
    shifts: float = 0.0
    shift: float = 0.0
    scatter: float = 0.0


class PeerState(msgspec.Struct):
    """What is remembered between cycles; empty where a kind's page does not ask for the comparison.

    Attributes:
        day: of the last cycle, whole days since 1970.
        sums: by feature.
        summary: of the last day that ended.
        reference: the newest that was heard.
        since: by feature, the day from which its peers have moved; -1 while they have not.
    """

    day: int = -1
    sums: list[Sums] = msgspec.field(default_factory=list)
    summary: CohortSummary | None = None
    reference: CohortReference | None = None
    since: dict[str, int] = msgspec.field(default_factory=dict)


class Moved(NamedTuple):
    """What peers have in common: how far they moved, and the variance of it."""

    shift: float
    variance: float


_NOT = Moved(0.0, 0.0)


class Peers:
    """The comparison of one device with its peers.

    Args:
        names: of the features.
        shifts: whether common movements are subtracted.
        starts: whether a device without a reference of its own begins from its peers' level.
    """

    def __init__(self, names: list[str], *, shifts: bool, starts: bool) -> None:
        self._names = names
        self.shifts, self.starts = shifts, starts
        self.state = PeerState()

    @property
    def active(self) -> bool:
        """Whether the kind's page asks for any of it."""
        return self.shifts or self.starts

    @property
    def summary(self) -> CohortSummary | None:
        """Of the last day that ended; a function of what was observed, like a finding. None while there is none."""
        return self.state.summary

    def turn(self, at: int) -> None:
        """A cycle comes: when it is the first of a day, what was before becomes the summary."""
        if not self.active:
            return
        state, day = self.state, at // DAY
        if not state.sums:
            state.sums = [Sums() for _ in self._names]
        if day <= state.day:
            return
        if state.day >= 0:
            state.summary = CohortSummary(state.day, dict(self._told()))
            for sums in state.sums:
                sums.weight *= _KEPT
                sums.level *= _KEPT
                sums.shifts *= _KEPT
                sums.shift *= _KEPT
        state.day = day

    def add(self, feature: int, level: float, shift: float, scatter: float) -> None:
        """What a cycle shows of a feature, before anything is subtracted; NaN where it cannot tell."""
        if not self.active:
            return
        sums = self.state.sums[feature]
        if not math.isnan(level):
            sums.weight += 1.0
            sums.level += level
        if not math.isnan(shift):
            sums.shifts += 1.0
            sums.shift += shift
        sums.scatter = scatter

    def forget_shifts(self) -> None:
        """The device's own reference is learned anew: its shifts so far are from another one."""
        for sums in self.state.sums:
            sums.shifts = sums.shift = 0.0

    def hear(self, entry: ControlEntry) -> list[Finding]:
        """Peers stand so from now on; an entry that does not say how changes nothing. Nothing is found by it."""
        reference = reference_of(entry.body)
        if not self.active or reference is None:
            return []
        before = self.state.since
        self.state.reference = reference
        self.state.since = {
            name: before.get(name, reference.day) for name, common in reference.features.items() if common.shift
        }
        return []

    def moved(self, feature: int, at: int, scatter: float) -> Moved:
        """What of a feature's deviation its peers share.

        Args:
            feature: place of it.
            at: event time, microseconds.
            scatter: standard deviation of a cycle about the device's own reference.
        """
        common = self._common(feature, at) if self.shifts else None
        if common is None or not common.shift:
            return _NOT
        age = at // DAY - self.state.since.get(self._names[feature], at // DAY)
        share = min(1.0, max(0.0, (_GONE - age) / (_GONE - _FULL)))
        bound = _FARTHEST * scatter
        return Moved(share * max(-bound, min(bound, common.shift)), share * common.shift_spread**2)

    def level(self, feature: int, at: int, spread: float, doubt: float) -> tuple[float, float]:
        """Mean of peers about the catalogue's expectation, and the variance of a device about it.

        Never farther than one of the catalogue's spreads, never surer than half of it.

        Args:
            feature: place of it.
            at: event time, microseconds.
            spread: between units, as the catalogue has it.
            doubt: variance of the catalogue's expectation, `spread` included; kept where peers say nothing.
        """
        common = self._common(feature, at) if self.starts else None
        if common is None or common.level is None:
            return 0.0, doubt
        width = max(common.level_spread, 0.5 * spread)
        level = max(-spread, min(spread, common.level))
        return level, max(0.0, doubt - spread * spread) + width * width * (1.0 + 1.0 / common.peers)

    def _common(self, feature: int, at: int) -> Common | None:
        reference = self.state.reference
        if reference is None or at // DAY - reference.day > _STALE:
            return None
        return reference.features.get(self._names[feature])

    def _told(self) -> Iterable[tuple[str, Own]]:
        for name, sums in zip(self._names, self.state.sums, strict=True):
            level = sums.level / sums.weight if sums.weight >= _FEWEST else None
            shift = sums.shift / sums.shifts if sums.shifts >= _FEWEST else None
            if level is not None or shift is not None:
                weight = max(sums.weight, sums.shifts)
                yield name, Own(_short(weight), _short_or_none(level), _short_or_none(shift), _short(sums.scatter))


def peers_of(names: list[str], tuning: Mapping[str, float]) -> Peers:
    """As a kind's page asks for it: `cohort_shift` and `cohort_start`, 1 or 0, off unless told."""
    return Peers(names, shifts=tuning.get("cohort_shift", 0) > 0, starts=tuning.get("cohort_start", 0) > 0)


def alone() -> Peers:
    """Of a device that is not compared."""
    return Peers([], shifts=False, starts=False)


def _short(x: float) -> float:
    """Six significant digits: no score of the device itself rests on it."""
    return float(f"{x:.{_DIGITS}g}")


def _short_or_none(x: float | None) -> float | None:
    return None if x is None else _short(x)
