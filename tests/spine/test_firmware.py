"""What devices say of their firmware: kept with the readings, and never turned back by what comes late."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.telemetry_rows import FirmwareSpell
from telemetry.message import Envelope, telemetry_message
from tests.spine.test_core import NOW, Bench
from worker.firmware import MOST, heard

FIRST = NOW - 3_600_000_000


def says(seq: int, fw: str | None, epoch: int = 1, power: float = 1.0) -> Envelope:
    return telemetry_message(
        epoch=epoch, seq=seq, base=0, t_micros=FIRST + seq * 1_000_000, q={"power": power}, fw=fw, phase="on"
    )


def told(bench: Bench) -> list[tuple[int, int, str]]:
    """Epoch, seq and version of the stored history."""
    return [(s.epoch, s.seq, s.version) for s in bench.store.firmware.get(1, ())]


def test_a_change_is_kept_with_the_time_of_its_first_message() -> None:
    bench = Bench()
    bench.give(says(1, None), says(2, "2.4.1"), says(3, "2.4.1"))
    bench.give(says(4, "2.4.1"), says(5, "2.5.0"))
    bench.give(says(6, "2.5.0"), says(7, "2.4.1"))
    assert told(bench) == [(1, 2, "2.4.1"), (1, 5, "2.5.0"), (1, 7, "2.4.1")]
    assert bench.store.firmware[1][1] == FirmwareSpell(1, 1, 5, FIRST + 5_000_000, "2.5.0")


def test_nothing_is_written_while_nothing_changes() -> None:
    bench = Bench()
    bench.give(says(1, "2.4.1"))
    before = bench.store.firmware[1]
    bench.give(says(2, "2.4.1"), says(3, None), says(2, "9.9.9"))
    # The repeat of a stored message says nothing: the first stored wins.
    assert bench.store.firmware[1] is before


def test_a_refused_message_says_nothing() -> None:
    bench = Bench()
    bench.give(says(1, "2.4.1"), telemetry_message(epoch=1, seq=2, base=0, t_micros=FIRST, q={"weight": 1.0}, fw="3"))
    assert told(bench) == [(1, 1, "2.4.1")]


def test_late_words_find_the_change_and_do_not_turn_it_back() -> None:
    bench = Bench()
    bench.give(says(1, "2.4.1"), says(9, "2.5.0"))
    bench.give(says(3, "2.4.1"), says(7, "2.5.0"))
    bench.begin()
    bench.give(says(5, "2.4.1"), says(8, "2.5.0"))
    assert told(bench) == [(1, 1, "2.4.1"), (1, 7, "2.5.0")]


def test_an_update_that_was_taken_back_while_the_line_was_down_is_found() -> None:
    bench = Bench()
    bench.give(says(1, "2.4.1"), says(9, "2.4.1"))
    bench.begin()
    bench.give(says(4, "2.5.0"))
    assert told(bench)[-1] == (1, 9, "2.4.1")
    bench.give(says(5, "2.5.0"), says(7, "2.4.1"))
    assert told(bench) == [(1, 1, "2.4.1"), (1, 4, "2.5.0"), (1, 7, "2.4.1")]
    assert bench.store.firmware[1][-1].since == FIRST + 7_000_000


def test_an_older_epoch_speaks_of_the_past() -> None:
    bench = Bench()
    bench.give(says(1, "2.5.0", epoch=5))
    bench.give(says(8, "2.4.1", epoch=4))
    assert told(bench) == [(4, 8, "2.4.1"), (5, 1, "2.5.0")]


def test_a_device_that_cannot_make_up_its_mind_keeps_a_bounded_history() -> None:
    bench = Bench()
    bench.give(*[says(seq, f"v{seq % 2}") for seq in range(1, 2 * MOST)])
    assert len(told(bench)) == MOST
    assert told(bench)[-1] == (1, 2 * MOST - 1, "v1")


versions = st.lists(st.integers(1, 6), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(versions, st.randoms(use_true_random=False), st.integers(1, 6), st.sets(st.integers(0, 40)))
def test_any_order_tells_the_same_history(lengths: list[int], rng: Random, block: int, restarts: set[int]) -> None:
    words = [f"v{number}" for number, length in enumerate(lengths) for _ in range(length)]
    messages = [says(seq, word) for seq, word in enumerate(words, 1)]
    shuffled = list(messages)
    rng.shuffle(shuffled)
    bench = Bench()
    for number, at in enumerate(range(0, len(shuffled), block)):
        if number in restarts:
            bench.begin()
        bench.give(*shuffled[at : at + block])
    firsts = {word: seq for seq, word in reversed(list(enumerate(words, 1)))}
    assert told(bench) == [(1, seq, word) for word, seq in sorted(firsts.items(), key=lambda item: item[1])]


@settings(deadline=None, max_examples=200)
@given(st.permutations(range(1, 13)), st.lists(st.sampled_from("abc"), min_size=12, max_size=12))
def test_the_last_version_is_always_that_of_the_last_message(order: list[int], words: list[str]) -> None:
    spells: list[FirmwareSpell] = []
    highest = (-1, 0)
    for seq in order:
        heard(spells, FirmwareSpell(1, 1, seq, seq, words[seq - 1]), highest, arrival=100)
        highest = max(highest, (1, seq))
        assert spells[-1].version == words[highest[1] - 1]
        assert all(a.version != b.version and a.place < b.place for a, b in pairwise(spells))
