from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.device import RECONNECT, RESEND, DeviceCore
from telemetry.clock import MICROS
from telemetry.message import Receipt

ALL = 10_000


def online(*seqs: int, now: int = 0) -> DeviceCore:
    core = DeviceCore(epoch=1)
    core.connected(now, 0.0)
    for seq in seqs:
        core.produced(seq, now)
    return core


def receipt(upto: int, *beyond: tuple[int, int], epoch: int = 1) -> Receipt:
    return Receipt(epoch=epoch, upto=upto, beyond=list(beyond))


def test_a_message_is_published_once_and_again_after_thirty_seconds() -> None:
    core = online(1, 2)
    assert core.step(0, ALL) == [1, 2]
    assert core.step(RESEND - 1, ALL) == []
    assert core.next_due() == RESEND
    assert core.step(RESEND, ALL) == [1, 2]
    assert core.resent == 2


def test_only_a_receipt_lets_forget() -> None:
    core = online(1, 2, 3, 4)
    core.step(0, ALL)
    assert core.receipt(receipt(1, (3, 3)), 10) == [1, 3]
    assert list(core.pending) == [2, 4]
    assert core.receipt(receipt(4, epoch=2), 10) == []


def test_a_named_gap_is_filled_at_once_but_not_by_every_receipt() -> None:
    core = online(1, 2, 3)
    core.step(0, ALL)
    core.receipt(receipt(0, (3, 3)), 1_000)
    assert core.step(1_000, ALL) == [1, 2]
    core.receipt(receipt(0, (3, 3)), 2_000)
    assert core.step(2_000, ALL) == []
    core.receipt(receipt(0, (3, 3)), 2 * MICROS)
    assert core.step(2 * MICROS, ALL) == [1, 2]


def test_what_was_never_published_is_no_gap_to_fill() -> None:
    core = online(1, 2, 3)
    assert core.step(0, 1) == [1]
    core.receipt(receipt(0, (3, 3)), 10)
    assert sorted(core.step(10, ALL)) == [1, 2]


def test_everything_unreceipted_follows_a_reconnect_within_two_seconds() -> None:
    core = online(*range(1, 301))
    core.step(0, ALL)
    core.disconnected()
    core.produced(301, 5)
    assert core.step(RESEND * 2, ALL) == []
    assert core.next_due() is None
    at = 100 * MICROS
    core.connected(at, 1.0)
    early = core.step(at + RECONNECT // 2, ALL)
    late = core.step(at + RECONNECT, ALL)
    assert early + late == list(range(1, 302))
    assert 0 < len(early) < 301


def test_room_is_kept() -> None:
    core = online(*range(1, 11))
    assert core.step(0, 4) == [1, 2, 3, 4]
    assert core.step(0, 100) == [5, 6, 7, 8, 9, 10]


def test_a_dropped_message_is_never_published_again() -> None:
    core = online(1, 2)
    core.forget(1)
    assert core.step(0, ALL) == [2]
    assert core.oldest() == 0


@given(st.lists(st.sampled_from(["produce", "lose", "deliver", "receipt", "cut", "join"]), max_size=60))
def test_every_message_is_delivered_in_the_end(steps: list[str]) -> None:
    core = DeviceCore(epoch=1)
    core.connected(0, 0.5)
    now, made = 0, 0
    stored: set[int] = set()
    for step in steps:
        now += 700_000
        if step == "produce":
            made += 1
            core.produced(made, now)
        elif step == "cut":
            core.disconnected()
        elif step == "join":
            core.connected(now, 0.3)
        elif step == "receipt":
            core.receipt(answer(stored), now)
        else:
            sent = core.step(now, ALL)
            stored |= set(sent) if step == "deliver" else set()
    core.connected(now, 0.0)
    for _ in range(3):
        now += RECONNECT
        stored |= set(core.step(now, ALL))
        core.receipt(answer(stored), now)
    assert stored == set(range(1, made + 1))
    assert not core.pending


def answer(stored: set[int]) -> Receipt:
    upto = 0
    while upto + 1 in stored:
        upto += 1
    beyond = [(seq, seq) for seq in sorted(stored) if seq > upto][:64]
    return Receipt(epoch=1, upto=upto, beyond=beyond)


def test_a_late_message_goes_out_once_it_is_let_through() -> None:
    core = DeviceCore(7)
    core.connected(0, 0.0)
    core.produced(1, 0)
    core.produced(2, 0, late=True)
    core.produced(3, 0)
    assert core.step(0, 10) == [1, 3]
    assert core.receipt(Receipt(epoch=7, upto=1, beyond=[(3, 3)]), 1) == [1, 3]
    assert core.oldest() is None
    core.disconnected()
    core.connected(RESEND, 0.0)
    assert core.step(2 * RESEND, 10) == []
    core.let(2, 2 * RESEND)
    assert core.oldest() == 2 * RESEND
    assert core.step(2 * RESEND, 10) == [2]
    assert core.receipt(Receipt(epoch=7, upto=3), 2 * RESEND) == [2]
    core.let(2, 3 * RESEND)
    assert core.next_due() is None


def test_a_device_that_the_network_holds_back_says_nothing_and_nobody_waits_for_it() -> None:
    core = DeviceCore(7)
    core.connected(0, 0.0)
    core.produced(1, 0)
    core.hold()
    core.produced(2, 5)
    assert (core.step(RESEND, 10), core.oldest(), core.speaks) == ([], None, False)
    core.disconnected()
    core.connected(RESEND, 0.0)
    assert core.step(RESEND + RECONNECT, 10) == []
    core.release(2 * RESEND, 0.0)
    assert core.oldest() == 2 * RESEND
    assert core.step(2 * RESEND + RECONNECT, 10) == [1, 2]
