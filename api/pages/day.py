"""A technician's pages: the day, one visit, its outcome; and what lets them work without a connection."""

from __future__ import annotations

import json
from datetime import date, timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.auth import OnTheRoad, csrf_token, staff_scope
from api.context import InContext, InTx, Tx
from api.i18n import Words, zone_of
from api.pages.day_once import own_visit
from api.pages.day_view import outcome_values, stops_of, van_of, visit_values
from api.pages.day_words import outcome_words, reasons, told
from api.pages.render import PAGE_HEADERS, asset, render
from api.pages.shell import remember, staff_words
from api.problems import not_found
from api.reads import note_read
from storage.access import StaffRow
from storage.read_day import OnTheRoadRow, who_is

router = APIRouter(include_in_schema=False)
SHELL = ("tokens.css", "base.css", "owner.css", "day.css", "day-queue.js", "day.js", "logo.svg")
"""What the pages need beside themselves; the phone keeps it."""
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def who_of(tx: Tx, person: StaffRow) -> OnTheRoadRow:
    """The technician who a person is.

    Raises:
        ProblemError: 404, there is no active one.
    """
    found = who_is(tx.conn, str(person.technician), person.org)
    if found is None:
        raise not_found("technician")
    return found


@router.get("/day")
def today(request: Request, person: OnTheRoad, tx: InTx, context: InContext) -> Response:
    """Today's visits, in order, with the one next thing to do."""
    who = who_of(tx, person)
    return _day(request, person, tx, context, who, tx.now.astimezone(zone_of(who.tz)).date())


@router.get("/day/session")
def session(request: Request, person: OnTheRoad) -> Response:
    """Who is logged in, and what a form needs now: asked by a phone before it sends what it kept."""
    return JSONResponse({"person": str(person.id), "csrf": csrf_token(request)}, headers=_NO_STORE)


@router.get("/day-sw.js")
def worker() -> Response:
    """The script that keeps the day's pages on the phone; another version of any file makes another version of it."""
    shell = [asset(name) for name in SHELL]
    head = f"const SHELL = {json.dumps(shell)};\n"
    body = files("api").joinpath("static", "day-sw.js").read_text(encoding="utf-8")
    headers = {**PAGE_HEADERS, "Cache-Control": "no-cache"}
    return Response(head + body, media_type="text/javascript; charset=utf-8", headers=headers)


@router.get("/day.webmanifest")
def manifest() -> Response:
    """What a phone needs to put the day on its first screen."""
    body = {
        "name": "Wellkept",
        "short_name": "Wellkept",
        "start_url": "/day",
        "scope": "/day",
        "display": "standalone",
        "icons": [{"src": asset("logo.svg"), "type": "image/svg+xml", "sizes": "any"}],
    }
    return Response(json.dumps(body), media_type="application/manifest+json", headers={"Cache-Control": "no-cache"})


@router.get("/day/{day}")
def another_day(request: Request, day: date, person: OnTheRoad, tx: InTx, context: InContext) -> Response:
    """The visits of another day."""
    if not _FIRST <= day <= _LAST:
        raise not_found("day")
    return _day(request, person, tx, context, who_of(tx, person), day)


@router.get("/day/visits/{visit}")
def visit_page(request: Request, visit: UUID, person: OnTheRoad, tx: InTx, context: InContext) -> Response:
    """One visit: how to get there, what is known, the list, photos."""
    row = own_visit(tx, person, visit)
    note_read(tx, person, f"visit {visit}", row.household)
    t = staff_words(request, person, row.tz)
    values = visit_values(tx, context, t, row)
    return _page(request, person, "day_visit.html", t, reasons=reasons(t), **values)


@router.get("/day/visits/{visit}/outcome")
def outcome_page(request: Request, visit: UUID, person: OnTheRoad, tx: InTx, context: InContext) -> Response:
    """The form by which a visit ends."""
    row = own_visit(tx, person, visit)
    note_read(tx, person, f"visit {visit}", row.household)
    t = staff_words(request, person, row.tz)
    values = visit_values(tx, context, t, row) | outcome_values(tx, context, t, row)
    return _page(request, person, "day_outcome.html", t, codes=outcome_words(t), **values)


@router.get("/day/visits/{visit}/photos/{photo}")
def photo(visit: UUID, photo: UUID, person: OnTheRoad, tx: InTx) -> Response:
    """A picture of the visit's ticket."""
    row = own_visit(tx, person, visit)
    if photo not in {each.id for each in tx.office.desk.care.help.photos(row.ticket)}:
        raise not_found("photo")
    note_read(tx, person, f"photo {photo}", row.household)
    found = tx.office.desk.care.help.photo(photo)
    headers = {**_NO_STORE, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(bytes(found.content), media_type=found.media, headers=headers)


def _day(  # noqa: PLR0917  (all of them are the page)
    request: Request, person: StaffRow, tx: Tx, context: InContext, who: OnTheRoadRow, day: date
) -> Response:
    t = staff_words(request, person, who.tz)
    stops = stops_of(tx, context, t, staff_scope(person), who, day)
    for household in {stop.row.household for stop in stops}:
        note_read(tx, person, f"day {day}", household)
    real_today = t.local(tx.now).date()
    step = timedelta(days=1)
    return _page(
        request,
        person,
        "day.html",
        t,
        stops=stops,
        next=next((stop for stop in stops if stop.live), None),
        van=van_of(stops),
        day=day,
        today=real_today,
        before=None if day <= real_today - timedelta(days=7) else day - step,
        after=day + step,
    )


def _page(request: Request, person: StaffRow, template: str, t: Words, **values: Any) -> Response:  # noqa: ANN401  (templates take anything)
    """A page that may keep itself on the phone and ask where the phone is."""
    more: dict[str, Any] = {
        "person": person,
        "csrf": csrf_token(request),
        "key": uuid4,
        "told": told(t, request.query_params),
    }
    response = render(request, template, t, **(more | values))
    response.headers["Content-Security-Policy"] += "; worker-src 'self'; manifest-src 'self'"
    response.headers["Permissions-Policy"] = "camera=(self), geolocation=(self), microphone=()"
    return remember(request, response)
