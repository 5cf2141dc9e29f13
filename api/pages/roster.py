"""Who is on call, which messages are kept back, and mails that belong to no ticket."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import DeskPerson, TicketPerson, check_csrf, staff_scope
from api.context import InContext, InTx
from api.i18n import Words
from api.pages.shell import actor_of, staff_page, staff_words
from api.pages.timeline import Known, actor_name
from api.pages.wall import desk_zone
from api.problems import not_found
from api.reads import note_read
from servicedesk.errors import ConflictError
from servicedesk.level_rows import OnCall, Silence, SilenceKind
from storage.read_desk import get_ticket_by_ref
from storage.read_people import staff_names
from storage.read_wall import orgs_of, roster_rows

router = APIRouter(include_in_schema=False)
_LOCAL = "%Y-%m-%dT%H:%M"


@router.get("/roster")
def roster(request: Request, person: DeskPerson, tx: InTx, context: InContext, wrong: str = "") -> Response:
    """Who is on call now and later, and which messages are kept back."""
    scope = staff_scope(person)
    words = staff_words(request, person, desk_zone(tx, person))
    rows, names = roster_rows(tx.conn, scope, tx.now), staff_names(tx.conn)
    silences = tx.office.desk.levels.reach.silences(scope.org, tx.now)
    kept = {each.id: len(tx.office.desk.levels.reach.suppressions(each.id)) for each in silences}
    return staff_page(
        request,
        context,
        person,
        "roster.html",
        words,
        now=tx.now,
        rows=rows,
        orgs=orgs_of(tx.conn, scope),
        first=words.local(tx.now).strftime(_LOCAL),
        silences=[
            (each, _about(words, each), kept[each.id], actor_name(words, each.made_by, Known(staff=names)))
            for each in silences
        ],
        after=words.span(tx.office.levels.oncall_after),
        severities=sorted(tx.office.levels.oncall_severities),
        wrong={
            "twice": words.plain("That person is on this step at that time already."),
            "order": words.plain("It ends before it begins."),
            "end": words.plain("Only a mute has no end."),
            "org": words.plain("That organisation is not one of yours."),
        }.get(wrong, ""),
    )


@router.post("/roster")
def roster_new(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: TicketPerson,
    tx: InTx,
    org: Annotated[str, Form(max_length=64)],
    name: Annotated[str, Form(min_length=1, max_length=100)],
    address: Annotated[str, Form(min_length=3, max_length=1000)],
    start: Annotated[str, Form(max_length=30)],
    until: Annotated[str, Form(max_length=30)],
    step: Annotated[int, Form(ge=1, le=20)] = 1,
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Enter a person on the roster."""
    check_csrf(request, csrf)
    words = staff_words(request, person, desk_zone(tx, person))
    begin, end = local_moment(words, start), local_moment(words, until)
    if org not in orgs_of(tx.conn, staff_scope(person)):
        return RedirectResponse("/roster?wrong=org", 303)
    if begin is None or end is None or end <= begin:
        return RedirectResponse("/roster?wrong=order", 303)
    row = OnCall(id=tx.office.new_id(), org=org, step=step, name=name, address=address, start=begin, until=end)
    try:
        tx.office.desk.levels.calls.add_oncall(row)
    except ConflictError:
        return RedirectResponse("/roster?wrong=twice", 303)
    return RedirectResponse("/roster", 303)


@router.post("/roster/end")
def roster_end(
    request: Request, person: TicketPerson, tx: InTx, row: Annotated[UUID, Form()], csrf: Annotated[str, Form()] = ""
) -> Response:
    """Take a person off the roster from now on."""
    check_csrf(request, csrf)
    if row not in {each.id for each in roster_rows(tx.conn, staff_scope(person), tx.now)}:
        raise not_found("roster entry")
    tx.office.desk.levels.calls.drop_oncall(row, tx.now)
    return RedirectResponse("/roster", 303)


@router.post("/silences")
def silence_new(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: TicketPerson,
    tx: InTx,
    kind: Annotated[str, Form()],
    reason: Annotated[str, Form(min_length=1, max_length=500)],
    org: Annotated[str, Form(max_length=64)] = "",
    ref: Annotated[str, Form(max_length=40)] = "",
    until: Annotated[str, Form(max_length=30)] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Keep messages back, of a ticket or of a whole organisation; never those about safety."""
    check_csrf(request, csrf)
    words = staff_words(request, person, desk_zone(tx, person))
    scope, end = staff_scope(person), local_moment(words, until)
    ticket = get_ticket_by_ref(tx.conn, scope, ref.strip().upper()) if ref.strip() else None
    if ref.strip() and ticket is None:
        raise not_found("ticket")
    whose = ticket.org if ticket is not None else org
    if whose not in orgs_of(tx.conn, scope):
        return RedirectResponse("/roster?wrong=org", 303)
    chosen = SilenceKind(kind) if kind in set(SilenceKind) else SilenceKind.SNOOZE
    if end is None and chosen is not SilenceKind.MUTE:
        return RedirectResponse("/roster?wrong=end", 303)
    if end is not None and end <= tx.now:
        return RedirectResponse("/roster?wrong=order", 303)
    row = Silence(
        id=tx.office.new_id(),
        org=whose,
        kind=chosen,
        start=tx.now,
        until=end,
        made_by=actor_of(person),
        reason=reason,
        ticket=ticket.id if ticket is not None else None,
    )
    tx.office.desk.levels.reach.silence(row)
    return RedirectResponse("/roster#silences", 303)


@router.post("/silences/end")
def silence_end(
    request: Request,
    person: TicketPerson,
    tx: InTx,
    silence: Annotated[UUID, Form()],
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """End a silence now: what waits for it goes out."""
    check_csrf(request, csrf)
    reach = tx.office.desk.levels.reach
    if silence not in {each.id for each in reach.silences(staff_scope(person).org, tx.now)}:
        raise not_found("silence")
    reach.end_silence(silence, tx.now)
    return RedirectResponse("/roster#silences", 303)


@router.get("/mails")
def mails(request: Request, person: TicketPerson, tx: InTx, context: InContext) -> Response:
    """Mails that belong to no ticket we know: a person looks at them."""
    note_read(tx, person, "unmatched mails")
    words = staff_words(request, person, desk_zone(tx, person))
    rows = tx.office.desk.levels.calls.unmatched(100) if person.org is None else []
    return staff_page(request, context, person, "mails.html", words, rows=rows)


def _about(t: Words, silence: Silence) -> str:
    if silence.ticket is not None:
        return t.plain("one ticket")
    if silence.household is not None:
        return t.plain("one household")
    return silence.org if silence.device is None else t.plain("one appliance")


def local_moment(t: Words, said: str) -> datetime | None:
    """A local time of a form, in this page's zone; None when it is none."""
    try:
        return datetime.strptime(said, _LOCAL).replace(tzinfo=t.zone).astimezone(UTC)
    except ValueError:
        return None
