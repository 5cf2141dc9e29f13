"""The owner's visit: where it stands, who comes, what to prepare, and the calendar file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from api.context import InTx
from api.pages.case import Case
from api.pages.door import InDoor, LinkError, case_of, links, take_note
from api.pages.owner_told import told_of, until
from api.pages.render import render
from servicedesk.door_code import door_code
from servicedesk.invite import calendar_file
from storage.read_desk import timeline

router = APIRouter(prefix="/o", include_in_schema=False)


@router.get("/{token}/visit")  # noqa: FAST003  (taken by the door)
def visit_page(request: Request, door: InDoor, tx: InTx) -> Response:
    """Where the visit stands."""
    case, t = case_of(door), door.words
    take_note(tx, case)
    values = _visit_values(case, timeline(tx.conn, case.ticket.id))
    paid = tx.office.desk.levels.clocks.compensations(case.ticket.id)
    values["paid"] = [f"{each.amount} {each.currency}" for each in paid]
    return render(request, "owner_visit.html", t, told=told_of(request, t), **values, **links(door))


@router.get("/{token}/visit.ics")  # noqa: FAST003  (taken by the door)
def calendar(door: InDoor, tx: InTx) -> Response:
    """The visit for a calendar (RFC 5545)."""
    case = case_of(door)
    row = case.visit
    if row is None or case.ticket.household is None:
        raise LinkError(expired=False)
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


@dataclass(frozen=True, slots=True)
class Step:
    """One of the six steps of a visit; tone is done, now or todo."""

    name: str
    icon: str
    tone: str
    at: str
    note: str = ""


def _visit_values(case: Case, events: list[Any]) -> dict[str, Any]:
    t, visit = case.t, case.visit
    fault = case.fault
    words = {
        None: ("info", "is-unknown", t("No visit"), t("No visit is planned right now")),
        "proposed": ("cal", "is-plan", t("Proposed"), t("Does this time suit you?")),
        "confirmed": ("checkc", "is-ok", t("Confirmed"), t("Your visit is booked")),
        "dispatched": ("box", "is-plan", t("Preparing"), t("Your visit is being prepared")),
        "travelling": ("van", "is-plan", t("On the way"), t("Your technician is on the way")),
        "on_site": ("wrench", "is-plan", t("In progress"), t("The repair is in progress")),
        "done": ("checkc", "is-ok", t("Done"), t("The visit is done")),
    }
    icon, tone, word, heading = words[visit.state if visit else None]
    skills = {
        "cooling": t("Cooling technician"),
        "laundry": t("Laundry technician"),
        "hydraulics": t("Pump technician"),
    }
    names = {part.sku: t.pick(part.title) for part in fault.parts} if fault else {}
    return {
        "case": case,
        "visit": visit,
        "heading": heading,
        "tone": tone,
        "tone_icon": icon,
        "tone_word": word,
        "skill": skills.get(visit.skill, t("Service technician")) if visit else "",
        "code": door_code(visit.id) if visit else "",
        "hold": until(case, visit.hold_until) if visit else "",
        "steps": _steps(case, events) if visit else [],
        "cost": case.cost,
        "minutes": fault.minutes if fault else 0,
        "part_names": (", " if t.lang == "en" else "、").join(names.get(s, s) for s in visit.parts) if visit else "",
        "prepare": [
            t("Leave it unplugged and do not use it until the technician is there.")
            if case.ticket.safety
            else t("Leave the appliance plugged in. There is no need to empty it."),
            t("Clear about one metre in front, so that it can be moved."),
            t("Someone of age should be at home."),
        ],
    }


def _steps(case: Case, events: list[Any]) -> list[Step]:
    t, visit = case.t, case.visit
    if visit is None:
        return []
    when = {str(e.body.get("new")): e.at for e in events if e.kind == "visit" and e.body.get("visit") == str(visit.id)}
    at = [visit.confirmed, when.get("dispatched"), when.get("travelling"), visit.arrived, visit.arrived, visit.finished]
    reached = {"proposed": 0, "confirmed": 1, "dispatched": 2, "travelling": 3, "on_site": 5, "done": 6}[visit.state]
    days = max(1, round(case.proof_length.total_seconds() / 86_400))
    rows = [
        (t("Confirmed"), "check", ""),
        (t("Preparing"), "box", t("The part goes into the van.") if visit.parts else ""),
        (t("On the way"), "van", ""),
        (t("Arrived"), "user", ""),
        (t("In progress"), "wrench", ""),
        (t("Done"), "check", t("Then the readings prove the repair, in about {n} days.", n=days)),
    ]
    steps = []
    for i, (name, icon, note) in enumerate(rows):
        tone = "done" if i < reached - 1 or visit.state == "done" else "now" if i == reached - 1 else "todo"
        if visit.state == "confirmed" and i == 0:
            tone = "done"
        moment = at[i] if tone != "todo" else None
        steps.append(Step(name, icon, tone, until(case, moment) if moment else "", note))
    return steps
