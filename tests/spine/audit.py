"""Numbered messages at the devices against the database: nothing lost, nothing twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from storage.pool import connect

_STORED = """
select d.org || '/' || d.device, r.seq, count(*), min(r.power), max(r.power)
from reading_smart_plug r join device d on d.no = r.device where r.epoch = %s group by 1, 2
"""
_BURIED = "select org || '/' || device, seq, count(*) from dead_letter where seq is not null group by 1, 2"
_TICKETS = "select d.device, count(*) from ticket t join device d on d.no = t.device group by 1"


@dataclass(frozen=True, slots=True)
class Audit:
    """What the database holds of what the devices numbered.

    Attributes:
        lost: `(device, seq)` in neither readings nor dead letters.
        duplicated: `(device, seq)` stored or buried more than once, or both.
        changed: `(device, seq)` whose value is not the one that was numbered.
    """

    lost: set[tuple[str, int]]
    duplicated: set[tuple[str, int]]
    changed: set[tuple[str, int]]


def audit(url: str, sent: Mapping[str, tuple[int, int]]) -> Audit:
    """Compare. Every message carries its own number as its power.

    Args:
        url: of the database.
        sent: device to `(epoch, last seq)`; the first is 1.
    """
    stored: dict[tuple[str, int], int] = {}
    changed: set[tuple[str, int]] = set()
    with connect(url, application="audit") as conn:
        for epoch in {epoch for epoch, _ in sent.values()}:
            for device, seq, count, low, high in conn.execute(_STORED, (epoch,)).fetchall():
                stored[str(device), int(str(seq))] = int(str(count))
                if not low == high == seq:
                    changed.add((str(device), int(str(seq))))
        for device, seq, count in conn.execute(_BURIED).fetchall():
            key = str(device), int(str(seq))
            stored[key] = stored.get(key, 0) + int(str(count))
    numbered = {(device, seq) for device, (_, last) in sent.items() for seq in range(1, last + 1)}
    return Audit(numbered - stored.keys(), {key for key, count in stored.items() if count > 1}, changed)


def has_ticket(url: str, device: str) -> bool:
    """Whether a device has its one ticket; False while the database is down."""
    try:
        return tickets(url).get(device) == 1
    except psycopg.OperationalError:
        return False


def tickets(url: str) -> dict[str, int]:
    """Tickets by device."""
    with connect(url, application="audit") as conn:
        return {str(device): int(str(count)) for device, count in conn.execute(_TICKETS).fetchall()}
