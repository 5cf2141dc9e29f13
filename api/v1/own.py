"""What owners do with a case and its visit: a time, how to get in, where the technician is, words, and a call."""

from __future__ import annotations

from uuid import UUID

from api.auth import CaseReader, Confirmer, PeopleReader, Principal
from api.context import InTx, Tx
from api.problems import not_found
from api.reads import note_read
from api.v1.models import OffersOut, TicketDetailOut, VisitOut, WindowIn, WindowOut
from api.v1.own_models import (
    AccessIn,
    AccessOut,
    ArrivalOut,
    CancelIn,
    NotAProblemIn,
    SaidOut,
    TalkOut,
)
from api.v1.plan_models import HoldOut
from api.v1.router import V1Router, changes
from api.v1.service import TICKET, VISIT, owner_or_desk, read_ticket, read_visit
from servicedesk.access import Answers, access_today, answers_of, tell_access
from servicedesk.arrival import arrival
from servicedesk.changing import cancel, change_until, check_change, may_change
from servicedesk.model import Household, Visit
from servicedesk.owner_says import call_me, conversation, not_a_problem, unplugged
from servicedesk.picking import hold_pick, live_visit, pick, pickable
from servicedesk.states import VisitState
from storage.access import Role
from storage.read_desk import timeline

router = V1Router()


@router.get("/visits/{visit}/access", tags=["visits"])
def visit_access(visit: UUID, who: PeopleReader, tx: InTx) -> AccessOut:
    """How to get in. Technicians read it on the day of the visit only."""
    return _access(tx, who, visit)


@router.post("/visits/{visit}/access", tags=["visits"])
def tell_visit_access(visit: UUID, given: AccessIn, who: Confirmer, tx: InTx) -> AccessOut:
    """Say how to get in; it can be changed until the visit is over."""
    read_visit(tx, who, visit)
    answers = Answers(given.entry, given.parking, given.pets, given.adult)
    tell_access(tx.office, visit, answers, tx.now, owner_or_desk(who))
    return _access(tx, who, visit)


@router.post("/visits/{visit}/cancellation", tags=["visits"])
@changes(VISIT)
def visit_cancellation(visit: UUID, given: CancelIn, who: Confirmer, tx: InTx) -> VisitOut:
    """The owner calls a visit off before the cut-off; the case stays open."""
    read_visit(tx, who, visit)
    cancel(tx.office, visit, given.reason, tx.now)
    return read_visit(tx, who, visit)


@router.get("/visits/{visit}/arrival", tags=["visits"])
def visit_arrival(visit: UUID, who: CaseReader, tx: InTx) -> ArrivalOut:
    """About when somebody arrives and whether that is late; and until when the visit may be changed."""
    read_visit(tx, who, visit)
    office = tx.office
    row = office.desk.visits.get(visit)
    home = _home(tx, row)
    seen = office.desk.day.position(visit) if row.state is VisitState.TRAVELLING else None
    known = arrival(row, home.place, tx.now, office.travel, position=seen, delay=office.desk.day.delay_of(visit))
    return ArrivalOut(
        visit=row.id,
        state=str(row.state),
        expected=known.expected,
        promised=known.promised,
        late=known.late,
        change_until=change_until(row, home),
        changeable=may_change(row, home, tx.now),
    )


@router.get("/tickets/{ticket}/messages", tags=["contact"])
def ticket_messages(ticket: UUID, who: PeopleReader, tx: InTx) -> TalkOut:
    """What owner and service wrote to each other, oldest first."""
    found = read_ticket(tx, who, ticket)
    note_read(tx, who, f"messages of {found.ref}", found.household)
    said = conversation(timeline(tx.conn, ticket))
    return TalkOut(items=[SaidOut(at=each.at, by=each.by, words=each.words, channel=each.channel) for each in said])


@router.get("/tickets/{ticket}/windows", tags=["tickets"])
def ticket_windows(ticket: UUID, who: CaseReader, tx: InTx) -> OffersOut:
    """The windows that a case can have now, whether a visit is ahead or not."""
    read_ticket(tx, who, ticket)
    found = pickable(tx.office, ticket, tx.now)
    best, everything = (
        [WindowOut(start=o.window.start, end=o.window.end) for o in each] for each in (found.best, found.all)
    )
    return OffersOut(best=best, all=everything, blocking=found.blocking)


@router.post("/tickets/{ticket}/holds", tags=["tickets"], status_code=201)
def ticket_hold(ticket: UUID, window: WindowIn, who: Confirmer, tx: InTx) -> HoldOut:
    """Keep a window for ten minutes; the one that was kept before is free again."""
    read_ticket(tx, who, ticket)
    _in_time(tx, who, ticket)
    hold = hold_pick(tx.office, ticket, window.start, tx.now, owner_or_desk(who))
    return HoldOut(start=hold.start, end=hold.end, until=hold.until)


@router.post("/tickets/{ticket}/windows", tags=["tickets"])
@changes(TICKET)
def ticket_window(ticket: UUID, window: WindowIn, who: Confirmer, tx: InTx) -> TicketDetailOut:
    """Take a window: the owner's own choice is confirmed at once, dispatch's is proposed."""
    read_ticket(tx, who, ticket)
    _in_time(tx, who, ticket)
    pick(tx.office, ticket, window.start, tx.now, owner_or_desk(who))
    return read_ticket(tx, who, ticket)


@router.post("/tickets/{ticket}/call-me", tags=["contact"])
@changes(TICKET)
def ticket_call_me(ticket: UUID, who: Confirmer, tx: InTx) -> TicketDetailOut:
    """The owner asks for a call: a person has an hour. Twice is the same as once."""
    read_ticket(tx, who, ticket)
    call_me(tx.office, ticket, tx.now)
    return read_ticket(tx, who, ticket)


@router.post("/tickets/{ticket}/unplugged", tags=["tickets"])
@changes(TICKET)
def ticket_unplugged(ticket: UUID, who: Confirmer, tx: InTx) -> TicketDetailOut:
    """The owner says that the appliance is off. Twice is the same as once."""
    read_ticket(tx, who, ticket)
    unplugged(tx.office, ticket, tx.now)
    return read_ticket(tx, who, ticket)


@router.post("/tickets/{ticket}/not-a-problem", tags=["tickets"])
@changes(TICKET)
def ticket_not_a_problem(ticket: UUID, given: NotAProblemIn, who: Confirmer, tx: InTx) -> TicketDetailOut:
    """The owner says that nothing is wrong: the ticket ends as a false alarm with their words."""
    read_ticket(tx, who, ticket)
    not_a_problem(tx.office, ticket, given.reason, tx.now)
    return read_ticket(tx, who, ticket)


def _access(tx: Tx, who: Principal, visit: UUID) -> AccessOut:
    read_visit(tx, who, visit)
    row = tx.office.desk.visits.get(visit)
    if who.role is Role.TECHNICIAN:
        answers = access_today(tx.office, row, tx.now)
    elif who.role is Role.READ_ONLY:
        answers = None
    else:
        answers = answers_of(tx.office, row)
    if answers is None:
        return AccessOut(visit=visit, shown=False)
    home = _home(tx, row)
    note_read(tx, who, f"access of visit {visit}", home.id)
    return AccessOut(
        visit=visit,
        shown=True,
        entry=answers.entry,
        parking=answers.parking,
        pets=answers.pets,
        adult=answers.adult,
    )


def _home(tx: Tx, visit: Visit) -> Household:
    ticket = tx.office.desk.tickets.get(visit.ticket)
    found = tx.office.desk.people.household(ticket.household) if ticket.household is not None else None
    if found is None:
        raise not_found("household")
    return found


def _in_time(tx: Tx, who: Principal, ticket: UUID) -> None:
    """Owners change what is booked until the cut-off; later a person is asked."""
    visit = live_visit(tx.office, ticket)
    if who.role is Role.OWNER and visit is not None:
        check_change(tx.office, visit.id, tx.now)
