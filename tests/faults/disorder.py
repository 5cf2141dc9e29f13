"""What devices and networks do to order: duplicates, reordering, epochs, overflow, clocks, backfills."""

from __future__ import annotations

import time

from firmware_sim.firmware import Body
from firmware_sim.spool import Spool
from storage.pool import connect
from telemetry.clock import MICROS, system_wall
from telemetry.message import encode_envelope
from tests.faults.raw import Raw
from tests.faults.stage import PATIENCE, Case, numbered

DAY = 86_400.0
_ANSWER = 60 * PATIENCE


def repeats_and_disorder(case: Case, messages: int, depth: int) -> None:
    """Every tenth message twice, and every message up to `depth` places from where it belongs."""
    names = case.plugs(4)
    raw = case.raw()
    for name in names:
        seqs = [*range(1, messages + 1), *case.rng.sample(range(1, messages + 1), messages // 10)]
        keyed = sorted((seq + case.rng.random() * depth, seq) for seq in seqs)
        for _, seq in keyed:
            raw.say(name, numbered(seq))
        case.ledger.numbered(name, 1, range(1, messages + 1))
    drain(case, raw, names, 1, messages)
    raw.stop()


def first_stored_wins(case: Case) -> None:
    """One seq sent again with another time and another value: the first stays, in one row."""
    names = case.plugs(3)
    raw = case.raw()
    t = time.time() - 3_600
    for name in names:
        for seq in range(1, 101):
            raw.say(name, numbered(seq, t=t + seq))
        case.ledger.numbered(name, 1, range(1, 101))
    raw.wait(names, 1, 100, _ANSWER)
    for name in names:
        for seq in range(1, 101):
            raw.say(name, numbered(seq, t=t + seq + 0.5, power=5_000.0))
        # In one block with its repeat, too.
        for twin in (numbered(101, t=t + 200), numbered(101, t=t + 300, power=6_000.0)):
            raw.say(name, twin)
        case.ledger.numbered(name, 1, [101])
    drain(case, raw, names, 1, 101)
    raw.wait_published()
    # What came after the last repeat has its receipt: the repeats were judged before it.
    for name in names:
        raw.say(name, numbered(102))
        case.ledger.numbered(name, 1, [102])
    raw.wait(names, 1, 102, _ANSWER)
    raw.stop()


def new_epochs(case: Case) -> None:
    """A spool lost again and again: numbering begins anew, what the old one never sent is given up, nothing else."""
    names = case.plugs(4)
    raw = case.raw()
    t = time.time() - 3_600
    for epoch in (10, 20, 30):
        for name in names:
            seqs = [seq for seq in range(1, 41) if epoch == 30 or seq not in (7, 8, 23)]
            case.ledger.numbered(name, epoch, seqs)
            case.ledger.dropped |= {(name, epoch, seq) for seq in (7, 8, 23) if epoch < 30}
            case.rng.shuffle(seqs)
            for seq in seqs:
                raw.say(name, numbered(seq, epoch=epoch, t=t + epoch * 60 + seq))
    drain(case, raw, names, 30, 40)
    # The old epochs are closed by the new one: their receipts end without a gap as well.
    raw.wait(names, 20, 40, _ANSWER)
    raw.stop()


def overflown_spool(case: Case, messages: int, kept: int) -> None:
    """A full spool drops the oldest and says so: what it dropped is declared lost, what it held arrives."""
    names = case.plugs(3)
    keys = [f"demo/{name}" for name in names]
    size = len(encode_envelope(numbered(messages, epoch=system_wall(), t=time.time()))) + 24
    spool = Spool(case.folder / "full.sqlite", system_wall, limit=kept * size)
    t0 = system_wall() - messages * MICROS
    for first in range(1, messages + 1, 100):
        seqs = range(first, min(first + 100, messages + 1))
        spool.append(
            (key, Body(device=0, done=t0 + n * MICROS, t=t0 + n * MICROS, q={"power": float(n)}))
            for n in seqs
            for key in keys
        )
    for name, key in zip(names, keys, strict=True):
        slot = spool.slot(key)
        assert slot.dropped > messages // 2
        assert slot.base == slot.dropped + 1
        case.ledger.numbered(name, slot.epoch, range(1, slot.next_seq))
        case.ledger.dropped |= {(name, slot.epoch, seq) for seq in range(1, slot.base)}
    gateway = case.gateway(keys, spool, "full", window=500)
    began = time.monotonic()
    gateway.start()
    assert gateway.settled(_ANSWER), f"not all receipted: {gateway.counts()}"
    case.notes.append(f"all receipted {time.monotonic() - began:.1f} s after the connection")
    case.notes.append(f"{spool.slot(keys[0]).dropped} of {messages} dropped by each spool")
    gateway.stop()
    spool.close()


def strange_clocks(case: Case) -> None:
    """Devices a day behind or ahead, in 1970 and in 2099: kept as readings, or as dead letters that say why."""
    now = time.time()
    shifts = {"behind": -DAY, "ahead": DAY, "epoch": -now, "far": 4_070_908_800.0 - now}
    names = {shift: case.name(shift) for shift in shifts}
    case.rig.register("smart_plug", list(names.values()))
    raw = case.raw()
    for seq in range(1, 51):
        for shift, name in names.items():
            raw.say(name, numbered(seq, t=time.time() + shifts[shift] + seq * 0.001))
    for name in names.values():
        case.ledger.numbered(name, 1, range(1, 51))
    drain(case, raw, list(names.values()), 1, 50)
    raw.stop()
    with connect(case.url, application="look") as conn:
        rows = conn.execute(
            "select device, reason, count(*) from dead_letter where starts_with(device, %s) group by 1, 2 order by 1",
            (case.prefix,),
        ).fetchall()
    assert rows == [(names["ahead"], "future", 50), (names["far"], "future", 50)], rows


def drain(case: Case, raw: Raw, names: list[str], epoch: int, upto: int) -> None:
    """Wait for the last receipts, and note how long after the last message they came."""
    case.notes.append(f"all receipted {raw.wait(names, epoch, upto, 2 * _ANSWER):.1f} s after the last message")
