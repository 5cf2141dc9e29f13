"""`/v1/tickets`, `/v1/visits`, `/v1/notices`: what the desk has, and what people do with it."""

from __future__ import annotations

from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Query

from api.auth import (
    RIGHTS,
    CaseReader,
    Confirmer,
    PeopleReader,
    Principal,
    Reader,
    Reporter,
    Right,
    TicketMover,
    VisitMover,
)
from api.context import InContext, InTx, Tx
from api.problems import invalid, not_found
from api.reads import note_read
from api.said import said
from api.v1.fresh import with_fresh_windows
from api.v1.models import (
    ComplaintIn,
    MergeIn,
    MoveIn,
    NoticeOut,
    OffersOut,
    OutcomeIn,
    Page,
    ReportIn,
    TicketDetailOut,
    TicketOut,
    VisitOut,
    WindowIn,
    WindowOut,
)
from api.v1.paging import Paging, listing
from api.v1.router import Resource, V1Router, changes
from api.v1.shapes import notice_out, states, ticket_detail, ticket_out, visit_out
from servicedesk.changing import check_change
from servicedesk.merging import merge
from servicedesk.model import Outcome, OutcomeCode
from servicedesk.noting import INTERNAL
from servicedesk.office import OWNER
from servicedesk.planning import alternatives, confirm, take_window
from servicedesk.reporting import complain, report_fault
from servicedesk.states import TicketState, VisitState
from servicedesk.visiting import finish, move_ticket, move_visit
from storage.access import Role
from storage.read_desk import (
    TicketView,
    VisitView,
    get_ticket,
    get_visit,
    list_notices,
    list_visits,
    timeline,
    visits_of,
)
from storage.read_devices import get_device, get_finding
from storage.read_list import Filter, newest_tickets
from storage.read_models import Cursor

router = V1Router()


def read_ticket(tx: Tx, who: Principal, ticket: UUID) -> TicketDetailOut:
    """A ticket with everything on it; 404 outside the asker's scope."""
    row = _ticket(tx, who, ticket)
    finding = get_finding(tx.conn, who.scope, row.finding) if row.finding else None
    # What people of ours write for each other is not the owner's.
    hidden = INTERNAL if who.role is Role.OWNER else ()
    lines = [each for each in timeline(tx.conn, ticket) if each.kind not in hidden]
    plain = who.role is Role.INTEGRATION
    return ticket_detail(row, visits_of(tx.conn, who.scope, ticket), lines, finding, words=not plain)


def read_visit(tx: Tx, who: Principal, visit: UUID) -> VisitOut:
    """A visit; 404 outside the asker's scope."""
    return visit_out(_visit(tx, who, visit))


TICKET = Resource(
    argument="ticket",
    read=read_ticket,
    hold=lambda tx, ticket: tx.office.desk.tickets.get(ticket),
    path=lambda ticket: f"/v1/tickets/{ticket.id}",
)
VISIT = Resource(
    argument="visit",
    read=read_visit,
    hold=lambda tx, visit: tx.office.case(visit),
    path=lambda visit: f"/v1/visits/{visit.id}",
)


@router.get("/tickets", tags=["tickets"])
def tickets(  # noqa: PLR0917  (named by FastAPI)
    who: Reader,
    tx: InTx,
    paging: Annotated[Paging, Depends(listing(50))],
    state: Annotated[str | None, Query(description="one or several, comma-separated")] = None,
    severity: Annotated[int | None, Query(ge=1, le=4)] = None,
    kind: Annotated[str | None, Query(max_length=64, description="of the appliance")] = None,
    area: Annotated[str | None, Query(max_length=100, description="of the household")] = None,
    q: Annotated[
        str | None, Query(max_length=100, description="part of reference, serial number, device, household or phone")
    ] = None,
) -> Page[TicketOut]:
    """Tickets, newest first. Who may not read households' contacts does not find them by name or phone either."""
    wanted = Filter(
        states=None if (found := states(state, TicketState)) is None else tuple(found),
        severity=severity,
        kind=kind,
        area=area,
        sought=q,
        people=who.role in RIGHTS[Right.READ_PEOPLE],
    )
    rows = newest_tickets(tx.conn, who.scope, wanted, after=paging.after(Cursor), limit=paging.limit + 1)
    return paging.page(rows, ticket_out, lambda row: Cursor(row.opened, row.id))


@router.get("/tickets/{ticket}", tags=["tickets"])
def one_ticket(ticket: UUID, who: Reader, tx: InTx) -> TicketDetailOut:
    """One ticket with visits, timeline, finding and the moves that are allowed now."""
    found = read_ticket(tx, who, ticket)
    note_read(tx, who, f"ticket {ticket}", found.household)
    return found


@router.post("/tickets/{ticket}/moves", tags=["tickets"])
@changes(TICKET)
def ticket_move(ticket: UUID, move: MoveIn, who: TicketMover, tx: InTx) -> TicketDetailOut:
    """Move a ticket by hand; an illegal move is a 409 that names the legal ones."""
    _ticket(tx, who, ticket)
    new = _state(move.to, TicketState)
    move_ticket(tx.office, ticket, new, tx.now, who.actor(), reason=move.reason)
    return read_ticket(tx, who, ticket)


@router.post("/tickets/{ticket}/complaints", tags=["tickets"])
@changes(TICKET)
def ticket_complaint(ticket: UUID, complaint: ComplaintIn, who: Confirmer, tx: InTx) -> TicketDetailOut:
    """The owner is not content; where no visit is under way a person calls at once."""
    _ticket(tx, who, ticket)
    complain(tx.office, ticket, complaint.words, tx.now)
    return read_ticket(tx, who, ticket)


@router.post("/tickets/{ticket}/merge", tags=["tickets"])
@changes(TICKET)
def ticket_merge(ticket: UUID, which: MergeIn, who: TicketMover, tx: InTx) -> TicketDetailOut:
    """End a ticket as part of another one of the same appliance. Answers with the one that stays."""
    _ticket(tx, who, ticket)
    _ticket(tx, who, which.into)
    merge(tx.office, ticket, which.into, tx.now, who.actor())
    return read_ticket(tx, who, which.into)


@router.post("/devices/{org}/{device}/reports", tags=["devices"])
def device_report(  # noqa: PLR0917  (named by FastAPI)
    org: str, device: str, report: ReportIn, who: Confirmer, tx: InTx, context: InContext
) -> TicketDetailOut:
    """The owner says that an appliance has failed. Answers with its ticket, which may be open already."""
    row = get_device(tx.conn, who.scope, org, device)
    if row is None:
        raise not_found("device")
    kind = context.catalogue.kinds.get(row.kind)
    families = [] if kind is None else sorted({fault.family for fault in kind.faults.values()})
    if report.family is not None and report.family not in families:
        raise invalid(
            said("'{family}' is not a fault family of a {kind}", family=report.family, kind=row.kind),
            "#/family",
            allowed=families,
        )
    ticket = report_fault(tx.office, tx.office.desk.people.appliance(row.no), report.family, report.words, tx.now)
    return read_ticket(tx, who, ticket.id)


@router.get("/visits", tags=["visits"])
def visits(
    who: Reader,
    tx: InTx,
    paging: Annotated[Paging, Depends(listing(100))],
    state: Annotated[str | None, Query(description="one or several, comma-separated")] = None,
    technician: Annotated[str | None, Query(description="name or id")] = None,
) -> Page[VisitOut]:
    """Visits by the start of their window. A technician's token sees its own."""
    wanted = states(state, VisitState)
    own = who.technician if who.role is Role.TECHNICIAN else None
    after = paging.after(Cursor)
    rows = list_visits(
        tx.conn, who.scope, states=wanted, technician=own or technician, after=after, limit=paging.limit + 1
    )
    return paging.page(rows, visit_out, lambda row: Cursor(row.start, row.id))


@router.get("/visits/{visit}", tags=["visits"])
def one_visit(visit: UUID, who: Reader, tx: InTx) -> VisitOut:
    """One visit."""
    return read_visit(tx, who, visit)


@router.post("/visits/{visit}/confirm", tags=["visits"])
@changes(VISIT)
def visit_confirm(visit: UUID, who: Confirmer, tx: InTx) -> VisitOut:
    """The owner's yes. Twice is the same as once."""
    _visit(tx, who, visit)
    confirm(tx.office, visit, tx.now, owner_or_desk(who))
    return read_visit(tx, who, visit)


@router.post("/visits/{visit}/moves", tags=["visits"])
@changes(VISIT)
def visit_move(visit: UUID, move: MoveIn, who: VisitMover, tx: InTx) -> VisitOut:
    """The technician's way, the owner's no; an illegal move is a 409 that names the legal ones."""
    row = _visit(tx, who, visit)
    new = _state(move.to, VisitState)
    actor = owner_or_desk(who) if new in (VisitState.CONFIRMED, VisitState.DECLINED) else who.actor(str(row.technician))
    move_visit(tx.office, visit, new, tx.now, actor, reason=move.reason)
    return read_visit(tx, who, visit)


@router.get("/visits/{visit}/windows", tags=["visits"])
def windows(visit: UUID, who: CaseReader, tx: InTx) -> OffersOut:
    """Other windows with skill, working hours, part and remaining life all kept."""
    _visit(tx, who, visit)
    found = alternatives(tx.office, visit, tx.now)
    best, everything = (
        [WindowOut(start=o.window.start, end=o.window.end) for o in each] for each in (found.best, found.all)
    )
    return OffersOut(best=best, all=everything, blocking=found.blocking)


@router.post("/visits/{visit}/windows", tags=["visits"])
@changes(VISIT)
def visit_window(visit: UUID, window: WindowIn, who: Confirmer, tx: InTx) -> VisitOut:
    """Take another window: the owner's own choice is confirmed at once. Answers with the new visit."""
    _visit(tx, who, visit)
    if who.role is Role.OWNER:
        check_change(tx.office, visit, tx.now)
    actor = owner_or_desk(who)
    new = with_fresh_windows(tx, visit, lambda: take_window(tx.office, visit, window.start, tx.now, actor))
    return read_visit(tx, who, new.id)


@router.post("/visits/{visit}/outcome", tags=["visits"])
@changes(VISIT)
def visit_outcome(visit: UUID, outcome: OutcomeIn, who: Reporter, tx: InTx, context: InContext) -> VisitOut:
    """What the technician found and did; the visit is done. Twice is the same as once."""
    row = _visit(tx, who, visit)
    faults = context.catalogue[row.kind].faults if row.kind in context.catalogue else {}
    if outcome.cause is not None and outcome.cause not in faults:
        raise invalid(
            said("'{cause}' is not a fault of a {kind}", cause=outcome.cause, kind=row.kind),
            "#/cause",
            allowed=list(faults),
        )
    finish(
        tx.office,
        Outcome(
            visit=visit,
            code=OutcomeCode(outcome.code),
            at=tx.now,
            actor=who.actor(str(row.technician)),
            cause=outcome.cause,
            parts=tuple(outcome.parts),
            note=outcome.note,
            charged=outcome.charged,
            fitted=tuple((each.sku, each.serial, each.replaced) for each in outcome.fitted),
        ),
    )
    return read_visit(tx, who, visit)


@router.get("/notices", tags=["notices"])
def notices(
    who: PeopleReader, tx: InTx, paging: Annotated[Paging, Depends(listing(50))], household: UUID | None = None
) -> Page[NoticeOut]:
    """Messages to households, newest first."""
    note_read(tx, who, "notices", household)
    after = paging.after(Cursor)
    rows = list_notices(tx.conn, who.scope, household=household, after=after, limit=paging.limit + 1)
    return paging.page(rows, notice_out, lambda row: Cursor(row.queued, row.id))


def _ticket(tx: Tx, who: Principal, ticket: UUID) -> TicketView:
    row = get_ticket(tx.conn, who.scope, ticket)
    if row is None:
        raise not_found("ticket")
    return row


def _visit(tx: Tx, who: Principal, visit: UUID) -> VisitView:
    row = get_visit(tx.conn, who.scope, visit)
    own = who.technician if who.role is Role.TECHNICIAN else None
    if row is None or (own is not None and own not in (row.technician_name, str(row.technician))):
        raise not_found("visit")
    return row


S = TypeVar("S", TicketState, VisitState)


def _state(name: str, allowed: type[S]) -> S:
    try:
        return allowed(name)
    except ValueError as cause:
        raise invalid(said("'{name}' is not a state", name=name), "#/to", allowed=[str(s) for s in allowed]) from cause


def owner_or_desk(who: Principal) -> str:
    """A simulated person's yes or no is the owner's; a dispatcher's is the desk's, on the owner's behalf."""
    return OWNER if who.role is Role.PEOPLE else who.actor()
