"""Other ways than a visit: what is offered with its dates, taking one, and the repair away from home to its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from servicedesk.billing import Work, charge
from servicedesk.errors import IllegalMoveError, UnknownError
from servicedesk.model import Ticket
from servicedesk.notices import notify
from servicedesk.office import OWNER, Office, moved_ticket
from servicedesk.planning import REPLAN, call_off
from servicedesk.states import VISIT_LIVE, TicketState, check_move
from servicedesk.visiting import repaired
from servicedesk.way_offers import way_offers, words_of
from servicedesk.way_rows import WAY, WayCase, WayKind, WayState

TAKES = (TicketState.OPEN, TicketState.REOPENED, TicketState.PLANNED, TicketState.AWAITING_PARTS)
"""A ticket in these may be mended in another way."""
_UNDER_WAY = (WayState.PICKED_UP, WayState.RECEIVED, WayState.ON_BENCH)
_LATE = timedelta(days=2)


def take_way(office: Office, ticket_id: UUID, way_id: UUID, now: datetime, actor: str) -> WayCase:
    """Have a ticket mended in another way; a visit that was planned is given up, and the owner has it in writing.

    Raises:
        IllegalMoveError: the ticket's state does not allow it.
        UnknownError: the way is not one of those offered; to owners, a partner below the bar is not.
        ConflictError: it is being mended in another way already.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    if ticket.state not in TAKES:
        raise IllegalMoveError("ticket", ticket.state, "another way", tuple(map(str, TAKES)))
    offer = next(
        (each for each in way_offers(office, ticket, now, by_hand=actor != OWNER) if each.way.id == way_id), None
    )
    if offer is None:
        raise UnknownError(f"way {way_id} does not serve ticket {ticket.ref}")
    case = WayCase(
        id=office.new_id(),
        ticket=ticket.id,
        way=way_id,
        state=WayState.BOOKED,
        begins=offer.begins,
        back=offer.back,
        made=now,
    )
    desk.ways.book(case)
    for visit in desk.visits.of_ticket(ticket.id):
        if visit.state in VISIT_LIVE:
            call_off(office, visit, now, actor, f"another way: {offer.way.kind}")
    if ticket.state is not TicketState.PLANNED:
        ticket = moved_ticket(office, ticket, TicketState.PLANNED, now, actor)
    office.log(ticket.id, now, "way", actor, case=str(case.id), how=str(offer.way.kind), name=offer.way.name)
    desk.agenda.drop_due((REPLAN, "respond"), ticket.id)
    office.assign(ticket, f"way:{offer.way.name}", "await_way", case.back + _LATE, planned=now, blocking=None)
    count = len(desk.ways.of_ticket(ticket.id))
    notify(office, ticket, f"way_{offer.way.kind}", now, occasion=count, say=words_of(office, ticket, offer))
    return case


def move_way(
    office: Office,
    case_id: UUID,
    new: WayState,
    now: datetime,
    actor: str,
    *,
    cause: str | None = None,
    mended: bool = True,
    note: str = "",
    parts: tuple[str, ...] | None = None,
    charged: Decimal | None = None,
) -> WayCase:
    """Take a repair away from home a step further; returned, the telemetry proves it like any other repair.

    Args:
        office: see there.
        case_id: which.
        new: the next state.
        now: when.
        actor: who says so.
        cause: confirmed on the bench, with `mended`.
        mended: whether it is; otherwise the ticket is planned anew.
        note: for the timeline; says why parts outside the diagnosis were needed.
        parts: SKUs that were fitted, with `mended`; those of the fault when None.
        charged: the sum that is asked where it is another than the reckoned one.

    Raises:
        IllegalMoveError: the state table forbids it.
        ChargeError: more is asked than was agreed.
        NeedsReasonError: a part does not belong to the diagnosis and the note does not say why.
    """
    desk = office.desk
    ticket = desk.tickets.get(desk.ways.case(case_id).ticket)
    case = desk.ways.case(case_id)
    check_move("repair", WAY, case.state, new)
    office.log(ticket.id, now, "way_moved", actor, case=str(case.id), old=str(case.state), new=str(new), note=note)
    case = replace(case, state=new, note=note or case.note)
    if new is WayState.MENDED:
        case = replace(case, cause=cause, mended=mended)
        if mended:
            brought = desk.ways.get(case.way).kind is WayKind.SERVICE_POINT
            work = Work(actor=actor, way=case.id, cause=cause, parts=parts, note=note, charged=charged, here=brought)
            charge(office, ticket, work, now)
    if new in _UNDER_WAY and ticket.state is TicketState.PLANNED:
        ticket = moved_ticket(office, ticket, TicketState.IN_REPAIR, now, actor)
        ticket = office.assign(ticket, ticket.responsible, "repair", case.back + _LATE)
    if new is WayState.CANCELLED:
        _plan_anew(office, ticket, now, actor)
    if new is WayState.RETURNED:
        case = replace(case, returned=now)
        if ticket.state is not TicketState.IN_REPAIR:
            ticket = moved_ticket(office, ticket, TicketState.IN_REPAIR, now, actor)
        if case.mended:
            repaired(office, ticket, case.cause, now, actor)
        else:
            _plan_anew(office, ticket, now, actor)
    return desk.ways.save(case)


def _plan_anew(office: Office, ticket: Ticket, now: datetime, actor: str) -> None:
    ticket = moved_ticket(office, ticket, TicketState.OPEN, now, actor)
    office.plan_anew(ticket, now + timedelta(hours=4))
