"""The detector of appliances that work in cycles, which keeps what it made of each cycle."""

from __future__ import annotations

import math

from detectors.cyclic import CyclicDetector
from detectors.cyclic_state import Span
from detectors.diagnosis import Deviations
from detectors.segment import Cycle
from detectors.tracing.record import BAND, Bound, Record, Row
from telemetry.catalogue import KindSpec
from telemetry.finding import Finding
from telemetry.identity import DeviceKey

OWN, COHORT, LEVEL = "own", "cohort", "level"


class TracedCyclic(CyclicDetector):
    """Decides by the same code; what it decides on is kept in `record`."""

    def __init__(self, key: DeviceKey, kind: KindSpec, version: str) -> None:
        super().__init__(key, kind, version)
        own = Bound(self._threshold, None)
        # An episode ends when the average and the cohort are calm: `CyclicDetector._decide`.
        level = Bound(None, self._exit)
        cohort = Bound(self._cohort, self._exit + 1, self._persist)
        scores = {OWN: own, LEVEL: level} if self._adaptive else {OWN: own, COHORT: cohort, LEVEL: level}
        self.record = Record(list(self._names), {family: dict(scores) for family in self._families})
        self._cohorts: dict[str, float] = {}

    @property
    def learned(self) -> tuple[int, int]:
        """Clean cycles of the unit's own reference, and how many it needs."""
        if self._adaptive:
            return (self._need if self._state.usual else min(len(self._state.reference), self._need)), self._need
        return self._state.learned, self._need

    def _show(self, at: int, values: list[float], usual: list[float], spread: list[float]) -> None:
        super()._show(at, values, usual, spread)
        half = [BAND * math.sqrt(s) if s >= 0 else math.nan for s in spread]
        if self._adaptive:
            # Logarithms inside; people read the quantities themselves.
            middle = [math.exp(u) for u in usual]
            edges = [(m - m / math.exp(h), m * math.exp(h) - m) for m, h in zip(middle, half, strict=True)]
            self.record.add(Row(at, at, [math.exp(v) for v in values], middle, edges))
            return
        self.record.add(Row(at, at, list(values), list(usual), [(h, h) for h in half]))

    def _judge(self, cycle: Cycle, epoch: int) -> list[Finding]:
        before = self.record.seen
        self._cohorts = {}
        found = super()._judge(cycle, epoch)
        if self.record.seen == before or not self._cohorts:
            return found
        row = self.record.rows[-1]
        row.start = cycle.start
        row.scores = {family: self._scores(family) for family in self._cohorts}
        self.record.judged += 1
        for family, bounds in self.record.bounds.items():
            bounds[OWN] = Bound(self._threshold * self._factor(family), None)
            if COHORT in bounds:
                opens = self._cohort * math.sqrt(self._factor(family))
                bounds[COHORT] = Bound(opens, self._exit + 1, self._persist)
        return found

    def _scores(self, family: str) -> dict[str, float]:
        track = self._state.tracks[family]
        return {OWN: track.log_e, COHORT: self._cohorts[family], LEVEL: track.level}

    def _decide(self, family: str, span: Span, cohort: float, seen: Deviations) -> list[Finding]:
        self._cohorts[family] = cohort
        return super()._decide(family, span, cohort, seen)
