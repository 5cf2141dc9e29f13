"""Makes notices: one for each stage of an episode, in the household's language, outside its quiet hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk import ladder, money_news
from servicedesk.ladder import DELIVER
from servicedesk.level_rows import SilenceKind, Suppressed
from servicedesk.levels import told, untold
from servicedesk.model import Household, Notice, NoticeState, Ticket, Visit
from servicedesk.office import Office
from servicedesk.policy import proof_time
from servicedesk.quiet import readable_from
from servicedesk.reach import CHAT, MAILBOX, outage_key, silence_of, ways
from servicedesk.texts import notice_text, pick, say_appliance, say_day, say_moment, say_onset, say_window
from telemetry.catalogue import FaultSpec
from telemetry.clock import to_datetime

__all__ = [
    "BOUNCE_WINDOW",
    "DELIVER",
    "SEND",
    "SETTLE",
    "arrived",
    "bounced",
    "delivered",
    "notify",
    "seen",
    "settle",
]
SEND = "send"
"""Due: the quiet hours of a waiting notice are over."""
SETTLE = "settle"
"""Due: a mail that did not bounce within a day counts as delivered."""
BOUNCE_WINDOW = timedelta(hours=24)
_OTHER_LINKS = frozenset({"home_link"})
"""Stages whose link is not the ticket's."""


def notify(
    office: Office,
    ticket: Ticket,
    stage: str,
    now: datetime,
    *,
    visit: Visit | None = None,
    occasion: int = 0,
    say: Mapping[str, str] | None = None,
    link: str = "",
) -> Notice | None:
    """Queue the notice of a stage and leave the job that delivers it; a silence that ends makes it wait.

    None when nobody may be told (no household, consent withdrawn, muted) or the stage was told before.

    Args:
        office: see there.
        ticket: what it is about.
        stage: of `texts.toml`.
        now: when.
        visit: fills the placeholders of a visit.
        occasion: counts the notices of one stage.
        say: further placeholders.
        link: another one than the ticket's.
    """
    desk = office.desk
    household = office.household(ticket)
    if household is None or not (household.consent_alerts or ticket.safety):
        return None
    silence = silence_of(office, ticket, now)
    if silence is not None:
        kept = Suppressed(silence=silence.id, ticket=ticket.id, stage=stage, at=now, until=silence.until)
        muted = silence.kind is SilenceKind.MUTE
        desk.levels.reach.suppressed(replace(kept, until=None) if muted else kept)
        office.log(ticket.id, now, "suppressed", stage=stage, silence=str(silence.id), by=str(silence.kind))
        if muted:
            return None
    notice = _compose(
        office, ticket, household, stage, now=now, visit=visit, occasion=occasion, say=say or {}, own_link=link
    )
    if silence is not None and silence.until is not None:
        later = readable_from(silence.until, household, safety=False)
        notice = replace(notice, not_before=max(notice.not_before, later))
    if not desk.notices.add(notice):
        return None
    ladder.begin(office, notice)
    waits = {"waits": notice.not_before.isoformat()} if notice.not_before > now else {}
    office.log(ticket.id, now, "notice", stage=stage, notice=str(notice.id), lang=notice.lang, **waits)
    if notice.not_before > now:
        desk.agenda.set_due(SEND, notice.id, notice.not_before)
    else:
        desk.agenda.defer(DELIVER, once=f"deliver:{notice.id}", notice=str(notice.id))
    return notice


def delivered(office: Office, notice: Notice, now: datetime, *, final: bool) -> Notice:
    """A channel took the notice: finally (mailbox), or unless it bounces within a day (mail)."""
    if notice.state is not NoticeState.QUEUED:
        return notice
    if notice.channel != MAILBOX:
        office.desk.levels.reach.worked(outage_key(notice), now)
    if final:
        notice = replace(notice, state=NoticeState.DELIVERED, sent=now, delivered=now)
    else:
        notice = replace(notice, state=NoticeState.SENT, sent=now)
        office.desk.agenda.set_due(SETTLE, notice.id, now + BOUNCE_WINDOW)
    office.desk.notices.save(notice)
    told(office, notice, now)
    money_news.told(office, notice)
    return notice


def settle(office: Office, notice: Notice, now: datetime) -> None:
    """A day without a bounce: the notice counts as delivered."""
    if notice.state is NoticeState.SENT:
        office.desk.notices.save(replace(notice, state=NoticeState.DELIVERED, delivered=now))
        money_news.told(office, notice)


def seen(office: Office, ticket: Ticket, now: datetime) -> None:
    """The owner opened the link: everything sent about the ticket has arrived, also what climbs to another channel."""
    for notice in office.desk.notices.of_ticket(ticket.id):
        climbing = notice.state is NoticeState.QUEUED and len(office.desk.levels.reach.attempts(notice.id)) > 1
        if climbing or notice.state in (NoticeState.SENT, NoticeState.DELIVERED):
            office.desk.notices.save(
                replace(notice, state=NoticeState.OPENED, opened=now, delivered=notice.delivered or now)
            )
            money_news.told(office, notice)


def bounced(office: Office, notice: Notice, now: datetime, why: str) -> None:
    """The address does not take messages, said at once or late: the next one gets them, and without one a person calls.

    The contact's address is marked, so that every other message goes elsewhere from now on. A notice that the owner
    has opened all the same stays as it is.
    """
    desk = office.desk
    if notice.channel == CHAT:
        desk.levels.reach.stale_channel(UUID(notice.address), now)
    else:
        desk.people.bounced(notice.household, notice.address, now)
    office.log(notice.ticket, now, "bounced", notice=str(notice.id), channel=notice.channel, why=why)
    if notice.state is NoticeState.OPENED:
        return
    untold(office, notice, now)
    ladder.climb(office, replace(notice, state=NoticeState.BOUNCED, bounced=now), now, why)


def arrived(notice: Notice) -> bool:
    """Whether a notice reached the household: only then may time alone close or cancel anything."""
    return notice.state in (NoticeState.DELIVERED, NoticeState.OPENED)


def _compose(
    office: Office,
    ticket: Ticket,
    household: Household,
    stage: str,
    *,
    now: datetime,
    visit: Visit | None,
    occasion: int,
    say: Mapping[str, str],
    own_link: str,
) -> Notice:
    desk, lang = office.desk, household.lang
    table = notice_text(stage)
    words = {**_words(office, ticket, household, now, visit), **say}
    told_before = desk.notices.of_ticket(ticket.id)
    earlier = next((each.link for each in told_before if each.link and each.stage not in _OTHER_LINKS), None)
    way = next(iter(ways(office, household)), None)
    new = office.new_id()
    return Notice(
        id=new,
        ticket=ticket.id,
        household=household.id,
        stage=stage,
        occasion=occasion,
        lang=lang,
        # Without any address it goes out all the same, and a person is told that it cannot.
        channel=way.channel if way is not None else office.channel,
        address=way.address if way is not None else "",
        subject=pick(table.subject, lang).format_map(words),
        body="\n\n".join(pick(each, lang).format_map(words) for each in table.paragraphs),
        link=own_link or earlier or desk.agenda.owner_link(ticket.id, now),
        message_id=f"<{new}@wellkept>",
        safety=ticket.safety,
        queued=now,
        not_before=readable_from(now, household, safety=ticket.safety),
    )


def _words(office: Office, ticket: Ticket, household: Household, now: datetime, visit: Visit | None) -> dict[str, str]:
    """What the placeholders stand for."""
    desk, lang, tz = office.desk, household.lang, household.tz
    appliance = desk.people.appliance(ticket.device)
    kind = office.catalogue.kinds.get(appliance.kind)
    fault = office.fault(ticket)
    finding = desk.agenda.finding(ticket.finding) if ticket.finding is not None else None
    onset = to_datetime(finding.onset) if finding is not None else now
    earlier = timedelta(microseconds=finding.onset - finding.onset_low) if finding is not None else timedelta()
    later = timedelta(microseconds=finding.onset_high - finding.onset) if finding is not None else timedelta()
    since, day = say_onset(onset, earlier, later, tz, lang), say_day(onset, tz, lang)
    name = say_appliance(appliance, kind, lang)
    words = {"appliance": name, "ref": ticket.ref, "days": _days(office, fault)}
    for key, said in _fault_words(fault, lang).items():
        words[key] = said.format(onset=since, day=day) if said else name
    if visit is not None:
        names = {each.id: each.name for each in desk.people.technicians(ticket.org)}
        words["window"] = say_window(visit.window, tz, lang)
        words["hold"] = say_moment(visit.hold_until, tz, lang)
        words["technician"] = names.get(visit.technician, "")
    return words


def _days(office: Office, fault: FaultSpec | None) -> str:
    return str(max(1, round(proof_time(fault, office.policy) / timedelta(days=1))))


def _fault_words(fault: FaultSpec | None, lang: str) -> dict[str, str]:
    if fault is None:
        return {"noticed": "", "safe": "", "risk": "", "cause": ""}
    return {
        "noticed": pick(fault.notice, lang),
        "safe": pick(fault.safe, lang),
        "risk": pick(fault.risk, lang),
        "cause": pick(fault.title, lang),
    }
