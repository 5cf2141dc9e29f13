"""The detector of continuous appliances with several sensors: dynamic PCA, levels, persistence and hysteresis.

The first rows after installation are commissioning: they are known good, and the model is made of them alone.
An episode opens when in most rows of a window the channels no longer go together as they did, or the level of a
channel that the fault moves has left what is usual; single rows do so when a valve moves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors import rowloop
from detectors.cyclic_state import lesson_of
from detectors.decision import date_shift
from detectors.diagnosis import UNKNOWN
from detectors.engine import Observation, Observed
from detectors.episodes import DAY, Assessment, Book, Episode
from detectors.plants import Plants, SlotState
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Cause, Finding
from telemetry.identity import DeviceKey

NAME = "dynamic_pca"
_LIKELY = 0.8
_SIGNALS = 3
_TAUGHT_NOTHING: dict[str, float] = {}
"""Shared by all devices that learned nothing: never changed, only replaced."""


class MultichannelState(msgspec.Struct):
    """Everything a device's detector knows, as it is snapshotted."""

    slot: SlotState
    episodes: dict[str, Episode]
    causes: dict[str, float] = msgspec.field(default_factory=dict)
    mended: dict[str, int] = msgspec.field(default_factory=dict)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(MultichannelState)


class MultichannelDetector:
    """All detectors of one continuous device. Implements `DeviceDetector`.

    Args:
        key: the device.
        kind: its catalogue page; has one fault that dynamic PCA speaks of.
        version: that findings carry.
        plants: memory of the kind's devices.
    """

    __slots__ = ("_book", "_causes", "plants", "slot")

    def __init__(self, key: DeviceKey, kind: KindSpec, version: str, plants: Plants) -> None:
        self.plants = plants
        self.slot = plants.take()
        # Factors on the probabilities of causes that outcomes taught.
        self._causes: dict[str, float] = _TAUGHT_NOTHING
        self._book = Book(key, kind, NAME, version, plants.exit_after, proofs=plants.proofs)

    def __del__(self) -> None:
        """Give the slot back."""
        self.plants.give(self.slot)

    def observe(self, observation: Observation) -> list[Finding]:
        """Take the next run of messages; return new revisions of episodes, oldest first."""
        told = observe_many(self.plants, [(self, observation)])[0]
        if isinstance(told, Exception):
            raise told
        return told

    def lose(self, epoch: int, seq: int) -> list[Finding]:  # noqa: ARG002  (the interface's)
        """Readings are lost for ever: no stack spans them."""
        self.plants.interrupt(self.slot)
        return []

    def control(self, entry: ControlEntry) -> list[Finding]:
        """A repair puts the episode under proof; what outcomes taught of the family holds from here on."""
        if entry.kind is ControlKind.PRIORS:
            lesson = lesson_of(entry)
            if lesson is not None and lesson.family == self.plants.spec.family:
                self.plants.teach(self.slot, lesson.threshold)
                self._causes = lesson.causes
            return []
        if entry.kind is not ControlKind.REPAIR_DONE or entry.body.get("family") != self.plants.spec.family:
            return []
        found = self._book.repaired(self.plants.spec.family, entry.at)
        if found is None:
            return []
        self.plants.forget(self.slot)
        self._mark()
        return found

    def snapshot(self) -> bytes:
        """The whole state."""
        book = self._book
        return _ENCODER.encode(MultichannelState(self.plants.dump(self.slot), book.episodes, self._causes, book.mended))

    def restore(self, state: bytes) -> None:
        """Take back a state of `snapshot` of the same version."""
        decoded = _DECODER.decode(state)
        self.plants.load(self.slot, decoded.slot)
        self._book.episodes, self._book.mended = decoded.episodes, decoded.mended
        self._causes = decoded.causes

    def take_events(self, observation: Observation) -> list[Finding]:
        """Events of a message, before its readings."""
        if not len(observation.t):
            return []
        found = self.plants.safety.observe(self._book, observation.epoch, int(observation.t[-1]), observation.events)
        self._mark()
        return found

    def act(self, why: int, epoch: int, at: int) -> list[Finding]:
        """Do what the row at time `at` asks for, with the state as that row left it."""
        if why == rowloop.COMMISSION:
            self.plants.commission(self.slot)
            return []
        if why == rowloop.OPENS:
            found = [self._book.open(self.plants.spec.family, epoch, at, self._assess(at))]
        else:
            found = self._follow(at)
        self._mark()
        return found

    def _mark(self) -> None:
        """Tell the loop over rows whether an episode is open."""
        self.plants.mark(self.slot, open_=self._book.is_open(self.plants.spec.family))

    def _follow(self, at: int) -> list[Finding]:
        rules = self.plants.rules
        start = at - rules.window * MICROS
        if self._book.blind(self.plants.spec.family, start):
            return []
        family, fault = self.plants.spec.family, self.plants.fault
        inside = self.plants.share(self.slot) <= rules.exit_share
        finding = self._book.judge(
            family, start, at, calm=inside, band=inside, cause=lambda: fault, what=lambda: self._assess(at)
        )
        return [] if finding is None else [finding]

    def _assess(self, at: int) -> Assessment:
        plants, rules = self.plants, self.plants.rules
        level, usual, shift = plants.levels(self.slot)
        # What speaks: shifts in the direction of the fault, or what each channel brings to the error.
        by_level = plants.by_level(self.slot)
        parts = (np.maximum(rules.sign * shift, 0.0) ** 2).tolist() if by_level else plants.contributions(self.slot)
        bins, names = plants.evidence(self.slot), plants.names
        total = sum(parts) or 1.0
        order = sorted(range(len(names)), key=lambda i: -parts[i])[:_SIGNALS]
        reasons = tuple((names[i], level[i], usual[i]) for i in order if parts[i] / total > 1 / (2 * len(names)))
        dated = date_shift(*plants.track(self.slot))
        begun = plants.begun(self.slot) or at
        onset, low, high = (begun, begun - rules.window * MICROS, at) if dated is None else dated
        signals = (bins.signal(names[i], i, relative=False) for i in order)
        lead_low, lead_high = self.plants.spec.lead_days
        gone = max(0.0, (at - onset) / DAY)
        # What is smoothed over so many rows gives a window that many independent looks.
        looks = max(1, round(rules.window * rules.error_rate))
        p = binomial_tail(math.floor(plants.share(self.slot) * looks), looks, 1 - plants.quantile)
        known = _LIKELY * self._causes.get(plants.fault, 1.0)
        doubt = (1 - _LIKELY) * self._causes.get(UNKNOWN, 1.0)
        likely = known / (known + doubt) if known + doubt > 0 else _LIKELY
        return Assessment(
            severity=self.plants.spec.severity,
            onset=onset,
            onset_low=min(low, onset),
            onset_high=max(high, onset),
            score=1 - p,
            causes=(Cause(plants.fault, likely, reasons), Cause(UNKNOWN, 1 - likely)),
            evidence=tuple(s for s in signals if s is not None),
            life_low=max(0.5, lead_low - gone) * 86400,
            life_high=max(1.0, lead_high - 0.5 * gone) * 86400,
        )


def observe_many(plants: Plants, items: Sequence[tuple[MultichannelDetector, Observation]]) -> list[Observed]:
    """Observe runs of distinct devices of one kind in few calls of the loop over rows.

    Returns:
        What each run brought about, in order.
    """
    found: list[Observed] = [[] for _ in items]
    times = [observation.t for _, observation in items]
    values = [observation.values for _, observation in items]
    chosen = list(range(len(items)))
    if any(observation.events for _, observation in items) or not _fit(plants, times, values):
        chosen = []
        for i, (detector, observation) in enumerate(items):
            if observation.events:
                found[i] = _tried(detector.take_events, observation)
            if len(values[i]) and isinstance(found[i], list):
                if values[i].shape == (len(times[i]), plants.channels):
                    chosen.append(i)
                else:
                    found[i] = ValueError(f"{len(times[i])} times, values of shape {values[i].shape}")
        times, values = [times[i] for i in chosen], [values[i] for i in chosen]
    if chosen:
        slots = np.array([items[i][0].slot for i in chosen], np.int64)
        ends = np.cumsum(np.array([0, *map(len, times)]))
        span = np.column_stack((ends[:-1], ends[1:]))
        t, read = np.concatenate(times, dtype=np.int64), np.concatenate(values, dtype=np.float32)
        _advance(plants, items, _Runs(np.array(chosen), slots, span, t, read), found)
    return found


def _fit(plants: Plants, times: list[NDArray[np.int64]], values: list[NDArray[np.float32]]) -> bool:
    """Whether every run has as many rows of values as times, at least one, and the kind's channels."""
    shapes = {x.shape for x in values}
    if len(shapes) == 1:
        rows, channels = (*shapes.pop(), 0)[:2]
        return rows > 0 and channels == plants.channels and {len(t) for t in times} == {rows}
    return all(x.shape == (len(t), plants.channels) and len(t) > 0 for t, x in zip(times, values, strict=True))


class _Runs(NamedTuple):
    """Runs on their way through the loop.

    Attributes:
        item: to which item each belongs.
        slots: the devices' slots.
        span: first row not yet taken of each, and the row behind it.
        t: times of all rows.
        values: of all rows.
    """

    item: NDArray[np.int64]
    slots: NDArray[np.int64]
    span: NDArray[np.int64]
    t: NDArray[np.int64]
    values: NDArray[np.float32]


def _advance(
    plants: Plants, items: Sequence[tuple[MultichannelDetector, Observation]], runs: _Runs, found: list[Observed]
) -> None:
    """Take the rows of runs, and do what they ask for where the loop over rows stops."""
    at, slots, span, t, values = runs
    while len(slots):
        told = plants.advance(slots, span, t, values)
        acting = np.flatnonzero(told)
        for run in acting.tolist():
            detector, observation = items[at[run]]
            acted = _tried(detector.act, int(told[run]), observation.epoch, int(t[span[run, 0] - 1]))
            if isinstance(acted, Exception):
                found[at[run]] = acted
                span[run, 0] = span[run, 1]
            elif acted:
                found[at[run]] = [*_findings(found[at[run]]), *acted]
        going = acting[span[acting, 0] < span[acting, 1]]
        slots, span, at = slots[going], span[going], at[going]


def _tried(act: Callable[..., list[Finding]], *arguments: object) -> Observed:
    try:
        return act(*arguments)
    except Exception as error:  # noqa: BLE001  (whatever one device meets, the others must not suffer)
        return error


def _findings(told: Observed) -> list[Finding]:
    return told if isinstance(told, list) else []


def binomial_tail(least: int, n: int, p: float) -> float:
    """P(X >= least) of the binomial distribution."""
    return math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(max(0, least), n + 1))
