"""A household's own data: consent purpose by purpose, a copy of everything, and being forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from servicedesk.audit import CONSENT, ERASE, EXPORT, record
from servicedesk.care_rows import ConsentChange, Erasure, Purpose
from servicedesk.errors import UnknownError
from servicedesk.model import Household
from servicedesk.office import Office
from servicedesk.states import TICKET, TICKET_ENDED, TicketState
from servicedesk.visiting import move_ticket

ERASE_JOB = "erase_household"
"""The job that takes out what names a household."""
KEPT: Mapping[str, str] = {
    "tickets, visits and outcomes without words": "what was repaired is owed to whoever owns the appliance next",
    "bills and quotes without a name": "tax law asks for the amounts",
    "readings, findings and verdicts of the appliances": "they name nobody; retention ends the readings",
    "consent history and this erasure": "they prove that both were asked for",
    "the audit log": "it holds who looked, never what was seen",
}
"""What stays after an erasure, and why."""


def set_consent(
    office: Office, household_id: UUID, purpose: Purpose, now: datetime, actor: str, *, granted: bool
) -> bool:
    """A household's yes or no to a purpose; it holds from the next finding and the next message on.

    Returns whether it changed anything.

    Raises:
        UnknownError: there is no such household.
    """
    privacy = office.desk.care.privacy
    if privacy.consents(household_id)[purpose] is granted:
        return False
    change = ConsentChange(
        id=office.new_id(), household=household_id, purpose=purpose, granted=granted, at=now, actor=actor
    )
    privacy.change(change)
    record(office.desk, CONSENT, now, actor, str(purpose), household=household_id, granted=granted)
    return True


def export(office: Office, household_id: UUID, now: datetime, actor: str) -> dict[str, Any]:
    """Everything that is stored of a household, as plain values; who took it is logged.

    Readings are many and have a route of their own; the appliances they belong to are named here.

    Raises:
        UnknownError: there is no such household.
    """
    desk, household = office.desk, _household(office, household_id)
    privacy, erasure = desk.care.privacy, desk.care.privacy.erasure(household_id)
    record(desk, EXPORT, now, actor, "household", household=household_id)
    return {
        "made": now,
        "household": asdict(household),
        "contacts": [asdict(each) for each in desk.people.contacts(household_id)],
        "consents": {str(purpose): granted for purpose, granted in privacy.consents(household_id).items()},
        "consent_history": [asdict(each) for each in privacy.history(household_id)],
        "appliances": [asdict(desk.people.appliance(each)) for each in privacy.devices(household_id)],
        "access": None if (access := desk.care.access.of_household(household_id)) is None else asdict(access),
        "cases": [_case(office, each) for each in privacy.tickets(household_id)],
        "erasure": None if erasure is None else asdict(erasure),
    }


def ask_erasure(office: Office, household_id: UUID, now: datetime, actor: str, *, why: str = "") -> Erasure:
    """Note a household's wish to be forgotten; a job carries it out. Twice is the same as once.

    Args:
        office: see there.
        household_id: whose wish it is.
        now: when.
        actor: who says so.
        why: a word of ours for the reason, never the owner's own.

    Raises:
        UnknownError: there is no such household.
    """
    desk = office.desk
    _household(office, household_id)
    wish = Erasure(household=household_id, requested=now, actor=actor)
    if desk.care.privacy.ask_erasure(wish):
        record(desk, ERASE, now, actor, "asked", household=household_id, **({"why": why} if why else {}))
        key = f"erase:{household_id}"
        desk.agenda.defer(ERASE_JOB, lock=key, once=key, household=str(household_id))
    found = desk.care.privacy.erasure(household_id)
    return wish if found is None else found


def erase(office: Office, household_id: UUID, now: datetime) -> Erasure | None:
    """Carry out an erasure that was asked for: consents end, open cases are cancelled, what names the household goes.

    A case whose repair is being proven ends by itself. None when nothing was asked; done twice is done once.
    """
    desk = office.desk
    wish = desk.care.privacy.erasure(household_id)
    if wish is None or wish.done is not None:
        return wish
    for purpose in Purpose:
        set_consent(office, household_id, purpose, now, wish.actor, granted=False)
    cancelled = 0
    for each in desk.care.privacy.tickets(household_id):
        ticket = desk.tickets.get(each)
        if ticket.state not in TICKET_ENDED and TicketState.CANCELLED in TICKET[ticket.state]:
            move_ticket(office, ticket.id, TicketState.CANCELLED, now, "system", reason="erased")
            cancelled += 1
    cleared = desk.care.privacy.erase(household_id, now)
    report = {"removed": {**cleared, "cases cancelled": cancelled}, "kept": dict(KEPT)}
    done = replace(wish, done=now, report=report)
    desk.care.privacy.erased(done)
    record(desk, ERASE, now, "system", "done", household=household_id, removed=report["removed"])
    return done


def _household(office: Office, household_id: UUID) -> Household:
    found = office.desk.people.household(household_id)
    if found is None:
        raise UnknownError(f"there is no household {household_id}")
    return found


def _case(office: Office, ticket_id: UUID) -> dict[str, Any]:
    desk = office.desk
    survey = desk.care.surveys.get(ticket_id)
    photos = [asdict(each) for each in desk.care.help.photos(ticket_id)]
    visits = desk.visits.of_ticket(ticket_id)
    outcomes = [desk.visits.outcome(each.id) for each in visits]
    return {
        "ticket": asdict(desk.tickets.get(ticket_id)),
        "timeline": [asdict(each) for each in desk.tickets.timeline(ticket_id)],
        "visits": [asdict(each) for each in visits],
        "outcomes": [asdict(each) for each in outcomes if each is not None],
        "notices": [asdict(each) for each in desk.notices.of_ticket(ticket_id)],
        "quotes": [asdict(each) for each in desk.quotes.of_ticket(ticket_id)],
        "bills": [asdict(each) for each in desk.money.bills.of_ticket(ticket_id)],
        "calls": [asdict(each) for each in desk.levels.calls.of_ticket(ticket_id)],
        "self_check": [asdict(each) for each in desk.care.help.answers(ticket_id)],
        "self_tests": [asdict(each) for each in desk.care.help.tests(ticket_id)],
        "photos": [{name: value for name, value in each.items() if name != "content"} for each in photos],
        "survey": None if survey is None else asdict(survey),
    }
