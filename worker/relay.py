"""Hands the feed of changes on to the stream's server, from a stored position; and numbers, when no API does.

What is told is told before the position moves, in one transaction: whoever is killed in between tells it again, with
the same ids. A position that the feed no longer reaches is told as a gap to every organisation.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import psycopg
import structlog

from servicedesk.cloud_events import FEED, MEDIA_TYPE, encode, message_id
from servicedesk.hook_rows import Change
from storage.api_events import Change as Row
from storage.api_events import listening, number, read_changes, standing
from storage.event_relay import move_position, organisations, take_position
from storage.pool import Connection, connect
from storage.read_models import EVERYTHING
from stream.port import Event, EventSink, StreamError

log = structlog.get_logger()

_AT_ONCE = 200
_LOOK_S = 1.0
_IDLE_S = 20.0
_PATIENCE_S = (0.5, 1.0, 2.0, 5.0)
_PAUSE_S = 0.05


class Relay:
    """One thread; several workers have one each, and one at a time hands on.

    Args:
        sink: where changes are told.
        database_url: where they stand.
        wall: wall time.
    """

    def __init__(self, sink: EventSink, database_url: str, wall: Callable[[], datetime]) -> None:
        self._sink = sink
        self._url = database_url
        self._wall = wall

    def run(self, stop: threading.Event) -> None:
        """Hand on until told to stop; a lost server is waited for."""
        failures = 0
        while not stop.is_set():
            try:
                with (
                    listening(self._url) as ear,
                    connect(self._url, application="wellkept-relay", idle=_IDLE_S) as conn,
                ):
                    while not stop.is_set():
                        while self.step(conn) and not stop.is_set():
                            pass
                        failures = 0
                        if ear.wait(_LOOK_S):
                            stop.wait(_PAUSE_S)  # what comes at once is handed on at once
            except (psycopg.Error, StreamError) as error:
                log.warning("changes wait to be handed on", error=str(error)[:200])
                stop.wait(_PATIENCE_S[min(failures, len(_PATIENCE_S) - 1)])
                failures += 1

    def step(self, conn: Connection) -> bool:
        """Number what is committed, and hand some of it on. Returns whether there may be more.

        Raises:
            StreamError: the server does not take it; nothing has moved.
        """
        with conn.transaction():
            number(conn, self._wall())
        with conn.transaction():
            position = take_position(conn)
            if position is None:
                return False
            reach = standing(conn)
            if not reach.forgotten <= position <= reach.newest:
                self._sink.tell([self._gap(org, reach.forgotten) for org in organisations(conn)])
                position = reach.forgotten
            rows = read_changes(conn, EVERYTHING, after=position, upto=reach.newest, limit=_AT_ONCE)
            if rows:
                self._sink.tell([_event(each) for each in rows])
            more = len(rows) == _AT_ONCE
            move_position(conn, rows[-1].no if more else reach.newest)
        return more

    def _gap(self, org: str, no: int) -> Event:
        return _told(Change(no=no, org=org, kind=FEED, subject=org, what="reset", state="reset", at=self._wall()))


def _event(row: Row) -> Event:
    return _told(
        Change(
            no=row.no,
            org=row.org,
            kind=row.kind,
            subject=row.subject,
            what=row.what,
            state=row.state,
            was=row.was,
            ticket=row.ticket,
            at=row.numbered,
        )
    )


def _told(change: Change) -> Event:
    # With the organisation: a gap is told to each.
    return Event(change.org, change.kind, f"{change.org}/{message_id(change)}", encode(change), MEDIA_TYPE)
