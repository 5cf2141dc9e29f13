"""The owner picks a time: three best windows, then every feasible one by day; a chosen one is held for ten minutes."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response

from api.auth import same_origin
from api.context import InTx, Tx
from api.pages.case import Case
from api.pages.door import InDoor, back, case_of, links
from api.pages.owner_told import told_of, until
from api.pages.render import render
from servicedesk.changing import change_until, check_change
from servicedesk.errors import DeskError, IllegalMoveError, WindowGoneError
from servicedesk.picking import held_pick, hold_pick, live_visit, pick, pickable
from servicedesk.states import PLANNABLE

router = APIRouter(prefix="/o", include_in_schema=False)


@router.get("/{token}/time")  # noqa: FAST003  (taken by the door)
def time_page(request: Request, door: InDoor, tx: InTx) -> Response:
    """Windows that are free now, and the one that is held."""
    case, t = case_of(door), door.words
    values, told = _values(tx, case), told_of(request, t)
    if told is not None and not (told[0] or values["best"] or values["days"]):
        told = (False, told[1], t("Nothing was booked."))
    return render(request, "owner_time.html", t, case=case, told=told, **values, **links(door))


@router.post("/{token}/time/hold", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def hold_time(door: InDoor, tx: InTx, start: Annotated[datetime, Form()]) -> Response:
    """Keep a window while the owner makes up their mind."""
    return _tried(door, tx, start, hold=True)


@router.post("/{token}/time", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def choose_time(door: InDoor, tx: InTx, start: Annotated[datetime, Form()]) -> Response:
    """The owner's own choice of a window, confirmed at once."""
    return _tried(door, tx, start, hold=False)


def _tried(door: InDoor, tx: Tx, start: datetime, *, hold: bool) -> Response:
    case = case_of(door)
    if start.tzinfo is None:
        return back(door, "/time", gone="window")
    try:
        with tx.conn.transaction():
            visit = live_visit(tx.office, case.ticket.id)
            if visit is not None:
                check_change(tx.office, visit.id, tx.now)
            if hold:
                hold_pick(tx.office, case.ticket.id, start, tx.now)
            else:
                pick(tx.office, case.ticket.id, start, tx.now)
    except WindowGoneError:
        return back(door, "/time", gone="window")
    except IllegalMoveError:
        return back(door, "/visit", gone="move")
    except DeskError:
        return back(door, "/time", gone="window")
    return back(door, "/time") if hold else back(door, "/access", done="moved")


def _values(tx: Tx, case: Case) -> dict[str, Any]:
    """For the template: whether there is anything to pick, what is held, the best windows, the days."""
    t, office = case.t, tx.office
    ticket = office.desk.tickets.get(case.ticket.id)
    visit = live_visit(office, ticket.id)
    closed, cut_off = ticket.state not in PLANNABLE and visit is None, ""
    if visit is not None:
        home = office.desk.people.household(ticket.household) if ticket.household is not None else None
        try:
            check_change(office, visit.id, tx.now)
        except IllegalMoveError:
            closed = True
            cut_off = until(case, change_until(visit, home)) if home is not None else ""
    found = None if closed else pickable(office, ticket.id, tx.now)
    held = None if closed else held_pick(office, ticket, tx.now)
    best = [offer.window for offer in found.best] if found else []
    windows = [offer.window for offer in found.all] if found else []
    rest = [each for each in windows if each not in best]
    days = [(t.long_day(day), list(each)) for day, each in groupby(rest, key=lambda w: t.local(w.start).date())]
    return {
        "closed": closed,
        "cut_off": cut_off,
        "held": held,
        "held_until": t.time(held.until) if held is not None else "",
        "best": [each for each in best if held is None or each != held.window],
        "days": days,
        "keeps": visit.state if visit is not None else "",
        "again": visit is not None or bool(case.visits),
    }
