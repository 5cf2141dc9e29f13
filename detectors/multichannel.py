"""The detector of continuous appliances with several sensors: dynamic PCA, persistence and hysteresis.

The first rows after installation are commissioning: they are known good, and the model is made of them alone.
An episode opens when most rows of a window break the commissioning limit; single rows do so when a valve moves.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from detectors.decision import Track, date_shift
from detectors.diagnosis import UNKNOWN
from detectors.engine import Observation
from detectors.episodes import DAY, Assessment, Book, Episode
from detectors.evidence import Bins
from detectors.plant import Plant, PlantState
from detectors.safety import SafetyWatch
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Cause, Finding
from telemetry.identity import DeviceKey

NAME = "dynamic_pca"
_EVERY = 10
_LIKELY = 0.8
_SIGNALS = 3


class MultichannelState(msgspec.Struct):
    """Everything a device's detector knows, as it is snapshotted.

    Attributes:
        bins: evidence.
        track: smoothed errors, for dating.
        plant: the commissioned model, None while commissioning.
        rows: commissioning rows so far, then the last rows that the next stack needs; float64 bytes.
        over: whether each of the last rows broke the limit.
        log_sum: sum of standardised log errors since the last dated point.
        log_n: rows in it.
        since: rows since the last judgement.
        begun: when the share over the limit last left the exit bound.
        last_t: time of the last row.
        share: of each channel in the error, smoothed.
        level: deviation of each channel, smoothed, in commissioning deviations.
    """

    bins: Bins
    track: Track = msgspec.field(default_factory=Track)
    plant: PlantState | None = None
    rows: bytes = b""
    over: list[bool] = msgspec.field(default_factory=list)
    log_sum: float = 0.0
    log_n: int = 0
    since: int = 0
    begun: int = 0
    last_t: int | None = None
    share: list[float] = msgspec.field(default_factory=list)
    level: list[float] = msgspec.field(default_factory=list)
    episodes: dict[str, Episode] = msgspec.field(default_factory=dict)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(MultichannelState)


class MultichannelDetector:
    """All detectors of one continuous device. Implements `DeviceDetector`.

    Args:
        key: the device.
        kind: its catalogue page; has one fault that dynamic PCA speaks of.
        version: that findings carry.
    """

    def __init__(self, key: DeviceKey, kind: KindSpec, version: str) -> None:
        self._kind = kind
        self._names = list(kind.channels)
        self._fault, self._spec = next(iter(kind.faults.items()))
        self._family = self._spec.family
        tuning = kind.tuning
        self._need = int(tuning.get("commissioning_rows", 400))
        self._lag = int(tuning.get("lag", 5))
        self._kept = tuning.get("variance_kept", 0.9)
        self._quantile = tuning.get("quantile", 0.99)
        self._window = int(tuning.get("window_rows", 30))
        self._open = tuning.get("open_share", 0.8)
        self._exit = tuning.get("exit_share", 0.3)
        self._step = round(tuning.get("max_step_seconds", 10) * MICROS)
        self._book = Book(key, kind, NAME, version, int(tuning.get("exit_windows", 4)))
        self._safety = SafetyWatch(kind)
        self._plant: Plant | None = None
        self._state = MultichannelState(Bins(round(tuning.get("evidence_seconds", 30) * MICROS)))

    def observe(self, observation: Observation) -> list[Finding]:
        """Take the next message; return new revisions of episodes, oldest first."""
        found: list[Finding] = []
        t = observation.t
        if observation.events and len(t):
            found += self._safety.observe(self._book, observation.epoch, int(t[-1]), observation.events)
        if len(observation.values) == 0:
            return found
        complete = np.isfinite(observation.values).all(axis=1)
        t, values = t[complete], observation.values[complete].astype(np.float64)
        if len(t) == 0:
            return found
        steps = np.diff(t, prepend=int(t[0]) - 1 if self._state.last_t is None else self._state.last_t)
        cuts = np.flatnonzero((steps <= 0) | (steps > self._step)).tolist()
        starts = sorted({0, *cuts})
        for low, high in zip(starts, [*starts[1:], len(t)], strict=True):
            if low in cuts:
                self._interrupt()
            found += self._take(t[low:high], values[low:high], observation.epoch)
        self._state.last_t = int(t[-1])
        return found

    def lose(self, epoch: int, seq: int) -> list[Finding]:  # noqa: ARG002  (the interface's)
        """Readings are lost for ever: no stack spans them."""
        self._interrupt()
        return []

    def control(self, entry: ControlEntry) -> list[Finding]:
        """A repair puts the episode under proof."""
        if entry.kind is not ControlKind.REPAIR_DONE or entry.body.get("family") != self._family:
            return []
        finding = self._book.repaired(self._family, entry.at)
        if finding is None:
            return []
        self._state.over = []
        return [finding]

    def snapshot(self) -> bytes:
        """The whole state."""
        self._state.episodes = self._book.episodes
        return _ENCODER.encode(self._state)

    def restore(self, state: bytes) -> None:
        """Take back a state of `snapshot` of the same version."""
        self._state = _DECODER.decode(state)
        self._book.episodes = self._state.episodes
        self._plant = None if self._state.plant is None else Plant(self._state.plant, self._lag)

    def _interrupt(self) -> None:
        if self._state.plant is not None:
            self._state.rows = b""
            self._state.over = []

    def _take(self, t: NDArray[np.int64], values: NDArray[np.float64], epoch: int) -> list[Finding]:
        state = self._state
        held = np.frombuffer(state.rows).reshape(-1, len(self._names))
        if self._plant is None:
            room = self._need - len(held)
            rows = np.vstack([held, values[:room]])
            state.rows = rows.tobytes()
            if len(rows) < self._need:
                return []
            self._plant = Plant.commission(rows, self._lag, self._kept, self._quantile)
            state.plant = self._plant.state
            state.rows = rows[len(rows) - self._lag + 1 :].tobytes()
            return self._take(t[room:], values[room:], epoch) if len(t) > room else []
        rows = np.vstack([held, values])
        state.rows = rows[max(0, len(rows) - self._lag + 1) :].tobytes()
        self._show(t, values)
        if len(rows) < self._lag:
            return []
        errors, parts = self._plant.score(rows)
        skipped = len(t) - len(errors)
        deviations = (values[skipped:] - self._plant.mean) / self._plant.scale
        return self._judge(t[skipped:], errors, parts, deviations, epoch)

    def _judge(
        self,
        t: NDArray[np.int64],
        errors: NDArray[np.float64],
        parts: NDArray[np.float64],
        deviations: NDArray[np.float64],
        epoch: int,
    ) -> list[Finding]:
        state = self._state
        plant = state.plant
        if plant is None:
            return []
        found: list[Finding] = []
        logs = (np.log(errors + 1e-12) - plant.log_mean) / plant.log_spread
        for row, (at, over, log) in enumerate(
            zip(t.tolist(), (errors > plant.limit).tolist(), logs.tolist(), strict=True)
        ):
            state.over.append(over)
            if len(state.over) > self._window:
                del state.over[0]
            share = sum(state.over) / self._window
            if share <= self._exit:
                state.begun = at
            state.log_sum += log
            state.log_n += 1
            if state.log_n == _EVERY:
                state.track.remember(at, state.log_sum / _EVERY)
                state.log_sum, state.log_n = 0.0, 0
            state.since += 1
            if self._book.is_open(self._family):
                if state.since >= self._window and len(state.over) == self._window:
                    state.since = 0
                    found += self._follow(at, share)
            elif share >= self._open:
                state.since = 0
                low = max(0, row + 1 - self._window)
                self._remember(parts[low : row + 1], deviations[low : row + 1])
                found.append(self._book.open(self._family, epoch, at, self._assess(at, share)))
        self._remember(parts[-self._window :], deviations[-self._window :])
        return found

    def _follow(self, at: int, share: float) -> list[Finding]:
        start = at - self._window * MICROS
        if self._book.blind(self._family, start):
            return []
        inside = share <= self._exit
        finding = self._book.judge(
            self._family, start, at, calm=inside, band=inside, what=lambda: self._assess(at, share)
        )
        return [] if finding is None else [finding]

    def _remember(self, parts: NDArray[np.float64], deviations: NDArray[np.float64]) -> None:
        self._state.share = parts.mean(axis=0).tolist()
        self._state.level = deviations.mean(axis=0).tolist()

    def _show(self, t: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add the readings to the evidence, a mean a stretch of time."""
        if self._plant is None:
            return
        bins = self._state.bins
        stretch = t // bins.width
        edges = np.flatnonzero(np.diff(stretch)) + 1
        usual, spread = self._plant.mean.tolist(), (self._plant.scale**2).tolist()
        for part, when in zip(np.split(values, edges), np.split(t, edges), strict=True):
            bins.add(int(when[0]), part.mean(axis=0).tolist(), usual, spread)

    def _assess(self, at: int, share: float) -> Assessment:
        state, plant = self._state, self._plant
        total = sum(state.share) or 1.0
        order = sorted(range(len(self._names)), key=lambda i: -state.share[i])[:_SIGNALS]
        mean, scale = (plant.mean.tolist(), plant.scale.tolist()) if plant is not None else ([], [])
        reasons = tuple(
            (self._names[i], mean[i] + state.level[i] * scale[i], mean[i])
            for i in order
            if state.share[i] / total > 1 / (2 * len(self._names))
        )
        shift = date_shift(state.track.times, state.track.scores)
        begun = state.begun or at
        onset, low, high = (begun, begun - self._window * MICROS, at) if shift is None else shift
        signals = (state.bins.signal(self._names[i], i, relative=False) for i in order)
        lead_low, lead_high = self._spec.lead_days
        gone = max(0.0, (at - onset) / DAY)
        # Rows of one stack overlap: a window holds window / lag independent looks.
        looks = max(1, self._window // self._lag)
        p = float(binom.sf(math.floor(share * looks) - 1, looks, 1 - self._quantile))
        return Assessment(
            severity=self._spec.severity,
            onset=onset,
            onset_low=min(low, onset),
            onset_high=max(high, onset),
            score=1 - p,
            causes=(Cause(self._fault, _LIKELY, reasons), Cause(UNKNOWN, 1 - _LIKELY)),
            evidence=tuple(s for s in signals if s is not None),
            life_low=max(0.5, lead_low - gone) * 86400,
            life_high=max(1.0, lead_high - 0.5 * gone) * 86400,
        )
