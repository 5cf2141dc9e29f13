"""What a technician does on the phone: each is sent once, and may be sent long after it was done."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from api.auth import OnTheRoad, same_origin
from api.context import InContext, InTx
from api.pages.day_once import Sent, actor_of, once, own_visit, sent
from api.pages.day_words import DELAYS, NeedsCauseError
from api.pages.shell import staff_words
from api.problems import invalid
from servicedesk.errors import DeskError
from servicedesk.model import Outcome, OutcomeCode
from servicedesk.on_the_road import arrive, cannot_come, load_van, note_position, running_late, set_out, tick
from servicedesk.photos import add_photo
from servicedesk.states import VisitState
from servicedesk.travel import Place
from servicedesk.visiting import finish

router = APIRouter(prefix="/day", include_in_schema=False, dependencies=[Depends(same_origin)])
InSent = Annotated[Sent, Depends(sent)]
_MOST_NOTE = 2000


@router.post("/van")
def van(request: Request, person: OnTheRoad, tx: InTx, form: InSent, visits: Annotated[list[UUID], Form()]) -> Response:
    """Everything for these visits is in the van."""
    rows = [own_visit(tx, person, each) for each in visits]

    def act(at: datetime) -> str:
        for each in visits:
            load_van(tx.office, each, at, actor_of(person))
        return "loaded"

    words = staff_words(request, person)
    return once(request, tx, person, words, form, rows, act, fields={"visits": visits}, back="/day")


@router.post("/visits/{visit}/go")
def go(  # noqa: PLR0917  (named by FastAPI)
    request: Request, visit: UUID, person: OnTheRoad, tx: InTx, form: InSent, to: Annotated[str, Form()]
) -> Response:
    """Set out, or arrive."""
    row = own_visit(tx, person, visit)
    if to not in (VisitState.TRAVELLING, VisitState.ON_SITE):
        raise invalid(f"{to!r} is not a step of the way", "#/to", allowed=["travelling", "on_site"])

    def act(at: datetime) -> str:
        step = set_out if to == VisitState.TRAVELLING else arrive
        step(tx.office, visit, at, actor_of(person))
        return to

    return once(
        request, tx, person, staff_words(request, person), form, [row], act, fields={"to": to}, back=_page(visit)
    )


@router.post("/visits/{visit}/late")
def late(  # noqa: PLR0917  (named by FastAPI)
    request: Request, visit: UUID, person: OnTheRoad, tx: InTx, form: InSent, minutes: Annotated[int, Form()]
) -> Response:
    """So many minutes after the window's beginning, or after now: the household is told."""
    row = own_visit(tx, person, visit)
    if minutes not in DELAYS:
        raise invalid(f"{minutes} is not one of the delays", "#/minutes", allowed=list(DELAYS))

    def act(at: datetime) -> str:
        expected = max(at, row.start) + timedelta(minutes=minutes)
        running_late(tx.office, visit, expected, at, actor_of(person))
        return "late"

    words = staff_words(request, person)
    return once(request, tx, person, words, form, [row], act, fields={"minutes": minutes}, back=_page(visit))


@router.post("/visits/{visit}/cannot")
def cannot(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    visit: UUID,
    person: OnTheRoad,
    tx: InTx,
    form: InSent,
    reason: Annotated[str, Form(max_length=200)] = "",
    words: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """The visit cannot be made, or nobody opens: dispatch takes over."""
    row = own_visit(tx, person, visit)
    why = ": ".join(each.strip() for each in (reason, words) if each.strip())

    def act(at: datetime) -> str:
        cannot_come(tx.office, visit, why, at, actor_of(person))
        return "missed"

    t = staff_words(request, person)
    return once(request, tx, person, t, form, [row], act, fields={"why": why}, back=_page(visit))


@router.post("/visits/{visit}/steps")
def steps(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    visit: UUID,
    person: OnTheRoad,
    tx: InTx,
    form: InSent,
    listed: Annotated[list[str], Form()],
    done: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Steps of the list as they are ticked now: of those that were listed, the ones that are done."""
    row = own_visit(tx, person, visit)
    ticked = set(done or ())

    def act(at: datetime) -> str:
        before = {each.step for each in tx.office.desk.day.ticks(visit) if each.done}
        for step in listed:
            if (step in before) != (step in ticked):
                tick(tx.office, visit, step, at, actor_of(person), done=step in ticked)
        return "ticked"

    fields = {"listed": listed, "done": sorted(ticked)}
    return once(request, tx, person, staff_words(request, person), form, [row], act, fields=fields, back=_page(visit))


@router.post("/visits/{visit}/photos")
def photos(  # noqa: PLR0917  (named by FastAPI)
    request: Request, visit: UUID, person: OnTheRoad, tx: InTx, form: InSent, photo: Annotated[UploadFile, File()]
) -> Response:
    """A photo for the ticket."""
    row = own_visit(tx, person, visit)
    content = photo.file.read()

    def act(at: datetime) -> str:
        add_photo(tx.office, row.ticket, content, at, actor_of(person))
        return "photo"

    fields = {"photo": hashlib.sha256(content).hexdigest()}
    return once(request, tx, person, staff_words(request, person), form, [row], act, fields=fields, back=_page(visit))


@router.post("/visits/{visit}/outcome")
def outcome(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    visit: UUID,
    person: OnTheRoad,
    tx: InTx,
    context: InContext,
    form: InSent,
    code: Annotated[OutcomeCode, Form()],
    cause: Annotated[str, Form(max_length=64)] = "",
    note: Annotated[str, Form(max_length=_MOST_NOTE)] = "",
    charged: Annotated[str, Form(max_length=12)] = "",
    fitted: Annotated[list[str] | None, Form()] = None,
    sku: Annotated[list[str] | None, Form()] = None,
    serial: Annotated[list[str] | None, Form()] = None,
    replaced: Annotated[list[str] | None, Form()] = None,
    extra: Annotated[str, Form(max_length=64)] = "",
    extra_serial: Annotated[str, Form(max_length=64)] = "",
    extra_replaced: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """What was found and done; the visit is over. `sku`, `serial` and `replaced` belong together line by line."""
    row = own_visit(tx, person, visit)
    kind = context.catalogue.kinds.get(row.kind)
    if cause and (kind is None or cause not in kind.faults):
        raise invalid(f"{cause!r} is not a fault of a {row.kind}", "#/cause")
    used = tuple(dict.fromkeys(each for each in (*(fitted or ()), extra) if each))
    if unknown := set(used) - set(context.catalogue.skus()):
        raise invalid(f"{', '.join(sorted(unknown))} is no part of the catalogue", "#/fitted")
    repaired = code is OutcomeCode.REPAIRED
    told = [*zip(sku or (), serial or (), replaced or (), strict=False), (extra, extra_serial, extra_replaced)]
    lines = [each for each in told if each[0] in used]
    asked = _sum(charged)
    given: dict[str, Any] = {
        "code": code,
        "cause": cause,
        "note": note,
        "charged": charged,
        "fitted": used,
        "lines": lines,
    }

    def act(at: datetime) -> str:
        if repaired and not cause:
            raise NeedsCauseError("a repair names the cause that was found")
        finish(
            tx.office,
            Outcome(
                visit=visit,
                code=code,
                at=at,
                actor=actor_of(person),
                cause=cause or None if repaired else None,
                parts=used if repaired else (),
                note=note.strip(),
                charged=asked if repaired else None,
                fitted=tuple((a, b.strip(), c.strip()) for a, b, c in lines if b.strip() or c.strip())
                if repaired
                else (),
            ),
        )
        return "outcome"

    t = staff_words(request, person)
    return once(request, tx, person, t, form, [row], act, fields=given, back=_page(visit), again="/outcome")


@router.post("/visits/{visit}/position")
def position(
    visit: UUID,
    person: OnTheRoad,
    tx: InTx,
    _: InSent,
    lat: Annotated[float, Form(ge=-90, le=90)],
    lon: Annotated[float, Form(ge=-180, le=180)],
) -> Response:
    """Where the phone is, while travelling; afterwards it is not taken."""
    own_visit(tx, person, visit)
    try:
        note_position(tx.office, visit, Place(lat, lon), tx.now)
    except DeskError:
        return JSONResponse({"kept": False}, 409, headers={"Cache-Control": "no-store"})
    return JSONResponse({"kept": True}, headers={"Cache-Control": "no-store"})


def _page(visit: UUID) -> str:
    return f"/day/visits/{visit}"


def _sum(text: str) -> Decimal | None:
    """A sum as it was typed, or None.

    Raises:
        ProblemError: 422, it is no sum.
    """
    plain = text.strip().replace(",", "").replace("¥", "")
    if not plain:
        return None
    if not plain.replace(".", "", 1).isdecimal():
        raise invalid("a sum is written in digits", "#/charged")
    return Decimal(plain)
