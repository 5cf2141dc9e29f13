"""Recordings of real appliances through the live detectors: messages in, findings out, no broker between.

Messages are those that `wellkept sim replay` sends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from detectors.bank import Bank
from detectors.cyclic import CyclicDetector
from detectors.engine import Observation
from firmware_sim.firmware import Body
from firmware_sim.recordings import Change, Recording, changed_power, plug_messages, plug_power, recording_messages
from telemetry.catalogue import Catalogue
from telemetry.finding import Finding
from telemetry.identity import DeviceKey

_LOST_ONE_IN = 100

Variation = Callable[[Iterable[Observation]], Iterable[Observation]]


def observations(bodies: Iterable[Body], channels: list[str]) -> Iterable[Observation]:
    """Messages as a detector sees them, numbered in order."""
    for seq, body in enumerate(bodies, 1):
        columns = [value if isinstance(value, list) else [value] for value in body.q.values()]
        n = len(columns[0])
        values = np.full((n, len(channels)), np.nan, np.float32)
        for name, column in zip(body.q, columns, strict=True):
            values[:, channels.index(name)] = [np.nan if x is None else x for x in column]
        yield Observation(1, seq, body.t + np.arange(n, dtype=np.int64) * (body.dt or 0), body.phase, values)


def as_recorded(messages: Iterable[Observation]) -> Iterable[Observation]:
    """No variation."""
    return messages


def rescaled(messages: Iterable[Observation]) -> Iterable[Observation]:
    """Every value 2.5 times as large, as if of another appliance."""
    return (Observation(m.epoch, m.seq, m.t, m.phase, m.values * np.float32(2.5)) for m in messages)


def half_rate(messages: Iterable[Observation]) -> Iterable[Observation]:
    """Every other reading only."""
    return (Observation(m.epoch, m.seq, m.t[::2], m.phase, m.values[::2]) for m in messages)


def with_losses(messages: Iterable[Observation]) -> Iterable[Observation]:
    """One message in a hundred never arrives."""
    rng = np.random.default_rng(11)
    return (m for m in messages if rng.random() >= 1 / _LOST_ONE_IN)


VARIATIONS: dict[str, Variation] = {
    "as_recorded": as_recorded,
    "rescaled": rescaled,
    "half_rate": half_rate,
    "one_percent_lost": with_losses,
}


def findings_of(
    recording: Recording, catalogue: Catalogue, variation: Variation, change: Change | None = None
) -> list[Finding]:
    """All revisions that a recording raises."""
    kind = catalogue[recording.kind]
    messages = _plug(recording, change) if recording.kind == "smart_plug" else recording_messages(recording, change)
    detector = Bank(catalogue)(DeviceKey("bench", recording.device), kind)
    found: list[Finding] = []
    last = 0
    for message in variation(observations(messages, list(kind.channels))):
        if message.seq > last + 1:
            found += detector.lose(1, message.seq - 1)
        found += detector.observe(message)
        last = message.seq
    return found


def judged_from(recording: Recording, catalogue: Catalogue) -> int | None:
    """Event time, microseconds, from which the live detector of a cyclic device judges; None when it never does."""
    kind = catalogue[recording.kind]
    detector = CyclicDetector(DeviceKey("bench", recording.device), kind, Bank(catalogue).version)
    for message in observations(_plug(recording, None), list(kind.channels)):
        detector.observe(message)
        if detector.judges:
            return int(message.t[-1])
    return None


def episodes(found: list[Finding]) -> list[Finding]:
    """The first revision of each episode."""
    return [finding for finding in found if finding.revision == 0]


def _plug(recording: Recording, change: Change | None) -> Iterable[Body]:
    first, power = power_of(recording)
    return plug_messages(first, power if change is None else changed_power(first, power, change))


@lru_cache(maxsize=4)
def power_of(recording: Recording) -> tuple[int, NDArray[np.float64]]:
    """`plug_power`, read once: a recording is judged many times with another change."""
    return plug_power(recording)
