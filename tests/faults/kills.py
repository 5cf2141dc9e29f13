"""`kill -9` of every component under load, tickets and notices included."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from functools import partial

from tests.faults.auditor import DeskStory
from tests.faults.stage import PATIENCE, Case, Load

PLUGS = 40
RATE = 600.0
LEAST_RATE = 500.0
COMPONENTS = ("nats", "postgres", "worker-1", "ingest", "api", "device")


def kill(case: Case, parts: tuple[str, ...]) -> None:
    """Kill parts one after the other under at least 500 messages a second; a leak is reported around each blow."""
    reference = unfaulted(case, len(parts))
    washers = case.washers(len(parts))
    # Devices that are killed again and again are silent most of the time, and speak the faster between.
    rate = 3.0 * RATE if set(parts) == {"device"} else RATE
    with case.load(case.plugs(PLUGS), rate) as load, case.saying(washers) as saying:
        began, before, away = time.monotonic(), load.total(), 0.0
        for part, washer in zip(parts, washers, strict=True):
            case.until(lambda: load.open() >= 100, 20, "a hundred messages under way")
            saying.say(washer, "leak")
            strike(case, load, part)
            saying.say(washer, "leak")
            took = load.recovered(part)
            case.until(partial(runs_again, case, load, part), 20, f"{part} again")
            case.notes.append(f"{part} {took:.1f} s")
            away += took
        note_rate(case, load, began, before)
    case.desk_settled(len(parts))
    case.compare(reference)


def strike(case: Case, load: Load, part: str) -> None:
    """`kill -9` of a part; `device` is the load's process."""
    os.kill(case.rig.pid(load.part if part == "device" else part), signal.SIGKILL)


def runs_again(case: Case, load: Load, part: str) -> bool:
    """Whether the part is back; the API also answers that it is ready."""
    name = load.part if part == "device" else part
    with suppress(OSError):
        return case.rig.runs(name) and (part != "api" or case.rig.supervisor.ready())
    return False


def note_rate(case: Case, load: Load, began: float, before: int) -> None:
    """Measure what the devices numbered a second, faults included.

    Raises:
        AssertionError: it was too little for the claim.
    """
    rate = (load.total() - before) / (time.monotonic() - began)
    case.rates.append(rate)
    if rate < LEAST_RATE:
        case.stretched.append(f"{rate:.0f} messages a second")
    assert rate * PATIENCE >= LEAST_RATE, f"{rate:.0f} messages a second; the machine is too busy for this claim"


def unfaulted(case: Case, washers: int) -> DeskStory:
    """Tickets and notices of as many washing machines that leak while nothing fails; played once a stage."""
    stage = case.stage
    if washers not in stage.references:
        calm = stage.case("calm", 0)
        names = calm.washers(washers)
        with calm.saying(names) as saying:
            for name in names:
                saying.say(name, "leak")
                saying.say(name, "leak")
        stage.references[washers] = calm.desk_settled(washers)
    return stage.references[washers]
