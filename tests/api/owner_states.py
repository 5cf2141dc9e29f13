"""The states of an owner's case, brought about by the desk itself wherever it can: for pages, axe and pictures."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from servicedesk.access import Answers, tell_access
from servicedesk.changing import cancel
from servicedesk.contact import answer, say
from servicedesk.model import Outcome, OutcomeCode, Visit
from servicedesk.office import DISPATCH, OWNER, Office
from servicedesk.on_the_road import arrive, cannot_come, note_position, running_late, set_out
from servicedesk.owner_says import not_a_problem, unplugged
from servicedesk.picking import hold_pick, pickable
from servicedesk.planning import alternatives, confirm, take_window
from servicedesk.states import VISIT_LIVE, TicketState, VisitState
from servicedesk.travel import Place
from servicedesk.visiting import finish, move_ticket, move_visit
from storage.pool import Connection
from telemetry.catalogue import Catalogue, load_catalogue
from tests.api.case import NOW, Seeded, office_of

HOME = Place(31.2304, 121.4737)
VAN = Place(31.2612, 121.5105)
MINUTE = timedelta(minutes=1)


@cache
def known() -> Catalogue:
    return load_catalogue()


def office(conn: Connection, now: datetime = NOW) -> Office:
    return office_of(conn, known(), random.Random(now.timestamp()), now)


def live(conn: Connection, seeded: Seeded) -> Visit:
    """The visit that is ahead or under way, else the newest one."""
    known = office(conn).desk.visits.of_ticket(seeded.ticket)
    return next((each for each in known if each.state in VISIT_LIVE), known[-1])


def window(conn: Connection, seeded: Seeded, start: datetime) -> None:
    """Put the visit's two hours elsewhere, so that "now" stands where a state needs it."""
    visit = live(conn, seeded)
    conn.execute(
        "update visit set span = tstzrange(%s, %s) where id = %s", (start, start + timedelta(hours=2), visit.id)
    )


def confirmed(conn: Connection, seeded: Seeded) -> None:
    confirm(office(conn), seeded.visit, NOW, OWNER)


def answered(conn: Connection, seeded: Seeded) -> None:
    confirmed(conn, seeded)
    told = Answers("Bell Lin, 3rd floor, code 4711", "in the yard, gate on the left", "a shy cat", adult=True)
    tell_access(office(conn), seeded.visit, told, NOW, OWNER)
    say(office(conn), seeded.ticket, "Do you bring a new fan?", NOW, channel="page")
    answer(office(conn), seeded.ticket, "Yes, it lies in the van.", NOW + MINUTE, DISPATCH)
    office(conn).log(seeded.ticket, NOW, "note", DISPATCH, text="for our own eyes")


def closed(conn: Connection, seeded: Seeded) -> None:
    """Past the cut-off: the visit is this afternoon."""
    confirmed(conn, seeded)
    conn.execute("update visit set confirmed = %s where id = %s", (NOW - timedelta(days=1), seeded.visit))
    window(conn, seeded, NOW + timedelta(hours=5))


def unseen(conn: Connection, seeded: Seeded) -> None:
    """On the way, and nobody knows where."""
    answered(conn, seeded)
    home = "update household set latitude = %s, longitude = %s where id = %s"
    conn.execute(home, (HOME.latitude, HOME.longitude, seeded.household))
    window(conn, seeded, NOW - 30 * MINUTE)
    set_out(office(conn), seeded.visit, NOW - 10 * MINUTE, f"technician:{live(conn, seeded).technician}")


def travelling(conn: Connection, seeded: Seeded) -> None:
    unseen(conn, seeded)
    note_position(office(conn), seeded.visit, VAN, NOW - MINUTE)


def late(conn: Connection, seeded: Seeded) -> None:
    unseen(conn, seeded)
    running_late(office(conn), seeded.visit, NOW + 110 * MINUTE, NOW - MINUTE, DISPATCH)


def overdue(conn: Connection, seeded: Seeded) -> None:
    """The window is over, nobody came, nobody said anything."""
    confirmed(conn, seeded)
    window(conn, seeded, NOW - timedelta(hours=3))


def on_site(conn: Connection, seeded: Seeded) -> None:
    travelling(conn, seeded)
    arrive(office(conn), seeded.visit, NOW, DISPATCH)


def done(conn: Connection, seeded: Seeded) -> None:
    on_site(conn, seeded)
    finish(office(conn), Outcome(visit=seeded.visit, code=OutcomeCode.REPAIRED, at=NOW, actor=DISPATCH))


def moved(conn: Connection, seeded: Seeded) -> None:
    """Dispatch takes another window for a visit that the owner had confirmed."""
    confirmed(conn, seeded)
    other = alternatives(office(conn), seeded.visit, NOW).all[-1].window.start
    take_window(office(conn), seeded.visit, other, NOW, DISPATCH)


def missed(conn: Connection, seeded: Seeded) -> None:
    confirmed(conn, seeded)
    cannot_come(office(conn), seeded.visit, "the van broke down", NOW, DISPATCH)


def cancelled(conn: Connection, seeded: Seeded) -> None:
    """By us."""
    confirmed(conn, seeded)
    move_visit(office(conn), seeded.visit, VisitState.CANCELLED, NOW, DISPATCH, reason="no part")


def declined(conn: Connection, seeded: Seeded) -> None:
    """By the owner."""
    confirmed(conn, seeded)
    cancel(office(conn), seeded.visit, "we are away", NOW)


def unanswered(conn: Connection, seeded: Seeded) -> None:
    """The time to answer is over, but the window is still free."""
    conn.execute("update visit set hold_until = %s where id = %s", (NOW - MINUTE, seeded.visit))


def passed(conn: Connection, seeded: Seeded) -> None:
    """The proposed window has begun without an answer."""
    unanswered(conn, seeded)
    window(conn, seeded, NOW - timedelta(hours=3))


def safety(conn: Connection, seeded: Seeded) -> None:
    conn.execute("update ticket set safety = true, severity = 1 where id = %s", (seeded.ticket,))


def off(conn: Connection, seeded: Seeded) -> None:
    """Dangerous, and unplugged."""
    safety(conn, seeded)
    unplugged(office(conn), seeded.ticket, NOW)


def held(conn: Connection, seeded: Seeded) -> None:
    third = pickable(office(conn), seeded.ticket, NOW).best[2].window.start
    hold_pick(office(conn), seeded.ticket, third, NOW)


def nobody(conn: Connection, seeded: Seeded) -> None:
    """No technician has the skill: there is nothing to choose from."""
    conn.execute("update technician set skills = '{}' where id <> %s", (live(conn, seeded).technician,))
    conn.execute(
        "insert into technician_absence (technician, away, reason) values (%s, tstzrange(%s, %s), 'away')",
        (live(conn, seeded).technician, NOW - timedelta(days=1), NOW + timedelta(days=40)),
    )


def refused(conn: Connection, seeded: Seeded) -> None:
    not_a_problem(office(conn), seeded.ticket, "we moved it", NOW)


def wrong(conn: Connection, seeded: Seeded) -> None:
    """The technician found nothing: we were wrong."""
    on_site(conn, seeded)
    finish(office(conn), Outcome(visit=seeded.visit, code=OutcomeCode.NO_FAULT_FOUND, at=NOW, actor=DISPATCH))


def on_hold(conn: Connection, seeded: Seeded) -> None:
    missed(conn, seeded)
    move_ticket(office(conn), seeded.ticket, TicketState.HOLD, NOW, DISPATCH, reason="the landlord decides")


Enter = Callable[[Connection, Seeded], None]
ALERT: dict[str, Enter] = {
    "confirmed": confirmed,
    "travelling": travelling,
    "safety": safety,
    "unplugged": off,
    "passed": passed,
    "no visit": missed,
    "on hold": on_hold,
    "we were wrong": wrong,
    "not a problem": refused,
}
VISIT: dict[str, Enter] = {
    "confirmed": confirmed,
    "answered": answered,
    "closed": closed,
    "unseen": unseen,
    "travelling": travelling,
    "late": late,
    "overdue": overdue,
    "on site": on_site,
    "done": done,
    "moved": moved,
    "missed": missed,
    "cancelled": cancelled,
    "declined": declined,
    "passed": passed,
}
TIME: dict[str, Enter] = {"held": held, "none": nobody, "closed": closed, "first": missed}
