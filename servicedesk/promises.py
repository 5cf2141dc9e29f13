"""What follows when a promise is endangered or broken: predicted, told, handed up, made good. And the time without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.level_policies import LevelPolicy
from servicedesk.level_rows import Compensation, LevelClock
from servicedesk.levels import planned_late, set_clock, warn_at
from servicedesk.model import Ticket, TicketEvent
from servicedesk.notices import notify
from servicedesk.office import DISPATCH, SUPERVISOR, SYSTEM, Office
from servicedesk.states import TICKET_ENDED
from servicedesk.texts import pick

_DOWN = frozenset({"owner_reported"})
_UP = frozenset({"done", "self_fixed", "false_alarm", "cancelled", "verified", "closed"})


def fall_due(office: Office, ref: UUID, now: datetime) -> None:
    """A clock's moment has come: predict the breach, or state it with all that follows."""
    desk = office.desk
    ticket = desk.tickets.get(desk.levels.clocks.ticket_of(ref))
    clock = desk.levels.clocks.get(ref)
    policy = office.levels.policies.get(clock.policy)
    if not clock.open or policy is None or ticket.state in TICKET_ENDED:
        return
    late_plan = planned_late(office, clock, now)
    if clock.due is None and not late_plan:
        return
    if clock.breached is None and clock.due is not None and now >= clock.due:
        _breach(office, ticket, clock, policy, now)
    elif clock.warned is None and (late_plan or now >= warn_at(office, clock, policy, now)):
        _predict(office, ticket, clock, policy, now, late_plan=late_plan)
    else:
        set_clock(office, clock, now)


def _predict(
    office: Office, ticket: Ticket, clock: LevelClock, policy: LevelPolicy, now: datetime, *, late_plan: bool
) -> None:
    """The promise will be broken unless somebody acts: say so, tell the owner, hand the case up."""
    why = "planned_too_late" if late_plan else "time_runs_out"
    due = clock.due.isoformat() if clock.due is not None else None
    office.log(ticket.id, now, "breach_predicted", policy=policy.name, due=due, why=why)
    set_clock(office, replace(clock, warned=now), now)
    if policy.tell:
        notify(office, ticket, "late", now, occasion=clock.occasion, say={"promise": _said(office, ticket, policy)})
    if policy.escalate:
        escalate(office, ticket, now, why=f"{policy.name}: {why}")


def _breach(office: Office, ticket: Ticket, clock: LevelClock, policy: LevelPolicy, now: datetime) -> None:
    office.log(ticket.id, now, "breached", policy=policy.name, due=clock.due and clock.due.isoformat())
    set_clock(office, replace(clock, warned=clock.warned or now, breached=clock.due), now)
    if policy.amount is not None:
        _compensate(office, ticket, clock, policy, now)
    if policy.escalate:
        escalate(office, office.desk.tickets.get(ticket.id), now, why=f"{policy.name}: broken")


def _compensate(office: Office, ticket: Ticket, clock: LevelClock, policy: LevelPolicy, now: datetime) -> None:
    if policy.amount is None:
        return
    row = Compensation(
        id=office.new_id(),
        ticket=ticket.id,
        clock=clock.id,
        policy=policy.name,
        amount=policy.amount,
        currency=policy.currency,
        reason=f"{policy.name} was due at {clock.due.isoformat() if clock.due is not None else 'once'}",
        issued=now,
    )
    if not office.desk.levels.clocks.compensate(row):
        return
    office.log(
        ticket.id,
        now,
        "compensated",
        SYSTEM,
        policy=policy.name,
        amount=str(row.amount),
        currency=row.currency,
        reason=row.reason,
    )
    say = {"promise": _said(office, ticket, policy), "amount": f"{row.amount} {row.currency}"}
    notify(office, ticket, "compensated", now, occasion=clock.occasion, say=say)


def escalate(office: Office, ticket: Ticket, now: datetime, *, why: str) -> Ticket:
    """Hand a case to a supervisor, who keeps the next action; a technician on the way stays responsible."""
    office.log(ticket.id, now, "escalated", why=why, severity=ticket.severity)
    if ticket.responsible.partition(":")[0] != DISPATCH:
        return ticket
    return office.assign(ticket, SUPERVISOR, ticket.next_action, ticket.next_due)


def downtime(events: Sequence[TicketEvent], now: datetime) -> timedelta:
    """How long the household was without the appliance: from the owner's word, or ours to stop using it, to the repair.

    Args:
        events: the ticket's timeline, oldest first.
        now: up to when, while it lasts.
    """
    total, since = timedelta(), None
    for event in events:
        new = str(event.body.get("new", ""))
        down = event.kind in _DOWN or (event.kind == "notice" and event.body.get("stage") == "safety")
        if event.kind == "moved" and new in _UP and since is not None:
            total, since = total + (event.at - since), None
        elif since is None and (down or (event.kind == "moved" and new == "reopened")):
            since = event.at
    return total if since is None else total + (now - since)


def _said(office: Office, ticket: Ticket, policy: LevelPolicy) -> str:
    return pick(policy.title, office.words_for(ticket)[0])
