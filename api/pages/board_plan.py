"""A plan of all visits as a difference: what moves, what is new, what has no place; accepted or refused by line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import DeskPerson, TicketPerson, check_csrf, staff_scope
from api.context import Context, InContext, InTx, Tx
from api.i18n import Words
from api.pages.board_view import case_title
from api.pages.case import ICONS
from api.pages.shell import actor_of, staff_page, staff_words
from api.problems import not_found
from servicedesk.accepting import accept, refuse
from servicedesk.errors import DeskError, UnknownError
from servicedesk.plan_rows import LineState, PlanLine, VisitPlan
from servicedesk.planner import LENGTH
from servicedesk.replanning import PLAN_ALL
from servicedesk.texts import text
from storage.access import StaffRow
from storage.read_board import PlanTicket, board_technicians, coming_plan, plan_tickets
from storage.read_models import Scope

router = APIRouter(include_in_schema=False)
DAYS = 5
_LISTED = 250
"""Lines on the page; the others are counted. What stays as it is is not listed."""
_ORDER = ("new", "moved", "none", "same")


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of the difference. Change is `new`, `moved`, `none` or `same`."""

    no: int
    ref: str
    icon: str
    title: str
    where: str
    severity: int
    change: str
    before: str
    after: str
    why: str
    state: str

    @property
    def open(self) -> bool:
        """Whether somebody can still decide."""
        return self.state == "open" and self.change in ("new", "moved")


@router.post("/board/plan")
def make(
    request: Request,
    person: TicketPerson,
    tx: InTx,
    csrf: Annotated[str, Form()] = "",
    days: Annotated[int, Form(ge=1, le=14)] = DAYS,
) -> Response:
    """Have everything planned that waits or is only proposed; nothing changes before a yes.

    A job makes the plan: with two thousand tickets it takes longer than a page may.
    """
    check_csrf(request, csrf)
    scope = staff_scope(person)
    org = scope.org or next((each.org for each in board_technicians(tx.conn, scope)), None)
    if org is None:
        return RedirectResponse("/board", 303)
    plan = tx.office.new_id()
    tx.office.desk.agenda.defer(
        PLAN_ALL,
        lock=f"{PLAN_ALL}:{org}",
        once=_job(plan),
        plan=str(plan),
        org=org,
        days=days,
        actor=actor_of(person),
    )
    return RedirectResponse(f"/board/plans/{plan}", 303)


@router.get("/board/plans/{plan}")
def show(request: Request, plan: UUID, person: DeskPerson, tx: InTx, context: InContext) -> Response:
    """The plan as a difference to what is; while it is being made, that it is."""
    if not tx.office.desk.plans.known(plan):
        return _coming(request, person, tx, context, plan)
    found, lines = _plan(tx, staff_scope(person), plan)
    people = {each.id: each for each in board_technicians(tx.conn, staff_scope(person))}
    zone = next((each.tz for each in people.values()), "UTC")
    t = staff_words(request, person, zone)
    names = {ident: each.name for ident, each in people.items()}
    tickets = plan_tickets(tx.conn, staff_scope(person), plan)
    views = [_line(t, context, line, tickets[line.ticket], names, tx.now) for line in lines if line.ticket in tickets]
    views.sort(key=lambda each: (_ORDER.index(each.change), each.no))
    listed = [each for each in views if each.change != "same"][:_LISTED]
    counts = {name: sum(each.change == name for each in views) for name in _ORDER}
    return staff_page(
        request,
        context,
        person,
        "board_plan.html",
        t,
        plan=found,
        lines=listed,
        unlisted=len(views) - len(listed),
        counts=counts,
        open=[each.no for each in views if each.open],
        travel=(round(found.travel_before / 60), round(found.travel_after / 60)),
        made=t.stamp(found.made),
        span=(t.weekday(found.first), t.weekday(found.until)),
        asked_again=sum(each.change == "moved" for each in views),
        problem=_words(t, request.query_params.get("problem", ""), request.query_params.get("line", "")),
    )


@router.post("/board/plans/{plan}")
def decide(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    plan: UUID,
    person: TicketPerson,
    tx: InTx,
    csrf: Annotated[str, Form()] = "",
    accepted: Annotated[str, Form(max_length=10)] = "",
    refused: Annotated[str, Form(max_length=10)] = "",
    everything: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Accept or refuse a line, or accept all that are open: all of them or none."""
    check_csrf(request, csrf)
    _, lines = _plan(tx, staff_scope(person), plan)
    seen = plan_tickets(tx.conn, staff_scope(person), plan)
    mine = {line.no for line in lines if line.ticket in seen}
    numbers = [int(each) for each in (everything or accepted or refused).split(",") if each.strip().isdigit()]
    if not numbers or not set(numbers) <= mine:
        return _back(plan, "nothing")
    try:
        with tx.conn.transaction():
            if refused and not (accepted or everything):
                refuse(tx.office, plan, numbers[0], tx.now, actor_of(person))
            else:
                accept(tx.office, plan, numbers, tx.now, actor_of(person))
    except DeskError:
        return _back(plan, "outdated", str(numbers[0]))
    return _back(plan)


def _job(plan: UUID) -> str:
    """The name under which a plan's job waits."""
    return f"{PLAN_ALL}:{plan}"


def _coming(request: Request, person: StaffRow, tx: Tx, context: Context, plan: UUID) -> Response:
    coming = coming_plan(tx.conn, _job(plan))
    if coming is None or staff_scope(person).org not in (None, coming.org):
        raise not_found("plan")
    t = staff_words(request, person)
    return staff_page(request, context, person, "board_coming.html", t, coming=coming)


def _plan(tx: Tx, scope: Scope, plan: UUID) -> tuple[VisitPlan, list[PlanLine]]:
    """A plan; 404 outside the asker's scope."""
    try:
        found, lines = tx.office.desk.plans.get(plan)
    except UnknownError as cause:
        raise not_found("plan") from cause
    if scope.org not in (None, found.org):
        raise not_found("plan")
    return found, lines


def _line(  # noqa: PLR0917  (one line and what is known of it)
    t: Words, context: Context, line: PlanLine, row: PlanTicket, names: dict[UUID, str], now: datetime
) -> LineView:
    change = "none" if line.after is None else "same" if line.same else "new" if line.before is None else "moved"
    outdated = line.state is not LineState.ACCEPTED and line.version != row.version
    begun = line.after is not None and line.after.start <= now and line.state is LineState.OPEN
    why = t.pick(text("blocking", line.blocking)) if line.blocking else ""
    return LineView(
        no=line.no,
        ref=row.ref,
        icon=ICONS.get(row.kind, "plug"),
        title=case_title(t, context.catalogue, row.kind, row.family, row.fault),
        where=" · ".join(each for each in (row.household, row.area) if each),
        severity=row.severity,
        change=change,
        before=_slot(t, names, line.before_technician, line.before.start if line.before else None),
        after=_slot(t, names, line.after_technician, line.after.start if line.after else None),
        why=why,
        state="outdated" if outdated or begun else str(line.state),
    )


def _slot(t: Words, names: dict[UUID, str], who: UUID | None, start: datetime | None) -> str:
    if who is None or start is None:
        return ""
    name = names.get(who, t.plain("Technician"))
    when = t.plain("{day}, {window}", day=t.weekday(start), window=t.window(start, start + LENGTH))
    return t.plain("{name}: {when}", name=name, when=when)


def _words(t: Words, kind: str, line: str) -> tuple[str, str] | None:
    match kind:
        case "outdated":
            return (
                t.plain("Line {no} could not be accepted", no=line if line.isdigit() else "?"),
                t.plain(
                    "Its ticket or window has changed, or it swaps with another line. Nothing was saved: plan again."
                ),
            )
        case "nothing":
            return t.plain("There is nothing to accept"), t.plain("Every line was decided.")
        case _:
            return None


def _back(plan: UUID, problem: str = "", line: str = "") -> Response:
    values = {name: value for name, value in (("problem", problem), ("line", line)) if value}
    return RedirectResponse(f"/board/plans/{plan}" + ("?" + urlencode(values) if values else ""), 303)
