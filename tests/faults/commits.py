"""A COMMIT in doubt; workers stopped inside COPY or before COMMIT that wake when their partitions are another's."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from storage.pool import connect
from tests.faults.kills import PLUGS, RATE, note_rate, unfaulted
from tests.faults.proxy import Proxy, Strike
from tests.faults.stage import WORKER, Case

_WAITING = """
select client_port from pg_stat_activity
where application_name = %s and wait_event = 'ClientRead'
  and case when %s then state = 'active' and query ilike 'copy%%' else state = 'idle in transaction' end
"""


def proxy_of(case: Case) -> Proxy:
    proxy = case.stage.proxy
    assert proxy is not None
    return proxy


def doubtful_commits(case: Case, times: int) -> None:
    """The connection is cut before, during and after COMMIT, several in a row: nobody knows what became of it."""
    strikes = (Strike.BEFORE_COMMIT, Strike.DURING_COMMIT, Strike.AFTER_COMMIT)
    reference = unfaulted(case, len(strikes))
    washers = case.washers(len(strikes))
    proxy = proxy_of(case)
    with case.load(case.plugs(PLUGS), RATE) as load, case.saying(washers) as saying:
        began, before = time.monotonic(), load.total()
        for strike, washer in zip(strikes, washers, strict=True):
            case.until(lambda: load.open() >= 100, 20, "a hundred messages under way")
            proxy.arm(strike, times)
            saying.say(washer, "leak")
            case.until(lambda: proxy.struck == times, 30, f"{times} connections cut {strike.value} COMMIT")
            load.recovered(f"cuts {strike.value} COMMIT")
        note_rate(case, load, began, before)
    case.desk_settled(len(strikes))
    case.compare(reference)


def stopped_and_woken(case: Case, strike: Strike) -> None:
    """SIGSTOP of a worker at an exact place; others take its partitions; it wakes and must not count."""
    reference = unfaulted(case, 2)
    washers = case.washers(2)
    proxy = proxy_of(case)
    with case.load(case.plugs(PLUGS), RATE) as load, case.saying(washers) as saying:
        began, before = time.monotonic(), load.total()
        case.until(lambda: load.open() >= 100, 20, "a hundred messages under way")
        with proxy.held(strike) as holding:
            saying.say(washers[0], "leak")
            assert holding.wait(30), f"no worker came to {strike.value}"
            pid = owner_of(case, waiting_port(case, proxy, copying=strike is Strike.HOLD_COPY))
            os.kill(pid, signal.SIGSTOP)
            try:
                took = load.recovered("a stopped worker")
            finally:
                # What it had sent goes on to a backend that is no longer there; then it wakes.
                proxy.release()
                os.kill(pid, signal.SIGCONT)
        case.notes.append(f"stopped at {strike.value}: {took:.1f} s")
        saying.say(washers[1], "leak")
        load.recovered("the worker's waking")
        note_rate(case, load, began, before)
    case.desk_settled(2)
    case.compare(reference)


def waiting_port(case: Case, proxy: Proxy, *, copying: bool) -> int:
    """The proxy's own port towards the backend that is seen waiting for its client in pg_stat_activity."""
    found: list[int] = []

    def seen() -> bool:
        with connect(case.url, application="look") as conn:
            rows = conn.execute(_WAITING, (WORKER, copying)).fetchall()
        found[:] = [int(str(row[0])) for row in rows if int(str(row[0])) == proxy.held_port]
        return bool(found)

    case.until(seen, 20, "the backend waits for its client")
    return proxy.held_client


def owner_of(case: Case, port: int) -> int:
    """The worker whose socket has a local port."""
    inode = next(
        fields[9]
        for fields in map(str.split, Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:])
        if int(fields[1].rpartition(":")[2], 16) == port
        and int(fields[2].rpartition(":")[2], 16) == proxy_of(case).port
    )
    for child in case.rig.supervisor.children:
        if child.name.startswith("worker") and child.running and child.identity is not None:
            for link in Path(f"/proc/{child.identity.pid}/fd").iterdir():
                if link.is_symlink() and str(link.readlink()) == f"socket:[{inode}]":
                    return child.identity.pid
    raise AssertionError(f"no worker holds port {port}")
