"""The visit for a calendar (RFC 5545): one entry that stays the same when the visit moves."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.context import InTx
from api.pages.door import InDoor, LinkError, back, case_of
from api.pages.owner_scene import newest
from api.pages.owner_told import in_wechat
from servicedesk.invite import calendar_file
from servicedesk.states import VISIT_LIVE

router = APIRouter(prefix="/o", include_in_schema=False)


@router.get("/{token}/visit.ics")  # noqa: FAST003  (taken by the door)
def calendar(request: Request, door: InDoor, tx: InTx) -> Response:
    """The calendar file; inside WeChat, which cannot take files, the page that says what to do instead."""
    case = case_of(door)
    ahead = case.visit is not None and case.visit.state in VISIT_LIVE
    row = case.visit if ahead else newest(case)
    if row is None or case.ticket.household is None:
        raise LinkError(expired=False)
    if in_wechat(request):
        return back(door, "/visit")
    desk = tx.office.desk
    household = desk.people.household(case.ticket.household)
    technician = next((p for p in desk.people.technicians(case.ticket.org) if p.id == row.technician), None)
    if household is None or technician is None:
        raise LinkError(expired=False)
    visit, ticket = desk.visits.get(row.id), desk.tickets.get(case.ticket.id)
    content = calendar_file(visit, ticket, household, technician, appliance=case.appliance, now=tx.now)
    name = f"{case.ticket.ref}.ics"
    return Response(
        content,
        media_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
