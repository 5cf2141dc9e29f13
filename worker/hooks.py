"""Sends what waits for the endpoints of other systems: one job for each endpoint, beside the desk's own jobs.

A job takes the head of its endpoint's line in one transaction, sends it in none, and writes the answer in another: no
row is locked while a stranger's server takes its time. Whoever is killed in between leaves the message to be sent
again with the same id. `Watch` begins later tries when their time has come, in wall time.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import structlog
from procrastinate import App, BaseRetryStrategy

from servicedesk.errors import UnknownError
from servicedesk.hook_rows import Delivery, DeliveryState
from servicedesk.hook_tries import next_up, note
from servicedesk.office import Office
from storage.api_events import KEPT_FOR
from storage.desk_hooks import SEND, tidy, wake, wake_due
from storage.jobs import HOOKS
from storage.pool import Connection, connect
from worker.hook_post import Poster, signed

log = structlog.get_logger()

_AT_ONCE = 50
_LOOK_S = 1.0
_IDLE = 5.0
_RETRY_S = 0.5
_TIDY_EVERY = timedelta(hours=1)


@dataclass
class Sender:
    """Sends for one endpoint at a time.

    Attributes:
        transaction: connections, each a transaction.
        office: the desk on a connection.
        wall: wall time.
        fleet: fleet time.
        poster: sends.
    """

    transaction: Callable[[], AbstractContextManager[Connection]]
    office: Callable[[Connection], Office]
    wall: Callable[[], datetime]
    fleet: Callable[[], datetime]
    poster: Poster
    rng: random.Random = field(default_factory=random.SystemRandom)

    def send(self, hook: UUID) -> list[Delivery]:
        """Send what is due at an endpoint, in order, some at a time. Returns how each went."""
        told: list[Delivery] = []
        while len(told) < _AT_ONCE:
            one = self._one(hook)
            if one is None:
                return told
            told.append(one)
            if one.state is DeliveryState.PENDING:
                return told
        with self.transaction() as conn:
            wake(conn, str(hook))  # the rest, after others have had their turn
        return told

    def _one(self, hook_id: UUID) -> Delivery | None:
        now = self.wall()
        try:
            with self.transaction() as conn:
                turn = next_up(self.office(conn).desk.hooks, hook_id, now)
            if turn is None:
                return None
            hook, delivery = turn
            body, headers = signed(hook, delivery, now)
            answer = self.poster.post(hook.url, body, headers)
            with self.transaction() as conn:
                told = note(
                    self.office(conn), delivery, answer, self.wall(), fleet=self.fleet(), spread=self.rng.random
                )
        except UnknownError:
            return None  # it was removed meanwhile
        log.info(
            "webhook",
            webhook=str(hook_id),
            message=headers["webhook-id"],
            state=str(told.state),
            status=answer.status,
            took_ms=answer.took_ms,
            tries=told.tries,
            why=told.why,
        )
        return told


def register(app: App, sender: Sender, retry: BaseRetryStrategy) -> None:
    """Add the task to an app."""

    @app.task(name=SEND, queue=HOOKS, retry=retry)
    def send_webhook(*, webhook: str) -> None:
        sender.send(UUID(webhook))


def watch(database_url: str, stop: threading.Event, wall: Callable[[], datetime]) -> None:
    """Begin tries whose time has come, and forget old deliveries, until told to stop; a lost database is waited for."""
    while not stop.is_set():
        try:
            with connect(database_url, application="wellkept-hooks", autocommit=True, idle=_IDLE) as conn:
                tidied: datetime | None = None
                while not stop.wait(_LOOK_S):
                    now = wall()
                    wake_due(conn, now)
                    if tidied is None or now - tidied >= _TIDY_EVERY:
                        while tidy(conn, now - KEPT_FOR) and not stop.is_set():
                            pass
                        tidied = now
        except psycopg.Error as error:
            log.warning("the watch over webhooks starts anew", error=str(error)[:200])
            stop.wait(_RETRY_S)
