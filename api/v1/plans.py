"""`/v1/plans`, suggestions and held windows: planning by dispatch, and the window that an owner is about to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Path

from api.auth import Confirmer, PlanReader, Principal, TicketMover
from api.context import InTx, Tx
from api.problems import invalid, not_found
from api.said import said
from api.v1.fresh import with_fresh_windows
from api.v1.models import WindowIn
from api.v1.plan_models import (
    AcceptIn,
    HoldOut,
    PlanIn,
    PlanLineOut,
    PlanOut,
    SlotOut,
    SuggestionOut,
    SuggestionsOut,
)
from api.v1.router import Resource, V1Router, changes
from api.v1.service import read_visit
from servicedesk.accepting import accept, refuse
from servicedesk.errors import UnknownError
from servicedesk.holding import hold_window
from servicedesk.model import Window
from servicedesk.plan_rows import LineState, PlanLine
from servicedesk.replanning import Ask, draw_up
from servicedesk.suggesting import suggest
from storage.read_desk import get_ticket
from storage.read_models import tickets_in

router = V1Router()
LineNo = Annotated[int, Path(ge=1, le=1_000_000)]


def read_plan(tx: Tx, who: Principal, plan: UUID) -> PlanOut:
    """A plan with its lines; 404 outside the asker's scope. Who sees some areas sees their lines."""
    try:
        found, lines = tx.office.desk.plans.get(plan)
    except UnknownError as cause:
        raise not_found("plan") from cause
    if who.scope.household is not None or who.scope.ticket is not None or who.scope.org not in (None, found.org):
        raise not_found("plan")
    names = {each.id: each.name for each in tx.office.desk.people.technicians(found.org)}
    tickets = tx.office.desk.plans.tickets(plan)
    seen = tickets_in(tx.conn, who.scope, (line.ticket for line in lines))
    return PlanOut(
        id=found.id,
        org=found.org,
        made=found.made,
        first=found.first,
        until=found.until,
        served=found.served,
        of=found.of,
        travel_before_min=round(found.travel_before / 60),
        travel_after_min=round(found.travel_after / 60),
        lines=[_line(line, names, *tickets[line.ticket]) for line in lines if line.ticket in seen],
    )


PLAN = Resource(
    argument="plan",
    read=read_plan,
    hold=lambda tx, plan: tx.office.desk.plans.get(plan),
    path=lambda plan: f"/v1/plans/{plan.id}",
)


@router.post("/plans", tags=["plans"], status_code=201)
def make_plan(ask: PlanIn, who: TicketMover, tx: InTx) -> PlanOut:
    """Plan all visits that wait or are only proposed, around what is confirmed; nothing changes before a yes."""
    from servicedesk.routing.vroom_planner import VroomPlanner  # noqa: PLC0415  (heavy; this route's alone)

    org = ask.org or who.scope.org
    if org is None:
        raise invalid(said("say whose visits are to be planned"), "#/org")
    if who.scope.org not in (None, org):
        raise not_found("organisation")
    made = draw_up(tx.office, VroomPlanner(), Ask(org, ask.first or tx.now, ask.days, who.actor()), tx.now)
    return read_plan(tx, who, made.id)


@router.get("/plans/{plan}", tags=["plans"])
def one_plan(plan: UUID, who: PlanReader, tx: InTx) -> PlanOut:
    """A plan: before and after for each ticket."""
    return read_plan(tx, who, plan)


@router.post("/plans/{plan}/accept", tags=["plans"])
@changes(PLAN)
def plan_accept(plan: UUID, which: AcceptIn, who: TicketMover, tx: InTx) -> PlanOut:
    """Propose the windows of several lines to their owners: all or none. Lines that swap windows belong together."""
    _see(read_plan(tx, who, plan), which.lines)
    accept(tx.office, plan, which.lines, tx.now, who.actor())
    return read_plan(tx, who, plan)


@router.post("/plans/{plan}/lines/{line}/accept", tags=["plans"])
@changes(PLAN)
def line_accept(plan: UUID, line: LineNo, who: TicketMover, tx: InTx) -> PlanOut:
    """Propose the window of one line to its owner. Twice is the same as once."""
    _see(read_plan(tx, who, plan), [line])
    accept(tx.office, plan, [line], tx.now, who.actor())
    return read_plan(tx, who, plan)


@router.post("/plans/{plan}/lines/{line}/refuse", tags=["plans"])
@changes(PLAN)
def line_refuse(plan: UUID, line: LineNo, who: TicketMover, tx: InTx) -> PlanOut:
    """Leave a line's ticket as it is; it may still be accepted later."""
    _see(read_plan(tx, who, plan), [line])
    refuse(tx.office, plan, line, tx.now, who.actor())
    return read_plan(tx, who, plan)


@router.get("/tickets/{ticket}/suggestions", tags=["tickets"])
def suggestions(ticket: UUID, who: TicketMover, tx: InTx) -> SuggestionsOut:
    """The three best technicians and windows for a ticket, each with its reasons. Nothing is held."""
    row = get_ticket(tx.conn, who.scope, ticket)
    if row is None:
        raise not_found("ticket")
    found = suggest(tx.office, tx.office.desk.tickets.get(ticket), tx.now)
    best = [
        SuggestionOut(
            technician=each.technician,
            name=each.name,
            start=each.window.start,
            end=each.window.end,
            detour_min=round(each.detour / 60),
            same_area=each.same_area,
            visits=each.visits,
            skill_until=each.skill_until,
            parts=dict(each.parts),
            life_left_h=None if each.life_left is None else round(each.life_left.total_seconds() / 3600, 1),
        )
        for each in found.best
    ]
    return SuggestionsOut(best=best, blocking=found.blocking)


@router.post("/visits/{visit}/holds", tags=["visits"], status_code=201)
def visit_hold(visit: UUID, window: WindowIn, who: Confirmer, tx: InTx) -> HoldOut:
    """Keep a window for ten minutes while the owner decides; the one that was kept before is free again."""
    read_visit(tx, who, visit)
    actor = who.actor()
    hold = with_fresh_windows(tx, visit, lambda: hold_window(tx.office, visit, window.start, tx.now, actor))
    return HoldOut(start=hold.start, end=hold.end, until=hold.until)


def _see(plan: PlanOut, lines: Sequence[int]) -> None:
    """Pass when the asker sees these lines.

    Raises:
        ProblemError: 404, one is not there, or not the asker's.
    """
    if not set(lines) <= {each.no for each in plan.lines}:
        raise not_found("line")


def _line(line: PlanLine, names: Mapping[UUID, str], ref: str, version: int) -> PlanLineOut:
    change = "none" if line.after is None else "same" if line.same else "new" if line.before is None else "moved"
    outdated = line.state is not LineState.ACCEPTED and line.version != version
    return PlanLineOut(
        no=line.no,
        ticket=line.ticket,
        ref=ref,
        visit=line.visit,
        before=_slot(line.before_technician, line.before, names),
        after=_slot(line.after_technician, line.after, names),
        change=change,
        blocking=line.blocking,
        state="outdated" if outdated else line.state,
    )


def _slot(technician: UUID | None, window: Window | None, names: Mapping[UUID, str]) -> SlotOut | None:
    if technician is None or window is None:
        return None
    return SlotOut(technician=technician, name=names.get(technician, ""), start=window.start, end=window.end)
