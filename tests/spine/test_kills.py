"""`kill -9` of broker, worker and database under load: nothing lost, nothing twice, back within ten seconds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.spine.audit import audit, has_ticket, tickets
from tests.spine.rig import Publisher, Rig, rig, wait_for

pytestmark = pytest.mark.stack

PLUGS = [f"plug-{n}" for n in range(40)]
WASHERS = ["washer-1", "washer-2", "washer-3", "washer-4"]
# Nominal: the devices' own spool takes its share of the machine, and at least 300 a second must be left.
RATE = 500.0
RECOVERY = 10.0
# The database's own redo comes on top of the ten seconds.
REDO = {"nats": 0.0, "worker-1": 0.0, "postgres": 10.0}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig() as one:
        one.register("smart_plug", ["probe"])
        probe = Publisher(one, tmp_path_factory.mktemp("probe"), ["probe"], 20.0)
        wait_for(lambda: probe.receipted(dict.fromkeys(probe.keys, (1, 1))), 60, "the first receipt")
        probe.end()
        one.register("smart_plug", PLUGS)
        one.register("washing_machine", WASHERS)
        yield one


def test_nothing_is_lost_or_doubled_when_a_part_is_killed(running: Rig, tmp_path: Path) -> None:
    plugs = Publisher(running, tmp_path, PLUGS, RATE)
    wait_for(lambda: plugs.receipted(dict.fromkeys(plugs.keys, (1, 20))), 30, "the first receipts")
    took: dict[str, float] = {}
    began_all, sent_before = time.monotonic(), sum(last for _, last in plugs.last().values())
    for part in ("nats", "worker-1", "postgres"):
        wait_for(lambda: plugs.gateway.counts().unreceipted >= 100, 10, "a hundred messages under way")
        open_at_kill = plugs.gateway.counts().unreceipted
        os.kill(running.pid(part), signal.SIGKILL)
        began = time.monotonic()
        assert open_at_kill >= 100
        mark = {key: (epoch, seq + 1) for key, (epoch, seq) in plugs.last().items()}
        wait_for(partial(plugs.receipted, mark), RECOVERY + REDO[part], f"recovery of {part}")
        took[part] = time.monotonic() - began
    rate = (sum(last for _, last in plugs.last().values()) - sent_before) / (time.monotonic() - began_all)
    sent = plugs.end()
    found = audit(running.database_url, sent)
    assert (found.lost, found.duplicated, found.changed) == (set(), set(), set())
    assert sum(last for _, last in sent.values()) > 1_000
    print(f"recovered in {took} at {rate:.0f} messages a second")  # noqa: T201  (shown with -s)


def test_a_ticket_is_neither_lost_nor_doubled_when_a_part_is_killed(running: Rig, tmp_path: Path) -> None:
    washers = Publisher(running, tmp_path, WASHERS, 0.0)
    wait_for(lambda: washers.gateway.counts().connected, 10, "connected")
    for washer, part in zip(WASHERS, ("nats", "worker-1", "postgres", "ingest"), strict=True):
        washers.say(washer, "leak")
        os.kill(running.pid(part), signal.SIGKILL)
        washers.say(washer, "leak")
        wait_for(partial(has_ticket, running.database_url, washer), 30, f"a ticket in spite of {part}")
    washers.end()
    assert tickets(running.database_url) == dict.fromkeys(WASHERS, 1)
