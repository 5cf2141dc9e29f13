"""What people do on the telephone: the call that was made, the case taken on, and who is told when nobody does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from servicedesk.calls import ONCALL, open_call
from servicedesk.level_rows import CallState, Page
from servicedesk.model import NoticeState, Ticket
from servicedesk.office import SUPERVISOR, Office
from servicedesk.states import TICKET_ENDED
from servicedesk.texts import pick, say_appliance, text

PAGE = "page"
"""The job that tells a person on call."""
WRONG_NUMBER = "wrong_number"
_AGAIN = timedelta(hours=1)


class CallOutcome(StrEnum):
    """What came of a call."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    MISSED = "missed"
    """The owner called and nobody took it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a person of ours notes it; `number` is what was dialled."""

    outcome: CallOutcome
    words: str = ""
    number: str | None = None


def log_call(office: Office, ticket_id: UUID, call: Call, now: datetime, actor: str) -> Ticket:
    """Note a call on a ticket.

    Reached: it is the first human contact, what was queued or bounced counts as told, and the case is taken on.
    A wrong number is taken away from the household at once: the next contact, else a person, takes its place.

    Raises:
        UnknownError: there is no such ticket.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    match call.outcome:
        case CallOutcome.REACHED:
            office.log(ticket.id, now, "reached", actor, words=call.words)
            for notice in desk.notices.of_ticket(ticket.id):
                if notice.state in (NoticeState.QUEUED, NoticeState.SENT, NoticeState.BOUNCED):
                    desk.notices.save(replace(notice, state=NoticeState.DELIVERED, delivered=now))
            acknowledge(office, ticket.id, now, actor)
        case CallOutcome.MISSED:
            office.log(ticket.id, now, "missed_call", "owner", words=call.words)
            open_call(office, ticket.id, "missed_call", ticket.severity, now)
        case CallOutcome.NO_ANSWER:
            office.log(ticket.id, now, "not_answered", actor, words=call.words)
        case CallOutcome.WRONG_NUMBER:
            office.log(ticket.id, now, WRONG_NUMBER, actor, words=call.words)
            if ticket.household is not None and call.number:
                desk.levels.reach.stale_phone(ticket.household, call.number, now)
            open_call(office, ticket.id, WRONG_NUMBER, ticket.severity, now)
    return desk.tickets.get(ticket_id)


def call_due(office: Office, ref: UUID, now: datetime) -> None:
    """A call that was not made in time goes to a supervisor; it stays a task until somebody has made it."""
    desk = office.desk
    if desk.levels.calls.get(ref).state is not CallState.OPEN:
        return
    ticket = desk.tickets.get(desk.levels.calls.get(ref).ticket)
    task = desk.levels.calls.get(ref)
    if task.escalated is not None:
        return
    desk.levels.calls.save(replace(task, escalated=now, assignee=SUPERVISOR))
    office.log(ticket.id, now, "escalated", why=f"no call in time: {task.reason}", severity=ticket.severity)
    if ticket.state not in TICKET_ENDED and not ticket.responsible.startswith("technician:"):
        office.assign(ticket, SUPERVISOR, "call_owner", now + _AGAIN)


def acknowledge(office: Office, ticket_id: UUID, now: datetime, actor: str) -> Ticket:
    """A person takes a case on: nobody further up is told. Twice is the same as once.

    Raises:
        UnknownError: there is no such ticket.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    desk.agenda.drop_due((ONCALL,), ticket.id)
    open_ones = [each for each in desk.levels.calls.pages(ticket.id) if each.acknowledged is None]
    for page in open_ones:
        desk.levels.calls.save_page(replace(page, acknowledged=now))
    done = any(
        each.kind == "acknowledged" and each.body.get("episode") == ticket.episode
        for each in desk.tickets.timeline(ticket.id)
    )
    if not done:
        office.log(ticket.id, now, "acknowledged", actor, episode=ticket.episode)
    return ticket


def page_next(office: Office, ref: UUID, now: datetime) -> None:
    """Tell the next step of the roster of a case that nobody has taken on; past the last one a supervisor has it."""
    desk = office.desk
    ticket = desk.tickets.get(ref)
    if ticket.state in TICKET_ENDED or ticket.severity not in office.levels.oncall_severities:
        return
    roster = desk.levels.calls.oncall(ticket.org, now)
    if not roster:
        return
    told = {each.step for each in desk.levels.calls.pages(ticket.id) if each.episode == ticket.episode}
    person = next((each for each in roster if each.step > max(told, default=0)), None)
    if person is None:
        office.log(ticket.id, now, "escalated", why="nobody on call has taken it on", severity=ticket.severity)
        if not ticket.responsible.startswith("technician:"):
            office.assign(ticket, SUPERVISOR, "call_owner", now + _AGAIN)
        return
    page = Page(
        id=office.new_id(),
        ticket=ticket.id,
        episode=ticket.episode,
        step=person.step,
        name=person.name,
        address=person.address,
        text=_page_text(office, ticket),
        at=now,
    )
    if desk.levels.calls.add_page(page):
        office.log(ticket.id, now, "paged", step=person.step, name=person.name)
        desk.agenda.defer(PAGE, once=f"page:{page.id}", page=str(page.id))
    desk.agenda.set_due(ONCALL, ticket.id, now + office.levels.oncall_after)


def _page_text(office: Office, ticket: Ticket) -> str:
    """What a person on call is told, in both languages: rosters have no language."""
    appliance = office.desk.people.appliance(ticket.device)
    kind = office.catalogue.kinds.get(appliance.kind)
    return "\n".join(
        pick(text("page", "body"), lang).format(
            ref=ticket.ref, severity=ticket.severity, appliance=say_appliance(appliance, kind, lang)
        )
        for lang in ("zh", "en")
    )
