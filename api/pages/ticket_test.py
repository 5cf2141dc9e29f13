"""The button by which the desk asks an appliance to test itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import TicketPerson, check_csrf, staff_scope
from api.context import InTx
from api.pages.shell import actor_of
from api.problems import not_found
from servicedesk.self_tests import NoSelfTestError, ask_self_test
from storage.read_desk import get_ticket_by_ref

router = APIRouter(include_in_schema=False)


@router.post("/tickets/{ref}/self-tests")
def ask_for_self_test(
    request: Request, ref: str, person: TicketPerson, tx: InTx, csrf: Annotated[str, Form()] = ""
) -> Response:
    """Ask; why it cannot be asked stands on the page."""
    check_csrf(request, csrf)
    row = get_ticket_by_ref(tx.conn, staff_scope(person), ref)
    if row is None:
        raise not_found("ticket")
    try:
        ask_self_test(tx.office, row.id, tx.now, actor_of(person))
    except NoSelfTestError:
        return RedirectResponse(f"/tickets/{ref}?problem=refused", 303)
    return RedirectResponse(f"/tickets/{ref}", 303)
