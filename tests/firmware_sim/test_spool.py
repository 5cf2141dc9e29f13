from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.firmware import Body
from firmware_sim.spool import OversizeError, Spool
from telemetry.message import decode_envelope
from telemetry.topics import Channel

KEY = "demo/fridge-001"


def body(done: int, values: int = 3, *events: str) -> Body:
    return Body(device=0, done=done, t=done, dt=1_000_000, q={"power": [1.5] * values}, phase="cooling", events=events)


def opened(path: Path, epoch: int = 100, limit: int = 1_000_000) -> Spool:
    return Spool(path / "spool.sqlite", lambda: epoch, limit)


def test_sequence_has_no_gaps_and_survives_a_reopening(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    first = spool.append([(KEY, body(i)) for i in range(1, 4)])
    spool.close()
    spool = opened(tmp_path, epoch=999)
    second = spool.append([(KEY, body(4))])
    assert [(one.epoch, one.seq) for one in first + second] == [(100, 1), (100, 2), (100, 3), (100, 4)]
    assert [decode_envelope(one.payload).seq for one in first + second] == [1, 2, 3, 4]
    assert list(spool.slot(KEY).held) == [1, 2, 3, 4]
    spool.close()


def test_a_lost_spool_begins_a_new_epoch(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append([(KEY, body(1))])
    spool.close()
    for path in tmp_path.glob("spool.sqlite*"):
        path.unlink()
    spool = opened(tmp_path, epoch=200)
    (one,) = spool.append([(KEY, body(2))])
    assert (one.epoch, one.seq) == (200, 1)
    spool.close()


def test_content_is_fixed_for_ever(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    first, second = spool.append([(KEY, body(1)), (KEY, body(2, 3, "programme:eco50"))])
    spool.delete([(KEY, [1])])
    assert spool.read(KEY, 1) is None
    assert spool.read(KEY, 2) == second
    assert second.channel is Channel.EVENT
    assert first.channel is Channel.TELEMETRY
    spool.close()


def test_a_full_spool_drops_the_oldest_and_says_so(tmp_path: Path) -> None:
    spool = opened(tmp_path, limit=1_000)
    sent = spool.append([(KEY, body(i)) for i in range(1, 31)])
    slot = spool.slot(KEY)
    assert slot.size <= 1_000
    assert slot.dropped == 30 - len(slot.held) > 0
    assert list(slot.held) == list(range(31 - len(slot.held), 31))
    assert decode_envelope(sent[-1].payload).base == slot.base == next(iter(slot.held))
    held = dict(slot.held)
    spool.close()
    spool = opened(tmp_path, limit=1_000)
    assert spool.slot(KEY).held == held
    spool.close()


def test_an_oversized_message_is_refused_before_the_spool(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    with pytest.raises(OversizeError, match="smaller arrays"):
        spool.append([(KEY, body(1)), (KEY, body(2, 100_000))])
    assert spool.append([(KEY, body(3))])[0].seq == 1
    spool.close()


def test_what_was_made_before_a_crash_is_not_taken_twice(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append([(KEY, body(1)), (KEY, body(2)), (KEY, body(2, 4))])
    spool.close()
    spool = opened(tmp_path)
    again = spool.append([(KEY, body(1)), (KEY, body(2)), (KEY, body(2, 4)), (KEY, body(3))])
    assert [one.seq for one in again] == [4]
    spool.close()


_WRITER = """
import sys
from pathlib import Path
from firmware_sim.firmware import Body
from firmware_sim.spool import Spool
spool = Spool(Path(sys.argv[1]) / "spool.sqlite", lambda: 100)
done = 0
while True:
    done += 1
    made = spool.append([("demo/a", Body(device=0, done=done, t=done, q={"power": 1.0}))])
    print(made[-1].seq, flush=True)
"""


def test_whatever_append_returned_survives_kill_9(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603  (this interpreter, our own program)
        [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(40)]
        os.kill(child.pid, signal.SIGKILL)
        told += [int(line) for line in child.stdout.read().splitlines()[:-1]]
    spool = opened(tmp_path)
    held = list(spool.slot("demo/a").held)
    assert held[: len(told)] == told == list(range(1, len(told) + 1))
    assert spool.append([("demo/a", body(10**9))])[0].seq == len(held) + 1
    spool.close()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 30)), max_size=12), st.integers(400, 4_000))
def test_base_is_the_lowest_held_and_nothing_held_is_lost(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[tuple[int, int]], limit: int
) -> None:
    spool = opened(tmp_path_factory.mktemp("spool"), limit=limit)
    for done, (size, receipted) in enumerate(rounds, 1):
        (one,) = spool.append([(KEY, body(done, size))])
        assert one.seq == done
        envelope = decode_envelope(one.payload)
        slot = spool.slot(KEY)
        assert envelope.base == slot.base
        assert all(spool.read(KEY, seq) is not None for seq in slot.held)
        spool.delete([(KEY, [seq for seq in slot.held if seq <= receipted])])
        assert slot.size == sum(slot.held.values())
    spool.close()
