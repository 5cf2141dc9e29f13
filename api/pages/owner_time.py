"""The owner picks a time: the three best windows, then every feasible one by day."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from api.auth import same_origin
from api.context import InTx, Tx
from api.pages.door import Door, InDoor, back, case_of, links
from api.pages.owner_told import told_of
from api.pages.render import render
from servicedesk.errors import DeskError, IllegalMoveError
from servicedesk.office import OWNER
from servicedesk.planning import alternatives, take_window

router = APIRouter(prefix="/o", include_in_schema=False)


@router.get("/{token}/time")  # noqa: FAST003  (taken by the door)
def time_page(request: Request, door: InDoor, tx: InTx) -> Response:
    """Other windows: the three best, then every feasible one by day."""
    return _time_page(request, door, tx, told_of(request, door.words))


@router.post("/{token}/time", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def choose_time(door: InDoor, tx: InTx, start: Annotated[datetime, Form()]) -> Response:
    """The owner's own choice of a window, confirmed at once."""
    case = case_of(door)
    if case.visit is None or start.tzinfo is None:
        return back(door, "/time", gone="window")
    try:
        with tx.conn.transaction():
            take_window(tx.office, case.visit.id, start, tx.now, OWNER)
    except IllegalMoveError:
        return back(door, "/visit", gone="move")
    except DeskError:
        return back(door, "/time", gone="window")
    return back(door, "/visit", done="moved")


def _time_page(request: Request, door: Door, tx: Tx, told: tuple[bool, str, str] | None) -> Response:
    case, t = case_of(door), door.words
    visit = case.visit
    found = alternatives(tx.office, visit.id, tx.now) if visit is not None else None
    windows = [offer.window for offer in found.all] if found else []
    best = [offer.window for offer in found.best] if found else []
    rest = [w for w in windows if w not in best]
    days = [(t.long_day(day), list(each)) for day, each in groupby(rest, key=lambda w: t.local(w.start).date())]
    return render(request, "owner_time.html", t, case=case, best=best, days=days, told=told, **links(door))
