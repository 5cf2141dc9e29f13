"""`/v1/board`, assignments, locks: the dispatch board for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Query

from api.auth import PlanReader, Principal, TicketMover
from api.context import InTx, Tx
from api.pages.board_pick import sensible
from api.pages.board_view import day_lanes, zone_of_board
from api.problems import invalid, not_found
from api.v1.board_models import (
    AssignIn,
    AssignmentOut,
    BlockOut,
    BoardOut,
    BreachOut,
    CardOut,
    LaneOut,
    LockIn,
    TrayOut,
)
from api.v1.models import GivenMoment, VisitOut, WindowOut
from api.v1.plan_models import SlotOut
from api.v1.router import V1Router, changes
from api.v1.service import VISIT, read_visit
from servicedesk.assigning import Hand, assign_visit, live_visit, lock_visit, undo_move
from servicedesk.dayboard import Block, Lane
from servicedesk.model import Technician, Window
from servicedesk.moves import BoardMove, Breach, Consent, Rule
from servicedesk.weighing import Placing, weigh
from storage.read_board import BoardVisit, TrayCard, board_technicians, tray_cards
from storage.read_desk import TicketView, get_ticket

router = V1Router()


@router.get("/board", tags=["board"])
def board(
    who: PlanReader,
    tx: InTx,
    day: Annotated[date | None, Query(alias="date", description="in the technicians' zone; today without it")] = None,
    area: Annotated[str | None, Query(max_length=200, description="of the tray's households")] = None,
) -> BoardOut:
    """One day: technicians with their visits, ways and conflicts, and the tray of what has no place."""
    people = board_technicians(tx.conn, who.scope)
    zone = ZoneInfo(zone_of_board(people))
    if day is not None and not sensible(day):
        raise invalid("a day of this century or the next", "#/date")
    chosen = day or tx.now.astimezone(zone).date()
    lanes, visits = day_lanes(tx, who.scope, people, chosen, zone)
    by_id = {each.id: each for each in people}
    cards = tray_cards(tx.conn, who.scope, tx.now, area=area, limit=200)
    trays = {name: _tray([each for each in cards if each.tray == name]) for name in ("unassigned", "alerts", "hold")}
    return BoardOut(
        date=chosen,
        zone=str(zone),
        now=tx.now,
        technicians=[_lane(by_id[each.technician], each, visits) for each in lanes],
        unassigned=trays["unassigned"],
        alerts=trays["alerts"],
        hold=trays["hold"],
    )


@router.get("/tickets/{ticket}/assignment", tags=["board"])
def assignment(  # noqa: PLR0917  (named by FastAPI)
    ticket: UUID,
    who: PlanReader,
    tx: InTx,
    technician: Annotated[UUID | None, Query(description="with `start`: what speaks against this place")] = None,
    start: Annotated[GivenMoment | None, Query()] = None,
    owner: Annotated[Consent | None, Query(description="as in the change itself")] = None,
) -> AssignmentOut:
    """Who comes when; and, for a technician and a window, every rule that they would break. Nothing changes."""
    row = _ticket(tx, who, ticket)
    breaches: tuple[Breach, ...] = ()
    if technician is not None and start is not None:
        held = tx.office.desk.tickets.get(row.id)
        wish = Placing(row.id, technician, start, owner)
        breaches = weigh(tx.office, held, live_visit(tx.office, held), wish, tx.now)
    return _assignment(tx, row.id, None, breaches)


@router.post("/tickets/{ticket}/assignment", tags=["board"])
def ticket_assign(ticket: UUID, where: AssignIn, who: TicketMover, tx: InTx) -> AssignmentOut:
    """Give a ticket's visit a technician and a window. The owner is told ten seconds later, unless it is undone."""
    row = _ticket(tx, who, ticket)
    return _place(tx, who, row.id, where)


@router.post("/visits/{visit}/assignment", tags=["board"])
def visit_assign(visit: UUID, where: AssignIn, who: TicketMover, tx: InTx) -> AssignmentOut:
    """Give a visit another technician or window. The owner is told ten seconds later, unless it is undone."""
    return _place(tx, who, read_visit(tx, who, visit).ticket, where)


@router.post("/visits/{visit}/undo", tags=["board"])
def visit_undo(visit: UUID, who: TicketMover, tx: InTx) -> AssignmentOut:
    """Take back the placing that made this visit, within ten seconds. Twice is the same as once."""
    row = read_visit(tx, who, visit)
    move = tx.office.desk.moves.of_visit(visit)
    if move is None:
        raise not_found("move")
    return _assignment(tx, row.ticket, undo_move(tx.office, move.id, _hand(tx, who), tx.now), ())


@router.post("/visits/{visit}/lock", tags=["board"])
@changes(VISIT)
def visit_lock(visit: UUID, wish: LockIn, who: TicketMover, tx: InTx) -> VisitOut:
    """Say that a visit stays with its technician and window, or that it may move again."""
    read_visit(tx, who, visit)
    lock_visit(tx.office, visit, _hand(tx, who), tx.now, on=wish.locked)
    return read_visit(tx, who, visit)


def _hand(tx: Tx, who: Principal) -> Hand:
    return Hand(who.actor(), str(who.role), tx.wall)


def _ticket(tx: Tx, who: Principal, ticket: UUID) -> TicketView:
    row = get_ticket(tx.conn, who.scope, ticket)
    if row is None:
        raise not_found("ticket")
    return row


def _place(tx: Tx, who: Principal, ticket: UUID, where: AssignIn) -> AssignmentOut:
    owner = None if where.owner is None else Consent(where.owner)
    wish = Placing(ticket, where.technician, where.start, owner)
    move = assign_visit(tx.office, wish, _hand(tx, who), tx.now, reason=where.reason, seen=where.version)
    breaches = tuple(Breach(Rule(each)) for each in move.rules)
    return _assignment(tx, ticket, move, breaches)


def _assignment(tx: Tx, ticket: UUID, move: BoardMove | None, breaches: Sequence[Breach]) -> AssignmentOut:
    desk = tx.office.desk
    row = desk.tickets.get(ticket)
    visit = live_visit(tx.office, row)
    last = move or (None if visit is None else desk.moves.of_visit(visit.id))
    names = {each.id: each.name for each in desk.people.technicians(row.org)}
    return AssignmentOut(
        ticket=row.id,
        ref=row.ref,
        version=row.version,
        visit=None if visit is None else visit.id,
        state=None if visit is None else str(visit.state),
        locked=visit is not None and visit.locked is not None,
        slot=None
        if visit is None
        else SlotOut(
            technician=visit.technician, name=names.get(visit.technician, ""), start=visit.start, end=visit.end
        ),
        move=None if last is None else str(last.state),
        undo_until=None if last is None else last.until,
        breaches=[_breach(each) for each in breaches],
    )


def _lane(technician: Technician, lane: Lane, visits: dict[UUID, BoardVisit]) -> LaneOut:
    return LaneOut(
        technician=technician.id,
        name=technician.name,
        area=technician.area,
        skills=list(technician.skills),
        shift=_window(lane.shift),
        absent=lane.absent,
        pauses=[WindowOut(start=each.start, end=each.end) for each in lane.pauses],
        travel_min=round(lane.way / 60),
        load=round(lane.load, 3),
        visits=[_block(each, visits[each.visit]) for each in lane.blocks],
    )


def _block(block: Block, visit: BoardVisit) -> BlockOut:
    way = round(block.way / 60)
    window = WindowOut(start=visit.start, end=visit.end)
    if not visit.seen:
        return BlockOut(window=window, begin=block.begin, end=block.end, way_min=way, late_min=0, breaches=[])
    return BlockOut(
        visit=visit.id,
        ticket=visit.ticket,
        ref=visit.ref,
        kind=visit.kind,
        household=visit.household,
        area=visit.area,
        state=visit.state,
        locked=visit.locked is not None,
        window=window,
        late_min=-(-block.late // 60),
        breaches=[_breach(each) for each in block.breaches],
        begin=block.begin,
        end=block.end,
        way_min=way,
    )


def _breach(breach: Breach) -> BreachOut:
    said = breach.said
    until = said.get("until")
    return BreachOut(
        rule=str(breach.rule),
        hard=breach.hard,
        minutes=said.get("minutes"),
        sku=said.get("sku"),
        skill=said.get("skill"),
        until=until if isinstance(until, datetime) else None,
    )


def _tray(cards: Sequence[TrayCard]) -> TrayOut:
    return TrayOut(
        count=cards[0].of if cards else 0,
        items=[
            CardOut(
                ticket=each.id,
                ref=each.ref,
                severity=each.severity,
                kind=each.kind,
                family=each.family,
                household=each.household,
                area=each.area,
                state=each.state,
                next_action=each.next_action,
                next_due=each.next_due,
                blocking=each.blocking,
                visit=each.visit,
                absent=each.away,
                version=each.version,
            )
            for each in cards
        ],
    )


def _window(window: Window | None) -> WindowOut | None:
    return None if window is None else WindowOut(start=window.start, end=window.end)
