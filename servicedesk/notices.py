"""Makes notices: one for each stage of an episode, in the household's language, outside its quiet hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from servicedesk.model import Contact, Household, Notice, NoticeState, Ticket, Visit
from servicedesk.office import DISPATCH, Office
from servicedesk.policy import proof_time
from servicedesk.texts import notice_text, pick, say_appliance, say_day, say_moment, say_onset, say_window
from telemetry.catalogue import FaultSpec
from telemetry.clock import to_datetime

DELIVER = "deliver"
"""The job that carries a notice out."""
SEND = "send"
"""Due: the quiet hours of a waiting notice are over."""
SETTLE = "settle"
"""Due: a mail that did not bounce within a day counts as delivered."""
BOUNCE_WINDOW = timedelta(hours=24)
_MORNING_AT_LATEST = 2


def notify(
    office: Office, ticket: Ticket, stage: str, now: datetime, *, visit: Visit | None = None, occasion: int = 0
) -> Notice | None:
    """Queue the notice of a stage and leave the job that delivers it.

    None when nobody may be told (no household, consent withdrawn) or the stage was told before.
    """
    desk = office.desk
    household = desk.people.household(ticket.household) if ticket.household is not None else None
    if household is None or not (household.consent_alerts or ticket.safety):
        return None
    notice = _compose(office, ticket, household, stage, now=now, visit=visit, occasion=occasion)
    if not desk.notices.add(notice):
        return None
    waits = {"waits": notice.not_before.isoformat()} if notice.not_before > now else {}
    office.log(ticket.id, now, "notice", stage=stage, notice=str(notice.id), lang=notice.lang, **waits)
    if notice.not_before > now:
        desk.agenda.set_due(SEND, notice.id, notice.not_before)
    else:
        desk.agenda.defer(DELIVER, once=f"deliver:{notice.id}", notice=str(notice.id))
    return notice


def readable_from(now: datetime, household: Household, *, safety: bool) -> datetime:
    """When a notice may reach the household: now, or when its quiet hours end. Safety does not wait."""
    night = None if safety else quiet_span(now, household)
    return now if night is None else night[1]


def quiet_span(moment: datetime, household: Household) -> tuple[datetime, datetime] | None:
    """Begin and end of the quiet hours that a moment lies in, or None outside them."""
    zone = ZoneInfo(household.tz)
    local = moment.astimezone(zone)
    start, end = household.quiet_from, household.quiet_to
    clock = local.timetz().replace(tzinfo=None)
    inside = start <= clock < end if start <= end else clock >= start or clock < end
    if start == end or not inside:
        return None
    first = local.date() if clock >= start else local.date() - timedelta(days=1)
    return datetime.combine(first, start, zone).astimezone(UTC), _next(local.date(), end, zone, moment)


def delivered(office: Office, notice: Notice, now: datetime, *, final: bool) -> Notice:
    """A channel took the notice: finally (mailbox), or unless it bounces within a day (mail)."""
    if notice.state is not NoticeState.QUEUED:
        return notice
    if final:
        notice = replace(notice, state=NoticeState.DELIVERED, sent=now, delivered=now)
    else:
        notice = replace(notice, state=NoticeState.SENT, sent=now)
        office.desk.agenda.set_due(SETTLE, notice.id, now + BOUNCE_WINDOW)
    office.desk.notices.save(notice)
    return notice


def settle(office: Office, notice: Notice, now: datetime) -> None:
    """A day without a bounce: the notice counts as delivered."""
    if notice.state is NoticeState.SENT:
        office.desk.notices.save(replace(notice, state=NoticeState.DELIVERED, delivered=now))


def seen(office: Office, ticket: Ticket, now: datetime) -> None:
    """The owner opened the link: everything sent about the ticket has arrived."""
    for notice in office.desk.notices.of_ticket(ticket.id):
        if notice.state in (NoticeState.SENT, NoticeState.DELIVERED):
            office.desk.notices.save(
                replace(notice, state=NoticeState.OPENED, opened=now, delivered=notice.delivered or now)
            )


def bounced(office: Office, notice: Notice, now: datetime, why: str) -> None:
    """The address does not take mail: the next contact gets it; without one a person reaches the owner."""
    desk = office.desk
    desk.people.bounced(notice.household, notice.address, now)
    ticket = desk.tickets.get(notice.ticket)
    office.log(ticket.id, now, "bounced", notice=str(notice.id), why=why)
    following = _contact(desk.people.contacts(notice.household))
    if following is not None and following.email:
        again = replace(notice, address=following.email, state=NoticeState.QUEUED, sent=None, bounced=None)
        desk.notices.save(again)
        desk.agenda.defer(DELIVER, once=f"deliver:{notice.id}", notice=str(notice.id))
        return
    desk.notices.save(replace(notice, state=NoticeState.BOUNCED, bounced=now))
    office.assign(ticket, DISPATCH, "reach_owner", now + timedelta(hours=1))


def arrived(notice: Notice) -> bool:
    """Whether a notice reached the household: only then may time alone close or cancel anything."""
    return notice.state in (NoticeState.DELIVERED, NoticeState.OPENED)


def _contact(contacts: list[Contact]) -> Contact | None:
    return next((each for each in contacts if each.email and each.bounced is None), None)


def _next(day: date, clock: time, zone: ZoneInfo, now: datetime) -> datetime:
    for ahead in range(_MORNING_AT_LATEST + 1):
        moment = datetime.combine(day + timedelta(days=ahead), clock, zone).astimezone(UTC)
        if moment > now:
            return moment
    return now


def _compose(
    office: Office,
    ticket: Ticket,
    household: Household,
    stage: str,
    *,
    now: datetime,
    visit: Visit | None,
    occasion: int,
) -> Notice:
    desk, lang = office.desk, household.lang
    table = notice_text(stage)
    words = _words(office, ticket, household, now, visit)
    earlier = next((each.link for each in desk.notices.of_ticket(ticket.id) if each.link), None)
    contact = _contact(desk.people.contacts(household.id))
    mail = office.channel == "mail" and contact is not None
    new = office.new_id()
    return Notice(
        id=new,
        ticket=ticket.id,
        household=household.id,
        stage=stage,
        occasion=occasion,
        lang=lang,
        channel="mail" if mail else "mailbox",
        address=contact.email or "" if contact is not None else "",
        subject=pick(table.subject, lang).format_map(words),
        body="\n\n".join(pick(each, lang).format_map(words) for each in table.paragraphs),
        link=earlier or desk.agenda.owner_link(ticket.id, now),
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
