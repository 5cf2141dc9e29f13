"""Devices without a spool: disorder within the hold does not show; what is later is kept, marked; nothing is lost."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from storage.registry import DeviceRow
from storage.telemetry_rows import SeqRange
from stream.port import Entry, Position
from telemetry.block import BlockBuilder
from telemetry.clock import MICROS
from telemetry.message import NO_SPOOL, telemetry_message
from tests.spine.recorder import Recorders
from tests.spine.test_store import CATALOGUE, KEYS, NOW, Form, Memory, Postgres, memory, postgres_form
from worker.core import WorkerCore
from worker.hold import LATE_EPOCH, OBSERVED_EPOCH

__all__ = ["memory", "postgres_form"]
PLUG = KEYS[0]
SECOND = MICROS


class Line:
    """Sends what a plug said, dated by itself, into a worker that may be made anew at any time."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.number = 0
        self.duplicates = 0
        self.dead: list[str] = []
        self.restart()

    def restart(self) -> None:
        self.core = WorkerCore(CATALOGUE, Recorders(), self.form.history)
        self.core.own(0, Position(*self.form.take()))

    def send(self, *said: tuple[int, int, dict[str, float]]) -> None:
        """Seconds of the reading and of its arrival, and its values."""
        self.number += 1
        builder = BlockBuilder()
        for t, arrival, q in said:
            at = NOW + t * SECOND
            message = telemetry_message(epoch=NO_SPOOL, seq=1, base=1, t_micros=at, q=q)
            builder.add(PLUG, message, NOW + arrival * SECOND)
        outcome = self.core.decide([Entry(0, "inc", self.number, builder.encode(), 0)])
        self.form.commit(outcome.batch)
        self.duplicates += outcome.duplicates
        self.dead += [each.reason for each in outcome.batch.dead]

    def observed(self) -> list[tuple[int, float]]:
        found = self.form.history.read_back(1, "smart_plug", OBSERVED_EPOCH, 1, 9_999)
        assert [m.seq for m in found] == list(range(1, len(found) + 1))
        return [((int(m.t[0]) - NOW) // SECOND, float(m.values[0, 0])) for m in found]


@pytest.fixture(params=["memory", "postgres"])
def line(request: pytest.FixtureRequest) -> Line:
    form: Memory | Postgres = request.getfixturevalue("memory" if request.param == "memory" else "postgres_form")
    return Line(form)


@pytest.mark.stack
def test_disorder_within_the_hold_does_not_show(line: Line) -> None:
    rng = random.Random(4)
    times = list(range(0, 600, 10))
    # Each is up to 50 s on its way; one in five comes twice, and the worker is made anew now and then.
    sent = [(t, t + rng.randrange(50)) for t in times]
    sent += [(t, arrival + rng.randrange(5)) for t, arrival in rng.sample(sent, 12)]
    sent.sort(key=lambda each: each[1])
    for at in range(0, len(sent), 4):
        line.send(*[(t, arrival, {"power": float(t)}) for t, arrival in sent[at : at + 4]])
        if rng.random() < 0.3:
            line.restart()
    # A word after the last minute, and all before it is due.
    line.send((2_000, 2_000, {"power": 1.0}))
    assert line.observed() == [(t, float(t)) for t in times]
    assert line.duplicates == 12
    # The word itself waits, in the database.
    line.restart()
    line.send((2_070, 2_070, {"power": 2.0}))
    assert line.observed()[-1] == (2_000, 1.0)


@pytest.mark.stack
def test_what_is_late_is_stored_and_not_observed(line: Line) -> None:
    for t in range(0, 300, 20):
        line.send((t, t, {"power": 5.0}))
    before = line.observed()
    line.send((33, 300, {"power": 9.0}), (33, 300, {"power": 9.0}))
    line.restart()
    line.send((33, 301, {"power": 8.0}), (54, 301, {"power": 7.0}), (0, 302, {"power": 5.0}))
    assert line.observed()[: len(before)] == before
    assert (33, 9.0) not in line.observed()
    assert line.duplicates == 3
    history = line.form.history
    # Late messages are kept, in an epoch of their own that is not replayed.
    assert history.is_stored(memory_row(line), NOW + 33 * SECOND)
    assert history.is_stored(memory_row(line), NOW + 54 * SECOND)
    assert not history.is_stored(memory_row(line), NOW + 55 * SECOND)
    assert len(history.replay("smart_plug", [SeqRange(1, LATE_EPOCH, 1, 99)]).readings) == 0
    progress = Counter({p.epoch: p.upto for p in history.load([1])[1].progress})
    assert progress[LATE_EPOCH] == 2


@pytest.mark.stack
def test_two_topics_of_one_moment_are_one_reading(line: Line) -> None:
    line.send((0, 0, {"power": 5.0}))
    line.send((0, 1, {"power": 6.0}))
    line.send((100, 100, {"power": 7.0}))
    assert line.observed() == [(0, 5.0)]
    assert line.duplicates == 1


def test_what_no_plug_says_is_kept_as_a_dead_letter(memory: Memory) -> None:
    line = Line(memory)
    line.send((0, 0, {"sound": 5.0}), (90_000, 0, {"power": 5.0}), (1, 1, {"power": float(np.float32(0.1))}))
    line.send((100, 100, {"power": 7.0}))
    assert sorted(line.dead) == ["future", "unknown_channel"]
    assert line.observed() == [(1, float(np.float32(0.1)))]


def memory_row(line: Line) -> DeviceRow:
    return line.form.history.find([PLUG])[PLUG]
