"""Keeps the clocks of service levels: they follow a ticket's timeline, stand for a reason, and warn early.

A clock counts working time of its policy's calendar. It is never recomputed from the beginning: what has been consumed
stays consumed over pauses, holidays and changes of severity. A worse severity gives the new target from now, if that is
sooner; a lesser one gives its own target from the beginning, if that is later.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from servicedesk.calendars import Calendar, CalendarError
from servicedesk.level_policies import LevelPolicy, Levels
from servicedesk.level_rows import LevelClock, Pause
from servicedesk.model import Notice, NoticeState, TicketEvent
from servicedesk.signals import ENDING, NEWS, holds_of, signals_of
from servicedesk.states import TicketState, VisitState

if TYPE_CHECKING:
    from servicedesk.office import Office

LEVEL = "level"
"""Due: a clock is endangered or broken; its ref is the clock."""
OWNER_WAIT = "owner"
_ASKS = frozenset({"alert", "safety", "proposed_again", "moved_by_us", "reopened", "remind", "quote"})
"""The notices that ask the owner for an answer."""


def heed(office: Office, event: TicketEvent) -> None:
    """Let the clocks of a ticket follow a line of its timeline; only clocks and due things are written."""
    signals = signals_of(event)
    book = office.desk.levels.clocks
    clocks = book.open_of(event.ticket) if signals or event.kind in NEWS else []
    if event.kind == "severity":
        _reprice(office, clocks, event)
        return
    if event.kind == "moved" and event.body.get("new") in ENDING:
        for clock in clocks:
            _end(office, clock, event.at)
        return
    for clock in clocks:
        policy = office.levels.policies.get(clock.policy)
        if policy is not None and policy.meets & signals:
            _meet(office, clock, event.at)
    _expect(office, event)
    begun, over = holds_of(event)
    for reason in over:
        hold(office, event.ticket, reason, event.at, on=False)
    for reason in begun:
        hold(office, event.ticket, reason, event.at, on=True)
    if signals:
        _start(office, event, signals)


def hold(office: Office, ticket: UUID, reason: str, at: datetime, *, on: bool) -> None:
    """Let a reason to pause begin or end for a ticket's open clocks."""
    book = office.desk.levels.clocks
    for clock in book.open_of(ticket):
        policy = office.levels.policies.get(clock.policy)
        if policy is None or reason not in policy.pauses or (reason in clock.reasons) is on:
            continue
        if on:
            book.pause(Pause(clock=clock.id, reason=reason, begun=at))
            reasons = (*clock.reasons, reason)
        else:
            book.resume(clock.id, reason, at)
            reasons = tuple(each for each in clock.reasons if each != reason)
        set_clock(office, replace(_counted(office, clock, at), reasons=reasons), at)


def told(office: Office, notice: Notice, now: datetime) -> None:
    """A notice that asks for an answer is on its way: from now on the wait is the owner's."""
    if notice.stage not in _ASKS:
        return
    desk = office.desk
    asked = desk.levels.clocks.state_of(notice.ticket) is TicketState.AWAITING_QUOTE or any(
        each.state is VisitState.PROPOSED for each in desk.visits.of_ticket(notice.ticket)
    )
    if asked:
        hold(office, notice.ticket, OWNER_WAIT, now, on=True)


def untold(office: Office, notice: Notice, now: datetime) -> None:
    """What asked for an answer did not arrive after all: unless another one did, the wait is ours again."""
    others = (NoticeState.SENT, NoticeState.DELIVERED, NoticeState.OPENED)
    notices = office.desk.notices.of_ticket(notice.ticket)
    if notice.stage in _ASKS and not any(
        each.id != notice.id and each.stage in _ASKS and each.queued >= notice.queued and each.state in others
        for each in notices
    ):
        hold(office, notice.ticket, OWNER_WAIT, now, on=False)


def calendar_of(levels: Levels, clock: LevelClock) -> Calendar:
    """The calendar a clock counts in."""
    spec = levels.calendars.get(clock.calendar)
    return spec.of(clock.zone) if spec is not None else Calendar()


def consumed(levels: Levels, clock: LevelClock, at: datetime) -> timedelta:
    """Working time that a clock has counted by a moment."""
    if clock.since is None:
        return clock.consumed
    calendar = calendar_of(levels, clock)
    try:
        return clock.consumed + calendar.between(clock.since, at)
    except CalendarError:
        return clock.consumed + calendar.plain().between(clock.since, at)


def _start(office: Office, event: TicketEvent, signals: frozenset[str], severity: int | None = None) -> None:
    """Start the clocks of what is promised from now on; a change of severity starts only what there never was."""
    wanted = [policy for policy in office.levels.policies.values() if policy.starts & signals]
    if not wanted:
        return
    desk = office.desk
    ticket = desk.tickets.get(event.ticket)
    household = office.household(ticket)
    tier = desk.levels.clocks.tier(household.id) if household is not None else ""
    known = desk.levels.clocks.of_ticket(ticket.id)
    for policy in wanted:
        target = policy.target(severity or ticket.severity, tier)
        mine = [each for each in known if each.policy == policy.name]
        if target is None or any(each.open for each in mine) or (severity is not None and mine):
            continue
        clock = LevelClock(
            id=office.new_id(),
            ticket=ticket.id,
            policy=policy.name,
            occasion=len(mine),
            calendar=policy.calendar.name,
            zone=household.tz if household is not None else "UTC",
            started=event.at,
            allowed=target,
            since=event.at,
        )
        clock, unknown = _scheduled(office, clock, event.at)
        desk.levels.clocks.add(clock)
        _note_due(office, clock, event.at)
        if unknown is not None:
            office.log(ticket.id, event.at, "calendar_unpublished", policy=policy.name, why=str(unknown))


def _reprice(office: Office, clocks: list[LevelClock], event: TicketEvent) -> None:
    """Take the targets of another severity; clocks that the new one has no promise for end, new ones start."""
    desk, at, new = office.desk, event.at, int(event.body["new"])
    worse = new < int(event.body["old"])
    ticket = desk.tickets.get(event.ticket)
    tier = desk.levels.clocks.tier(ticket.household) if ticket.household is not None else ""
    for clock in clocks:
        policy = office.levels.policies.get(clock.policy)
        target = None if policy is None else policy.target(new, tier)
        counted = _counted(office, clock, at)
        if target is None:
            _end(office, clock, at)
        elif worse:
            set_clock(office, replace(counted, allowed=min(counted.allowed, counted.consumed + target)), at)
        else:
            set_clock(office, replace(counted, allowed=max(counted.allowed, target)), at)
    _start(office, event, frozenset({"opened"}), severity=new)


def _counted(office: Office, clock: LevelClock, at: datetime) -> LevelClock:
    """The clock with its time up to a moment consumed."""
    if clock.since is None:
        return clock
    return replace(clock, consumed=consumed(office.levels, clock, at), since=max(at, clock.since))


def _scheduled(office: Office, clock: LevelClock, at: datetime) -> tuple[LevelClock, CalendarError | None]:
    """The clock with its due time; past the last published year the weekdays alone count, and the cause is told."""
    if clock.reasons:
        return replace(clock, since=None, due=None), None
    calendar, rest = calendar_of(office.levels, clock), clock.allowed - clock.consumed
    since = clock.since or at
    try:
        return replace(clock, since=since, due=calendar.add(since, rest)), None
    except CalendarError as unknown:
        return replace(clock, since=since, due=calendar.plain().add(since, rest)), unknown


def set_clock(office: Office, clock: LevelClock, at: datetime) -> None:
    """Write a clock with its due time and note when to look at it next."""
    clock, _ = _scheduled(office, clock, at)
    office.desk.levels.clocks.save(clock)
    _note_due(office, clock, at)


def _note_due(office: Office, clock: LevelClock, at: datetime) -> None:
    agenda, policy = office.desk.agenda, office.levels.policies.get(clock.policy)
    if not clock.open or policy is None or clock.breached is not None:
        agenda.drop_due((LEVEL,), clock.id)
    elif clock.warned is None and planned_late(office, clock, at):
        # At once, but not here: the ticket is somebody else's in this transaction.
        agenda.set_due(LEVEL, clock.id, at)
    elif clock.due is None:
        agenda.drop_due((LEVEL,), clock.id)
    elif clock.warned is not None:
        agenda.set_due(LEVEL, clock.id, clock.due)
    else:
        agenda.set_due(LEVEL, clock.id, max(at, warn_at(office, clock, policy, at)))


def planned_late(office: Office, clock: LevelClock, at: datetime) -> bool:
    """Whether the plan keeps the promise too late, even if the clock ran on at once."""
    if clock.expected is None:
        return False
    running = clock if clock.due is not None else _scheduled(office, replace(clock, reasons=(), since=at), at)[0]
    return running.due is not None and clock.expected > running.due


def warn_at(office: Office, clock: LevelClock, policy: LevelPolicy, at: datetime) -> datetime:
    """When the policy's part of the target is used up."""
    calendar = calendar_of(office.levels, clock)
    rest = clock.allowed * policy.predict - clock.consumed
    since = clock.since or at
    try:
        return calendar.add(since, rest)
    except CalendarError:
        return calendar.plain().add(since, rest)


def _expect(office: Office, event: TicketEvent) -> None:
    """A planned visit says when a promise of a visit would be kept; without one nothing does."""
    if event.kind == "proposed":
        expected: datetime | None = datetime.fromisoformat(str(event.body["start"]))
    elif event.kind == "visit" and event.body.get("new") in ("declined", "cancelled", "missed"):
        expected = None
    else:
        return
    for clock in office.desk.levels.clocks.open_of(event.ticket):
        policy = office.levels.policies.get(clock.policy)
        if policy is not None and "on_site" in policy.meets and "proposed" not in policy.meets:
            set_clock(office, replace(clock, expected=expected), event.at)


def _meet(office: Office, clock: LevelClock, at: datetime) -> None:
    counted = replace(_counted(office, clock, at), since=None, due=None, met=at, reasons=())
    late = clock.due is not None and at > clock.due
    breached = clock.breached or (clock.due if late else None)
    _over(office, replace(counted, breached=breached), clock, at)


def _end(office: Office, clock: LevelClock, at: datetime) -> None:
    _over(office, replace(_counted(office, clock, at), since=None, due=None, ended=at, reasons=()), clock, at)


def _over(office: Office, clock: LevelClock, before: LevelClock, at: datetime) -> None:
    book = office.desk.levels.clocks
    for reason in before.reasons:
        book.resume(clock.id, reason, at)
    book.save(clock)
    office.desk.agenda.drop_due((LEVEL,), clock.id)
