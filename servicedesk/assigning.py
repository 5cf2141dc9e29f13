"""Dispatch places visits by hand: at once on the board, told to the owner some seconds later, taken back until then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from servicedesk import levels
from servicedesk.audit import OVERRIDE
from servicedesk.errors import ConflictError, IllegalMoveError, WindowGoneError
from servicedesk.model import NoticeState, Ticket, Visit
from servicedesk.moves import (
    NAMED,
    RELEASE,
    UNDO,
    BoardMove,
    Breach,
    Consent,
    MoveState,
    ReasonError,
    Rule,
    RuleError,
    UndoError,
)
from servicedesk.office import Office, moved_ticket, moved_visit
from servicedesk.planner import Offer
from servicedesk.planning import (
    ANSWER,
    LAPSE,
    MOVABLE,
    OVERDUE,
    REMIND,
    REPLAN,
    VISIT_DUES,
    ask_owner,
    await_owner,
    confirm,
    leave,
    log_proposed,
    new_visit,
    reserve,
    successor,
)
from servicedesk.quiet import readable_from
from servicedesk.states import TICKET, VISIT, VISIT_LIVE, TicketState, VisitState
from servicedesk.weighing import Placing, promised, weigh

_TO_OPEN = frozenset(
    {
        TicketState.DETECTED,
        TicketState.PLANNED,
        TicketState.AWAITING_PARTS,
        TicketState.AWAITING_QUOTE,
        TicketState.HOLD,
    }
)


@dataclass(frozen=True, slots=True)
class Hand:
    """Who moves, and at what time by the wall.

    Attributes:
        actor: as the timeline names them, `dispatch:<login>`.
        name: for people.
        wall: wall time: the seconds in which a move can be taken back are a person's.
    """

    actor: str
    name: str
    wall: datetime


def live_visit(office: Office, ticket: Ticket) -> Visit | None:
    """The visit that a ticket has now, if any."""
    return next((each for each in office.desk.visits.of_ticket(ticket.id) if each.state in VISIT_LIVE), None)


def assign_visit(
    office: Office,
    wish: Placing,
    hand: Hand,
    now: datetime,
    *,
    reason: str = "",
    seen: int | None = None,
) -> BoardMove:
    """Give a ticket's visit a technician and a window, its first one or another.

    The board shows it at once. The owner is told by a job when the time to take it back has passed.

    Args:
        office: the desk.
        wish: whose visit, who, when, and what the owner has to do with it.
        hand: who moves.
        now: fleet time.
        reason: why rules are broken that a person may go past.
        seen: version of the ticket that the person looked at.

    Raises:
        UnknownError: there is no such ticket or technician.
        ConflictError: somebody changed the ticket since.
        RuleError: a rule that nobody goes past forbids it.
        ReasonError: it breaks rules and no reason is given.
    """
    desk = office.desk
    ticket = desk.tickets.get(wish.ticket)
    if seen is not None and seen != ticket.version:
        raise ConflictError(f"ticket {ticket.ref} was changed by someone else; look again")
    old = live_visit(office, ticket)
    if old is not None and (old.technician, old.start) == (wish.technician, wish.start):
        raise ConflictError(f"the visit of {ticket.ref} is there already")
    breaches = weigh(office, ticket, old, wish, now)
    if any(each.hard for each in breaches):
        raise RuleError(breaches)
    if breaches and not reason.strip():
        raise ReasonError(breaches)
    before = _before(ticket, old)
    _overtake(office, ticket.id, hand.wall)
    new = _enter(office, ticket, old, wish, now=now, hand=hand)
    if ticket.state in _TO_OPEN:
        ticket = moved_ticket(office, ticket, TicketState.OPEN, now, hand.actor, reason=reason or None)
    reserve(office, ticket, new, now)
    office.log(
        ticket.id,
        now,
        "placed",
        hand.actor,
        visit=str(new.id),
        technician=str(new.technician),
        start=new.start.isoformat(),
        end=new.end.isoformat(),
        name=hand.name,
    )
    if breaches:
        rules = [str(each.rule) for each in breaches]
        office.log(ticket.id, now, OVERRIDE, hand.actor, reason=reason.strip(), rules=rules, name=hand.name)
    named = next((NAMED[each.rule] for each in breaches if each.rule in NAMED), None)
    ticket = await_owner(office, ticket, new, named, now)
    move = BoardMove(
        id=office.new_id(),
        org=ticket.org,
        ticket=ticket.id,
        actor=hand.actor,
        at=now,
        until=hand.wall + UNDO,
        visit=new.id,
        old=old.id if old is not None else None,
        before=before,
        version=ticket.version,
        owner=_consent(old, wish),
        rules=tuple(str(each.rule) for each in breaches),
        reason=reason.strip(),
    )
    desk.moves.add(move)
    desk.agenda.defer(RELEASE, once=f"release:{move.id}", later=move.until, move=str(move.id))
    return move


def undo_move(office: Office, move_id: UUID, hand: Hand, now: datetime) -> BoardMove:
    """Take a move back: the visit that was there stands there again, and nobody was told. Twice is the same as once.

    Raises:
        UnknownError: there is no such move.
        UndoError: the owner has been told, or somebody has changed the ticket since.
    """
    desk = office.desk
    ticket = desk.tickets.get(desk.moves.ticket_of(move_id))
    move = desk.moves.get(move_id)
    if move.state is MoveState.UNDONE:
        return move
    if move.state is not MoveState.OPEN or hand.wall >= move.until:
        raise UndoError("too late: the owner is being told")
    new = desk.visits.get(move.visit)
    if ticket.version != move.version or new.state is not VisitState.PROPOSED or new.locked is not None:
        raise UndoError(f"{ticket.ref} has changed since the move")
    if move.old is None:
        desk.visits.save(moved_visit(office, new, VisitState.CANCELLED, now, hand.actor, reason="undone"))
    else:
        desk.visits.save(moved_visit(office, new, VisitState.MOVED, now, hand.actor))
    desk.parts.release(new.id)
    desk.agenda.drop_due(VISIT_DUES, new.id)
    back = _restore(office, ticket, move, new, now)
    office.log(ticket.id, now, "undone", hand.actor, visit=str(new.id), name=hand.name)
    _give_back(office, ticket, move, back, now=now, hand=hand)
    undone = replace(move, state=MoveState.UNDONE, decided=hand.wall)
    desk.moves.save(undone)
    return undone


def release_move(office: Office, move_id: UUID, now: datetime) -> None:
    """The time to take a move back has passed: the owner is told, or the visit is confirmed where that was agreed."""
    desk = office.desk
    ticket = desk.tickets.get(desk.moves.ticket_of(move_id))
    move = desk.moves.get(move_id)
    if move.state is not MoveState.OPEN:
        return
    new = desk.visits.get(move.visit)
    if new.state is not VisitState.PROPOSED:
        desk.moves.save(replace(move, state=MoveState.OVERTAKEN, decided=move.until))
        return
    desk.moves.save(replace(move, state=MoveState.RELEASED, decided=move.until))
    log_proposed(office, new, now, None)
    if move.owner is not Consent.ASK and new.start > now:
        confirm(office, new.id, now, move.actor)
        return
    promised_before = move.before.get("visit") in {"confirmed", "dispatched", "travelling"}
    ask_owner(office, ticket, new, now, moved=promised_before)


def lock_visit(office: Office, visit_id: UUID, hand: Hand, now: datetime, *, on: bool) -> Visit:
    """Say that a visit stays with its technician and window, whatever is planned; or that it may move again.

    Raises:
        UnknownError: there is no such visit.
        IllegalMoveError: it can no longer move anyhow.
    """
    ticket, visit = office.case(visit_id)
    if (visit.locked is not None) is on:
        return visit
    if visit.state not in MOVABLE:
        raise IllegalMoveError("visit", visit.state, "locked", tuple(map(str, VISIT[visit.state])))
    kind = "locked" if on else "unlocked"
    office.log(ticket.id, now, kind, hand.actor, visit=str(visit.id), name=hand.name)
    return office.desk.visits.save(replace(visit, locked=hand.name if on else None))


def _consent(old: Visit | None, wish: Placing) -> Consent:
    """Without a word of the dispatcher the owner is asked; who keeps a promised window is only told who comes."""
    if wish.owner is Consent.AGREED:
        return Consent.AGREED
    same = old is not None and promised(old) and old.window == wish.window
    return Consent.TELL if same else Consent.ASK


def _before(ticket: Ticket, old: Visit | None) -> dict[str, Any]:
    return {
        "visit": None if old is None else str(old.state),
        "state": str(ticket.state),
        "reason": ticket.reason,
        "responsible": ticket.responsible,
        "next_action": ticket.next_action,
        "next_due": None if ticket.next_due is None else ticket.next_due.isoformat(),
        "blocking": ticket.blocking,
    }


def _overtake(office: Office, ticket: UUID, wall: datetime) -> None:
    """An earlier move of the ticket that is still open is told no more: this one is."""
    for each in office.desk.moves.open_of(ticket):
        office.desk.moves.save(replace(each, state=MoveState.OVERTAKEN, decided=wall))


def _enter(office: Office, ticket: Ticket, old: Visit | None, wish: Placing, *, now: datetime, hand: Hand) -> Visit:
    """The visit in its new place.

    Raises:
        RuleError: somebody was faster.
    """
    desk = office.desk
    offer = Offer(wish.window, wish.technician)
    if old is not None:
        leave(office, old, now, hand.actor)
        new = successor(office, ticket, old, offer, now)
    else:
        fault = office.fault(ticket)
        if fault is None:
            raise RuleError((Breach(Rule.SKILL),))
        household = office.household(ticket)
        readable = now if household is None else readable_from(now, household, safety=ticket.safety)
        new = new_visit(office, ticket, fault, offer, readable=readable, now=now)
    try:
        desk.visits.add(new)
    except WindowGoneError as cause:
        raise RuleError((Breach(Rule.DOUBLE_BOOKING),)) from cause
    if old is not None:
        desk.parts.release(old.id)
    desk.plans.release(ticket.id)
    return new


def _restore(office: Office, ticket: Ticket, move: BoardMove, new: Visit, now: datetime) -> Visit | None:
    """A visit where the old one stood, in its state.

    Raises:
        UndoError: the old window was taken meanwhile.
    """
    if move.old is None:
        return None
    desk = office.desk
    old = desk.visits.get(move.old)
    state = VisitState(move.before["visit"])
    back = replace(
        old,
        id=office.new_id(),
        state=state,
        sequence=new.sequence + 1,
        reason=None,
        version=0,
        locked=None,
        proposed=now,
    )
    try:
        desk.visits.add(back)
    except WindowGoneError as cause:
        raise UndoError("its former window was taken meanwhile") from cause
    reserve(office, ticket, back, now)
    back = desk.visits.save(replace(back, confirmed=old.confirmed))
    if state is VisitState.PROPOSED:
        desk.agenda.set_due(REMIND, back.id, max(now, now + (back.hold_until - now) / 2))
        desk.agenda.set_due(ANSWER, back.id, back.hold_until)
        desk.agenda.set_due(LAPSE, back.id, back.start)
    else:
        desk.agenda.set_due(OVERDUE, back.id, back.end + office.policy.overdue_after)
    return back


def _give_back(
    office: Office, ticket: Ticket, move: BoardMove, back: Visit | None, *, now: datetime, hand: Hand
) -> None:
    """The ticket as it was, as far as its table allows."""
    former = TicketState(move.before["state"])
    if former is not ticket.state and former in TICKET[ticket.state]:
        ticket = moved_ticket(office, ticket, former, now, hand.actor, reason=move.before["reason"])
    due = move.before["next_due"]
    when = None if due is None else datetime.fromisoformat(due)
    office.assign(
        ticket, move.before["responsible"], move.before["next_action"], when, blocking=move.before["blocking"]
    )
    if back is None:
        office.desk.agenda.set_due(REPLAN, ticket.id, now + timedelta(hours=24))
        return
    if back.state is VisitState.PROPOSED:
        sent = (NoticeState.SENT, NoticeState.DELIVERED, NoticeState.OPENED)
        asked = [each for each in office.desk.notices.of_ticket(ticket.id) if each.state in sent]
        for notice in asked[-1:]:
            levels.told(office, notice, now)
