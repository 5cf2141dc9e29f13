"""A database that goes away: a problem that says so, nothing half done, and on with the next request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from psycopg import sql

from stack.embedded_postgres import EmbeddedPostgres
from storage.pool import connect
from tests.api.case import Seeded
from tests.api.test_events import Reader
from tests.api.test_idempotency import _until_waiting, bearer, moves_of
from tests.api.walk import is_problem


def test_a_connection_cut_in_the_middle_is_a_503_and_its_repeat_is_done_once(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    path, body = f"/v1/tickets/{seeded.ticket}/moves", {"to": "hold", "reason": "cut"}
    headers = {**bearer(seeded), "Idempotency-Key": "cut"}
    with ThreadPoolExecutor(1) as pool, connect(database_url, application="test") as holder:
        holder.execute("select from ticket where id = %s for update", (seeded.ticket,))
        asked = pool.submit(http.post, path, json=body, headers=headers)
        with psycopg.connect(database_url, autocommit=True) as admin:
            admin.execute("select pg_terminate_backend(%s)", (_until_waiting(database_url),))
        refused = asked.result(30)
    is_problem(refused, 503, "unavailable")
    assert refused.headers["retry-after"] == "2"
    assert moves_of(database_url, seeded, "cut") == 0
    again = http.post(path, json=body, headers=headers)
    assert again.status_code == 200, again.text
    assert moves_of(database_url, seeded, "cut") == 1


@pytest.mark.long
def test_without_a_database_every_request_gets_its_answer_and_later_it_goes_on(
    http: httpx.Client, seeded: Seeded, database_url: str, postgres: EmbeddedPostgres
) -> None:
    name = sql.Identifier(database_url.rsplit("/", 1)[1].split("?", maxsplit=1)[0])
    clock, headers = "/v1/clock", bearer(seeded)
    assert http.get(clock, headers=headers).is_success
    stream = Reader(str(http.base_url), headers)
    with stream.connected() as names, psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("alter database {} allow_connections false").format(name))
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name.as_string()[1:-1],)
        )
        assert list(names)  # ends in order; the reader comes back when there is something to read
        answers = [http.get(clock, headers=headers), http.get("/v1/tickets", headers=headers)]
        admin.execute(sql.SQL("alter database {} allow_connections true").format(name))
    for answer in answers:
        is_problem(answer, 503, "unavailable")
    for _ in range(100):
        if http.get(clock, headers=headers).is_success:
            break
        threading.Event().wait(0.1)
    assert http.get(clock, headers=headers).is_success


def test_a_body_without_a_length_is_bounded_too(http: httpx.Client, seeded: Seeded) -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"to": "'
        for _ in range(20):
            yield b"x" * 100_000
        yield b'"}'

    headers = {**bearer(seeded), "Content-Type": "application/json"}
    refused = http.post(f"/v1/tickets/{seeded.ticket}/moves", content=endless(), headers=headers)
    is_problem(refused, 413, "too-large")
