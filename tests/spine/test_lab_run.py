"""The engineers' bench in a process of its own: a device observed again, and a ticket's decision, from the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from detectors.tracing.bank import TracingBank
from detectors.tracing.cyclic import OWN
from storage.lab_store import Asked, LabRun, ask_run, get_run, latest_run, open_run, take_run
from storage.pool import Connection, connect
from telemetry.clock import system_wall, to_datetime
from tests.detectors.streams import faulty
from tests.spine.decided import Worker, catalogue
from worker.lab import Bench
from worker.lab_run import carry_out

pytestmark = pytest.mark.stack
_LONG_S = 120.0


@pytest.fixture
def decided(database_url: str) -> Iterator[Worker]:
    """A plug's ticket, as a worker opened it."""
    worker = Worker(database_url, "smart_plug")
    worker.tell(faulty("smart_plug")[:1150])
    assert worker.tickets
    yield worker
    worker.close()


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with connect(database_url, application="test", autocommit=True) as opened:
        yield opened


def asked(conn: Connection, what: Asked) -> UUID:
    return ask_run(conn, uuid4(), what, by="staff:ana", now=to_datetime(system_wall()))


def done(conn: Connection, what: Asked) -> LabRun:
    taken = take_run(conn, to_datetime(system_wall()))
    assert taken is not None
    shares: list[float] = []
    carry_out(conn, taken, TracingBank(catalogue()), catalogue(), shares.append)
    assert shares == sorted(shares)
    found = latest_run(conn, what)
    assert found is not None
    assert (found.id, found.state, found.share) == (taken, "done", 1.0)
    assert open_run(conn, what) is None
    return found


def test_a_trace_and_a_decision_are_made_from_the_database(decided: Worker, conn: Connection) -> None:
    ticket = decided.tickets[0]
    what = Asked("trace", decided.device.no)
    asked(conn, what)
    trace = done(conn, what).result
    assert trace is not None
    (opened,) = [each for each in trace["opened"] if each["id"] == str(ticket.finding)]
    own = trace["scores"][ticket.family][OWN]
    at = trace["t"].index(opened["at"])
    assert own["value"][at] >= own["opens"] > own["value"][at - 1]
    assert trace["messages"] == 1150
    assert trace["learned"]["cycles"] == trace["learned"]["of"]

    decision = Asked("decision", decided.device.no, ticket.ref)
    asked(conn, decision)
    found = done(conn, decision).result
    assert found is not None
    assert (found["equal"], found["first_difference"], found["ticket"]) == (True, None, ticket.ref)
    assert found["trace"]["t"][-1] == found["opened"] == opened["at"]
    assert found["decided"]["causes"]
    assert found["costs"]["expected_cost"] > found["costs"]["visit_cost"]

    # Something else was decided than is stored now: the run says where.
    conn.execute("update finding_revision set body = jsonb_set(body, '{score}', '0.5') where revision = 0")
    asked(conn, decision)
    differs = done(conn, decision).result
    assert differs is not None
    assert differs["first_difference"]["where"] == "score"

    # A ticket that goes back to nothing is said to.
    lost = Asked("decision", decided.device.no, "WK-0")
    ident = asked(conn, lost)
    taken = take_run(conn, to_datetime(system_wall()))
    assert taken == ident
    carry_out(conn, taken, TracingBank(catalogue()), catalogue(), lambda _share: None)
    failed = get_run(conn, ident)
    assert failed is not None
    assert (failed.state, failed.error) == ("failed", "WK-0 goes back to no finding of telemetry")


@pytest.mark.long
def test_a_worker_carries_runs_out(
    decided: Worker, conn: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WELLKEPT_DATABASE_URL", database_url)
    what = Asked("trace", decided.device.no)
    ident = asked(conn, what)
    stop = threading.Event()
    bench = threading.Thread(target=Bench(database_url).run, args=(stop,))
    bench.start()
    end = time.monotonic() + _LONG_S
    while (run := get_run(conn, ident)) is not None and run.open and time.monotonic() < end:
        time.sleep(0.2)
    stop.set()
    bench.join(30)
    assert run is not None
    assert (run.state, run.error) == ("done", None)
