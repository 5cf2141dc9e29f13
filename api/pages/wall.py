"""The wall of promises, to be read from across the room; and who is on call, and what is kept quiet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from api.auth import DeskPerson, staff_scope
from api.context import InContext, InTx, Tx
from api.i18n import Words
from api.pages.clocks import pause_name
from api.pages.shell import staff_page, staff_words
from api.pages.timeline import Known, actor_name
from servicedesk.model import Technician
from servicedesk.policy import fault_of
from storage.access import StaffRow
from storage.read_people import staff_names
from storage.read_wall import (
    WallCase,
    WallCounts,
    orgs_of,
    roster_rows,
    wall_calls,
    wall_cases,
    wall_counts,
)
from telemetry.catalogue import Catalogue

router = APIRouter(include_in_schema=False)
_SHOWN = 10
_STANDING = 6


@dataclass(frozen=True, slots=True)
class WallLine:
    """A case as the wall says it."""

    case: WallCase
    title: str
    promise: str
    left: str
    tone: str
    who: str


@router.get("/wall")
def wall(request: Request, person: DeskPerson, tx: InTx, context: InContext) -> Response:
    """Big numbers and what comes first; it follows what happens."""
    scope, zone = staff_scope(person), desk_zone(tx, person)
    words, now = staff_words(request, person, zone), tx.now
    names = staff_names(tx.conn)
    known = Known({str(p.id): p for org in orgs_of(tx.conn, scope) for p in _technicians(tx, org)}, names)
    lines = [_line(tx, words, context.catalogue, each, known) for each in wall_cases(tx.conn, scope, now)]
    moving = [each for each in lines if each.case.breached or each.case.due]
    standing = [each for each in lines if not (each.case.breached or each.case.due)]
    return staff_page(
        request,
        context,
        person,
        "wall.html",
        words,
        now=now,
        big=_big(words, wall_counts(tx.conn, scope, now)),
        moving=moving[:_SHOWN],
        more=len(moving) - _SHOWN,
        standing=standing[:_STANDING],
        still=len(standing) - _STANDING,
        calls=[(each, _due(words, each.due, now), each.due < now) for each in wall_calls(tx.conn, scope, _SHOWN)],
        oncall=[each for each in roster_rows(tx.conn, scope, now) if each.start <= now],
        after=words.span(tx.office.levels.oncall_after),
        down=tx.office.desk.levels.reach.outages(),
    )


def _due(t: Words, due: datetime, now: datetime) -> str:
    return t.plain("{span} late", span=t.span(now - due)) if due < now else t.span(due - now)


def _big(t: Words, counts: WallCounts) -> list[tuple[int, str, str, str]]:
    """Number, words, icon and tone; a nought is quiet."""
    known = [
        (counts.broken, t.plain("broken"), "tri", "is-stop"),
        (counts.hour, t.plain("break within 1 h"), "clock", "is-stop"),
        (counts.later, t.plain("break within 4 h"), "clock", "is-warn"),
        (counts.owner, t.plain("wait for the owner"), "user", ""),
        (counts.parts, t.plain("wait for a part"), "box", ""),
        (counts.held, t.plain("on hold"), "pause", ""),
    ]
    return [(n, words, icon, tone if n else "is-quiet") for n, words, icon, tone in known]


def _line(tx: Tx, t: Words, catalogue: Catalogue, case: WallCase, known: Known) -> WallLine:
    kind = catalogue.kinds.get(case.kind)
    fault = fault_of(kind, case.family, case.fault) if kind is not None else None
    title = t.pick(fault.title) if fault is not None else case.family.replace("_", " ")
    policy = tx.office.levels.policies.get(case.policy)
    promise, now = t.pick(policy.title) if policy is not None else case.policy, tx.now
    if case.breached is not None:
        left, tone = t.plain("{span} late", span=t.span(now - case.breached)), "is-stop"
    elif case.due is not None:
        left = t.span(case.due - now)
        tone = "is-stop" if (case.due - now).total_seconds() <= 3600 else "is-warn"  # noqa: PLR2004  (an hour)
    else:
        why = ", ".join(pause_name(t, each) for each in case.reasons)
        left, tone = why if case.begun is None else f"{why}, {t.span(now - case.begun)}", ""
    return WallLine(case, title, promise, left, tone, actor_name(t, case.responsible, known))


def _technicians(tx: Tx, org: str) -> list[Technician]:
    return tx.office.desk.people.technicians(org)


def desk_zone(tx: Tx, person: StaffRow) -> str:
    """Where the desk works: the zone of its technicians."""
    for org in orgs_of(tx.conn, staff_scope(person)):
        for each in tx.office.desk.people.technicians(org):
            return each.tz
    return "UTC"
