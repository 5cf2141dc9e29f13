"""A device's estimators of river beside its own detector: the same calibration, decision and episodes."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from statistics import NormalDist

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.decision import Track, date_shift
from detectors.diagnosis import UNKNOWN
from detectors.engine import DeviceDetector, Observation, compared
from detectors.episodes import DAY, Assessment, Book, Episode
from detectors.evidence import Bins
from detectors.features import Extractor
from detectors.peers import alone
from detectors.river_adapter import Adapter, DriftAdapter, History
from detectors.segment import Cycle, Segmenter, SegmentState
from telemetry.catalogue import KindSpec
from telemetry.catalogue.model import RiverSpec
from telemetry.clock import MICROS
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Cause, Finding, Proof
from telemetry.identity import DeviceKey

_LIKELY = 0.7
_EXIT = 0.5
_BAND = 1.0
_LEAST = -3.0
_FORGET = 0.15
_NEAR = 0.75
_EXIT_AFTER = 24
_NORMAL = NormalDist()


class WatchState(msgspec.Struct):
    """What is known of one estimator's values, as it is snapshotted.

    Attributes:
        history: what the estimator was fed with.
        clean: scores of the reference, ascending; fixed once it is complete.
        track: the evidence.
        level: moving average of each number.
        bins: the numbers over time.
        count: readings in the value on its way (continuous kinds).
        sums: their sums.
    """

    history: History
    bins: Bins
    clean: list[float] = msgspec.field(default_factory=list)
    track: Track = msgspec.field(default_factory=Track)
    level: list[float] = msgspec.field(default_factory=list)
    count: int = 0
    sums: list[float] = msgspec.field(default_factory=list)


class RiverState(msgspec.Struct):
    """The whole device, as it is snapshotted."""

    inner: bytes
    episodes: dict[str, Episode]
    watches: list[WatchState]
    segment: SegmentState | None = None
    mended: dict[str, int] = msgspec.field(default_factory=dict)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(RiverState)


class Watch:
    """One estimator of one device, from values to a family's episode.

    Args:
        kind: the device's catalogue page.
        spec: the estimator's.
        make: a fresh estimator.
        book: the device's episodes that estimators speak of.
    """

    def __init__(self, kind: KindSpec, spec: RiverSpec, make: Callable[[], Adapter], book: Book) -> None:
        self._spec, self._make, self._book = spec, make, book
        self._fault = kind.faults[spec.fault]
        self._family = self._fault.family
        self._width = round(3600 * MICROS * kind.tuning.get("evidence_hours", 0.0))
        self._width = self._width or round(MICROS * kind.tuning.get("evidence_seconds", 30.0))
        names = list(kind.features) if kind.detector == "cycles" else list(kind.channels)
        self.columns = np.array([names.index(name) for name in spec.sees])
        self.begin()

    def begin(self) -> None:
        """Nothing is known yet."""
        self._adapter = self._make()
        self.state = WatchState(self._adapter.history, Bins(self._width))

    def load(self, state: WatchState) -> None:
        """Take back a state; the estimator is fed again with its history."""
        self.state = state
        self._adapter = self._make()
        self._adapter.restore(state.history)

    def rows(self, t: NDArray[np.int64], values: NDArray[np.float32], epoch: int) -> list[Finding]:
        """Readings of a continuous kind: so many make a value."""
        state, found = self.state, []
        picked = values[:, self.columns]
        for at, row in zip(t.tolist(), picked.astype(np.float64).tolist(), strict=True):
            if not all(map(math.isfinite, row)):
                continue
            state.sums = [a + b for a, b in zip(state.sums, row, strict=True)] if state.count else row
            state.count += 1
            if state.count >= self._spec.every:
                value = [x / state.count for x in state.sums]
                state.count, state.sums = 0, []
                found += self.value(at, at, value, epoch)
        return found

    def gap(self) -> None:
        """Readings are missing: no value spans them."""
        self.state.count, self.state.sums = 0, []

    def value(self, start: int, at: int, value: list[float], epoch: int) -> list[Finding]:
        """The next value, of what began at `start` and ended at `at`."""
        state = self.state
        if not all(map(math.isfinite, value)) or self._book.blind(self._family, start):
            return []
        open_ = self._book.is_open(self._family)
        # A drift detector that saw its drift is not fed on while the episode stands: it would take it for usual.
        resting = open_ and isinstance(self._adapter, DriftAdapter)
        score = 1.0 if resting else self._adapter.score(value)
        # It may have been begun anew.
        state.history = self._adapter.history
        if score is None:
            return []
        before = state.level or [middle for middle, _ in state.history.usual]
        state.level = [a + _FORGET * (b - a) for a, b in zip(before, value, strict=True)]
        middle, spread = zip(*state.history.usual, strict=True)
        state.bins.add(at, value, list(middle), [s * s for s in spread])
        if resting:
            score = float(any(abs(a - m) > _NEAR * s for a, m, s in zip(state.level, middle, spread, strict=True)))
        if len(state.clean) < self._spec.reference:
            insort(state.clean, score)
            return []
        z = self._deviation(score)
        state.track.remember(at, z)
        state.track.step(at, z, 0.0, self._spec.threshold, _FORGET)
        if not open_:
            if state.track.log_e < self._spec.threshold:
                return []
            return [self._book.open(self._family, epoch, at, self._assess(at))]
        told = self._book.judge(
            self._family,
            start,
            at,
            calm=state.track.level < _EXIT,
            band=state.track.level < _BAND,
            cause=lambda: self._spec.fault,
            what=lambda: self._assess(at),
        )
        if told is not None and told.proof is Proof.PROVEN:
            # A new part is a new unit.
            self.begin()
        return [] if told is None else [told]

    def repaired(self, entry: ControlEntry) -> list[Finding]:
        """A repair puts the family's episode under proof."""
        if entry.kind is not ControlKind.REPAIR_DONE or entry.body.get("family") != self._family:
            return []
        found = self._book.repaired(self._family, entry.at)
        if found is None:
            return []
        self.state.track.reset()
        self.state.level = []
        return found

    def _deviation(self, score: float) -> float:
        """Conformal against the fixed clean reference, as a standard normal number."""
        clean = self.state.clean
        p = (1 + len(clean) - bisect_left(clean, score)) / (len(clean) + 1)
        return _NORMAL.inv_cdf(1 - p) if p < 1 else _LEAST

    def _assess(self, at: int) -> Assessment:
        state, spec = self.state, self._spec
        dated = date_shift(state.track.times, state.track.scores)
        begun = state.track.begun or at
        onset, low, high = (begun, begun, at) if dated is None else dated
        usual = state.history.usual
        reasons = tuple((name, a, m) for name, a, (m, _) in zip(spec.sees, state.level, usual, strict=True))
        signals = (state.bins.signal(name, i, relative=False) for i, name in enumerate(spec.sees[:3]))
        lead_low, lead_high = self._fault.lead_days
        gone = max(0.0, (at - onset) / DAY)
        return Assessment(
            severity=self._fault.severity,
            onset=onset,
            onset_low=min(low, onset),
            onset_high=max(high, onset),
            score=max(1e-9, 1 - math.exp(-state.track.log_e)),
            causes=(Cause(spec.fault, _LIKELY, reasons), Cause(UNKNOWN, 1 - _LIKELY)),
            evidence=tuple(s for s in signals if s is not None),
            life_low=max(0.5, lead_low - gone) * 86400,
            life_high=max(1.0, lead_high - 0.5 * gone) * 86400,
        )


class RiverDetector:
    """A device's own detector and its kind's estimators of river. Implements `DeviceDetector`.

    Args:
        key: the device.
        kind: its catalogue page.
        version: that findings carry.
        inner: the device's own detector.
        makers: of the kind's estimators.
    """

    def __init__(
        self,
        key: DeviceKey,
        kind: KindSpec,
        version: str,
        inner: DeviceDetector,
        makers: Sequence[Callable[[], Adapter]],
    ) -> None:
        self.inner = inner
        self.peers = compared(inner) or alone()
        after = int(kind.tuning.get("exit_cycles", _EXIT_AFTER))
        self._book = Book(key, kind, "river", version, after)
        self._watches = [Watch(kind, spec, make, self._book) for spec, make in zip(kind.river, makers, strict=True)]
        self._cycles: tuple[Segmenter, Extractor] | None = None
        if kind.detector == "cycles":
            rest = "off_time" in kind.features
            segmenter = Segmenter(kind, rest_counts=rest, keep_rest=rest)
            self._cycles = segmenter, Extractor(kind, tuple(kind.features))

    def observe(self, observation: Observation) -> list[Finding]:
        """Take the next run of messages; return new revisions of episodes, oldest first."""
        return self.also(observation, self.inner.observe(observation))

    def also(self, observation: Observation, told: list[Finding]) -> list[Finding]:
        """Let the estimators see a run that the device's own detector was told of, and what that said."""
        found: list[Finding] = []
        t, values = observation.t, observation.values
        if len(values) and self._cycles is not None:
            for cycle in self._cycles[0].feed(t, observation.phase, values):
                found += self._cycle(cycle, observation.epoch)
        elif len(values):
            for watch in self._watches:
                found += watch.rows(t, values, observation.epoch)
        return sorted([*told, *found], key=lambda finding: finding.observed) if found else told

    def lose(self, epoch: int, seq: int) -> list[Finding]:
        """Readings are lost for ever."""
        found = self.inner.lose(epoch, seq)
        for watch in self._watches:
            watch.gap()
        if self._cycles is not None:
            for cycle in self._cycles[0].interrupt():
                found = [*found, *self._cycle(cycle, epoch)]
        return found

    def control(self, entry: ControlEntry) -> list[Finding]:
        """Take a control entry."""
        found = self.inner.control(entry)
        for watch in self._watches:
            found = [*found, *watch.repaired(entry)]
        return found

    def snapshot(self) -> bytes:
        """The whole state."""
        segment = None if self._cycles is None else self._cycles[0].dump()
        states = [watch.state for watch in self._watches]
        book = self._book
        return _ENCODER.encode(RiverState(self.inner.snapshot(), book.episodes, states, segment, book.mended))

    def restore(self, state: bytes) -> None:
        """Take back a state of `snapshot` of the same version."""
        decoded = _DECODER.decode(state)
        self.inner.restore(decoded.inner)
        self._book.episodes, self._book.mended = decoded.episodes, decoded.mended
        for watch, told in zip(self._watches, decoded.watches, strict=True):
            watch.load(told)
        if self._cycles is not None and decoded.segment is not None:
            self._cycles[0].load(decoded.segment)

    def _cycle(self, cycle: Cycle, epoch: int) -> list[Finding]:
        if self._cycles is None:
            return []
        values = self._cycles[1](cycle)
        at = cycle.following if cycle.following is not None else cycle.end
        found: list[Finding] = []
        for watch in self._watches:
            found += watch.value(cycle.start, at, [values[i] for i in watch.columns], epoch)
        return found
