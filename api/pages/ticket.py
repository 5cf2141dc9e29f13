"""One ticket: state, promises, evidence, explanation, timeline, money, and what may be done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.auth import DeskPerson, staff_scope
from api.context import Context, InContext, InTx, Tx
from api.i18n import Words
from api.moves import ticket_moves
from api.pages.case import Case, Picture, load_case
from api.pages.clocks import clock_lines
from api.pages.rail import move_button, rail_of
from api.pages.shell import actor_of, staff_page, staff_words
from api.pages.slips import slip_of, technicians_of
from api.pages.ticket_money import money_values, photos_of
from api.pages.timeline import Known, Line, lines_of, visit_name
from api.problems import not_found
from api.reads import note_read
from servicedesk.contact import ANSWER
from servicedesk.door_code import door_code
from servicedesk.model import NoticeState
from servicedesk.states import TICKET_ENDED
from storage.access import StaffRow
from storage.read_desk import TicketView, get_ticket_by_ref, timeline, visits_of
from storage.read_devices import get_finding
from storage.read_people import calls_of, desk_mates, other_tickets, staff_names, tier_view
from telemetry.clock import MICROS

router = APIRouter(include_in_schema=False)
_STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something was not saved: words for the person, and what they had written.

    Attributes:
        heading: in one line.
        detail: what to do now.
        kept: fields of the form as they were, by name.
        since: the last line of the timeline that the person had seen; newer ones are named. None: nothing is.
    """

    heading: str
    detail: str
    kept: Mapping[str, str]
    since: int | None = None


def found_ticket(tx: Tx, person: StaffRow, ref: str) -> TicketView:
    """A ticket by its reference; what is outside a person's reach is not there.

    Raises:
        ProblemError: 404.
    """
    row = get_ticket_by_ref(tx.conn, staff_scope(person), ref)
    if row is None:
        raise not_found("ticket")
    return row


@router.get("/tickets/{ref}")
def ticket_page(request: Request, ref: str, person: DeskPerson, tx: InTx, context: InContext) -> Response:
    """One ticket on one screen."""
    row = found_ticket(tx, person, ref)
    note_read(tx, person, f"ticket {row.id}", row.household)
    return show_ticket(request, tx, context, person, row)


def show_ticket(  # noqa: PLR0917  (all of them are the page)
    request: Request,
    tx: Tx,
    context: Context,
    person: StaffRow,
    row: TicketView,
    trouble: Trouble | None = None,
    status: int = 200,
) -> Response:
    """The page of a ticket, with what could not be saved and why."""
    words, scope = staff_words(request, person, row.tz), staff_scope(person)
    finding = get_finding(tx.conn, scope, row.finding) if row.finding else None
    case = load_case(tx, context.catalogue, row, finding, visits_of(tx.conn, scope, row.id), words)
    technicians = technicians_of(tx, [row])
    staff = staff_names(tx.conn)
    known = Known({str(k): v for k, v in technicians.items()}, staff, _answers(tx, words, row.id), case.kind)
    events = timeline(tx.conn, row.id)
    lines = lines_of(words, events, known)
    newer = [] if trouble is None or trouble.since is None else [each for each in lines if each.id > trouble.since]
    asked = request.query_params.get("signal")
    picture = case.picture("tc", wide=True, feature=asked if asked in case.evidence else None)
    ticket = tx.office.desk.tickets.get(row.id)
    clocks = tx.office.desk.levels.clocks
    return staff_page(
        request,
        context,
        person,
        "ticket.html",
        words,
        status,
        case=case,
        slip=slip_of(case, row, tx.now, technicians, staff),
        rail=rail_of(words, row),
        picture=picture,
        points=_points(picture, case),
        signals=_signals(case),
        signal=asked,
        causes=case.causes(),
        reasons=case.reasons(),
        ruled_out=case.ruled_out(),
        days=_days(words, lines),
        last=max((each.id for each in events), default=0),
        clocks=clock_lines(tx, words, clocks.of_ticket(row.id), clocks.pauses(row.id)),
        compensations=[f"{each.amount} {each.currency}" for each in clocks.compensations(row.id)],
        moves=[move_button(words, state) for state in ticket_moves(row.state)],
        visit=case.visit,
        visit_state=visit_name(words, case.visit.state) if case.visit else "",
        code=door_code(case.visit.id) if case.visit else "",
        money=money_values(tx, case, ticket),
        photos=photos_of(tx, row.id),
        calls=_calls(tx, words, row.id),
        hands=_hands(tx, words, person, row),
        household=_household(tx, words, row),
        others=_others(tx, context, words, person, row),
        trouble=trouble,
        newer=newer,
        plannable=row.state in ("open", "reopened", "awaiting_parts"),
    )


def _answers(tx: Tx, t: Words, ticket: UUID) -> list[str]:
    """How far each of our answers to the owner has come, oldest first."""
    names = {
        NoticeState.QUEUED: t.plain("not sent yet"),
        NoticeState.SENT: t.plain("sent"),
        NoticeState.DELIVERED: t.plain("delivered"),
        NoticeState.BOUNCED: t.plain("came back"),
        NoticeState.OPENED: t.plain("opened"),
    }
    return [names[each.state] for each in tx.office.desk.notices.of_ticket(ticket) if each.stage == ANSWER]


def _calls(tx: Tx, t: Words, ticket: UUID) -> list[tuple[str, str, str]]:
    """Calls that are still to be made: why, until when, and the tone."""
    reasons = {
        "severity_1": t.plain("Call now: stop using"),
        "complaint": t.plain("Call now: the owner complained"),
        "unreached": t.plain("Call: no message reached the owner"),
        "call_me": t.plain("Call: the owner asked for it"),
        "missed_call": t.plain("Call back"),
        "wrong_number": t.plain("Find another number and call"),
        "message": t.plain("Answer the owner"),
    }
    return [
        (
            reasons.get(each.reason, t.plain("Call the owner")),
            t.plain("{span} late", span=t.span(tx.now - each.due)) if each.due < tx.now else t.span(each.due - tx.now),
            "is-stop" if each.due < tx.now else "is-warn",
        )
        for each in calls_of(tx.conn, ticket)
        if each.state == "open"
    ]


def _hands(tx: Tx, t: Words, person: StaffRow, row: TicketView) -> list[tuple[str, str]]:
    """Into whose hands the case may go: me first, then dispatch, a supervisor, and the others by name."""
    if row.state in TICKET_ENDED or row.responsible.startswith("technician:"):
        return []
    mine = actor_of(person)
    others = [(f"dispatch:{each.login}", each.name) for each in desk_mates(tx.conn, row.org)]
    known = [
        (mine, t.plain("Me")),
        ("dispatch", t.plain("Dispatch")),
        ("supervisor", t.plain("Supervisor")),
        *((to, name) for to, name in others if to != mine),
    ]
    return [(to, name) for to, name in known if to != row.responsible]


def _household(tx: Tx, t: Words, row: TicketView) -> dict[str, Any] | None:
    """Who lives there: tier, the person of ours who is their contact, and how they are reached."""
    if row.household is None:
        return None
    tier, named = tier_view(tx.conn, row.household)
    contacts = tx.office.desk.people.contacts(row.household)
    return {
        "tier": "" if tier == _STANDARD else tier.upper(),
        "named": named,
        "contacts": [
            (each.name or row.household_name, each.phone or "", each.email or "", each.bounced is not None)
            for each in contacts
        ],
        "lang": t.plain("Chinese") if row.lang == "zh" else t.plain("English"),
    }


def _others(tx: Tx, context: Context, t: Words, person: StaffRow, row: TicketView) -> list[dict[str, Any]]:
    """Other open tickets of the household; those of the same appliance may become one with this."""
    if row.household is None:
        return []
    found = other_tickets(tx.conn, staff_scope(person), row.household, row.id)
    kinds = context.catalogue.kinds
    return [
        {
            "ref": each.ref,
            "what": each.family.replace("_", " "),
            "kind": t.pick(kinds[each.kind].title) if each.kind in kinds else each.kind,
            "same": each.same and row.state not in TICKET_ENDED,
        }
        for each in found
    ]


def _signals(case: Case) -> list[tuple[str, str]]:
    features = case.kind.features if case.kind else {}
    return [(name, case.t.pick(features[name].title)) for name in case.evidence if name in features]


def _points(picture: Picture | None, case: Case) -> str:
    """The chart's columns for the page's script: seconds, value, low, high; and its marks."""
    if picture is None:
        return "{}"
    points, ticket, visit = picture.series.points, case.ticket, case.visit
    marks = {
        "onset": case.finding.onset if case.finding else None,
        "finding": case.finding.opened if case.finding else None,
        "visit": visit.start if visit is not None and ticket.done is None else None,
        "repair": ticket.done,
        "now": case.now,
    }
    whole = {
        "t": [p.t // MICROS for p in points],
        "value": [p.value for p in points],
        "low": [p.low for p in points],
        "high": [p.high for p in points],
        "marks": {name: round(moment.timestamp()) for name, moment in marks.items() if moment is not None},
    }
    return json.dumps(whole, separators=(",", ":"))


def _days(t: Words, lines: list[Line]) -> list[tuple[str, list[Line]]]:
    """The timeline by days, the newest first."""

    def key(line: Line) -> date:
        return t.local(line.at).date()

    return [(t.weekday(day), list(each)) for day, each in groupby(reversed(lines), key=key)]
