"""A detector that writes down, in its findings, exactly what it was told, so that tests can compare histories."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from detectors.engine import DeviceDetector, Observation, Observed, observe_each
from telemetry.catalogue import KindSpec
from telemetry.control import ControlEntry
from telemetry.finding import EpisodeState, Finding, finding_id
from telemetry.identity import DeviceKey


class Recorder:
    """Opens an episode at its first observation and adds a revision for every reading, message of events, loss and
    control; the score digests all before. How messages are divided into runs does not show."""

    def __init__(self, key: DeviceKey, poison: float | None) -> None:
        self._key = key
        self._poison = poison
        self.count = 0
        self.digest = 0.5
        self.opened = 0
        self.epoch = 0

    def observe(self, observation: Observation) -> list[Finding]:
        if self._poison is not None and bool((observation.values == np.float32(self._poison)).any()):
            raise ValueError("poison")
        found: list[Finding] = []
        for t, values in zip(observation.t.tolist(), observation.values.astype(np.float64), strict=False):
            found += self._step(hash((observation.epoch, t, len(observation.phase or ""), float(np.nansum(values)))), t)
        for code in observation.events:
            t = int(observation.t[-1])
            found += self._step(hash((observation.epoch, t, len(code))), t)
        return found

    def lose(self, epoch: int, seq: int) -> list[Finding]:
        return self._step(hash((epoch, seq, "lost")), self.opened)

    def control(self, entry: ControlEntry) -> list[Finding]:
        return self._step(hash((entry.at, "control")), self.opened)

    def snapshot(self) -> bytes:
        return msgspec.msgpack.encode((self.count, self.digest, self.opened))

    def restore(self, state: bytes) -> None:
        self.count, self.digest, self.opened = msgspec.msgpack.decode(state)

    def _step(self, what: int, t: int) -> list[Finding]:
        self.opened = self.opened or t
        self.digest = (self.digest * 0.734_211 + (what % 1_000_003) / 1_000_003) / 2
        self.count += 1
        return [
            Finding(
                id=finding_id(self._key, "load", self.opened, 1),
                device=self._key,
                family="load",
                revision=self.count - 1,
                state=EpisodeState.OPEN,
                severity=4,
                opened=self.opened,
                onset=self.opened,
                onset_low=self.opened,
                onset_high=self.opened,
                observed=t,
                score=self.digest,
                causes=(),
                detector="recorder",
                version="1",
            )
        ]


class Recorders:
    """Makes recorders."""

    def __init__(self, poison: float | None = None) -> None:
        self.version = "recorder-1"
        self._poison = poison

    def __call__(self, key: DeviceKey, kind: KindSpec) -> Recorder:
        assert kind.kind
        return Recorder(key, self._poison)

    def observe(self, items: Sequence[tuple[DeviceDetector, Observation]]) -> list[Observed]:
        return observe_each(items)
