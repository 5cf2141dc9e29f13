"""The audit log: who read personal data, and who went past a rule. Each row carries the hash of the one before.

Content is JSON with sorted keys, hash = SHA-256(hash of the row before || content), the first row's being 32 zero
bytes (as in Schneier and Kelsey, "Secure Audit Logs to Support Computer Forensics", 1999, without the keys). What is
changed, put in or taken out in the middle breaks the chain there; that the end was cut off is seen by whoever kept an
earlier head (`wellkept audit verify --contains`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from servicedesk.care_rows import AuditRow

if TYPE_CHECKING:
    from servicedesk.model import TicketEvent
    from servicedesk.ports import Desk

GENESIS = bytes(32)
"""What stands before the first row."""
READ, EXPORT, CONSENT, ERASE, OVERRIDE = "read", "export", "consent", "erase", "override"
CONTACTS, REMOVE = "contacts", "remove"
_PEOPLE = ("dispatch", "supervisor")
_BY_RULE = frozenset({"open", "done"})


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What looking through the chain found.

    Attributes:
        rows: how many were looked at.
        head: hash of the last sound row, as hex.
        broken: number of the first row that does not fit, None when all do.
        why: what is wrong with it.
        contained: whether the hash that was asked for is in the chain; None when none was.
    """

    rows: int
    head: str
    broken: int | None = None
    why: str = ""
    contained: bool | None = None


def content_of(
    action: str, at: datetime, actor: str, what: str, *, household: UUID | None, body: dict[str, Any]
) -> str:
    """A row's content: the same words in the same order, always."""
    row = {
        "action": action,
        "at": at.isoformat(),
        "actor": actor,
        "what": what,
        "household": None if household is None else str(household),
        "body": body,
    }
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def chained(prev: bytes, content: str) -> bytes:
    """The hash of a row that stands after another."""
    return hashlib.sha256(prev + content.encode()).digest()


def record(
    desk: Desk,
    action: str,
    at: datetime,
    actor: str,
    what: str,
    *,
    household: UUID | None = None,
    **body: Any,  # noqa: ANN401  (JSON values)
) -> None:
    """Add a row.

    Args:
        desk: whose log it is.
        action: `read`, `export`, `consent`, `erase` or `override`.
        at: fleet time.
        actor: who: `dispatch:<token>`, `staff:<login>`, `owner`.
        what: of which thing, e.g. `household contacts`.
        household: whose data it is.
        body: JSON values; never the personal data itself.
    """
    desk.care.audit.append(content_of(action, at, actor, what, household=household, body=body))


def heed(desk: Desk, event: TicketEvent) -> None:
    """A line of a timeline by which a person of ours goes past what the rules would have done is an override."""
    reason = event.body.get("reason")
    overturned = event.kind == "warranty_appeal" and event.body.get("outcome") == "overturned"
    if event.kind == OVERRIDE or overturned:
        record(desk, OVERRIDE, event.at, event.actor, f"ticket {event.ticket}", kind=event.kind, **event.body)
        return
    if not event.actor.startswith(_PEOPLE):
        return
    by_hand = event.kind == "moved" and reason and event.body.get("new") not in _BY_RULE
    if by_hand or (event.kind == "visit" and reason and event.body.get("new") in {"cancelled", "missed"}):
        what: dict[str, Any] = {"kind": event.kind, "new": event.body.get("new"), "reason": reason}
        record(desk, OVERRIDE, event.at, event.actor, f"ticket {event.ticket}", **what)


def examine(rows: Iterable[AuditRow], contains: str | None = None, *, after: AuditRow | None = None) -> ChainReport:
    """Recompute the chain and name the first row that does not fit.

    Args:
        rows: by number.
        contains: a head that was noted earlier, as hex: it must be among them.
        after: the row before the first of them, which is taken as sound; None where they begin with the first.
    """
    head, count = (GENESIS, 0) if after is None else (after.hash, after.seq)
    seen = contains is not None and contains == GENESIS.hex()
    for row in rows:
        why = _wrong(row, count + 1, head)
        if why:
            return ChainReport(count, head.hex(), count + 1, why, None if contains is None else seen)
        head, count = row.hash, count + 1
        seen = seen or head.hex() == contains
    return ChainReport(count, head.hex(), contained=None if contains is None else seen)


def _wrong(row: AuditRow, number: int, head: bytes) -> str:
    if row.seq != number:
        return f"row {number} is missing"
    if row.prev != head:
        return "it does not follow the row before"
    if row.hash != chained(row.prev, row.content):
        return "its content is not what was written"
    return ""
