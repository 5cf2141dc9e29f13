"""An Idempotency-Key: one effect and one answer, whoever doubles the request and whatever is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from stack.process import free_port
from storage import idempotency
from storage.clock_store import write_clock
from storage.idempotency import KEPT_FOR, Answer, Claim, InProgressError, KeyReusedError, claim, keep
from storage.pool import Connection, connect
from telemetry.clock import FleetClock, to_datetime, to_micros
from tests.api.case import NOW, WALL, Seeded

ANSWER = Answer(200, {"ETag": '"x"'}, b'{"a": 1}')
FIRST = Claim(UUID(int=1), "POST /v1/things", "key", b"\1" * 32)


def bearer(seeded: Seeded, role: str = "dispatcher") -> dict[str, str]:
    return {"Authorization": f"Bearer {seeded.tokens[role]}"}


def moves_of(url: str, seeded: Seeded, reason: str) -> int:
    """How often the ticket was put on hold for a reason."""
    statement = "select count(*) from ticket_event where ticket = %s and kind = 'moved' and body->>'reason' = %s"
    with connect(url, application="test") as conn:
        row = conn.execute(statement, (seeded.ticket, reason)).fetchone()
    return int(str(row[0])) if row else 0


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    with connect(url, application="test") as conn:
        yield conn


def test_doubles_at_the_same_time_have_one_effect_and_one_answer(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    # Putting an order on hold twice is a 409: without the key all but one would fail.
    def ask(_: int) -> httpx.Response:
        body = {"to": "hold", "reason": "doubles"}
        headers = {**bearer(seeded), "Idempotency-Key": "one-of-many"}
        return httpx.post(f"{http.base_url}/v1/tickets/{seeded.ticket}/moves", json=body, headers=headers, timeout=30)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert moves_of(database_url, seeded, "doubles") == 1


def test_another_body_or_another_person_is_another_request(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    path, key = f"/v1/tickets/{seeded.ticket}/moves", {"Idempotency-Key": "mine"}
    first = http.post(path, json={"to": "hold", "reason": "a"}, headers={**bearer(seeded), **key})
    other = http.post(path, json={"to": "hold", "reason": "b"}, headers={**bearer(seeded), **key})
    assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (422, "key-reused")
    spelled = http.post(
        path,
        content=b'{ "reason" : "a", "to":"hold" }',
        headers={**bearer(seeded), **key, "Content-Type": "application/json"},
    )
    assert spelled.content == first.content
    # The key is its owner's: somebody else's request with it is judged by itself.
    foreign = http.post(path, json={"to": "hold", "reason": "a"}, headers={**bearer(seeded, "admin"), **key})
    assert foreign.status_code == 409
    assert moves_of(database_url, seeded, "a") == 1


def test_an_error_had_no_effect_and_may_be_repeated(http: httpx.Client, seeded: Seeded) -> None:
    path, headers = f"/v1/visits/{seeded.visit}/moves", {**bearer(seeded), "Idempotency-Key": "too-early"}
    assert http.post(path, json={"to": "dispatched"}, headers=headers).status_code == 409
    assert http.post(f"/v1/visits/{seeded.visit}/confirm", headers=bearer(seeded)).status_code == 200
    again = http.post(path, json={"to": "dispatched"}, headers=headers)
    assert (again.status_code, again.json()["state"]) == (200, "dispatched")
    assert "idempotency-replayed" not in again.headers


def test_a_double_waits_for_the_first_and_takes_its_place_when_it_fails(database_url: str) -> None:
    now, outcome = to_datetime(WALL), dict[str, Answer | None]()
    with transaction(database_url) as one, transaction(database_url) as two:
        assert claim(one, FIRST, now) is None

        def double() -> None:
            outcome["two"] = claim(two, FIRST, now)
            two.commit()

        waiter = threading.Thread(target=double)
        waiter.start()
        _until_waiting(database_url, two.info.backend_pid)
        one.rollback()
        waiter.join(10)
    assert outcome == {"two": None}


def test_a_double_waits_for_the_first_and_gives_its_answer(database_url: str) -> None:
    now, outcome = to_datetime(WALL), dict[str, Answer | None]()
    with transaction(database_url) as one, transaction(database_url) as two:
        assert claim(one, FIRST, now) is None
        keep(one, FIRST, ANSWER)
        waiter = threading.Thread(target=lambda: outcome.update(two=claim(two, FIRST, now)))
        waiter.start()
        _until_waiting(database_url, two.info.backend_pid)
        one.commit()
        waiter.join(10)
    assert outcome == {"two": ANSWER}


def test_a_double_does_not_wait_for_ever(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "_WAIT", "set local lock_timeout = '50ms'")
    now = to_datetime(WALL)
    with transaction(database_url) as one, transaction(database_url) as two:
        assert claim(one, FIRST, now) is None
        with pytest.raises(InProgressError):
            claim(two, FIRST, now)


def test_a_key_runs_out(database_url: str) -> None:
    now, other = to_datetime(WALL), Claim(FIRST.principal, FIRST.route, FIRST.key, b"\2" * 32)
    with transaction(database_url) as conn:
        assert claim(conn, FIRST, now) is None
        keep(conn, FIRST, ANSWER)
        conn.commit()
        assert claim(conn, FIRST, now + KEPT_FOR - timedelta(seconds=1)) == ANSWER
        with pytest.raises(KeyReusedError):
            claim(conn, other, now)
        assert claim(conn, other, now + KEPT_FOR + timedelta(seconds=1)) is None
        conn.rollback()
        # Others' keys that ran out are swept on the way.
        assert claim(conn, Claim(UUID(int=2), "POST /v1/x", "k", b"\1"), now + KEPT_FOR + timedelta(days=1)) is None
        left = conn.execute("select count(*) from api_answer").fetchone()
        assert left == (1,)


class Server:
    """The API as its own process, to be killed."""

    def __init__(self, database_url: str) -> None:
        self.port = free_port()
        self._environment = {
            **os.environ,
            "WELLKEPT_DATABASE_URL": database_url,
            "WELLKEPT_HTTP_PORT": str(self.port),
            "WELLKEPT_POOL_SIZE": "2",
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", "api"], env=self._environment)
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{self.url}/healthz", timeout=2)
            except httpx.TransportError:
                assert self._process.poll() is None, "the server ended by itself"
                assert time.monotonic() < deadline, "the server does not answer"
                threading.Event().wait(0.05)
            else:
                return

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def end(self) -> int:
        """End it in order; returns its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def say(self, path: str, headers: dict[str, str], body: bytes) -> socket.socket:
        """Send a request and do not listen for the answer."""
        lines = [f"POST {path} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}"]
        lines += ["Content-Type: application/json", *(f"{name}: {value}" for name, value in headers.items())]
        connection = socket.create_connection(("127.0.0.1", self.port), 10)
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return connection


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    with connect(database_url, application="test") as conn:
        write_clock(conn, FleetClock(2, WALL, to_micros(NOW), 0.0))
    made = Server(database_url)
    made.start()
    yield made
    made.kill()


@pytest.mark.long
def test_a_kill_between_effect_and_answer(server: Server, seeded: Seeded, database_url: str) -> None:
    path = f"/v1/tickets/{seeded.ticket}/moves"
    reasons = ["first", "second"]
    for reason, state in zip(reasons, ("hold", "open"), strict=True):
        headers = {**bearer(seeded), "Idempotency-Key": reason}
        body = f'{{"to": "{state}", "reason": "{reason}"}}'.encode()
        with connect(database_url, application="test", autocommit=True) as ear:
            ear.execute("listen wellkept_api_event")
            asked = server.say(path, headers, body)
            # The database says so at the very commit; the client has heard nothing and never will.
            assert list(ear.notifies(timeout=30, stop_after=1))
            server.kill()
            asked.close()
        assert moves_of(database_url, seeded, reason) == 1
        server.start()
        sent = {**headers, "Content-Type": "application/json"}
        again = httpx.post(server.url + path, content=body, headers=sent, timeout=30)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
        assert again.json()["state"] == state
        assert moves_of(database_url, seeded, reason) == 1


@pytest.mark.long
def test_a_kill_before_the_commit(server: Server, seeded: Seeded, database_url: str) -> None:
    path, headers = f"/v1/tickets/{seeded.ticket}/moves", {**bearer(seeded), "Idempotency-Key": "killed"}
    body = b'{"to": "hold", "reason": "killed"}'
    with connect(database_url, application="test") as holder:
        holder.execute("select from ticket where id = %s for update", (seeded.ticket,))
        asked = server.say(path, headers, body)
        pid = _until_waiting(database_url)
        server.kill()
        asked.close()
    _until_gone(database_url, pid)
    with connect(database_url, application="test") as conn:
        assert conn.execute("select count(*) from api_answer").fetchone() == (0,)
    assert moves_of(database_url, seeded, "killed") == 0
    server.start()
    sent = {**headers, "Content-Type": "application/json"}
    done = httpx.post(server.url + path, content=body, headers=sent, timeout=30)
    assert done.status_code == 200
    assert "idempotency-replayed" not in done.headers
    assert moves_of(database_url, seeded, "killed") == 1


def _until_waiting(url: str, pid: int | None = None) -> int:
    """Wait until a backend of the test's database waits for a lock; returns its pid."""
    statement = """
        select pid from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and pid = coalesce(%s, pid)
    """
    return int(str(_until(url, statement, (pid,), present=True)[0]))


def _until_gone(url: str, pid: int) -> None:
    _until(url, "select pid from pg_stat_activity where pid = %s", (pid,), present=False)


def _until(url: str, statement: str, parameters: tuple[Any, ...], *, present: bool) -> tuple[Any, ...]:
    deadline = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as conn:
        while True:
            row = conn.execute(statement.encode(), parameters).fetchone()
            if (row is not None) == present:
                return row or ()
            assert time.monotonic() < deadline, statement
            threading.Event().wait(0.02)


def test_of_many_who_saw_the_same_state_one_changes_it(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    path = f"/v1/tickets/{seeded.ticket}"
    seen = http.get(path, headers=bearer(seeded)).headers["etag"]

    def ask(i: int) -> httpx.Response:
        body = {"to": "hold" if i % 2 else "cancelled", "reason": "race"}
        headers = {**bearer(seeded), "If-Match": seen}
        return httpx.post(f"{http.base_url}{path}/moves", json=body, headers=headers, timeout=30)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(8)))
    done = [answer for answer in answers if answer.status_code == 200]
    late = [answer for answer in answers if answer.status_code == 412]
    assert (len(done), len(late)) == (1, 7)
    assert all(answer.json()["present"]["state"] == done[0].json()["state"] for answer in late)
    assert all(answer.json()["etag"] == done[0].headers["etag"] for answer in late)
    assert moves_of(database_url, seeded, "race") == 1
