"""An owner's link: what it opens, in which words; and the page of a link that opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from api.context import InContext, InTx, Tx
from api.i18n import LANGUAGES, Words, accepted, zone_of
from api.pages.case import Case, load_case
from api.pages.render import default_words, render
from servicedesk.model import NoticeState
from servicedesk.notices import seen
from servicedesk.states import TicketState
from storage.access import Role, TokenRow, find_token
from storage.read_desk import get_ticket, get_ticket_by_ref, list_tickets, visits_of
from storage.read_devices import get_finding
from storage.read_models import Scope

_UNSETTLED = [s for s in TicketState if s not in ("closed", "self_fixed", "false_alarm", "cancelled")]


class LinkError(Exception):
    """A link that opens nothing.

    Attributes:
        expired: it once did.
    """

    def __init__(self, *, expired: bool) -> None:
        super().__init__("expired" if expired else "unknown")
        self.expired = expired


@dataclass(slots=True)
class Door:
    """An opened link: its case, the words, and addresses that keep the chosen language and case.

    Attributes:
        household: whose own link it is; None for the link of a single case.
    """

    case: Case | None
    words: Words
    base: str
    q: str
    household: UUID | None = None


def open_door(token: str, request: Request, tx: InTx, context: InContext) -> Door:
    """What a link opens.

    Raises:
        LinkError: nothing.
    """
    row = valid_link(token, tx)
    scope = Scope(household=row.household, ticket=row.ticket)
    ticket = get_ticket(tx.conn, scope, row.ticket) if row.ticket else None
    wanted = request.query_params.get("case") if row.household is not None else None
    if wanted is not None:
        ticket = get_ticket_by_ref(tx.conn, scope, wanted)
        if ticket is None:
            raise LinkError(expired=False)
    elif row.household is not None:
        unsettled = list_tickets(tx.conn, scope, states=list(map(str, _UNSETTLED)), after=None, limit=1)
        ticket = unsettled[0] if unsettled else None
    chosen = chosen_language(request)
    q = query(case=wanted, lang=chosen)
    base = f"/o/{token}"
    if ticket is None:
        return Door(None, default_words(chosen or browser_language(request)), base, q, row.household)
    words = Words(chosen or ticket.lang, zone_of(ticket.tz))
    finding = get_finding(tx.conn, scope, ticket.finding) if ticket.finding else None
    case = load_case(tx, context.catalogue, ticket, finding, visits_of(tx.conn, scope, ticket.id), words)
    return Door(case, words, base, q, row.household)


def valid_link(token: str, tx: Tx) -> TokenRow:
    """What is stored of a link that opens something now.

    Raises:
        LinkError: it opens nothing.
    """
    row = find_token(tx.conn, token)
    if row is None or row.role != Role.OWNER:
        raise LinkError(expired=False)
    if not row.valid_at(wall=tx.wall, fleet=tx.now):
        raise LinkError(expired=True)
    return row


def chosen_language(request: Request) -> str | None:
    """The language that the address asks for, if it is one of ours."""
    asked = request.query_params.get("lang")
    return asked if asked in LANGUAGES else None


def query(**kept: str | None) -> str:
    """What every address behind a link carries on, with its question mark; empty without any."""
    known = {name: value for name, value in kept.items() if value is not None}
    return f"?{urlencode(known)}" if known else ""


InDoor = Annotated[Door, Depends(open_door)]


def link_page(request: Request, error: LinkError) -> Response:
    """A link that opens nothing says so, and what still holds."""
    t = default_words(browser_language(request))
    if error.expired:
        heading = t("This link is no longer in use")
        lead = t("The matter is settled, or you have a newer link. Nothing was cancelled by this.")
        say = t("The newest message from us holds the link that works.")
    else:
        heading, lead = (
            t("This link opens nothing"),
            t("Perhaps a part of it is missing. Copy it whole from the message."),
        )
        say = t("The message from us holds the whole link.")
    return render(
        request,
        "owner_none.html",
        t,
        410 if error.expired else 404,
        heading=heading,
        lead=lead,
        mark="info",
        mark_tone="is-plan",
        title=t("Open the link in the message"),
        say=say,
    )


def case_of(door: Door) -> Case:
    """The case behind a link.

    Raises:
        LinkError: the link has none any more.
    """
    if door.case is None:
        raise LinkError(expired=True)
    return door.case


def links(door: Door) -> dict[str, Any]:
    """What templates make addresses of, and the pages behind the link."""
    return {"base": door.base, "q": door.q, "nav": places(door.words, case=door.case is not None)}


def places(t: Words, *, case: bool) -> list[tuple[str, str]]:
    """Path and name of the pages behind a link, in the order in which they are shown.

    Args:
        t: in these words.
        case: whether the link has a case in hand.
    """
    of_case = [("", t.plain("Alert")), ("/visit", t.plain("Visit")), ("/report", t.plain("Report"))]
    of_home = [("/home", t.plain("Appliances")), ("/privacy", t.plain("Privacy"))]
    return [*(of_case if case else ()), *of_home]


def back(door: Door, path: str, **flags: str) -> RedirectResponse:
    """To a page behind the same link, in the same language, with what became of the choice."""
    return back_to(door.base, door.q, path, **flags)


def back_to(base: str, q: str, path: str, **flags: str) -> RedirectResponse:
    """To an address behind a link that carries on what is carried on."""
    kept = urlencode(dict(parse_qsl(q[1:])) | flags)
    return RedirectResponse(f"{base}{path}{'?' if kept else ''}{kept}", 303)


def browser_language(request: Request) -> str:
    """Asked for, else the browser's, else English."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        return str(asked)
    return accepted(request.headers.get("accept-language")) or "en"


def take_note(tx: Tx, case: Case) -> None:
    """An opened link shows that its notice arrived; it confirms nothing."""
    desk = tx.office.desk
    if any(each.state in (NoticeState.SENT, NoticeState.DELIVERED) for each in desk.notices.of_ticket(case.ticket.id)):
        seen(tx.office, desk.tickets.get(case.ticket.id), tx.now)
