"""How far the stream's server has been told of the feed; one process at a time hands changes on."""

from __future__ import annotations

from storage.pool import Connection

_TAKE = "select position from event_relay for update skip locked"
_MOVE = "update event_relay set position = %s"
_ORGS = "select distinct org from device order by org"


def take_position(conn: Connection) -> int | None:
    """The number up to which everything was handed on, held until the transaction ends; None when another holds it."""
    row = conn.execute(_TAKE).fetchone()
    return None if row is None else int(str(row[0]))


def move_position(conn: Connection, no: int) -> None:
    """Everything up to a number has been handed on."""
    conn.execute(_MOVE, (no,))


def organisations(conn: Connection) -> list[str]:
    """All that have devices."""
    return [str(row[0]) for row in conn.execute(_ORGS)]
