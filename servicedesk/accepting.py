"""Accepts lines of a plan: all of those named, together, or none."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from servicedesk.errors import ConflictError, WindowGoneError
from servicedesk.model import Ticket, Visit
from servicedesk.office import Office
from servicedesk.plan_rows import LineState, PlanLine
from servicedesk.planner import Blocking, Offer
from servicedesk.planning import leave, new_visit, propose, successor
from servicedesk.quiet import readable_from
from servicedesk.states import PLANNABLE, VISIT_LIVE, VisitState


@dataclass(frozen=True, slots=True)
class _Change:
    """A line with its ticket, the visit that it had and the one it gets."""

    line: PlanLine
    ticket: Ticket
    old: Visit | None
    new: Visit


def accept(office: Office, plan: UUID, numbers: Collection[int], now: datetime, actor: str) -> list[PlanLine]:
    """Propose the windows of some lines of a plan to their owners. A line that was accepted before stays as it is.

    Lines that swap windows are accepted together.

    Raises:
        UnknownError: there is no such plan or line.
        ConflictError: a line has no window, or its ticket has changed since the plan was made.
        WindowGoneError: a window was taken meanwhile, or belongs to another line that is not accepted with it.
    """
    desk = office.desk
    lines = [desk.plans.line(plan, number) for number in sorted(set(numbers))]
    open_lines = [line for line in lines if line.state is not LineState.ACCEPTED]
    changes = [
        change
        for line in sorted(open_lines, key=lambda each: each.ticket)
        if (change := _change(office, line, now)) is not None
    ]
    for change in changes:
        if change.old is not None:
            leave(office, change.old, now, actor)
    # Technicians in one order: two people who accept several lines never wait for each other.
    for change in sorted(changes, key=lambda each: (each.new.technician, each.new.start)):
        try:
            desk.visits.add(change.new)
        except WindowGoneError as cause:
            raise _taken(office, plan, change, cause) from cause
    for change in changes:
        if change.old is not None:
            desk.parts.release(change.old.id)
        desk.plans.release(change.ticket.id)
        readable = _readable(office, change.ticket, now)
        propose(office, change.ticket, change.new, _named(change.line), readable=readable, now=now)
    done = [replace(line, state=LineState.ACCEPTED, decided=now, actor=actor) for line in open_lines]
    for line in done:
        desk.plans.save(line)
    return sorted([*done, *(line for line in lines if line.state is LineState.ACCEPTED)], key=lambda each: each.no)


def refuse(office: Office, plan: UUID, number: int, now: datetime, actor: str) -> PlanLine:
    """Leave a line's ticket as it is. Refusing twice is the same as once; it may still be accepted later.

    Raises:
        UnknownError: there is no such plan or line.
        ConflictError: it was accepted.
    """
    line = office.desk.plans.line(plan, number)
    if line.state is LineState.ACCEPTED:
        raise ConflictError(f"line {number} was accepted")
    refused = replace(line, state=LineState.REFUSED, decided=now, actor=actor)
    office.desk.plans.save(refused)
    return refused


def _change(office: Office, line: PlanLine, now: datetime) -> _Change | None:
    """What accepting a line does; None when it leaves everything as it is.

    Raises:
        ConflictError: it cannot be accepted.
    """
    desk = office.desk
    if line.after is None or line.after_technician is None:
        raise ConflictError(f"line {line.no} has no window: {line.blocking}")
    ticket = desk.tickets.get(line.ticket)
    live = [each for each in desk.visits.of_ticket(ticket.id) if each.state in VISIT_LIVE]
    old = live[0] if live else None
    moved = (old.id if old is not None else None) != line.visit
    confirmed = old is not None and old.state is not VisitState.PROPOSED
    locked = old is not None and old.locked is not None
    if ticket.version != line.version or ticket.state not in PLANNABLE or moved or confirmed or locked:
        raise ConflictError(f"ticket {ticket.ref} has changed since the plan was made; plan again")
    if line.same:
        return None
    if line.after.start <= now:
        raise WindowGoneError(f"the window of line {line.no} has begun")
    offer = Offer(line.after, line.after_technician)
    if old is not None:
        return _Change(line, ticket, old, successor(office, ticket, old, offer, now))
    fault = office.fault(ticket)
    if fault is None:
        raise ConflictError(f"the catalogue no longer knows the fault of ticket {ticket.ref}")
    readable = _readable(office, ticket, now)
    return _Change(line, ticket, None, new_visit(office, ticket, fault, offer, readable=readable, now=now))


def _readable(office: Office, ticket: Ticket, now: datetime) -> datetime:
    household = office.household(ticket)
    return now if household is None else readable_from(now, household, safety=ticket.safety)


def _named(line: PlanLine) -> Blocking | None:
    return Blocking(line.blocking) if line.blocking is not None else None


def _taken(office: Office, plan: UUID, change: _Change, cause: WindowGoneError) -> WindowGoneError:
    """Says which other line must be accepted with it, if one has the window."""
    others: Iterable[PlanLine] = office.desk.plans.get(plan)[1]
    with_it = [
        each.no
        for each in others
        if each.no != change.line.no
        and each.state is LineState.OPEN
        and each.before is not None
        and each.before_technician == change.new.technician
        and each.before.overlaps(change.new.window)
    ]
    if not with_it:
        return cause
    numbers = ", ".join(map(str, with_it))
    return WindowGoneError(f"line {change.line.no} takes the window of line {numbers}: accept them together")
