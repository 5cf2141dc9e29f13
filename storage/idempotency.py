"""Answers by idempotency key: claimed before and written with the effect, in one transaction.

The claim is the row's insertion. A double of a request that is under way waits on the unique key until the first one
has ended: committed, its answer is there; rolled back, the double is the first. So an effect and its answer exist
together or not at all, whenever a process is killed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import errors
from psycopg.types.json import Jsonb

from storage.pool import Connection
from telemetry.errors import WellkeptError

KEPT_FOR = timedelta(days=7)
"""Wall time for which an answer can be repeated: a technician's phone may be offline for days."""

# A double waits no longer than this for the first one to end.
_WAIT = "set local lock_timeout = '5s'"
_WAIT_AS_BEFORE = "set local lock_timeout to default"
_CLAIM = """
insert into api_answer (principal, route, key, request, made)
values (%(principal)s, %(route)s, %(key)s, %(request)s, %(now)s)
on conflict (principal, route, key) do update
    set request = excluded.request, made = excluded.made, status = null, headers = null, body = null
    where api_answer.made < %(oldest)s
returning true
"""
_FIND = "select request, status, headers, body from api_answer where principal = %s and route = %s and key = %s"
_KEEP = """
update api_answer set status = %s, headers = %s, body = %s where principal = %s and route = %s and key = %s
"""
_FORGET = """
delete from api_answer where (principal, route, key) in (
    select principal, route, key from api_answer where made < %s order by made limit 100 for update skip locked
)
"""


class KeyReusedError(WellkeptError):
    """The key was used for another request."""


class InProgressError(WellkeptError):
    """The first request with the key has not ended yet."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that may be repeated: who, what, and the key its sender chose.

    Attributes:
        principal: id of the token.
        route: method and template of the address.
        key: as given.
        request: hash of address, query and body.
    """

    principal: UUID
    route: str
    key: str
    request: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it went out, byte for byte."""

    status: int
    headers: dict[str, str]
    body: bytes


def claim(conn: Connection, wanted: Claim, now: datetime) -> Answer | None:
    """Claim a key for this transaction, or find the answer that was given for it.

    Args:
        conn: the transaction that will have the effect.
        wanted: the request.
        now: wall time.

    Returns:
        The kept answer, or None when this transaction is the first.

    Raises:
        KeyReusedError: the key belongs to another request.
        InProgressError: the first one did not end in time; this transaction must be rolled back.
    """
    row: dict[str, Any] = {
        "principal": wanted.principal,
        "route": wanted.route,
        "key": wanted.key,
        "request": wanted.request,
        "now": now,
        "oldest": now - KEPT_FOR,
    }
    conn.execute(_WAIT)
    try:
        claimed = conn.execute(_CLAIM, row).fetchone()
    except (errors.LockNotAvailable, errors.DeadlockDetected) as cause:
        raise InProgressError("the first request with this key is still under way; repeat it in a moment") from cause
    conn.execute(_WAIT_AS_BEFORE)
    if claimed is not None:
        conn.execute(_FORGET, (now - KEPT_FOR,))
        return None
    found: tuple[Any, ...] | None = conn.execute(_FIND, (wanted.principal, wanted.route, wanted.key)).fetchone()
    if found is None:  # removed by age between the two statements
        raise InProgressError("this key has just run out; repeat the request with a new one")
    request, status, headers, body = found
    if bytes(request) != wanted.request:
        raise KeyReusedError("this key was used for another request; take a new key for a new request")
    return Answer(status, headers, bytes(body))


def keep(conn: Connection, wanted: Claim, answer: Answer) -> None:
    """Write the answer of a claimed request, to be committed with its effect."""
    row = (answer.status, Jsonb(answer.headers), answer.body, wanted.principal, wanted.route, wanted.key)
    conn.execute(_KEEP, row)
