"""What the board answers: what can be taken back, who was faster, and what was not saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from api.context import Tx
from api.i18n import Words, zone_of
from api.pages.shell import actor_of
from api.pages.timeline import Known, lines_of
from servicedesk.model import Technician
from servicedesk.moves import UNDO, BoardMove
from storage.access import StaffRow
from storage.read_desk import TicketView, timeline
from storage.read_people import staff_names


@dataclass(frozen=True, slots=True)
class UndoView:
    """The move that can be taken back."""

    move: UUID
    words: str
    seconds: int


def undo_view(tx: Tx, t: Words, person: StaffRow, people: Sequence[Technician]) -> UndoView | None:
    """The move of a person that can be taken back now, if any."""
    move = tx.office.desk.moves.latest(actor_of(person), tx.wall)
    if move is None:
        return None
    left = min((move.until - tx.wall).total_seconds(), UNDO.total_seconds())
    return UndoView(move.id, _placed(tx, t, move, people), max(1, round(left)))


def _placed(tx: Tx, t: Words, move: BoardMove, people: Sequence[Technician]) -> str:
    visit = next(each for each in tx.office.desk.visits.of_ticket(move.ticket) if each.id == move.visit)
    name = next((each.name for each in people if each.id == visit.technician), t.plain("Technician"))
    return t.plain("{name}, {time}", name=name, time=t.time(visit.start))


@dataclass(frozen=True, slots=True)
class Said:
    """What the board answers to what was tried; tone is `good` or `bad`."""

    tone: str
    heading: str
    detail: str


def said_of(tx: Tx, t: Words, kind: str, row: TicketView | None, people: Sequence[Technician]) -> Said | None:
    """What is said of a try that ended so; who was faster is named."""
    match kind:
        case "changed":
            detail = t.plain("Nothing was moved. Look at the board as it is now, then choose again.")
            if row is not None:
                known = Known({str(each.id): each for each in people}, staff_names(tx.conn))
                lines = lines_of(replace(t, zone=zone_of(row.tz)), timeline(tx.conn, row.id), known)
                last = next((each for each in reversed(lines) if each.icon != "mail"), None)
                if last is not None:
                    what = t.plain("{first}: {second}", first=last.who, second=last.text) if last.who else last.text
                    detail = t.plain("{time} {what}. Nothing of yours was saved.", time=t.time(last.at), what=what)
            ref = row.ref if row is not None else ""
            return Said("bad", t.plain("{ref} was changed while you looked", ref=ref), detail)
        case "told":
            return Said(
                "bad",
                t.plain("That move can no longer be taken back"),
                t.plain("The owner has been told, or somebody has gone on from there. Move it again instead."),
            )
        case "undone":
            return Said("good", t.plain("Taken back"), t.plain("Everything is as it was, and nobody was told."))
        case "incomplete":
            return Said("bad", t.plain("Say with whom and when"), t.plain("Choose a technician, a day and a window."))
        case "refused":
            return Said("bad", t.plain("That did not work"), t.plain("Nothing was saved."))
        case _:
            return None
