"""What an owner decides beside the time: yes or no to a visit, words to us, call me, a self-check, not a problem."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Response

from api.auth import same_origin
from api.context import InTx
from api.pages.door import InDoor, LinkError, back, case_of
from servicedesk.access import answers_of
from servicedesk.changing import cancel
from servicedesk.contact import say
from servicedesk.errors import DeskError, IllegalMoveError, WindowGoneError
from servicedesk.office import OWNER
from servicedesk.owner_says import call_me, not_a_problem, unplugged
from servicedesk.planning import confirm
from servicedesk.selfcheck import answer_step, withdraw

router = APIRouter(prefix="/o", include_in_schema=False)


@router.post("/{token}/confirm", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def confirm_visit(door: InDoor, tx: InTx, visit: Annotated[UUID, Form()]) -> Response:
    """The owner's yes to the visit that was shown; then how to get in, unless that was said before."""
    case = case_of(door)
    if visit not in {each.id for each in case.visits}:
        raise LinkError(expired=False)
    try:
        confirmed = confirm(tx.office, visit, tx.now, OWNER)
    except (IllegalMoveError, WindowGoneError):
        return back(door, "/time", gone="visit")
    asked = not answers_of(tx.office, confirmed).given
    return back(door, "/access" if asked else "/visit", done="confirmed")


@router.post("/{token}/cancel", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def cancel_visit(
    door: InDoor, tx: InTx, visit: Annotated[UUID, Form()], reason: Annotated[str, Form(min_length=1, max_length=500)]
) -> Response:
    """The owner's no, with a reason."""
    if visit not in {each.id for each in case_of(door).visits}:
        raise LinkError(expired=False)
    try:
        cancel(tx.office, visit, reason, tx.now)
    except DeskError:
        return back(door, "/visit", gone="move")
    return back(door, "/visit", done="cancelled")


@router.post("/{token}/message", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def write_to_us(door: InDoor, tx: InTx, words: Annotated[str, Form(min_length=1, max_length=4000)]) -> Response:
    """The owner writes: it stands on the ticket, and the clock of the first human response runs."""
    say(tx.office, case_of(door).ticket.id, words, tx.now, channel="page")
    return back(door, "/visit", done="written")


@router.post("/{token}/call-me", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def ask_for_a_call(door: InDoor, tx: InTx) -> Response:
    """The owner wants to talk to a person: a call task."""
    call_me(tx.office, case_of(door).ticket.id, tx.now)
    return back(door, "/visit", done="called")


@router.post("/{token}/unplugged", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def it_is_unplugged(door: InDoor, tx: InTx) -> Response:
    """The owner has switched the appliance off."""
    unplugged(tx.office, case_of(door).ticket.id, tx.now)
    return back(door, "", done="unplugged")


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
def nothing_is_wrong(door: InDoor, tx: InTx, reason: Annotated[str, Form(min_length=1, max_length=200)]) -> Response:
    """The owner says that nothing is wrong: the ticket ends as a false alarm with their words."""
    try:
        not_a_problem(tx.office, case_of(door).ticket.id, reason, tx.now)
    except IllegalMoveError:
        return back(door, "", gone="move")
    return back(door, "", done="no-problem")
