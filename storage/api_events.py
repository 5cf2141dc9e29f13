"""The feed of changes: durable, ordered, and complete for whoever reads it by number.

Every change of a ticket, visit, quote, notice, finding or device health writes a row in its own transaction (triggers
of migrations 0021 and 0061, so that no way of changing can forget it). A row's identity cannot order a feed: it is
drawn before the transaction commits, so a reader could pass a number whose row appears only later. Therefore rows get
their number `no` **after** they are committed: `number` takes the lock of the single row of `api_feed`, sees with a
fresh snapshot which rows are visible and unnumbered, and numbers them by identity. The lock is held until those numbers
are committed, and a lock is released only after its transaction is visible; so numbers become visible in their order,
and who has read up to `no` never sees a lower one appear. Changes of one row are serialised by that row's own lock, so
they keep their order. A transaction that commits late is simply numbered late. Nothing depends on transaction ids,
which a restored database begins anew. What webhooks are owed of the changes is entered by the transaction that numbers
them. NOTIFY only wakes readers; when one is lost they look again after two seconds.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from servicedesk.hook_rows import KINDS
from storage.desk_hooks import enter_resets, enter_wanted
from storage.pool import Connection, connect
from storage.read_models import EVENT_SCOPE, Scope

KEPT_FOR = timedelta(days=7)
"""Wall time for which a number can be gone on from."""

_AT_ONCE = 1000
_WAITING = "select exists (select from api_event where no is null)"
_LOCK = "select newest from api_feed for update"
_NUMBER = """
with waiting as (
    select id, row_number() over (order by id) as place
    from (select id from api_event where no is null order by id limit %(most)s) w
), numbered as (
    update api_event e set no = %(newest)s + w.place, numbered = %(now)s from waiting w where e.id = w.id returning e.no
)
update api_feed set newest = (select max(no) from numbered) where exists (select from numbered)
returning newest
"""
_FORGET = """
with gone as (
    delete from api_event where no in (
        select no from api_event where no is not null and numbered < %s order by no limit 1000 for update skip locked
    ) returning no
)
update api_feed set forgotten = greatest(forgotten, (select max(no) from gone)) where exists (select from gone)
"""
_ANEW = "update api_feed set newest = newest + 1000000000, forgotten = newest + 1000000000"
_STANDING = "select newest, forgotten from api_feed"
_READ = (
    """
select e.no, e.kind, e.subject, e.what, e.state, e.was, e.ticket, e.org, e.numbered
from api_event e
left join technician tech on tech.id = e.technician
where e.no > %(after)s and e.no <= %(upto)s and e.kind = any(%(kinds)s)
  and (%(technician)s::text is null or e.kind <> 'visit'
       or %(technician)s in (tech.name, e.technician::text))
"""
    + EVENT_SCOPE
    + """
order by e.no
limit %(limit)s
"""
)
_LISTEN = "listen wellkept_api_event"


@dataclass(frozen=True, slots=True)
class Change:
    """A change: of what, from which state to which.

    Attributes:
        no: its place in the feed.
        kind: one of `KINDS`.
        subject: id of what changed; `org/device` of a device.
        what: created or changed.
        state: its state after the change; a device's health.
        was: its state before, None of what is new.
        ticket: the ticket it belongs to, of tickets, visits, quotes and notices.
        org: whose it is.
        numbered: wall time at which it got its number.
    """

    no: int
    kind: str
    subject: str
    what: str
    state: str
    was: str | None
    ticket: UUID | None
    org: str
    numbered: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the feed reaches: numbers above `forgotten` up to `newest`."""

    newest: int
    forgotten: int


def number(conn: Connection, now: datetime) -> bool:
    """Number what is committed and has no number. Returns whether there was something.

    Args:
        conn: at the beginning of a transaction of its own (READ COMMITTED), which the caller commits at once.
        now: wall time.
    """
    row = conn.execute(_WAITING).fetchone()
    if row is None or not row[0]:
        return False
    locked = conn.execute(_LOCK).fetchone()
    newest = locked[0] if locked else 0
    # A statement of its own: its snapshot is younger than the lock.
    reached = conn.execute(_NUMBER, {"newest": newest, "now": now, "most": _AT_ONCE}).fetchone()
    if reached is None:
        return False
    enter_wanted(conn, int(str(newest)), int(str(reached[0])), now)
    return True


def forget(conn: Connection, now: datetime) -> bool:
    """Remove some of what is older than `KEPT_FOR`; the caller commits. Returns whether there was some."""
    return conn.execute(_FORGET, (now - KEPT_FOR,)).rowcount > 0


def begin_anew(conn: Connection, now: datetime) -> None:
    """After a restore: no number that was given before is gone on from, for what it stood for may be lost.

    The feed goes on behind all numbers that the lost part of the database can have given out; its readers are told,
    and so are webhooks.

    Args:
        conn: inside a transaction.
        now: wall time.
    """
    conn.execute(_ANEW)
    enter_resets(conn, now)


def standing(conn: Connection) -> Standing:
    """How far the feed reaches."""
    with conn.cursor(row_factory=class_row(Standing)) as cursor:
        found = cursor.execute(_STANDING).fetchone()
    return found or Standing(0, 0)


def read_changes(
    conn: Connection,
    scope: Scope,
    *,
    after: int,
    upto: int,
    kinds: Collection[str] = KINDS,
    technician: str | None = None,
    limit: int = 500,
) -> list[Change]:
    """Changes in a scope, by number.

    Args:
        conn: a connection.
        scope: what the asker may see.
        after: the number before the first.
        upto: the last number.
        kinds: of these only.
        technician: visits of this technician (name or id) only.
        limit: at most so many.
    """
    parameters: dict[str, Any] = scope.parameters() | {
        "after": after,
        "upto": upto,
        "kinds": list(kinds),
        "technician": technician,
        "limit": limit,
    }
    with conn.cursor(row_factory=class_row(Change)) as cursor:
        return cursor.execute(_READ, parameters).fetchall()


class Ear:
    """Hears that something was committed; `rouse` ends a wait from another thread."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._bell, self._cord = socket.socketpair()
        self._bell.settimeout(0)
        self._cord.settimeout(0)
        self._either = selectors.DefaultSelector()
        self._either.register(conn.fileno(), selectors.EVENT_READ)
        self._either.register(self._bell, selectors.EVENT_READ)

    def wait(self, seconds: float) -> bool:
        """Wait for a change to be committed, at most so long. Returns whether one was."""
        if self._heard():
            return True
        self._either.select(seconds)
        with suppress(BlockingIOError):
            self._bell.recv(64)
        return self._heard()

    def rouse(self) -> None:
        """End the wait that is, or the next one; does nothing when nobody will wait any more."""
        with suppress(OSError):
            self._cord.send(b"!")

    def close(self) -> None:
        """Wait no more."""
        self._either.close()
        self._bell.close()
        self._cord.close()

    def _heard(self) -> bool:
        return any(True for _ in self._conn.notifies(timeout=0, stop_after=1))


@contextmanager
def listening(url: str) -> Iterator[Ear]:
    """A connection that hears commits."""
    conn = connect(url, application="wellkept-api-feed", autocommit=True)
    try:
        conn.execute(_LISTEN)
        with closing(Ear(conn)) as ear:
            yield ear
    finally:
        conn.close()
