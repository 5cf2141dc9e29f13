"""Devices that were offline for a day bring it all at once, while others are live."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from firmware_sim.firmware import Body
from firmware_sim.spool import Spool
from telemetry.clock import MICROS, system_wall
from telemetry.message import Envelope
from tests.faults.kills import unfaulted
from tests.faults.raw import Raw
from tests.faults.stage import PATIENCE, Case, numbered

DAY = 86_400.0
LIVE = 20
LIVE_PERIOD = 1.0
LIVE_BOUND = 5.0
_ANSWER = 120 * PATIENCE
_OFFLINE = 23.9 * 3_600
_LEAKS = (0.1, 0.5, 0.9)


def offline_for_a_day(case: Case, plugs: int, period: float, *, shuffled: bool) -> None:
    """A day without a connection, then everything, in order by a spool or shuffled by hand.

    Args:
        case: being played.
        plugs: so many numbered devices come back, and two washing machines that leaked three times each.
        period: seconds between their messages.
        shuffled: whether order is lost on the way.
    """
    reference = unfaulted(case, 2)
    names, washers = case.plugs(plugs), case.washers(2)
    with live_devices(case) as live:
        began = time.monotonic()
        if shuffled:
            bring_shuffled(case, names, washers, period)
        else:
            bring_in_order(case, names, washers, period)
        took = time.monotonic() - began
    p99 = float(np.percentile(np.array(live.delays), 99))
    case.notes.append(
        f"{len(case.ledger.values)} messages in {took:.1f} s; live devices' receipts p99 {p99:.2f} s, "
        f"worst {max(live.delays):.2f} s, of {len(live.delays)}"
    )
    case.desk_settled(2)
    case.compare(reference)
    if p99 > LIVE_BOUND:
        case.stretched.append(f"live devices waited {p99:.1f} s (p99)")
    assert p99 <= LIVE_BOUND * PATIENCE, f"live devices waited {p99:.1f} s for their receipts (p99)"


@contextmanager
def live_devices(case: Case) -> Iterator[Raw]:
    """Devices that say something every second and note when it was receipted."""
    names = [case.name(f"live{n}") for n in range(LIVE)]
    case.rig.register("smart_plug", names)
    raw = case.raw("live")
    stop = threading.Event()
    said = [0]

    def speak() -> None:
        while not stop.wait(LIVE_PERIOD / LIVE):
            turn, number = divmod(said[0], LIVE)
            raw.say(names[number], numbered(turn + 1))
            case.ledger.numbered(names[number], 1, [turn + 1])
            said[0] += 1

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        case.until(lambda: len(raw.delays) >= 2 * LIVE, 30, "receipts of live devices")
        yield raw
    finally:
        stop.set()
        speaker.join(5)
        case.until(lambda: len(raw.delays) == said[0], 60, "all receipts of live devices")
        raw.stop()


def bring_in_order(case: Case, names: list[str], washers: list[str], period: float) -> None:
    """A spool of a day on disk, and a gateway that empties it."""
    keys = [f"demo/{name}" for name in (*names, *washers)]
    spool = Spool(case.folder / "day.sqlite", system_wall)
    start = system_wall() - round(_OFFLINE * MICROS)
    count = round(_OFFLINE / period)
    for first in range(1, count + 1, 200):
        spool.append(
            (f"demo/{name}", Body(device=0, done=t, t=t, q={"power": float(n)}))
            for n in range(first, min(first + 200, count + 1))
            for t in [start + round(n * period * MICROS)]
            for name in names
        )
    for share in _LEAKS:
        t = start + round(share * _OFFLINE * MICROS)
        spool.append((f"demo/{name}", Body(device=0, done=t, t=t, q={}, events=("leak",))) for name in washers)
    gateway = case.gateway(keys, spool, "day", window=2_000)
    gateway.start()
    assert gateway.settled(_ANSWER), f"not all receipted: {gateway.counts()}"
    counts = gateway.counts()
    case.notes.append(f"{counts.resent} of {counts.published} were sent again")
    last = {key: (spool.slot(key).epoch, spool.slot(key).next_seq - 1) for key in keys}
    case.ledger.sent({key: at for key, at in last.items() if key[5:] in names})
    for name in washers:
        epoch, seq = last[f"demo/{name}"]
        case.ledger.values.update({(name, epoch, n): None for n in range(1, seq + 1)})
    gateway.stop()
    spool.close()


def bring_shuffled(case: Case, names: list[str], washers: list[str], period: float) -> None:
    """The same day in no order at all."""
    raw = case.raw("day")
    start = time.time() - _OFFLINE
    count = round(_OFFLINE / period)
    days = [(name, numbered(n, t=start + n * period)) for name in names for n in range(1, count + 1)]
    for name in washers:
        for n, share in enumerate(_LEAKS, 1):
            days.append((name, Envelope(v=1, epoch=1, seq=n, base=0, t=start + share * _OFFLINE, events=["leak"])))
            case.ledger.values[name, 1, n] = None
    case.rng.shuffle(days)
    for name, envelope in days:
        raw.say(name, envelope)
    for name in names:
        case.ledger.numbered(name, 1, range(1, count + 1))
    raw.wait(names, 1, count, _ANSWER)
    raw.wait(washers, 1, len(_LEAKS), _ANSWER)
    raw.stop()
