"""Which moves are offered: the state tables without what only a yes, a visit or the telemetry brings about."""

from __future__ import annotations

from servicedesk.states import TICKET, VISIT, TicketState, VisitState

_TICKET_NOT_BY_HAND = frozenset(
    {TicketState.PLANNED, TicketState.IN_REPAIR, TicketState.DONE, TicketState.VERIFIED, TicketState.CLOSED}
)
_VISIT_NOT_BY_HAND = frozenset({VisitState.DONE, VisitState.MOVED})


def ticket_moves(state: str) -> list[str]:
    """Where a person may move a ticket from a state."""
    return [str(each) for each in TICKET[TicketState(state)] if each not in _TICKET_NOT_BY_HAND]


def visit_moves(state: str) -> list[str]:
    """Where a person may move a visit from a state; done comes with an outcome, moved with another window."""
    return [str(each) for each in VISIT[VisitState(state)] if each not in _VISIT_NOT_BY_HAND]
