"""`/v1/quotes`, estimates, bills, warranty, parts on order, and an appliance by its serial number."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query

from api.auth import CaseReader, Confirmer, Principal, Reporter, TicketMover
from api.context import InTx, Tx
from api.problems import invalid, not_found
from api.said import said
from api.v1.models import Page, WindowOut
from api.v1.money_models import (
    AppealIn,
    BillOut,
    CaseOut,
    CoverOut,
    DecisionOut,
    DeclineIn,
    DenialIn,
    EstimateOut,
    EvidenceIn,
    EvidenceOut,
    LineOut,
    OrderIn,
    OrderOut,
    QuoteIn,
    QuoteOut,
    SerialOut,
    SettlementIn,
    WarrantyOut,
    WordsOut,
)
from api.v1.paging import Paging, listing
from api.v1.router import Resource, V1Router, changes
from api.v1.service import owner_or_desk, read_ticket
from servicedesk.covering import appeal, deny, record_evidence, settle_appeal, verdict_on
from servicedesk.model import Ticket
from servicedesk.money import Line, price_list
from servicedesk.money_rows import Bill, PartOrder
from servicedesk.ordering import order_part
from servicedesk.quoting import OPEN, approve_quote, band, decline_quote, draft_quote, send_quote
from servicedesk.states import QuoteState
from servicedesk.warranty import Verdict, table
from storage.read_models import Cursor
from storage.read_money import QuoteView, find_serial, get_quote, list_quotes, ticket_of_decision, tickets_of

router = V1Router()
Serial = Annotated[str, Path(min_length=1, max_length=100, description="as on the plate")]
_DECIDED_BY_OWNER = (str(QuoteState.APPROVED), str(QuoteState.DECLINED))


def read_quote(tx: Tx, who: Principal, quote: UUID) -> QuoteOut:
    """A quote; 404 outside the asker's scope."""
    row = get_quote(tx.conn, who.scope, quote)
    if row is None:
        raise not_found("quote")
    return _quote_out(row)


def read_warranty(tx: Tx, who: Principal, ticket: UUID) -> WarrantyOut:
    """What the warranty says of a ticket; 404 outside the asker's scope."""
    read_ticket(tx, who, ticket)
    row = tx.office.desk.tickets.get(ticket)
    covers = tx.office.desk.money.covers
    return WarrantyOut(
        ticket=ticket,
        now=_cover_out(verdict_on(tx.office, row, tx.now)),
        recorded=[
            EvidenceOut(code=each.code, at=each.at, actor=each.actor, note=each.note)
            for each in covers.evidence(row.device)
        ],
        decisions=[
            DecisionOut(
                id=each.id,
                rule=each.rule,
                cover=each.cover,
                evidence=list(each.evidence),
                actor=each.actor,
                at=each.at,
                step=each.step,
                words=each.words,
                due=each.due,
                reviewer=each.reviewer,
                settled=each.settled,
                reason=each.reason,
            )
            for each in covers.of_ticket(ticket)
        ],
    )


QUOTE = Resource(
    argument="quote",
    read=read_quote,
    hold=lambda tx, quote: tx.office.desk.tickets.get(tx.office.desk.quotes.ticket_of(quote)),
    path=lambda quote: f"/v1/quotes/{quote.id}",
)


@router.get("/tickets/{ticket}/estimate", tags=["prices"])
def estimate(ticket: UUID, who: CaseReader, tx: InTx) -> EstimateOut:
    """What the repair will cost, from and to, how long it takes, and what the warranty pays."""
    read_ticket(tx, who, ticket)
    found = _estimate_out(tx, tx.office.desk.tickets.get(ticket))
    if found is None:
        raise not_found("estimate: the fault is not known yet")
    return found


@router.get("/quotes", tags=["prices"])
def quotes(
    who: CaseReader,
    tx: InTx,
    paging: Annotated[Paging, Depends(listing(50))],
    state: Annotated[str | None, Query(description="one or several, comma-separated")] = None,
    ticket: UUID | None = None,
) -> Page[QuoteOut]:
    """Quotes, newest first."""
    wanted = None if not state else [name.strip() for name in state.split(",")]
    if unknown := [name for name in wanted or () if name not in set(QuoteState)]:
        raise invalid(said("'{name}' is not a state", name=unknown[0]), allowed=[str(s) for s in QuoteState])
    rows = list_quotes(
        tx.conn, who.scope, states=wanted, ticket=ticket, after=paging.after(Cursor), limit=paging.limit + 1
    )
    return paging.page(rows, _quote_out, lambda row: Cursor(row.made, row.id))


@router.post("/tickets/{ticket}/quotes", tags=["prices"], status_code=201)
def make_quote(ticket: UUID, wanted: QuoteIn, who: TicketMover, tx: InTx) -> QuoteOut:
    """Reckon a quote line by line and put it to the owner; the ticket waits for the answer."""
    read_ticket(tx, who, ticket)
    parts = None if wanted.parts is None else tuple(wanted.parts)
    made = draft_quote(tx.office, ticket, tx.now, who.actor(), parts=parts, reason=wanted.reason)
    send_quote(tx.office, made.id, tx.now, who.actor())
    return read_quote(tx, who, made.id)


@router.get("/quotes/{quote}", tags=["prices"])
def one_quote(quote: UUID, who: CaseReader, tx: InTx) -> QuoteOut:
    """One quote with its lines and what the owner may answer."""
    return read_quote(tx, who, quote)


@router.post("/quotes/{quote}/approve", tags=["prices"])
@changes(QUOTE)
def quote_approve(quote: UUID, who: Confirmer, tx: InTx) -> QuoteOut:
    """The owner agrees; nothing above it is charged. Twice is the same as once."""
    read_quote(tx, who, quote)
    approve_quote(tx.office, quote, tx.now, owner_or_desk(who))
    return read_quote(tx, who, quote)


@router.post("/quotes/{quote}/decline", tags=["prices"])
@changes(QUOTE)
def quote_decline(quote: UUID, decline: DeclineIn, who: Confirmer, tx: InTx) -> QuoteOut:
    """The owner does not agree; the visit to come is cancelled and a person calls."""
    read_quote(tx, who, quote)
    decline_quote(tx.office, quote, tx.now, owner_or_desk(who), decline.reason)
    return read_quote(tx, who, quote)


@router.get("/tickets/{ticket}/bills", tags=["prices"])
def bills(ticket: UUID, who: CaseReader, tx: InTx) -> list[BillOut]:
    """What was charged for a ticket's repairs."""
    read_ticket(tx, who, ticket)
    return [_bill_out(each) for each in tx.office.desk.money.bills.of_ticket(ticket)]


@router.get("/tickets/{ticket}/warranty", tags=["warranty"])
def warranty(ticket: UUID, who: CaseReader, tx: InTx) -> WarrantyOut:
    """What the warranty says of a ticket, by which rule and why; evidence and decisions."""
    return read_warranty(tx, who, ticket)


@router.post("/tickets/{ticket}/warranty/evidence", tags=["warranty"])
def warranty_evidence(ticket: UUID, found: EvidenceIn, who: Reporter, tx: InTx) -> WarrantyOut:
    """Record something found at the appliance; it denies nothing by itself."""
    read_ticket(tx, who, ticket)
    known = table().evidence
    if found.code not in known:
        raise invalid(said("'{code}' is not an evidence code", code=found.code), "#/code", allowed=list(known))
    record_evidence(tx.office, ticket, found.code, tx.now, _named(who), note=found.note)
    return read_warranty(tx, who, ticket)


@router.post("/tickets/{ticket}/warranty/denial", tags=["warranty"])
def warranty_denial(ticket: UUID, denial: DenialIn, who: TicketMover, tx: InTx) -> WarrantyOut:
    """Deny by a rule of the table whose evidence was recorded; the owner is told the reason and how to appeal."""
    read_ticket(tx, who, ticket)
    deny(tx.office, ticket, denial.rule, tx.now, _named(who))
    return read_warranty(tx, who, ticket)


@router.post("/tickets/{ticket}/warranty/appeal", tags=["warranty"])
def warranty_appeal(ticket: UUID, words: AppealIn, who: Confirmer, tx: InTx) -> WarrantyOut:
    """The owner does not agree with a denial: a third person answers within five days."""
    read_ticket(tx, who, ticket)
    appeal(tx.office, ticket, words.words, tx.now)
    return read_warranty(tx, who, ticket)


@router.post("/tickets/{ticket}/warranty/settlement", tags=["warranty"])
def warranty_settlement(ticket: UUID, answer: SettlementIn, who: TicketMover, tx: InTx) -> WarrantyOut:
    """Answer an appeal; whoever denied does not."""
    read_ticket(tx, who, ticket)
    if ticket_of_decision(tx.conn, who.scope, answer.decision) != ticket:
        raise not_found("decision")
    settle_appeal(tx.office, answer.decision, tx.now, _named(who), upheld=answer.upheld, reason=answer.reason)
    return read_warranty(tx, who, ticket)


@router.post("/parts/orders", tags=["parts"], status_code=201)
def make_order(wanted: OrderIn, who: TicketMover, tx: InTx) -> OrderOut:
    """Order pieces of a part; visits are planned for when they are here."""
    org = wanted.org or who.scope.org
    if org is None:
        raise invalid(said("say for whose stock"), "#/org")
    if who.scope.org not in (None, org):
        raise not_found("organisation")
    known = tx.office.catalogue.skus()
    if wanted.sku not in known:
        raise invalid(said("no part of the catalogue is called '{sku}'", sku=wanted.sku), "#/sku", allowed=known)
    made = order_part(tx.office, org, wanted.sku, wanted.quantity, tx.now, actor=who.actor(), arrives=wanted.arrives)
    return _order_out(made)


@router.get("/serials/{serial}", tags=["devices"])
def by_serial(serial: Serial, who: CaseReader, tx: InTx) -> SerialOut:
    """An appliance by its serial number: warranty, cases, next steps, prices. A foreign number looks like none."""
    row = find_serial(tx.conn, who.scope, serial)
    if row is None:
        raise not_found("serial number")
    return SerialOut(
        serial=row.serial,
        device=f"{row.org}/{row.device}",
        kind=row.kind,
        model=row.model,
        sold=row.sold,
        warranty_until=row.warranty_until,
        cases=[_case_out(tx, who, ticket) for ticket in tickets_of(tx.conn, who.scope, row.no)],
    )


def _case_out(tx: Tx, who: Principal, ticket: UUID) -> CaseOut:
    detail = read_ticket(tx, who, ticket)
    visit = next((each for each in detail.visits if each.id == detail.visit), None)
    desk = tx.office.desk
    return CaseOut(
        ticket=ticket,
        ref=detail.ref,
        state=detail.state,
        next_action=detail.next_action,
        next_due=detail.next_due,
        window=None if visit is None else WindowOut(start=visit.window.start, end=visit.window.end),
        parts=[] if visit is None else visit.parts,
        estimate=_estimate_out(tx, desk.tickets.get(ticket)),
        quotes=[_quote_out(each) for each in list_quotes(tx.conn, who.scope, ticket=ticket)],
        bills=[_bill_out(each) for each in desk.money.bills.of_ticket(ticket)],
        timeline=detail.timeline,
    )


def _estimate_out(tx: Tx, ticket: Ticket) -> EstimateOut | None:
    found = band(tx.office, ticket, tx.now)
    if found is None:
        return None
    return EstimateOut(
        currency=found.currency,
        low=found.low,
        high=found.high,
        minutes=found.minutes,
        quoted=found.high >= price_list().quote_from,
        warranty=_cover_out(verdict_on(tx.office, ticket, tx.now)),
    )


def _cover_out(verdict: Verdict) -> CoverOut:
    return CoverOut(
        cover=verdict.cover,
        rule=verdict.rule,
        reason=WordsOut(zh=verdict.reason.zh, en=verdict.reason.en),
        share=verdict.share,
        evidence=list(verdict.evidence),
    )


def _line_out(line: Line) -> LineOut:
    return LineOut(kind=line.kind, amount=line.amount, sku=line.sku, minutes=line.minutes)


def _quote_out(row: QuoteView) -> QuoteOut:
    return QuoteOut(
        id=row.id,
        ticket=row.ticket,
        ref=row.ref,
        device=row.device,
        family=row.family,
        household=row.household,
        state=row.state,
        legal=list(_DECIDED_BY_OWNER) if row.state in OPEN else [],
        currency=row.currency,
        lines=[_line_out(line) for line in row.lines],
        total=row.total,
        tax=row.tax,
        warranty_rule=row.rule,
        valid_until=row.valid_until,
        made=row.made,
        decided=row.decided,
        reason=row.reason,
    )


def _bill_out(row: Bill) -> BillOut:
    return BillOut(
        id=row.id,
        ticket=row.ticket,
        visit=row.work,
        way=row.way,
        quote=row.quote,
        currency=row.currency,
        lines=[_line_out(line) for line in row.lines],
        total=row.total,
        tax=row.tax,
        most=row.most,
        made=row.made,
    )


def _order_out(row: PartOrder) -> OrderOut:
    return OrderOut(
        id=row.id,
        org=row.org,
        sku=row.sku,
        quantity=row.quantity,
        ordered=row.ordered,
        arrives=row.arrives,
        actor=row.actor,
        received=row.received,
    )


def _named(who: Principal) -> str:
    """Decisions are somebody's: two tokens of one role are two people."""
    return f"{who.actor()}:{who.id}" if who.technician is None else f"technician:{who.technician}"
