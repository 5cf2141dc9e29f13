"""The three state tables, each on one screen. An illegal move raises and names the legal ones."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from servicedesk.errors import IllegalMoveError


class TicketState(StrEnum):
    """Where a ticket stands."""

    DETECTED = "detected"
    OPEN = "open"
    PLANNED = "planned"
    IN_REPAIR = "in_repair"
    DONE = "done"
    VERIFIED = "verified"
    CLOSED = "closed"
    AWAITING_QUOTE = "awaiting_quote"
    AWAITING_PARTS = "awaiting_parts"
    HOLD = "hold"
    SELF_FIXED = "self_fixed"
    FALSE_ALARM = "false_alarm"
    CANCELLED = "cancelled"
    REOPENED = "reopened"


class VisitState(StrEnum):
    """Where a visit stands."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DISPATCHED = "dispatched"
    TRAVELLING = "travelling"
    ON_SITE = "on_site"
    DONE = "done"
    DECLINED = "declined"
    MOVED = "moved"
    MISSED = "missed"
    CANCELLED = "cancelled"


class QuoteState(StrEnum):
    """Where a quote stands."""

    DRAFT = "draft"
    SENT = "sent"
    DELIVERED = "delivered"
    SEEN = "seen"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"


T, V, Q = TicketState, VisitState, QuoteState
_ASIDE = (T.AWAITING_QUOTE, T.AWAITING_PARTS, T.HOLD)
_ENDS = (T.SELF_FIXED, T.FALSE_ALARM, T.CANCELLED)

# `planned` means: the owner has confirmed a visit. While one is only proposed the ticket is `open`.
TICKET: Mapping[TicketState, tuple[TicketState, ...]] = {
    T.DETECTED: (T.OPEN, *_ENDS),
    T.OPEN: (T.PLANNED, *_ASIDE, *_ENDS),
    T.PLANNED: (T.IN_REPAIR, T.OPEN, *_ASIDE, *_ENDS),
    T.IN_REPAIR: (T.DONE, T.OPEN, *_ASIDE, *_ENDS),
    T.AWAITING_QUOTE: (T.OPEN, T.PLANNED, T.IN_REPAIR, T.AWAITING_PARTS, T.HOLD, *_ENDS),
    T.AWAITING_PARTS: (T.OPEN, T.PLANNED, T.IN_REPAIR, T.AWAITING_QUOTE, T.HOLD, *_ENDS),
    T.HOLD: (T.OPEN, T.PLANNED, T.IN_REPAIR, T.AWAITING_QUOTE, T.AWAITING_PARTS, *_ENDS),
    T.DONE: (T.VERIFIED, T.REOPENED),
    T.VERIFIED: (T.CLOSED, T.REOPENED),
    T.CLOSED: (T.REOPENED,),
    T.REOPENED: (T.PLANNED, *_ASIDE, *_ENDS),
    T.SELF_FIXED: (),
    T.FALSE_ALARM: (),
    T.CANCELLED: (),
}
VISIT: Mapping[VisitState, tuple[VisitState, ...]] = {
    V.PROPOSED: (V.CONFIRMED, V.DECLINED, V.MOVED, V.CANCELLED),
    V.CONFIRMED: (V.DISPATCHED, V.DECLINED, V.MOVED, V.MISSED, V.CANCELLED),
    V.DISPATCHED: (V.TRAVELLING, V.MOVED, V.MISSED, V.CANCELLED),
    V.TRAVELLING: (V.ON_SITE, V.MOVED, V.MISSED, V.CANCELLED),
    V.ON_SITE: (V.DONE, V.MISSED, V.CANCELLED),
    V.DONE: (),
    V.DECLINED: (),
    V.MOVED: (),
    V.MISSED: (),
    V.CANCELLED: (),
}
QUOTE: Mapping[QuoteState, tuple[QuoteState, ...]] = {
    Q.DRAFT: (Q.SENT,),
    Q.SENT: (Q.DELIVERED, Q.SEEN, Q.APPROVED, Q.DECLINED),  # an undelivered quote never expires
    Q.DELIVERED: (Q.SEEN, Q.APPROVED, Q.DECLINED, Q.EXPIRED),
    Q.SEEN: (Q.APPROVED, Q.DECLINED, Q.EXPIRED),
    Q.APPROVED: (),
    Q.DECLINED: (),
    Q.EXPIRED: (),
}
TICKET_ENDED = frozenset({T.CLOSED, T.SELF_FIXED, T.FALSE_ALARM, T.CANCELLED})
"""The states outside the unique index "one open ticket a device and family"."""
VISIT_LIVE = frozenset({V.PROPOSED, V.CONFIRMED, V.DISPATCHED, V.TRAVELLING, V.ON_SITE})
"""A ticket has at most one visit in these."""
VISIT_BOOKED = VISIT_LIVE | {V.DONE}
"""The states that occupy the technician."""
PLANNABLE = frozenset({T.OPEN, T.REOPENED, T.AWAITING_PARTS})
"""The states in which a ticket waits for a visit."""
NEEDS_REASON = frozenset({T.HOLD, T.CANCELLED, V.CANCELLED, V.MISSED})
"""Moves to these carry a reason."""

S = TypeVar("S", bound=StrEnum)


def check_move(what: str, table: Mapping[S, tuple[S, ...]], old: S, new: S) -> None:
    """Pass when the table allows the move.

    Raises:
        IllegalMoveError: with the legal moves.
    """
    legal = table[old]
    if new not in legal:
        raise IllegalMoveError(what, str(old), str(new), tuple(map(str, legal)))
