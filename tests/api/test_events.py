"""The feed of changes: no late commit passed over, nothing missed by a lost connection, nothing told to strangers."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import api.stream
from storage.access import revoke_token
from storage.api_events import KEPT_FOR, begin_anew, forget, number, read_changes, standing
from storage.pool import Connection, connect
from storage.read_models import EVERYTHING, Scope
from telemetry.clock import to_datetime
from tests.api.case import NOW, WALL, Seeded
from tests.api.test_idempotency import Server, server
from tests.api.walk import is_problem

__all__ = ["server"]

AT = to_datetime(WALL)
_PATIENCE_S = 30.0


def bearer(seeded: Seeded, role: str = "read_only") -> dict[str, str]:
    return {"Authorization": f"Bearer {seeded.tokens[role]}"}


class Reader:
    """A client of the stream, as browsers are: it remembers the last id, and comes back with it."""

    def __init__(self, url: str, headers: dict[str, str], types: str | None = None) -> None:
        self.url, self.headers, self.types = url, headers, types
        self.last: str | None = None
        self.seen: list[tuple[int, str, dict[str, Any]]] = []
        self.comments = 0

    @contextmanager
    def connected(self) -> Iterator[Iterator[str]]:
        sent = self.headers | ({} if self.last is None else {"Last-Event-ID": self.last})
        query = {} if self.types is None else {"types": self.types}
        with (
            httpx.Client(timeout=_PATIENCE_S) as client,
            client.stream("GET", f"{self.url}/v1/events", headers=sent, params=query) as answer,
        ):
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield self._heard(answer.iter_lines())

    def _heard(self, lines: Iterator[str]) -> Iterator[str]:
        """The names of events as they come; "" where only the place moved."""
        name, data = "", ""
        for line in lines:
            word, _, value = line.partition(": ")
            if line.startswith(":"):
                self.comments += 1
            elif word == "id":
                self.last = value
            elif word == "event":
                name = value
            elif word == "data":
                data = value
            elif not line:
                if name:
                    self.seen.append((int(self.last or 0), name, json.loads(data)))
                yield name
                name, data = "", ""

    def until(self, names: Iterator[str], count: int) -> None:
        while len(self.seen) < count:
            next(names)


def health(conn: Connection, device: int, state: str) -> None:
    """A device's health as the worker writes it."""
    conn.execute(
        "insert into device_observed (device, epoch, seq, last_arrival, health, since) values (%s, 1, 1, %s, %s, %s)"
        " on conflict (device) do update set health = excluded.health, since = excluded.since",
        (device, NOW, state, NOW),
    )


def number_all(conn: Connection) -> None:
    while number(conn, AT):
        conn.commit()
    conn.commit()


def numbers(conn: Connection, after: int = 0) -> list[int]:
    found = [each.no for each in read_changes(conn, EVERYTHING, after=after, upto=standing(conn).newest, limit=10_000)]
    conn.commit()
    return found


@pytest.fixture
def quiet(database_url: str) -> Iterator[Connection]:
    """A database whose feed is numbered so far."""
    with connect(database_url, application="test") as conn:
        number_all(conn)
        yield conn


def test_a_transaction_that_commits_late_is_numbered_late(quiet: Connection, database_url: str, seeded: Seeded) -> None:
    start = standing(quiet).newest
    with connect(database_url, application="test") as slow, connect(database_url, application="test") as quick:
        health(slow, seeded.device.no, "faulty")  # draws the lower identity, and does not commit
        quick.execute("update ticket set version = version + 1 where id = %s", (seeded.ticket,))
        quick.commit()
        number_all(quiet)
        assert numbers(quiet, start) == [start + 1]
        slow.commit()
        number_all(quiet)
    late = read_changes(quiet, EVERYTHING, after=start + 1, upto=start + 2)
    assert [(each.no, each.kind, each.state, each.was) for each in late] == [(start + 2, "device", "faulty", "unknown")]


def test_two_that_number_at_once_share_the_work(quiet: Connection, database_url: str, seeded: Seeded) -> None:
    start = standing(quiet).newest
    for state in ("ok", "faulty", "ok"):
        health(quiet, seeded.device.no, state)
    quiet.commit()
    with connect(database_url, application="test") as one, connect(database_url, application="test") as two:
        assert number(one, AT)
        blocked = threading.Thread(target=number_all, args=(two,))
        blocked.start()
        assert numbers(quiet, start) == []
        one.commit()
        blocked.join(10)
    assert numbers(quiet, start) == [start + 1, start + 2, start + 3]


def test_what_was_rolled_back_is_no_change(quiet: Connection, seeded: Seeded) -> None:
    start = standing(quiet).newest
    health(quiet, seeded.device.no, "faulty")
    quiet.rollback()
    number_all(quiet)
    assert standing(quiet).newest == start


def test_every_kind_of_change_is_told_once(quiet: Connection, seeded: Seeded) -> None:
    kinds = [each.kind for each in read_changes(quiet, EVERYTHING, after=0, upto=standing(quiet).newest)]
    # The seeded case: a finding, its ticket, a visit, a quote and a notice were made.
    assert {"finding", "ticket", "visit", "quote", "notice"} == set(kinds)
    start = standing(quiet).newest
    quiet.execute("update device_observed set seq = seq + 1")
    quiet.execute("update ticket set next_due = next_due")  # nothing that a person did: same version
    number_all(quiet)
    assert standing(quiet).newest == start
    one_day = Scope(household=seeded.household)
    assert len(read_changes(quiet, one_day, after=0, upto=start)) == len(kinds)
    assert read_changes(quiet, Scope(org="elsewhere"), after=0, upto=start) == []
    of_ticket = read_changes(quiet, Scope(ticket=seeded.ticket), after=0, upto=start)
    assert {each.kind for each in of_ticket} == {"finding", "ticket", "visit", "quote", "notice"}
    no_visits = read_changes(quiet, EVERYTHING, after=0, upto=start, technician="nobody")
    assert {each.kind for each in no_visits} == {"finding", "ticket", "quote", "notice"}


def test_old_changes_are_forgotten_and_their_readers_told(base_url: str, quiet: Connection, seeded: Seeded) -> None:
    newest = standing(quiet).newest
    forget(quiet, AT + KEPT_FOR + timedelta(seconds=1))
    quiet.commit()
    assert standing(quiet).forgotten == newest
    for last in ("0", str(newest + 1_000)):
        reader = Reader(base_url, bearer(seeded))
        reader.last = last
        with reader.connected() as names:
            reader.until(names, 1)
        assert reader.seen[0][:2] == (newest, "reset")


def test_after_a_restore_every_reader_is_told(quiet: Connection, seeded: Seeded) -> None:
    old = standing(quiet).newest
    begin_anew(quiet, AT)
    health(quiet, seeded.device.no, "faulty")
    quiet.commit()
    number_all(quiet)
    now = standing(quiet)
    assert now.newest == now.forgotten + 1
    assert old < now.forgotten
    assert numbers(quiet, now.forgotten) == [now.newest]


def test_a_change_arrives_with_where_to_read_it(base_url: str, seeded: Seeded) -> None:
    reader = Reader(base_url, bearer(seeded), types="ticket,visit")
    with reader.connected() as names:
        next(names)
        assert reader.last is not None  # where the stream began, before anything happened
        confirmed = httpx.post(
            f"{base_url}/v1/visits/{seeded.visit}/confirm", headers=bearer(seeded, "people"), timeout=30
        )
        assert confirmed.is_success
        reader.until(names, 2)
    kinds = {name: data for _, name, data in reader.seen}
    assert kinds.keys() == {"ticket", "visit"}
    visit = kinds["visit"]
    assert (visit["state"], visit["was"], visit["ticket"]) == ("confirmed", "proposed", str(seeded.ticket))
    shown = httpx.get(base_url + visit["href"], headers=bearer(seeded), timeout=30).json()
    assert (shown["id"], shown["state"]) == (visit["id"], "confirmed")


def test_types_and_places_are_checked(base_url: str, seeded: Seeded) -> None:
    path, headers = f"{base_url}/v1/events", bearer(seeded)
    is_problem(httpx.get(path, headers=headers, params={"types": "ticket,lies"}), 422, "invalid")
    for last in ("x", "-1", "1" * 40, "1.5"):
        is_problem(httpx.get(path, headers={**headers, "Last-Event-ID": last}), 400, "bad-cursor")


def test_strangers_hear_nothing_and_owners_their_own(
    base_url: str, seeded: Seeded, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.stream, "HEARTBEAT_S", 0.1)
    readers = [Reader(base_url, bearer(seeded, role)) for role in ("foreign", "owner", "technician")]
    for reader in readers:
        reader.last = "0"
    with connect(database_url, application="test") as conn:
        health(conn, seeded.device.no, "faulty")
    foreign, owner, technician = readers
    with owner.connected() as names:
        while "device" not in {name for _, name, _ in owner.seen}:
            next(names)
    with technician.connected() as names:
        while "device" not in {name for _, name, _ in technician.seen}:
            next(names)
    with foreign.connected() as names:
        while foreign.last != owner.last:
            next(names)
    assert foreign.seen == []


def test_places_are_bounded_and_given_back(base_url: str, app: FastAPI, seeded: Seeded) -> None:
    app.state.context.settings.streams_most = 2
    one, two = Reader(base_url, bearer(seeded)), Reader(base_url, bearer(seeded))
    with one.connected() as first:
        next(first)
        with two.connected() as second:
            next(second)
            refused = httpx.get(f"{base_url}/v1/events", headers=bearer(seeded))
            is_problem(refused, 429, "too-many-requests")
            assert refused.headers["retry-after"] == "10"
    deadline = time.monotonic() + _PATIENCE_S
    while app.state.feed.open:
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
    with Reader(base_url, bearer(seeded)).connected() as third:
        next(third)


def test_a_silent_stream_says_that_it_lives_and_a_revoked_token_ends_it(
    base_url: str, seeded: Seeded, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.stream, "HEARTBEAT_S", 0.1)
    reader = Reader(base_url, bearer(seeded))
    with reader.connected() as names:
        next(names)
        while reader.comments < 2:
            next(names)
        with connect(database_url, application="test") as conn:
            row = conn.execute("select id from access_token where role = 'read_only'").fetchone()
            assert row is not None
            assert revoke_token(conn, row[0], now=AT)  # type: ignore[arg-type]
        for _ in names:
            pass  # the server ends it


def test_nothing_is_missed_with_writers_at_once_and_connections_cut(
    base_url: str, seeded: Seeded, database_url: str
) -> None:
    """Four writers commit late and out of order; the reader is cut off again and again, in the middle of lines too."""
    devices, rounds = 4, 25
    with connect(database_url, application="test") as conn:
        added = conn.execute(
            "insert into device (org, device, kind, registered)"
            " select 'demo', 'd-' || n, 'refrigerator', %s from generate_series(1, %s) n returning no",
            (NOW, devices),
        ).fetchall()
        start = conn.execute("select newest from api_feed").fetchone()
    reader = Reader(base_url, bearer(seeded), types="device")
    with reader.connected() as names:
        next(names)

    def write(device: int, seed: int) -> None:
        rng = random.Random(seed)
        with closing(connect(database_url, application="test")) as conn:
            for i in range(rounds):
                health(conn, device, ("ok", "faulty")[i % 2])
                conn.execute("select pg_sleep(%s)", (rng.uniform(0, 0.03),))  # the change is made, not yet committed
                conn.commit()

    writers = [threading.Thread(target=write, args=(int(str(row[0])), i)) for i, row in enumerate(added)]
    for writer in writers:
        writer.start()
    rng, cuts = random.Random(3), 0
    deadline = time.monotonic() + 120
    while len(reader.seen) < devices * rounds:
        assert time.monotonic() < deadline, f"{len(reader.seen)} of {devices * rounds}"
        wanted = min(len(reader.seen) + rng.randint(1, 15), devices * rounds)
        with reader.connected() as names:
            reader.until(names, wanted)
        cuts += 1
    for writer in writers:
        writer.join(30)
    assert cuts >= 5
    ids = [no for no, _, _ in reader.seen]
    assert ids == sorted(set(ids))
    assert start is not None
    assert ids[0] > int(str(start[0]))
    states = defaultdict(list)
    for _, name, data in reader.seen:
        assert name == "device"
        states[data["id"]].append(data["state"])
    assert len(states) == devices
    assert all(each == ["ok", "faulty"] * (rounds // 2) + ["ok"] * (rounds % 2) for each in states.values())


@pytest.mark.long
def test_a_killed_server_loses_no_change(server: Server, seeded: Seeded, database_url: str) -> None:
    reader = Reader(server.url, bearer(seeded), types="device")
    with connect(database_url, application="test", autocommit=True) as conn:
        with reader.connected() as names:
            next(names)
            health(conn, seeded.device.no, "faulty")
            reader.until(names, 1)
            health(conn, seeded.device.no, "ok")
            server.kill()
        health(conn, seeded.device.no, "faulty")
        server.start()
        with reader.connected() as names:
            reader.until(names, 3)
            assert [data["state"] for _, _, data in reader.seen] == ["faulty", "ok", "faulty"]
            # Told to end, the server ends its streams first and is gone in order.
            ending = threading.Thread(target=server.end)
            before = time.monotonic()
            ending.start()
            assert list(names) == []
            ending.join(30)
            assert time.monotonic() - before < api.stream.HEARTBEAT_S
