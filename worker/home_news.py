"""Tells Home Assistant what changed: one worker looks, whatever is new is published, and now and then all of it."""

from __future__ import annotations

import threading
import time

import psycopg
import structlog

from storage.pool import Connection, connect
from storage.read_home import home_states
from storage.session_locks import SessionLock, try_lock
from stream.port import Outbox
from telemetry.catalogue import Catalogue
from telemetry.relay import Relayed, encode_relayed
from telemetry.topics import Channel
from worker.home_assistant import discovery_messages, key_of, state_message

log = structlog.get_logger()

_EVERY = 5.0
_AGAIN = 600.0
_RETRY = 2.0


class HomeNews:
    """A thread with a connection of its own.

    Args:
        stream: carries messages to ingest, which publishes them.
        database_url: what is told.
        catalogue: titles.
        org: whose appliances.
        prefix: of discovery topics.
        every: seconds between two looks.
    """

    def __init__(  # noqa: PLR0917  (named by the caller)
        self, stream: Outbox, database_url: str, catalogue: Catalogue, org: str, prefix: str, every: float = _EVERY
    ) -> None:
        self._stream = stream
        self._url = database_url
        self._catalogue = catalogue
        self._org = org
        self._prefix = prefix
        self._every = every
        self._told: dict[str, bytes] = {}
        self._again = 0.0

    def run(self, stop: threading.Event) -> None:
        """Go round until told to stop. Another worker that tells already goes on; this one waits for its end."""
        while not stop.is_set():
            try:
                with connect(self._url, application="wellkept-home", autocommit=True) as conn:
                    leads = False
                    while not stop.is_set():
                        # Asked until it is granted: the session holds it from then on, and would count each asking.
                        leads = leads or try_lock(conn, SessionLock.HOME_NEWS)
                        if leads:
                            self._tell(conn)
                        stop.wait(self._every)
            except psycopg.Error as error:
                log.warning("what homes are told starts anew", error=repr(error))
                stop.wait(_RETRY)

    def _tell(self, conn: Connection) -> None:
        now = time.monotonic()
        if now >= self._again:
            # The way to the broker may have been cut: what is retained there is made sure of now and then.
            self._told, self._again = {}, now + _AGAIN
        for state in home_states(conn, self._org):
            messages = [
                *discovery_messages(state, self._catalogue, self._prefix),
                state_message(state, self._catalogue),
            ]
            for message in messages:
                if self._told.get(message.topic) != message.payload:
                    relayed = Relayed(message.topic, message.payload, retain=True)
                    self._stream.send(key_of(state), Channel.HOME, encode_relayed(relayed))
                    self._told[message.topic] = message.payload
