"""Service levels: clocks, calls, the on-call roster, channels, silences, and how soon people were reached."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query

from api.auth import CaseReader, Principal, TicketMover, whole_org
from api.context import InTx, Tx
from api.problems import invalid, not_found
from api.said import said
from api.v1.contact_models import (
    CallOut,
    CallsOut,
    ChannelIn,
    ChannelOut,
    CompensationOut,
    FirstContactOut,
    LevelClockOut,
    OnCallIn,
    OnCallOut,
    PauseOut,
    RosterOut,
    SilenceEndIn,
    SilenceIn,
    SilenceOut,
    SilencesOut,
    SuppressedOut,
    TicketLevelsOut,
    TierIn,
    TierOut,
    WarningOut,
    WarningsOut,
)
from api.v1.models import GivenMoment
from api.v1.router import V1Router
from api.v1.service import read_ticket
from servicedesk.calls import first_contact
from servicedesk.level_rows import CallState, CallTask, ContactChannel, LevelClock, OnCall, Pause, Silence, SilenceKind
from servicedesk.levels import consumed
from servicedesk.model import Household, Ticket
from servicedesk.promises import downtime
from servicedesk.tiers import in_order, tier_of
from storage.read_models import household_in, tickets_in

router = V1Router()
_LOOK_BACK = timedelta(days=180)
_REPORT = timedelta(days=30)


@router.get("/tickets/{ticket}/levels", tags=["levels"])
def ticket_levels(ticket: UUID, who: CaseReader, tx: InTx) -> TicketLevelsOut:
    """What is promised to a case, how far each clock is, what was given for broken promises, and the downtime."""
    read_ticket(tx, who, ticket)
    desk = tx.office.desk
    row = desk.tickets.get(ticket)
    tier = tier_of(tx.office, row)
    pauses = desk.levels.clocks.pauses(ticket)
    return TicketLevelsOut(
        ticket=ticket,
        tier=tier,
        downtime_s=downtime(desk.tickets.timeline(ticket), tx.now).total_seconds(),
        clocks=[_clock(tx, each, pauses) for each in desk.levels.clocks.of_ticket(ticket)],
        compensations=[
            CompensationOut(
                policy=each.policy, amount=each.amount, currency=each.currency, reason=each.reason, issued=each.issued
            )
            for each in desk.levels.clocks.compensations(ticket)
        ],
        calls=[_call(each, row, tier) for each in desk.levels.calls.of_ticket(ticket)],
    )


@router.get("/calls", tags=["levels"])
def calls(who: TicketMover, tx: InTx) -> CallsOut:
    """Calls that a person is to make, in the order of work."""
    tasks = tx.office.desk.levels.calls.opened(who.scope.org, tx.now - _LOOK_BACK, tx.now + timedelta(seconds=1))
    seen = tickets_in(tx.conn, who.scope, (each.ticket for each in tasks))
    found = in_order(tx.office, [each for each in tasks if each.state is CallState.OPEN and each.ticket in seen])
    return CallsOut(items=[_call(task, ticket, tier) for task, ticket, tier in found])


@router.get("/reports/first-contact", tags=["levels"])
def first_contact_report(
    who: TicketMover,
    tx: InTx,
    start: Annotated[GivenMoment | None, Query(alias="from", description="thirty days ago when absent")] = None,
    end: Annotated[GivenMoment | None, Query(alias="to", description="now when absent")] = None,
) -> FirstContactOut:
    """How soon a person reached owners after severity 1 or a complaint."""
    until = end or tx.now
    since = start or until - _REPORT
    tasks = tx.office.desk.levels.calls.opened(who.scope.org, since, until)
    seen = tickets_in(tx.conn, who.scope, (each.ticket for each in tasks))
    seen &= tx.office.desk.care.privacy.counted(seen)
    found = first_contact([each for each in tasks if each.ticket in seen], tx.now)
    return FirstContactOut(
        start=since,
        end=until,
        tasks=found.tasks,
        contacted=found.contacted,
        within_five_minutes=found.within,
        waiting=found.waiting,
        p50_s=None if found.p50 is None else found.p50.total_seconds(),
        p95_s=None if found.p95 is None else found.p95.total_seconds(),
    )


@router.get("/warnings", tags=["levels"])
def warnings(_: TicketMover, tx: InTx) -> WarningsOut:
    """Channels that do not work now; `warned` is set once they have failed for a quarter of an hour."""
    rows = tx.office.desk.levels.reach.outages()
    return WarningsOut(
        items=[
            WarningOut(channel=r.channel, since=r.since, failures=r.failures, why=r.why, warned=r.warned) for r in rows
        ]
    )


@router.get("/silences", tags=["levels"])
def silences(who: TicketMover, tx: InTx) -> SilencesOut:
    """Silences in force, each with what it has kept back."""
    return SilencesOut(items=[_silence(tx, each) for each in _silences(tx, who)])


@router.post("/silences", tags=["levels"], status_code=201)
def silence_new(silence: SilenceIn, who: TicketMover, tx: InTx) -> SilenceOut:
    """Keep messages back: a maintenance window or a snooze until its end, a mute until it is ended."""
    if silence.until is None and silence.kind != "mute":
        raise invalid(said("a {kind} has an end", kind=silence.kind), "#/until")
    if silence.until is not None and silence.until <= (silence.start or tx.now):
        raise invalid(said("it ends before it begins"), "#/until")
    org = _org(tx, who, silence)
    row = Silence(
        id=tx.office.new_id(),
        org=org,
        kind=SilenceKind(silence.kind),
        start=silence.start or tx.now,
        until=silence.until,
        made_by=who.actor(),
        reason=silence.reason,
        household=silence.household,
        ticket=silence.ticket,
    )
    tx.office.desk.levels.reach.silence(row)
    return _silence(tx, row)


@router.post("/silences/end", tags=["levels"])
def silence_end(silence: SilenceEndIn, who: TicketMover, tx: InTx) -> SilencesOut:
    """End a silence now; messages that wait for it go out at the time they were told. Answers with what is left."""
    reach = tx.office.desk.levels.reach
    if silence.silence not in {each.id for each in _silences(tx, who)}:
        raise not_found("silence")
    reach.end_silence(silence.silence, tx.now)
    return silences(who, tx)


@router.get("/oncall", tags=["levels"])
def roster(who: TicketMover, tx: InTx, org: str | None = None) -> RosterOut:
    """Who is on call now, by step."""
    wanted = who.scope.org or org
    rows = [] if wanted is None else tx.office.desk.levels.calls.oncall(wanted, tx.now)
    return RosterOut(items=[_oncall(each) for each in rows])


@router.post("/oncall", tags=["levels"], status_code=201)
def roster_new(person: OnCallIn, who: TicketMover, tx: InTx) -> OnCallOut:
    """Enter a person on the roster: an unacknowledged case of severity 1 or 2 goes up its steps."""
    if who.scope.org not in (None, person.org):
        raise not_found("organisation")
    whole_org(who)
    if person.until <= person.start:
        raise invalid(said("it ends before it begins"), "#/until")
    row = OnCall(
        id=tx.office.new_id(),
        org=person.org,
        step=person.step,
        name=person.name,
        address=person.address,
        start=person.start,
        until=person.until,
    )
    tx.office.desk.levels.calls.add_oncall(row)
    return _oncall(row)


@router.post("/households/{household}/channels", tags=["levels"], status_code=201)
def household_channel(household: UUID, channel: ChannelIn, who: TicketMover, tx: InTx) -> ChannelOut:
    """Give a household another channel: the second rung of the ladder, or the first with a rank below 0."""
    home = _household(tx, who, household)
    row = ContactChannel(id=tx.office.new_id(), org=home.org, household=home.id, url=channel.url, rank=channel.rank)
    tx.office.desk.levels.reach.add_channel(row)
    return ChannelOut(id=row.id, household=home.id, service=row.url.partition(":")[0], rank=row.rank)


@router.post("/households/{household}/tier", tags=["levels"])
def household_tier(household: UUID, tier: TierIn, who: TicketMover, tx: InTx) -> TierOut:
    """Put a household into a tier. It orders work inside one severity only."""
    home = _household(tx, who, household)
    tx.office.desk.levels.clocks.set_tier(home.id, tier.tier, tier.named_contact)
    return TierOut(household=home.id, tier=tier.tier)


def _household(tx: Tx, who: Principal, household: UUID) -> Household:
    found = tx.office.desk.people.household(household)
    if found is None or not household_in(tx.conn, who.scope, household):
        raise not_found("household")
    return found


def _org(tx: Tx, who: Principal, silence: SilenceIn) -> str:
    """The organisation of what is to be silent; 404 outside the asker's scope."""
    if silence.ticket is not None:
        read_ticket(tx, who, silence.ticket)
        return tx.office.desk.tickets.get(silence.ticket).org
    if silence.household is not None:
        return _household(tx, who, silence.household).org
    org = silence.org or who.scope.org
    if org is None:
        raise invalid(said("name a ticket, a household or an organisation"), "#/org")
    if who.scope.org not in (None, org):
        raise not_found("organisation")
    whole_org(who)
    return org


def _silences(tx: Tx, who: Principal) -> list[Silence]:
    """Those in force that keep back what the asker sees; who sees some areas sees none of a whole organisation."""
    rows = tx.office.desk.levels.reach.silences(who.scope.org, tx.now)
    if who.scope.whole_org:
        return rows
    seen = tickets_in(tx.conn, who.scope, (each.ticket for each in rows if each.ticket is not None))
    return [
        each
        for each in rows
        if each.ticket in seen or (each.household is not None and household_in(tx.conn, who.scope, each.household))
    ]


def _clock(tx: Tx, clock: LevelClock, pauses: list[Pause]) -> LevelClockOut:
    policy = tx.office.levels.policies.get(clock.policy)
    return LevelClockOut(
        policy=clock.policy,
        title=policy.title.en if policy is not None else clock.policy,
        calendar=clock.calendar,
        state=clock.state,
        started=clock.started,
        due=clock.due,
        target_s=clock.allowed.total_seconds(),
        consumed_s=consumed(tx.office.levels, clock, tx.now).total_seconds(),
        warned=clock.warned,
        breached=clock.breached,
        met=clock.met,
        expected=clock.expected,
        pauses=[
            PauseOut(reason=each.reason, begun=each.begun, until=each.until)
            for each in pauses
            if each.clock == clock.id
        ],
    )


def _call(task: CallTask, ticket: Ticket, tier: str) -> CallOut:
    return CallOut(
        id=task.id,
        ticket=task.ticket,
        ref=ticket.ref,
        severity=ticket.severity,
        safety=ticket.safety,
        tier=tier,
        reason=task.reason,
        opened=task.opened,
        due=task.due,
        assignee=task.assignee,
        escalated=task.escalated,
        contacted=task.contacted,
        state=str(task.state),
    )


def _silence(tx: Tx, row: Silence) -> SilenceOut:
    kept = tx.office.desk.levels.reach.suppressions(row.id)
    return SilenceOut(
        id=row.id,
        org=row.org,
        kind=str(row.kind),
        start=row.start,
        until=row.until,
        made_by=row.made_by,
        reason=row.reason,
        household=row.household,
        ticket=row.ticket,
        suppressed=[SuppressedOut(ticket=s.ticket, stage=s.stage, at=s.at, until=s.until) for s in kept],
    )


def _oncall(row: OnCall) -> OnCallOut:
    return OnCallOut(org=row.org, step=row.step, name=row.name, start=row.start, until=row.until)
