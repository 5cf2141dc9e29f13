"""The areas of staff's pages: what stands in the bar at the top, by the person's rights."""

from __future__ import annotations

from dataclasses import dataclass

from api.auth import Right, staff_may
from api.i18n import Words
from storage.access import StaffRow


@dataclass(frozen=True, slots=True)
class Area:
    """An entry of the bar.

    Attributes:
        id: what a template sets as its `area`.
    """

    id: str
    path: str
    name: str


def areas_of(t: Words, person: StaffRow, mailbox: bool) -> list[Area]:  # noqa: FBT001  (called by a template)
    """The areas that a person may open, in the order of the bar."""
    known = [
        (Right.SEE_DESK, Area("board", "/board", t.plain("Board"))),
        (Right.SEE_DESK, Area("tickets", "/dispatch", t.plain("Tickets"))),
        (Right.SEE_DESK, Area("technicians", "/technicians", t.plain("Technicians"))),
        (Right.SEE_DESK, Area("wall", "/wall", t.plain("Promises"))),
        (Right.SEE_DESK, Area("faults", "/faults", t.plain("Fleet faults"))),
        (Right.SEE_DESK, Area("reports", "/reports", t.plain("Reports"))),
        (Right.SEE_DESK, Area("rules", "/rules", t.plain("Rules"))),
        (Right.KEEP_HOOKS, Area("webhooks", "/webhooks", t.plain("Webhooks"))),
        (Right.AUDIT, Area("audit", "/audit", t.plain("Audit"))),
        (Right.SEE_LAB, Area("lab", "/lab", t.plain("Lab"))),
    ]
    shown = [area for right, area in known if staff_may(person, right)]
    if mailbox and staff_may(person, Right.SEE_DESK):
        shown.append(Area("mailbox", "/mailbox", t.plain("Mailbox")))
    return shown
