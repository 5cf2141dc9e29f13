"""The owner's visit: where it stands, who comes and when, what to prepare, and the conversation with service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from api.context import InTx, Tx
from api.pages.case import Case
from api.pages.door import InDoor, case_of, links, take_note
from api.pages.owner_road import road_of
from api.pages.owner_scene import scene_of
from api.pages.owner_told import called, in_wechat, initials, told_of, until
from api.pages.render import render
from servicedesk.access import Answers, answers_of
from servicedesk.changing import change_until, may_change
from servicedesk.door_code import door_code
from servicedesk.model import Household, Visit
from servicedesk.owner_says import conversation
from servicedesk.states import VISIT_LIVE, VisitState
from storage.read_desk import EventView, VisitView, timeline

router = APIRouter(prefix="/o", include_in_schema=False)
_COMING = (VisitState.CONFIRMED, VisitState.DISPATCHED, VisitState.TRAVELLING, VisitState.ON_SITE)


@router.get("/{token}/visit")  # noqa: FAST003  (taken by the door)
def visit_page(request: Request, door: InDoor, tx: InTx) -> Response:
    """Where the visit stands."""
    case, t = case_of(door), door.words
    take_note(tx, case)
    events = timeline(tx.conn, case.ticket.id)
    home = _home(tx, case)
    shown = case.visit
    visit = tx.office.desk.visits.get(shown.id) if shown is not None else None
    road = road_of(tx, case, visit, home) if visit is not None else None
    paid = tx.office.desk.levels.clocks.compensations(case.ticket.id)
    values = {
        "case": case,
        "visit": shown,
        "scene": scene_of(case, events, road.late if road is not None else ""),
        "road": road,
        "wechat": in_wechat(request),
        "paid": [f"{each.amount} {each.currency}" for each in paid],
        "talk": [(each.by, each.words, until(case, each.at)) for each in conversation(events)],
        "cost": case.cost,
        **(_visit_values(tx, case, shown, visit, home) if shown is not None and visit is not None else {}),
        "steps": _steps(case, events) if shown is not None else [],
    }
    return render(request, "owner_visit.html", t, told=told_of(request, t), **values, **links(door))


def _visit_values(tx: Tx, case: Case, shown: VisitView, visit: Visit, home: Household | None) -> dict[str, Any]:
    """Everything about a visit that has a window."""
    t, fault = case.t, case.fault
    skills = {
        "cooling": t("Cooling technician"),
        "laundry": t("Laundry technician"),
        "hydraulics": t("Pump technician"),
    }
    names = {part.sku: t.pick(part.title) for part in fault.parts} if fault else {}
    answers = answers_of(tx.office, visit) if home is not None else Answers()
    return {
        "name": called(t, shown.technician_name),
        "initials": initials(shown.technician_name),
        "skill": skills.get(shown.skill, t("Service technician")),
        "code": door_code(shown.id) if shown.state in _COMING else "",
        "hold": until(case, shown.hold_until),
        "held": shown.hold_until > case.now,
        "changeable": home is not None and may_change(visit, home, case.now),
        "cut_off": until(case, change_until(visit, home)) if home is not None else "",
        "live": shown.state in VISIT_LIVE,
        "answers": answers,
        "asks": home is not None and shown.state in VISIT_LIVE and shown.state != VisitState.ON_SITE,
        "minutes": visit.minutes,
        "part_names": (", " if t.lang == "en" else "、").join(names.get(sku, sku) for sku in shown.parts),
        "prepare": _prepare(case, answers),
    }


def _prepare(case: Case, answers: Answers) -> list[tuple[str, str]]:
    """Icon and sentence of what to do before somebody comes."""
    t = case.t
    lines: list[tuple[str, str]] = [
        (
            "check",
            t("Leave it unplugged and do not use it until the technician is there.")
            if case.ticket.safety
            else t("Leave the appliance plugged in. There is no need to empty it."),
        ),
        ("check", t("Clear about one metre in front, so that it can be moved.")),
    ]
    if answers.adult is None:
        lines.append(("user", t("Someone of age should be at home.")))
    if answers.pets:
        lines.append(("paw", t("You told us: {pets}. A closed door is enough.", pets=answers.pets.rstrip(".。"))))
    return lines


@dataclass(frozen=True, slots=True)
class Step:
    """One of the six steps of a visit; tone is done, now or todo."""

    name: str
    icon: str
    tone: str
    at: str
    note: str = ""


def _steps(case: Case, events: list[EventView]) -> list[Step]:
    t, visit = case.t, case.visit
    if visit is None:
        return []
    when = {str(e.body.get("new")): e.at for e in events if e.kind == "visit" and e.body.get("visit") == str(visit.id)}
    at = [visit.confirmed, when.get("dispatched"), when.get("travelling"), visit.arrived, visit.arrived, visit.finished]
    reached = {"proposed": 0, "confirmed": 1, "dispatched": 2, "travelling": 3, "on_site": 5, "done": 6}[visit.state]
    days = max(1, round(case.proof_length / timedelta(days=1)))
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


def _home(tx: Tx, case: Case) -> Household | None:
    return tx.office.desk.people.household(case.ticket.household) if case.ticket.household is not None else None
