"""What an owner decides beside the time: yes to a visit, words to us, a self-check, not a problem."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Response

from api.auth import same_origin
from api.context import InTx
from api.pages.door import InDoor, LinkError, back, case_of
from servicedesk.contact import say
from servicedesk.errors import DeskError, IllegalMoveError, WindowGoneError
from servicedesk.office import OWNER
from servicedesk.planning import confirm
from servicedesk.selfcheck import answer_step, withdraw
from servicedesk.states import TicketState
from servicedesk.visiting import move_ticket

router = APIRouter(prefix="/o", include_in_schema=False)


@router.post("/{token}/confirm", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def confirm_visit(door: InDoor, tx: InTx, visit: Annotated[UUID, Form()]) -> Response:
    """The owner's yes to the visit that was shown."""
    case = case_of(door)
    if visit not in {each.id for each in case.visits}:
        raise LinkError(expired=False)
    try:
        confirm(tx.office, visit, tx.now, OWNER)
    except (IllegalMoveError, WindowGoneError):
        return back(door, "/time", gone="visit")
    return back(door, "/visit", done="confirmed")


@router.post("/{token}/message", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def write_to_us(door: InDoor, tx: InTx, words: Annotated[str, Form(min_length=1, max_length=4000)]) -> Response:
    """The owner writes: it stands on the ticket, and the clock of the first human response runs."""
    say(tx.office, case_of(door).ticket.id, words, tx.now, channel="page")
    return back(door, "/visit", done="written")


@router.post("/{token}/self-check", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def self_check(door: InDoor, tx: InTx, step: Annotated[int, Form()], answer: Annotated[str, Form()]) -> Response:
    """The owner's answer to a step of the guide."""
    try:
        answer_step(tx.office, case_of(door).ticket.id, step, answer, tx.now, actor=OWNER)
    except DeskError:
        return back(door, "", gone="move")
    return back(door, "", done="self-check")


@router.post("/{token}/withdrawal", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def withdrawal(door: InDoor, tx: InTx) -> Response:
    """The one tap by which a visit that is not needed any more is withdrawn."""
    try:
        withdraw(tx.office, case_of(door).ticket.id, tx.now, OWNER)
    except DeskError:
        return back(door, "", gone="move")
    return back(door, "", done="withdrawn")


@router.post("/{token}/not-a-problem", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def not_a_problem(door: InDoor, tx: InTx, reason: Annotated[str, Form(min_length=1, max_length=200)]) -> Response:
    """The owner says that nothing is wrong: the ticket ends as a false alarm with their words."""
    case = case_of(door)
    try:
        move_ticket(tx.office, case.ticket.id, TicketState.FALSE_ALARM, tx.now, OWNER, reason=reason)
    except IllegalMoveError:
        return back(door, "", gone="move")
    return back(door, "", done="no-problem")
