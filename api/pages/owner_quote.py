"""A quote, line by line: what the warranty pays, until when it holds, yes or no with a reason, and how far it got."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response

from api.auth import same_origin
from api.context import InTx, Tx
from api.i18n import Words
from api.pages.case import Case
from api.pages.door import Door, InDoor, LinkError, back, case_of, links, take_note
from api.pages.prices import money, priced, receipt
from api.pages.render import render
from servicedesk.covering import appeal, verdict_on
from servicedesk.errors import DeskError, UnknownError
from servicedesk.money_rows import CoverDecision, CoverStep, Quote
from servicedesk.office import OWNER
from servicedesk.quoting import OPEN, approve_quote, decline_quote, follow_quote
from servicedesk.renewing import renew_quote, told_quotes
from servicedesk.warranty import Cover, table

router = APIRouter(prefix="/o", include_in_schema=False)
Words500 = Annotated[str, Form(min_length=1, max_length=500)]


@router.get("/{token}/quote")  # noqa: FAST003  (taken by the door)
def quote_page(request: Request, door: InDoor, tx: InTx) -> Response:
    """The newest quote of the case."""
    return _page(request, door, tx, None)


@router.get("/{token}/quotes/{quote}")  # noqa: FAST003  (taken by the door)
def one_quote_page(request: Request, door: InDoor, tx: InTx, quote: UUID) -> Response:
    """An earlier quote."""
    return _page(request, door, tx, quote)


@router.post("/{token}/quote/approve", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def quote_approve(door: InDoor, tx: InTx, quote: Annotated[UUID, Form()]) -> Response:
    """The owner agrees to a price."""
    try:
        _own(door, tx, quote)
        approve_quote(tx.office, quote, tx.now, OWNER)
    except DeskError:
        return back(door, "/quote", gone="move")
    return back(door, "/quote", done="approved")


@router.post("/{token}/quote/decline", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def quote_decline(door: InDoor, tx: InTx, quote: Annotated[UUID, Form()], reason: Words500) -> Response:
    """The owner does not agree to a price."""
    try:
        _own(door, tx, quote)
        decline_quote(tx.office, quote, tx.now, OWNER, reason)
    except DeskError:
        return back(door, "/quote", gone="move")
    return back(door, "/quote", done="declined")


@router.post("/{token}/quote/renew", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def quote_renew(door: InDoor, tx: InTx, quote: Annotated[UUID, Form()]) -> Response:
    """The owner asks for a quote that ran out to be made anew."""
    try:
        _own(door, tx, quote)
        renew_quote(tx.office, quote, tx.now, OWNER)
    except DeskError:
        return back(door, "/quote", gone="move")
    return back(door, "/quote", done="renewed")


@router.post("/{token}/quote/appeal", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def warranty_appeal(door: InDoor, tx: InTx, words: Annotated[str, Form(min_length=1, max_length=2000)]) -> Response:
    """The owner does not agree with what was said of the warranty: another person looks at it."""
    try:
        appeal(tx.office, case_of(door).ticket.id, words, tx.now)
    except DeskError:
        return back(door, "/quote", gone="move")
    return back(door, "/quote", done="appealed")


def _own(door: Door, tx: Tx, quote: UUID) -> None:
    """Pass when a quote belongs to the case behind the link."""
    if tx.office.desk.quotes.ticket_of(quote) != case_of(door).ticket.id:
        raise UnknownError(f"there is no quote {quote}")


def _page(request: Request, door: Door, tx: Tx, wanted: UUID | None) -> Response:
    case, t = case_of(door), door.words
    take_note(tx, case)
    known = told_quotes(tx.office, case.ticket.id)
    if wanted is not None and wanted not in {each.id for each in known}:
        raise LinkError(expired=False)
    found = next((each for each in known if each.id == wanted), known[-1] if known else None)
    if found is not None:
        found = follow_quote(tx.office, found.id, tx.now)
    return render(
        request,
        "owner_quote.html",
        t,
        case=case,
        told=_told(request, t),
        quote=None if found is None else _values(tx, case, found, newest=found.id == known[-1].id),
        earlier=[
            (each.id, t.day(each.made), money(t, each.total, each.currency))
            for each in reversed(known)
            if found is not None and each.id != found.id
        ],
        warranty=_warranty(tx, case),
        cost=case.cost,
        visit=case.visit,
        **links(door),
    )


def _values(tx: Tx, case: Case, quote: Quote, *, newest: bool) -> dict[str, Any]:
    t = case.t
    notice = tx.office.desk.notices.get(quote.notice) if quote.notice is not None else None
    mood = "open" if quote.state in OPEN else str(quote.state)
    return priced(case, quote) | {
        "id": quote.id,
        "mood": mood,
        "newest": newest,
        "until": t.day(quote.valid_until),
        "until_exact": t.stamp(quote.valid_until),
        "made": t.day(quote.made),
        "decided": t.stamp(quote.decided) if quote.decided is not None else "",
        "reason": quote.reason or "",
        "receipt": receipt(t, quote, notice),
    }


def _warranty(tx: Tx, case: Case) -> dict[str, Any]:
    """What the warranty says now, why, and how far a decision of ours and its appeal are."""
    t, desk = case.t, tx.office.desk
    verdict = verdict_on(tx.office, desk.tickets.get(case.ticket.id), tx.now)
    words = {
        Cover.COVERED: t("The warranty pays"),
        Cover.SHARED: t("The warranty pays a part"),
        Cover.EXPIRED: t("The warranty has ended"),
        Cover.DENIED: t("Not covered by the warranty"),
        Cover.UNPROVEN: t("Not decided yet"),
    }
    decision = next(iter(reversed(desk.money.covers.of_ticket(case.ticket.id))), None)
    codes = table().evidence
    return {
        "word": words[verdict.cover],
        "cover": str(verdict.cover),
        "reason": t.pick(verdict.reason),
        "until": t.year_day(case.ticket.warranty_until) if case.ticket.warranty_until else "",
        "ended": verdict.cover in (Cover.EXPIRED, Cover.SHARED),
        "percent": t.percent(float(verdict.share)) if verdict.cover is Cover.SHARED else "",
        "evidence": [t.pick(codes[code]) for code in verdict.evidence if code in codes],
        "appeal": None if decision is None else _appeal(t, decision),
    }


def _appeal(t: Words, decision: CoverDecision) -> dict[str, Any]:
    return {
        "open": decision.step is CoverStep.DECIDED,
        "step": str(decision.step),
        "day": t.day(decision.at),
        "due": t.day(decision.due) if decision.due is not None else "",
        "settled": t.day(decision.settled) if decision.settled is not None else "",
        "reason": decision.reason or "",
    }


def _told(request: Request, t: Words) -> tuple[bool, str, str] | None:
    """What became of the last choice."""
    if request.query_params.get("gone") is not None:
        return False, t("That is no longer possible"), t("Nothing was changed. This is how things stand.")
    return {
        "approved": (True, t("Quote approved"), t("Nothing above this is charged without your consent.")),
        "declined": (True, t("Quote declined"), t("Nothing is charged. A person from service calls you.")),
        "renewed": (
            True,
            t("Here is a fresh quote"),
            t("It is reckoned at today's prices. The old one no longer holds."),
        ),
        "appealed": (True, t("We look at it again"), t("Somebody else than before answers within five days.")),
    }.get(request.query_params.get("done") or "")
