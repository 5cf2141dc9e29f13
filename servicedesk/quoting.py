"""Quotes: told before anybody books, itemised, sent, decided by the owner. An undelivered one never expires."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from babel.numbers import format_currency

from servicedesk.covering import verdict_on
from servicedesk.errors import IllegalMoveError, NeedsReasonError, UnknownError
from servicedesk.model import Ticket
from servicedesk.money import Estimate, Job, estimate, itemise, price_list, tax_in, total
from servicedesk.money_news import QUOTE_STAGE
from servicedesk.money_rows import Quote
from servicedesk.notices import arrived, notify
from servicedesk.office import DISPATCH, OWNER, SUPERVISOR, SYSTEM, Office, moved_ticket
from servicedesk.planning import call_off
from servicedesk.states import NEEDS_REASON, QUOTE, TICKET, QuoteState, TicketState, VisitState, check_move
from servicedesk.texts import LOCALE, say_moment
from servicedesk.way_offers import live_case
from servicedesk.way_rows import WayState
from telemetry.catalogue import FaultSpec

QUOTE_ENDS = "quote_ends"
"""Due: a quote is no longer valid; its ref is the quote."""
OPEN = frozenset({QuoteState.SENT, QuoteState.DELIVERED, QuoteState.SEEN})
"""The owner may still decide."""
_BOOKED = (VisitState.CONFIRMED, VisitState.DISPATCHED, VisitState.TRAVELLING)
"""The owner has said yes to a window; somebody may be on the way already."""
_COMING = (VisitState.PROPOSED, *_BOOKED)
_PATIENCE = timedelta(hours=24)


def band(office: Office, ticket: Ticket, now: datetime) -> Estimate | None:
    """What the owner would pay, from and to, and how long it takes; None where the fault is not known yet."""
    job = job_of(office, ticket, now)
    return None if job is None else estimate(job, price_list())


def offer_quote(office: Office, ticket_id: UUID, now: datetime) -> Quote | None:
    """Make and send the quote that a ticket needs before work begins.

    None when the band that was told is enough: the maker pays, or it ends below the sum from which we quote; and when
    there is a quote already.
    """
    ticket = office.desk.tickets.get(ticket_id)
    told = band(office, ticket, now)
    there = office.desk.quotes.of_ticket(ticket.id)
    if ticket.state is not TicketState.PLANNED or there or told is None or told.high < price_list().quote_from:
        return None
    return send_quote(office, draft_quote(office, ticket_id, now, SYSTEM).id, now, SYSTEM)


def draft_quote(
    office: Office,
    ticket_id: UUID,
    now: datetime,
    actor: str,
    *,
    parts: tuple[str, ...] | None = None,
    reason: str | None = None,
) -> Quote:
    """Reckon a quote, line by line, by the diagnosis and the warranty.

    Args:
        office: see there.
        ticket_id: whose.
        now: when.
        actor: who makes it.
        parts: SKUs, where they are others than the fault's.
        reason: why other parts are needed, or the sum lies above the band that was told.

    Raises:
        UnknownError: the ticket's fault is not known.
        NeedsReasonError: see `reason`.
    """
    ticket = office.desk.tickets.get(ticket_id)
    job = job_of(office, ticket, now, parts)
    if job is None:
        raise UnknownError(f"ticket {ticket.ref} has no known fault yet; a quote needs one")
    strange = check_parts(office, ticket, job.skus, reason)
    prices = price_list()
    lines = itemise(job, prices)
    asked, told = total(lines), estimate(job, prices)
    if asked > told.high and not reason:
        raise NeedsReasonError(f"{asked} lies above the {told.high} {told.currency} that were told; say why")
    quote = Quote(
        id=office.new_id(),
        ticket=ticket.id,
        state=QuoteState.DRAFT,
        currency=prices.currency,
        lines=lines,
        total=asked,
        tax=tax_in(asked, prices),
        rule=job.rule,
        parts=job.skus,
        valid_until=now + timedelta(days=prices.valid_days),
        made=now,
        reason=reason,
    )
    office.desk.quotes.add(quote)
    office.log(ticket.id, now, "quote", actor, quote=str(quote.id), new=str(QuoteState.DRAFT), total=str(asked))
    if strange or asked > told.high:
        office.log(ticket.id, now, "override", actor, rule="quote", parts=list(strange), reason=reason)
    return quote


def send_quote(office: Office, quote_id: UUID, now: datetime, actor: str) -> Quote:
    """Put a quote to the owner; the ticket waits for the answer.

    Raises:
        IllegalMoveError: it was sent before, or another one of the ticket is open.
    """
    desk = office.desk
    ticket = desk.tickets.get(desk.quotes.ticket_of(quote_id))
    quote = desk.quotes.get(quote_id)
    if any(each.state in OPEN for each in desk.quotes.of_ticket(ticket.id)):
        raise IllegalMoveError("quote", quote.state, QuoteState.SENT, ())
    back = ticket.state
    quote = _moved(office, quote, QuoteState.SENT, now, actor)
    ticket = moved_ticket(office, ticket, TicketState.AWAITING_QUOTE, now, actor)
    lang, tz = office.words_for(ticket)
    say = {
        "price": format_currency(quote.total, quote.currency, locale=LOCALE[lang]),
        "until": say_moment(quote.valid_until, tz, lang),
    }
    notice = notify(office, ticket, QUOTE_STAGE, now, occasion=_count(office, ticket.id), say=say)
    office.assign(ticket, DISPATCH, "await_quote", quote.valid_until)
    desk.agenda.set_due(QUOTE_ENDS, quote.id, quote.valid_until)
    return desk.quotes.save(replace(quote, back=back, notice=notice.id if notice is not None else None))


def approve_quote(office: Office, quote_id: UUID, now: datetime, actor: str) -> Quote:
    """The owner agrees; the work goes on where it stood. Saying it twice is the same as once.

    Raises:
        IllegalMoveError: it was declined, or is no longer valid.
    """
    quote = follow_quote(office, quote_id, now)
    if quote.state is QuoteState.APPROVED:
        return quote
    return _decided(office, quote, QuoteState.APPROVED, now, actor)


def decline_quote(office: Office, quote_id: UUID, now: datetime, actor: str, reason: str) -> Quote:
    """The owner does not agree: the visit that was to come is cancelled, and a person calls. Nothing ends by itself.

    Raises:
        IllegalMoveError: it was approved, or is no longer valid.
        NeedsReasonError: without a reason.
    """
    quote = follow_quote(office, quote_id, now)
    if not reason.strip():
        raise NeedsReasonError("a quote is declined with a reason only")
    return _decided(office, replace(quote, reason=reason), QuoteState.DECLINED, now, actor)


def withdraw_quotes(office: Office, ticket: UUID, now: datetime, actor: str, reason: str) -> None:
    """Take back what waits for an answer about a ticket that ends."""
    desk = office.desk
    for each in desk.quotes.of_ticket(ticket):
        if each.state in OPEN:
            quote = _moved(office, desk.quotes.get(each.id), QuoteState.DECLINED, now, actor)
            desk.agenda.drop_due((QUOTE_ENDS,), quote.id)
            desk.quotes.save(replace(quote, reason=reason, decided=now))


def follow_quote(office: Office, quote_id: UUID, now: datetime) -> Quote:
    """Take a quote as far as its notice has come: delivered, seen. Holds ticket and quote."""
    desk = office.desk
    desk.tickets.get(desk.quotes.ticket_of(quote_id))
    quote = desk.quotes.get(quote_id)
    if quote.notice is None or quote.state not in OPEN:
        return quote
    notice = desk.notices.get(quote.notice)
    if quote.state is QuoteState.SENT and arrived(notice):
        quote = desk.quotes.save(_moved(office, quote, QuoteState.DELIVERED, notice.delivered or now, SYSTEM))
    if quote.state is QuoteState.DELIVERED and notice.opened is not None:
        quote = desk.quotes.save(_moved(office, quote, QuoteState.SEEN, notice.opened, OWNER))
    return quote


def follow(office: Office, ticket: UUID, now: datetime) -> None:
    """Take the open quote of a ticket as far as its notice has come."""
    for quote in office.desk.quotes.of_ticket(ticket):
        if quote.state in OPEN:
            follow_quote(office, quote.id, now)


def quote_ends(office: Office, quote_id: UUID, now: datetime) -> None:
    """A quote's last day is over: it expires if it was delivered, and the owner is told; else a person reaches them."""
    quote = follow_quote(office, quote_id, now)
    ticket = office.desk.tickets.get(quote.ticket)
    if quote.state not in OPEN:
        return
    if quote.state is QuoteState.SENT:
        office.desk.agenda.set_due(QUOTE_ENDS, quote.id, now + _PATIENCE)
        office.log(ticket.id, now, "quote_undelivered", quote=str(quote.id))
        office.assign(ticket, SUPERVISOR, "reach_owner", now)
        return
    _decided(office, quote, QuoteState.EXPIRED, now, SYSTEM)
    notify(office, office.desk.tickets.get(ticket.id), "quote_expired", now, occasion=_count(office, ticket.id))


def job_of(
    office: Office, ticket: Ticket, now: datetime, parts: tuple[str, ...] | None = None, cause: str | None = None
) -> Job | None:
    """A ticket's repair as it is priced, by the confirmed cause where there is one; None where no fault is known."""
    fault = confirmed(office, ticket, cause) or office.fault(ticket)
    if fault is None:
        return None
    skus = parts if parts is not None else tuple(part.sku for part in fault.parts)
    verdict = verdict_on(office, ticket, now)
    return Job(
        fault=fault,
        skus=skus,
        model=office.desk.people.appliance(ticket.device).model,
        own=office.desk.money.bills.prices(ticket.org, skus),
        share=verdict.share,
        rule=verdict.rule,
        call_out_free=ticket.callout_free,
    )


def agreed(office: Office, ticket: Ticket, now: datetime) -> tuple[Decimal, UUID | None]:
    """The most that may be charged: what the owner approved, else the upper end of the band that was told."""
    approved = [each for each in office.desk.quotes.of_ticket(ticket.id) if each.state is QuoteState.APPROVED]
    if approved:
        return approved[-1].total, approved[-1].id
    told = band(office, ticket, now)
    return (told.high if told is not None else Decimal(0)), None


def confirmed(office: Office, ticket: Ticket, cause: str | None) -> FaultSpec | None:
    """The fault that a technician has found, which may be of another family than the ticket's."""
    kind = office.catalogue.kinds.get(office.desk.people.appliance(ticket.device).kind)
    return kind.faults.get(cause) if kind is not None and cause is not None else None


def check_parts(
    office: Office, ticket: Ticket, skus: tuple[str, ...], reason: str | None, cause: str | None = None
) -> tuple[str, ...]:
    """Pass when parts belong to the diagnosis or the confirmed cause, or it is said why others are needed.

    Returns the parts that do not belong to it.

    Raises:
        NeedsReasonError: names the parts.
    """
    kind = office.desk.people.appliance(ticket.device).kind
    if kind not in office.catalogue:
        return ()
    found = confirmed(office, ticket, cause)
    faults = [*office.catalogue[kind].family_faults(ticket.family).values(), *([] if found is None else [found])]
    strange = sorted(set(skus) - {part.sku for fault in faults for part in fault.parts})
    if strange and not (reason or "").strip():
        raise NeedsReasonError(f"{', '.join(strange)} does not belong to the diagnosis; say why it is needed")
    return tuple(strange)


def _decided(office: Office, quote: Quote, new: QuoteState, now: datetime, actor: str) -> Quote:
    desk = office.desk
    quote = desk.quotes.save(replace(_moved(office, quote, new, now, actor), decided=now))
    desk.agenda.drop_due((QUOTE_ENDS,), quote.id)
    ticket = desk.tickets.get(quote.ticket)
    if ticket.state is not TicketState.AWAITING_QUOTE:
        return quote
    elsewhere = live_case(office, ticket.id)
    if elsewhere is not None:
        # It is mended, or not, where it is; the visit's rules do not hold.
        begun = elsewhere.state is not WayState.BOOKED
        ticket = moved_ticket(office, ticket, TicketState.IN_REPAIR if begun else TicketState.PLANNED, now, actor)
        office.assign(ticket, f"way:{desk.ways.get(elsewhere.way).name}", "await_way", elsewhere.back)
        return quote
    visits = desk.visits.of_ticket(ticket.id)
    there = next((each for each in visits if each.state is VisitState.ON_SITE), None)
    if there is not None:
        # Whatever the answer, the technician stands there and says what came of the visit.
        ticket = moved_ticket(office, ticket, TicketState.IN_REPAIR, now, actor)
        office.assign(ticket, f"technician:{there.technician}", "repair", there.end)
        return quote
    visit = next((each for each in visits if each.state in _COMING), None)
    if new is not QuoteState.APPROVED:
        if visit is not None:
            call_off(office, visit, now, actor, f"quote {new}")
        ticket = moved_ticket(office, ticket, TicketState.OPEN, now, actor)
        office.assign(ticket, DISPATCH, "call_owner", now + timedelta(hours=4))
        return quote
    back = quote.back if quote.back in TICKET[ticket.state] else TicketState.OPEN
    planned = visit is not None and visit.state in _BOOKED
    if back is TicketState.PLANNED and not planned:
        back = TicketState.OPEN
    # What was on hold before the quote is on hold again, for a reason that everybody can read.
    why = f"quote {new}; on hold before it" if back in NEEDS_REASON else None
    ticket = moved_ticket(office, ticket, back, now, actor, reason=why)
    if visit is not None and planned:
        office.assign(ticket, f"technician:{visit.technician}", "visit", visit.start)
    else:
        office.assign(ticket, DISPATCH, "plan_visit", now + timedelta(hours=4))
    return quote


def _moved(office: Office, quote: Quote, new: QuoteState, now: datetime, actor: str) -> Quote:
    check_move("quote", QUOTE, quote.state, new)
    office.log(quote.ticket, now, "quote", actor, quote=str(quote.id), old=str(quote.state), new=str(new))
    return replace(quote, state=new)


def _count(office: Office, ticket: UUID) -> int:
    return len(office.desk.quotes.of_ticket(ticket))
