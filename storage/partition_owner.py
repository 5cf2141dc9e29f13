"""Which backend owns a partition: what a taker ends. An owner that hands over says so first."""

from __future__ import annotations

from collections.abc import Collection

from storage.pool import Connection

_RELEASE = """
update partition_position set owner_pid = null where partition = any(%s) and owner_pid = pg_backend_pid()
"""


def release(conn: Connection, partitions: Collection[int]) -> None:
    """Own partitions no more: whoever takes them need not end this backend. The caller commits."""
    conn.execute(_RELEASE, (sorted(partitions),))
