"""The ladder of a notice: the next channel when one fails or nobody answers, then a call, then a supervisor.

A notice stays one row with one Message-ID on every rung. Past the last channel a person has a task.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from servicedesk.calls import UNREACHED, open_call
from servicedesk.level_rows import Attempt, Outage
from servicedesk.levels import untold
from servicedesk.model import Notice, NoticeState
from servicedesk.office import DISPATCH, OWNER, Office
from servicedesk.quiet import readable_from
from servicedesk.reach import MAIL, MAILBOX, Way, outage_key, ways
from servicedesk.states import TICKET_ENDED

DELIVER = "deliver"
"""The job that carries a notice out."""
LADDER = "ladder"
"""Due: a notice has waited long enough on its channel."""
CHANNEL_DOWN = "channel_down"
"""Due: dispatch is warned of a channel that still does not work; its ref is the outage."""
_HUMAN = ("answer", "reached")


def begin(office: Office, notice: Notice) -> None:
    """Note the first rung, and when the next is due. The mailbox takes everything: it has no second rung."""
    if notice.channel == MAILBOX:
        return
    office.desk.levels.reach.attempted(_attempt(notice, 0, notice.queued, "first"))
    patience = office.levels.rung(notice.stage).after
    office.desk.agenda.set_due(LADDER, notice.id, notice.not_before + patience)


def fall_due(office: Office, ref: UUID, now: datetime) -> None:
    """The patience with a channel is over: climb, unless the notice has got far enough or a person has spoken."""
    notice = office.desk.notices.get(ref)
    household = office.desk.people.household(notice.household)
    if _settled(office, notice):
        return
    if household is not None and (later := readable_from(now, household, safety=notice.safety)) > now:
        office.desk.agenda.set_due(LADDER, ref, later)
        return
    why = "not sent in time" if notice.state is NoticeState.QUEUED else "not opened in time"
    climb(office, notice, now, why)


def climb(office: Office, notice: Notice, now: datetime, why: str) -> Notice:
    """Put a notice on the next way that was not tried: another channel when time ran out, after a bounce any.

    Without one the call goes to a person; a notice that no channel has taken goes on trying, one way after the other.
    """
    desk = office.desk
    household = desk.people.household(notice.household)
    tried = desk.levels.reach.attempts(notice.id)
    known = {(each.channel, each.address) for each in tried} | {(notice.channel, notice.address)}
    usable = [] if household is None else ways(office, household)
    left = [each for each in usable if (each.channel, each.address) not in known]
    way = _next(left, notice, bounced=notice.state is NoticeState.BOUNCED)
    if notice.state is not NoticeState.QUEUED:
        untold(office, notice, now)
    rung = max((each.rung for each in tried), default=0) + 1
    if way is None:
        notice = _unreached(office, notice, now, why)
        others = [each for each in usable if (each.channel, each.address) != (notice.channel, notice.address)]
        if notice.state is not NoticeState.QUEUED or not others:
            return notice
        way = others[rung % len(others)]
    notice = replace(
        notice, channel=way.channel, address=way.address, state=NoticeState.QUEUED, sent=None, bounced=None
    )
    desk.notices.save(notice)
    desk.levels.reach.attempted(_attempt(notice, rung, now, why))
    office.log(notice.ticket, now, "climbed", notice=str(notice.id), stage=notice.stage, channel=way.channel, why=why)
    desk.agenda.set_due(LADDER, notice.id, now + office.levels.rung(notice.stage).after)
    desk.agenda.defer(DELIVER, once=f"deliver:{notice.id}:{rung}", notice=str(notice.id))
    return notice


def failed(office: Office, notice_id: UUID, why: str, now: datetime) -> Outage:
    """A channel did not take a notice for now; after a while of that dispatch is warned."""
    notice = office.desk.notices.get(notice_id)
    outage = office.desk.levels.reach.failed(
        Outage(id=office.new_id(), channel=outage_key(notice), since=now, failures=1, why=why[:500])
    )
    if outage.failures == 1:
        office.desk.agenda.set_due(CHANNEL_DOWN, outage.id, now + office.levels.warn_after)
    return outage


def warn(office: Office, ref: UUID, now: datetime) -> None:
    """Warn dispatch of a channel that still does not work: in the list of warnings, and on each case that waits."""
    reach = office.desk.levels.reach
    outage = reach.outage(ref)
    if outage.ended is not None or outage.warned is not None:
        return
    reach.save_outage(replace(outage, warned=now))
    kind = MAIL if outage.channel == MAIL else outage.channel.partition(":")[0]
    waiting = {each.ticket for each in reach.waiting(kind) if outage_key(each) == outage.channel}
    for ticket in sorted(waiting):
        office.log(ticket, now, "channel_down", channel=kind, since=outage.since.isoformat(), why=outage.why)


def _settled(office: Office, notice: Notice) -> bool:
    """Whether nothing more is to be done for a notice to be known."""
    if notice.state is NoticeState.OPENED or notice.channel == MAILBOX:
        return True
    if office.desk.levels.clocks.state_of(notice.ticket) in TICKET_ENDED and notice.state is not NoticeState.QUEUED:
        return True
    if office.levels.rung(notice.stage).until == "sent":
        return notice.state in (NoticeState.SENT, NoticeState.DELIVERED)
    lines = office.desk.tickets.timeline(notice.ticket)
    return any(each.at >= notice.queued and (each.actor == OWNER or each.kind in _HUMAN) for each in lines)


def _next(left: list[Way], notice: Notice, *, bounced: bool) -> Way | None:
    """After a bounce the next in order; when time ran out, one of another channel first."""
    if bounced:
        return left[0] if left else None
    return next((each for each in left if each.channel != notice.channel), left[0] if left else None)


def _unreached(office: Office, notice: Notice, now: datetime, why: str) -> Notice:
    desk = office.desk
    ticket = desk.tickets.get(notice.ticket)
    if notice.state is NoticeState.BOUNCED:
        desk.notices.save(notice)
    # Also when the case is over: its owner does not know.
    if open_call(office, ticket.id, UNREACHED, ticket.severity, now) is None:
        return notice
    office.log(ticket.id, now, "unreached", notice=str(notice.id), stage=notice.stage, why=why)
    if ticket.state not in TICKET_ENDED:
        office.assign(ticket, DISPATCH, "reach_owner", now + office.levels.call_later)
    return notice


def _attempt(notice: Notice, rung: int, at: datetime, why: str) -> Attempt:
    return Attempt(notice=notice.id, rung=rung, channel=notice.channel, address=notice.address, at=at, why=why)
