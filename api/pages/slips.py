"""A ticket as one line of a list or as the next action of its page: who does what by when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from api.context import Tx
from api.i18n import Words
from api.pages.case import Case
from api.pages.timeline import Known, actor_name
from servicedesk.model import Technician
from servicedesk.texts import text
from storage.read_desk import TicketView

SOON = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Slip:
    """A line of the dispatch list."""

    case: Case
    action: str
    who: str
    blocking: str
    left: str
    tone: str
    due: str


def slip_of(
    case: Case,
    row: TicketView,
    now: datetime,
    technicians: Mapping[UUID, Technician],
    staff: Mapping[str, str],
) -> Slip:
    """A line of the dispatch list."""
    t = case.t
    due = row.next_due
    late = due is not None and due < now
    left = "–" if due is None else t("{span} late", span=t.span(now - due)) if late else t.span(due - now)
    tone = "" if due is None else "is-stop" if late else "is-warn" if due - now < SOON else ""
    return Slip(
        case=case,
        action=t.pick(text("action", row.next_action)),
        who="" if row.next_action == "none" else person_name(t, row.responsible, technicians, staff),
        blocking=t.pick(text("blocking", row.blocking)) if row.blocking else "",
        left=left,
        tone=tone,
        due=t.stamp(due) if due else "",
    )


def person_name(t: Words, responsible: str, technicians: Mapping[UUID, Technician], staff: Mapping[str, str]) -> str:
    """Who is responsible, in words."""
    return actor_name(t, responsible, Known({str(k): v for k, v in technicians.items()}, staff))


def technicians_of(tx: Tx, rows: Iterable[TicketView]) -> dict[UUID, Technician]:
    """The technicians of the organisations of some tickets."""
    return {p.id: p for org in {row.org for row in rows} for p in tx.office.desk.people.technicians(org)}
