"""What every use case is given: the desk of this transaction, the catalogue, the numbers, and a maker of ids."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from servicedesk import calls, care_news, levels, money_news
from servicedesk.errors import NeedsReasonError
from servicedesk.level_policies import Levels, load_levels
from servicedesk.model import Appliance, Household, Ticket, TicketEvent, Visit
from servicedesk.policy import DEFAULT, Policy, fault_of
from servicedesk.ports import Desk
from servicedesk.roster import Everyday, Workdays
from servicedesk.states import NEEDS_REASON, TICKET, VISIT, TicketState, VisitState, check_move
from servicedesk.travel import CITY, TravelTimes
from servicedesk.trust import DEFAULT_TRUST, Trust
from telemetry.catalogue import Catalogue, FaultSpec
from telemetry.ids import IdMaker

SYSTEM = "system"
OWNER = "owner"
DISPATCH = "dispatch"
SUPERVISOR = "supervisor"
PLAN = "plan_visit"
"""Job, and the next action of a ticket that waits for it."""
_NOBODYS = ("en", "UTC")


@dataclass(frozen=True, slots=True)
class Office:
    """The surroundings of a use case.

    Attributes:
        desk: repositories on one transaction.
        catalogue: appliance kinds.
        new_id: makes identifiers in order of time.
        policy: the desk's numbers.
        channel: how notices leave: `mail` or `mailbox`.
        levels: what is promised.
        workdays: the days on which visits take place.
        travel: how long a technician's way takes.
        trust: how far detectors are believed.
    """

    desk: Desk
    catalogue: Catalogue
    new_id: IdMaker
    policy: Policy = DEFAULT
    channel: str = "mailbox"
    levels: Levels = field(default_factory=load_levels)
    workdays: Workdays = field(default_factory=Everyday)
    travel: TravelTimes = CITY
    trust: Trust = DEFAULT_TRUST

    def log(self, ticket: UUID, at: datetime, kind: str, actor: str = SYSTEM, **body: Any) -> None:  # noqa: ANN401  (JSON values)
        """Add a line to a ticket's timeline; service levels and calls follow it."""
        event = TicketEvent(ticket=ticket, at=at, kind=kind, actor=actor, body=body)
        self.desk.tickets.log(event)
        levels.heed(self, event)
        calls.heed(self, event)
        money_news.heed(self, event)
        care_news.heed(self, event)

    def case(self, visit: UUID) -> tuple[Ticket, Visit]:
        """A visit with its ticket. The ticket is held first, everywhere: two people never wait for each other.

        Raises:
            UnknownError: there is no such visit.
        """
        ticket = self.desk.tickets.get(self.desk.visits.ticket_of(visit))
        return ticket, self.desk.visits.get(visit)

    def fault(self, ticket: Ticket) -> FaultSpec | None:
        """The catalogue's fault that a ticket is about."""
        kind = self.desk.people.appliance(ticket.device).kind
        return fault_of(self.catalogue[kind], ticket.family, ticket.fault) if kind in self.catalogue else None

    def household(self, of: Ticket | Appliance) -> Household | None:
        """The household of a ticket or an appliance, or None."""
        return self.desk.people.household(of.household) if of.household is not None else None

    def words_for(self, ticket: Ticket) -> tuple[str, str]:
        """Language and time zone of a ticket's household; English and UTC where there is none."""
        household = self.household(ticket)
        return _NOBODYS if household is None else (household.lang, household.tz)

    def ask_plan(self, ticket: Ticket) -> None:
        """Have a visit planned, by a job."""
        self.desk.agenda.defer(PLAN, lock=f"ticket:{ticket.id}", ticket=str(ticket.id))

    def plan_anew(self, ticket: Ticket, due: datetime, **changes: Any) -> Ticket:  # noqa: ANN401  (columns)
        """Give a ticket back to dispatch, write it, and have another visit planned."""
        ticket = self.assign(ticket, DISPATCH, PLAN, due, **changes)
        self.ask_plan(ticket)
        return ticket

    def assign(self, ticket: Ticket, responsible: str, action: str, due: datetime | None, **changes: Any) -> Ticket:  # noqa: ANN401  (columns)
        """Give a ticket its responsible person and next action, and write it."""
        return self.desk.tickets.save(
            replace(ticket, responsible=responsible, next_action=action, next_due=due, **changes)
        )


def moved_ticket(
    office: Office, ticket: Ticket, new: TicketState, now: datetime, actor: str, *, reason: str | None = None
) -> Ticket:
    """A ticket in its next state, logged but not yet written.

    Raises:
        IllegalMoveError: the table forbids it.
        NeedsReasonError: it must carry a reason.
    """
    check_move("ticket", TICKET, ticket.state, new)
    if new in NEEDS_REASON and not reason:
        raise NeedsReasonError(f"a ticket becomes {new} with a reason only")
    office.log(ticket.id, now, "moved", actor, old=str(ticket.state), new=str(new), reason=reason)
    return replace(ticket, state=new, reason=reason)


def moved_visit(
    office: Office, visit: Visit, new: VisitState, now: datetime, actor: str, *, reason: str | None = None
) -> Visit:
    """A visit in its next state, logged but not yet written; where its technician was is forgotten with the journey.

    Raises as `moved_ticket`.
    """
    check_move("visit", VISIT, visit.state, new)
    if new in NEEDS_REASON and not reason:
        raise NeedsReasonError(f"a visit becomes {new} with a reason only")
    if visit.state is VisitState.TRAVELLING:
        office.desk.day.forget(visit.id)
    office.log(
        visit.ticket, now, "visit", actor, visit=str(visit.id), old=str(visit.state), new=str(new), reason=reason
    )
    return replace(visit, state=new, reason=reason)
