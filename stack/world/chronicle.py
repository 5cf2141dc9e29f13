"""A cheap detector with a long memory: whatever it was told, and in which order, shows in the score of what it says.

It opens an episode after three high readings, revises it every fifth, ends it after three low ones. Its state digests
every reading, loss and control entry, so that one told twice, left out or out of order changes all that follows.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import msgspec
import numpy as np

from detectors.engine import DeviceDetector, Observation, Observed, observe_each
from telemetry.catalogue import KindSpec
from telemetry.control import ControlEntry
from telemetry.finding import Cause, EpisodeState, Finding, finding_id
from telemetry.identity import DeviceKey

HIGH = 900.0
"""W; readings above it count towards an episode."""
FAULTY = "faulty"
"""Event code that the detector fails on."""
FAREWELL = "farewell"
"""Event code that makes it say its digest."""
_PERSISTENCE = 3
_EVERY = 5
_NAN = -1e9


class _State(msgspec.Struct, array_like=True):
    count: int = 0
    times: int = 0
    values: int = 0
    words: int = 0
    run: int = 0
    since: int = 0
    opened: int | None = None
    episode: int = 0
    revision: int = 0


class Chronicle:
    """The detector of one device.

    Args:
        key: of the device.
        family: under which it reports.
        fault: which it names as the cause.
    """

    def __init__(self, key: DeviceKey, family: str, fault: str) -> None:
        self._key, self._family, self._fault = key, family, fault
        self._state = _State()

    def observe(self, observation: Observation) -> list[Finding]:
        """See `DeviceDetector`."""
        state, values = self._state, observation.values
        if FAULTY in observation.events:
            raise ValueError("an event that this detector fails on")
        cells = np.nan_to_num(values.astype("<f4"), nan=_NAN)
        word = f"{observation.epoch}/{observation.phase}|".encode()
        found: list[Finding] = []
        # Reading by reading: what it says must not depend on where a run ends.
        for row, t in enumerate(observation.t.tolist()):
            state.times = zlib.crc32(t.to_bytes(8, "little", signed=True), state.times)
            state.words = zlib.crc32(word, state.words)
            if row < len(cells):
                state.values = zlib.crc32(cells[row].tobytes(), state.values)
                found += self._reading(t, float(values[row, 0]))
        for code in observation.events:
            state.words = zlib.crc32(code.encode(), state.words)
            if code == FAREWELL:
                found.append(self._finding(int(observation.t[-1]), EpisodeState.ENDED, farewell=True))
        return found

    def lose(self, epoch: int, seq: int) -> list[Finding]:
        """See `DeviceDetector`."""
        self._state.words = zlib.crc32(f"lost {epoch} {seq}".encode(), self._state.words)
        self._state.run = 0
        return []

    def control(self, entry: ControlEntry) -> list[Finding]:
        """See `DeviceDetector`: an open episode ends."""
        self._state.words = zlib.crc32(f"{entry.kind} {entry.id}".encode(), self._state.words)
        return [] if self._state.opened is None else [self._end(self._state.opened)]

    def snapshot(self) -> bytes:
        """See `DeviceDetector`."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, state: bytes) -> None:
        """See `DeviceDetector`."""
        self._state = msgspec.msgpack.decode(state, type=_State)

    def _reading(self, t: int, power: float) -> list[Finding]:
        """One reading; a power that is not a number counts as low."""
        state = self._state
        state.count += 1
        wanted = power > HIGH if state.opened is None else not power > HIGH
        state.run = state.run + 1 if wanted else 0
        state.since += 1
        if state.run >= _PERSISTENCE:
            state.run = 0
            if state.opened is not None:
                return [self._end(t)]
            state.opened, state.episode, state.revision, state.since = t, state.count, -1, 0
            return [self._revise(t, EpisodeState.OPEN)]
        if state.opened is not None and state.since >= _EVERY:
            state.since = 0
            return [self._revise(t, EpisodeState.OPEN)]
        return []

    def _end(self, t: int) -> Finding:
        finding = self._revise(t, EpisodeState.ENDED)
        self._state.opened = None
        return finding

    def _revise(self, t: int, how: EpisodeState) -> Finding:
        self._state.revision += 1
        return self._finding(t, how)

    def _finding(self, t: int, how: EpisodeState, *, farewell: bool = False) -> Finding:
        state = self._state
        opened = t if farewell or state.opened is None else state.opened
        digest = zlib.crc32(f"{state.count} {state.times} {state.values} {state.words}".encode())
        return Finding(
            id=finding_id(self._key, self._family, opened, -1 - state.count if farewell else state.episode),
            device=self._key,
            family=self._family,
            revision=0 if farewell else state.revision,
            state=how,
            severity=3,
            opened=opened,
            onset=opened,
            onset_low=opened,
            onset_high=opened,
            observed=t,
            score=0.999 + digest / 2**32 * 1e-4,
            causes=(Cause(self._fault, 1.0),),
            detector="chronicle",
            version="1",
        )


class Chronicles:
    """Makes them; implements `DetectorFactory`."""

    version = "chronicle-1"

    def __call__(self, key: DeviceKey, kind: KindSpec) -> Chronicle:
        """A fresh detector, for the first fault of the kind."""
        fault, spec = next(iter(kind.faults.items()))
        return Chronicle(key, spec.family, fault)

    def observe(self, items: Sequence[tuple[DeviceDetector, Observation]]) -> list[Observed]:
        """Observe runs of distinct devices, one after the other."""
        return observe_each(items)
