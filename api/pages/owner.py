"""Owners' pages: the link is the key. Reading changes nothing but "opened"; every choice is a POST."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Response

from api.auth import same_origin
from api.context import InTx, Tx
from api.pages import owner_alert, owner_choices, owner_time, owner_visit
from api.pages.door import Door, InDoor, back, case_of
from servicedesk.door_code import door_code
from servicedesk.errors import DeskError, UnknownError
from servicedesk.office import OWNER
from servicedesk.quoting import approve_quote, decline_quote
from servicedesk.survey import rate

__all__ = ["door_code", "router"]
router = APIRouter()
for each in (owner_alert, owner_time, owner_visit, owner_choices):
    router.include_router(each.router)
answers = APIRouter(prefix="/o", include_in_schema=False)


@answers.post("/{token}/survey", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def survey(
    door: InDoor,
    tx: InTx,
    score: Annotated[int, Form(ge=1, le=5)],
    words: Annotated[str, Form(max_length=2000)] = "",
    follow_up: Annotated[str, Form()] = "",
) -> Response:
    """How the repair was, once."""
    try:
        rate(tx.office, case_of(door).ticket.id, score, tx.now, words=words, follow_up=bool(follow_up))
    except DeskError:
        return back(door, "", gone="move")
    return back(door, "", done="self-check")


@answers.post("/{token}/quote/approve", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def quote_approve(door: InDoor, tx: InTx, quote: Annotated[UUID, Form()]) -> Response:
    """The owner agrees to a price."""
    try:
        _own_quote(door, tx, quote)
        approve_quote(tx.office, quote, tx.now, OWNER)
    except DeskError:
        return back(door, "", gone="move")
    return back(door, "", done="approved")


@answers.post("/{token}/quote/decline", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def quote_decline(
    door: InDoor, tx: InTx, quote: Annotated[UUID, Form()], reason: Annotated[str, Form(min_length=1, max_length=500)]
) -> Response:
    """The owner does not agree to a price."""
    try:
        _own_quote(door, tx, quote)
        decline_quote(tx.office, quote, tx.now, OWNER, reason)
    except DeskError:
        return back(door, "", gone="move")
    return back(door, "", done="declined")


def _own_quote(door: Door, tx: Tx, quote: UUID) -> None:
    """Pass when a quote belongs to the case behind the link."""
    if tx.office.desk.quotes.ticket_of(quote) != case_of(door).ticket.id:
        raise UnknownError(f"there is no quote {quote}")


router.include_router(answers)
