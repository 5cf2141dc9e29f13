"""A bank whose detectors keep what they see; its findings and its version are those of `detectors.bank.Bank`."""

from __future__ import annotations

from collections.abc import Sequence

from detectors.bank import Bank
from detectors.engine import DeviceDetector, Observation, Observed
from detectors.multichannel import MultichannelDetector
from detectors.river_watch import RiverDetector
from detectors.tracing.cyclic import TracedCyclic
from detectors.tracing.record import Bound, Record, Row
from telemetry.catalogue import Catalogue, KindSpec
from telemetry.finding import Finding
from telemetry.identity import DeviceKey

SHARE = "share"
_LOOK = 60
"""Rows between two looks at a plant."""


class TracingBank(Bank):
    """Makes traced detectors. Implements `DetectorFactory`.

    Args:
        catalogue: as for `Bank`.

    Attributes:
        records: of every device that it made a detector for.
        learned: clean cycles of a device's reference and how many it needs; None for kinds without.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self.records: dict[DeviceKey, Record] = {}
        self._cyclic: dict[DeviceKey, TracedCyclic] = {}
        self._keys: dict[int, DeviceKey] = {}

    def learned(self, key: DeviceKey) -> tuple[int, int] | None:
        """How far a device's own reference is."""
        detector = self._cyclic.get(key)
        return None if detector is None else detector.learned

    def __call__(self, key: DeviceKey, kind: KindSpec) -> DeviceDetector:
        """A fresh detector: catalogue priors, nothing observed."""
        made = super().__call__(key, kind)
        plain = made.inner if isinstance(made, RiverDetector) else made
        if isinstance(plain, MultichannelDetector):
            rules = plain.plants.rules
            bound = Bound(rules.open_share, rules.exit_share)
            self.records[key] = Record([], {plain.plants.spec.family: {SHARE: bound}})
            self._keys[plain.slot] = key
        return made

    def _own(self, key: DeviceKey, kind: KindSpec) -> DeviceDetector:
        if kind.detector != "cycles":
            return super()._own(key, kind)
        traced = TracedCyclic(key, kind, self.version)
        self.records[key] = traced.record
        self._cyclic[key] = traced
        return traced

    def observe(self, items: Sequence[tuple[DeviceDetector, Observation]]) -> list[Observed]:
        """Observe runs; a plant is looked at every minute of rows, which changes nothing of what it finds."""
        found: list[Observed] = []
        for detector, observation in items:
            if isinstance(detector, MultichannelDetector):
                found.append(self._look(detector, observation))
            else:
                found += super().observe([(detector, observation)])
        return found

    def _look(self, detector: MultichannelDetector, observation: Observation) -> Observed:
        told: list[Finding] = []
        rows = len(observation.values)
        for begin in range(0, rows, _LOOK) or (0,):
            part = slice(begin, begin + _LOOK)
            events = observation.events if begin == 0 else ()
            piece = Observation(
                observation.epoch,
                observation.seq,
                observation.t[part],
                observation.phase,
                observation.values[part],
                events,
            )
            (answer,) = super().observe([(detector, piece)])
            if isinstance(answer, Exception):
                return answer
            told += answer
            if rows:
                self._note(detector, int(piece.t[-1]))
        return told

    def _note(self, detector: MultichannelDetector, at: int) -> None:
        record = self.records[self._keys[detector.slot]]
        share = detector.plants.share(detector.slot)
        record.add(Row(at, at, (), (), (), {family: {SHARE: share} for family in record.bounds}))
        record.judged += 1
