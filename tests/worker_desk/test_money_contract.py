"""Quotes, bills, warranty and orders: both forms of the repositories keep the same promises."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from servicedesk.errors import ConflictError, UnknownError
from servicedesk.money import Line, LineKind
from servicedesk.money_rows import Bill, CoverDecision, CoverStep, Evidence, Fitted, PartOrder, Quote
from servicedesk.states import QuoteState, TicketState
from servicedesk.warranty import Cover
from servicedesk.way_rows import Way, WayCase, WayKind, WayState
from tests.servicedesk.world import START
from tests.worker_desk.stored import Store, added, notice, visit

WAY = Way(id=uuid.UUID(int=77), org="demo", kind=WayKind.MAIL_IN, name="Depot")
LINES = (
    Line(kind=LineKind.PART, amount=Decimal("120.50"), sku="RF-FAN-120"),
    Line(kind=LineKind.LABOUR, amount=Decimal("80.00"), minutes=40),
)


def test_quotes(store: Store) -> None:
    row = added(store)
    quote = Quote(
        id=uuid.uuid4(),
        ticket=row.id,
        state=QuoteState.DRAFT,
        currency="CNY",
        lines=LINES,
        total=Decimal("200.50"),
        tax=Decimal("23.07"),
        rule="over",
        parts=("RF-FAN-120",),
        valid_until=START + timedelta(days=7),
        made=START,
    )
    quotes = store.desk.quotes
    quotes.add(quote)
    assert quotes.get(quote.id) == quote
    assert quotes.ticket_of(quote.id) == row.id
    told = notice(store, row)
    assert store.desk.notices.add(told)
    sent = quotes.save(replace(quote, state=QuoteState.SENT, back=TicketState.PLANNED, notice=told.id))
    assert quotes.of_ticket(row.id) == [sent]
    with pytest.raises(ConflictError):
        quotes.save(quote)
    with pytest.raises(UnknownError):
        quotes.get(uuid.uuid4())
    with pytest.raises(UnknownError):
        quotes.ticket_of(uuid.uuid4())


def test_bills_are_one_a_visit(store: Store) -> None:
    row = added(store)
    came = visit(store, row)
    store.desk.visits.add(came)
    bill = Bill(
        id=uuid.uuid4(),
        ticket=row.id,
        visit=came.id,
        currency="CNY",
        lines=LINES,
        total=Decimal("200.50"),
        tax=Decimal("23.07"),
        most=Decimal("300.00"),
        made=START,
    )
    bills = store.desk.money.bills
    bills.add(bill)
    bills.add(replace(bill, id=uuid.uuid4(), total=Decimal("1.00")))
    assert bills.of_ticket(row.id) == [bill]
    store.desk.ways.register(WAY)
    case = WayCase(
        id=uuid.uuid4(), ticket=row.id, way=WAY.id, state=WayState.BOOKED, begins=START, back=START, made=START
    )
    store.desk.ways.book(case)
    elsewhere = replace(bill, id=uuid.uuid4(), visit=None, way=case.id, made=bill.made + timedelta(hours=1))
    bills.add(elsewhere)
    bills.add(replace(elsewhere, id=uuid.uuid4(), total=Decimal("1.00")))
    assert bills.of_ticket(row.id) == [bill, elsewhere]
    assert bills.prices("demo", ["RF-FAN-120"]) == {}


def test_evidence_and_decisions(store: Store) -> None:
    row, covers = added(store), store.desk.money.covers
    found = Evidence(device=store.device, code="liquid_inside", at=START, actor="technician:1", note="picture 2")
    assert covers.note(found)
    assert not covers.note(replace(found, note="another"))
    assert covers.evidence(store.device) == [found]
    decision = CoverDecision(
        id=uuid.uuid4(),
        ticket=row.id,
        device=store.device,
        rule="liquid",
        cover=Cover.DENIED,
        evidence=("liquid_inside",),
        actor="dispatch:a",
        at=START,
    )
    covers.decide(decision)
    assert covers.get(decision.id) == decision
    settled = replace(
        decision,
        step=CoverStep.OVERTURNED,
        words="never",
        due=START + timedelta(days=5),
        reviewer="dispatch:b",
        settled=START,
        reason="condensation",
    )
    covers.save(settled)
    assert covers.of_ticket(row.id) == [settled]
    with pytest.raises(UnknownError):
        covers.get(uuid.uuid4())


def test_an_order_dates_the_stock_and_is_received_once(store: Store) -> None:
    orders, parts = store.desk.money.orders, store.desk.parts
    late = PartOrder(
        id=uuid.uuid4(),
        org="demo",
        sku="RF-FAN-120",
        quantity=3,
        ordered=START,
        arrives=START + timedelta(days=9),
        actor="dispatch",
    )
    soon = replace(late, id=uuid.uuid4(), quantity=2, arrives=START + timedelta(days=3))
    before = parts.stock("demo", ["RF-FAN-120"])["RF-FAN-120"].on_hand
    orders.add(late)
    orders.add(soon)
    assert list(orders.open_of("demo", ["RF-FAN-120"])) == [soon, late]
    assert parts.stock("demo", ["RF-FAN-120"])["RF-FAN-120"].arrives == soon.arrives
    assert orders.receive(soon.id, soon.arrives) == replace(soon, received=soon.arrives)
    assert orders.receive(soon.id, soon.arrives) is None
    stock = parts.stock("demo", ["RF-FAN-120"])["RF-FAN-120"]
    assert (stock.on_hand, stock.arrives) == (before + 2, late.arrives)
    assert orders.receive(uuid.uuid4(), START) is None
    assert orders.least("demo", ["RF-FAN-120"]) == {}
    orders.add(replace(late, id=uuid.uuid4(), sku="NEW-1"))
    assert parts.stock("demo", ["NEW-1"])["NEW-1"].on_hand == 0


def test_fitted_parts_keep_their_serial_numbers(store: Store) -> None:
    came = visit(store, added(store))
    store.desk.visits.add(came)
    fitted = Fitted(visit=came.id, sku="RF-FAN-120", serial="F-77", replaced="F-12")
    store.desk.money.orders.fit(fitted)
    store.desk.money.orders.fit(fitted)
    assert store.desk.money.orders.fitted([came.id]) == [fitted]
