"""Quotes, bills, warranty and parts on order on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.rows import args_row, class_row, kwargs_row
from psycopg.types.json import Jsonb

from servicedesk.errors import ConflictError, UnknownError
from servicedesk.money import Line, LineKind
from servicedesk.money_rows import Bill, CoverDecision, CoverStep, Evidence, Fitted, PartOrder, Quote
from servicedesk.states import QuoteState, TicketState
from servicedesk.warranty import Cover
from storage.pool import Connection

_QUOTE = (
    "id, ticket, state, currency, lines, total, tax, rule, parts, back, notice, valid_until, made, reason, decided, "
    "version"
)
_ADD_QUOTE = """
insert into quote (id, ticket, state, currency, lines, total, tax, rule, parts, valid_until, reason, made)
values (%(id)s, %(ticket)s, %(state)s, %(currency)s, %(lines)s, %(total)s, %(tax)s, %(rule)s, %(parts)s,
    %(valid_until)s, %(reason)s, %(made)s)
"""
_GET_QUOTE = f"select {_QUOTE} from quote where id = %s for update"  # noqa: S608  (constants of this module)
_QUOTES = f"select {_QUOTE} from quote where ticket = %s order by made, id"  # noqa: S608  (likewise)
_TICKET_OF = "select ticket from quote where id = %s"
_SAVE_QUOTE = """
update quote set state = %(state)s, reason = %(reason)s, decided = %(decided)s, back = %(back)s, notice = %(notice)s,
    version = version + 1 where id = %(id)s and version = %(version)s
"""
_ADD_BILL = """
insert into bill (id, ticket, visit, way, quote, currency, lines, total, tax, most, made)
values (%(id)s, %(ticket)s, %(visit)s, %(way)s, %(quote)s, %(currency)s, %(lines)s, %(total)s, %(tax)s, %(most)s,
    %(made)s)
on conflict do nothing
"""
_BILLS = """
select id, ticket, visit, way, quote, currency, lines, total, tax, most, made from bill where ticket = %s
order by made, id
"""
_PRICES = "select sku, price from part_price where org = %s and sku = any(%s)"
_NOTE = """
insert into warranty_evidence (device, code, at, actor, note) values (%s, %s, %s, %s, %s) on conflict do nothing
"""
_EVIDENCE = "select device, code, at, actor, note from warranty_evidence where device = %s order by code"
_DECISION = "id, ticket, device, rule, cover, evidence, actor, at, step, words, due, reviewer, settled, reason"
_DECIDE = """
insert into warranty_decision (id, ticket, device, rule, cover, evidence, actor, at, step)
values (%(id)s, %(ticket)s, %(device)s, %(rule)s, %(cover)s, %(evidence)s, %(actor)s, %(at)s, %(step)s)
"""
_GET_DECISION = f"select {_DECISION} from warranty_decision where id = %s for update"  # noqa: S608  (likewise)
_SAVE_DECISION = """
update warranty_decision set step = %(step)s, words = %(words)s, due = %(due)s, reviewer = %(reviewer)s,
    settled = %(settled)s, reason = %(reason)s where id = %(id)s
"""
_DECISIONS = f"select {_DECISION} from warranty_decision where ticket = %s order by at, id"  # noqa: S608  (likewise)
_ADD_ORDER = """
insert into part_order (id, org, sku, quantity, ordered, arrives, actor)
values (%(id)s, %(org)s, %(sku)s, %(quantity)s, %(ordered)s, %(arrives)s, %(actor)s)
"""
_ORDER = "id, org, sku, quantity, ordered, arrives, actor, received"
_OPEN_ORDERS = f"""
select {_ORDER} from part_order where org = %s and sku = any(%s) and received is null order by arrives, id
"""  # noqa: S608  (likewise)
_RECEIVE = f"""
update part_order set received = %s where id = %s and received is null returning {_ORDER}
"""  # noqa: S608  (likewise)
_MORE = """
insert into part_stock (org, sku, on_hand) values (%(org)s, %(sku)s, %(quantity)s)
on conflict (org, sku) do update set on_hand = part_stock.on_hand + excluded.on_hand
"""
_DATE = """
insert into part_stock (org, sku, on_hand, arrives)
values (%(org)s, %(sku)s, 0,
    (select min(arrives) from part_order where org = %(org)s and sku = %(sku)s and received is null))
on conflict (org, sku) do update set arrives = excluded.arrives
"""
_LEAST = "select sku, least from part_stock where org = %s and sku = any(%s) and least is not null"
_FIT = "insert into fitted_part (visit, sku, serial, replaced) values (%s, %s, %s, %s) on conflict do nothing"
_FITTED = "select visit, sku, serial, replaced from fitted_part where visit = any(%s) order by sku, serial"


_SET_PART = """
insert into part_stock (org, sku, on_hand, least) values (%(org)s, %(sku)s, coalesce(%(on_hand)s, 0), %(least)s)
on conflict (org, sku) do update set on_hand = coalesce(%(on_hand)s, part_stock.on_hand),
    least = coalesce(%(least)s, part_stock.least)
"""
_SET_PRICE = """
insert into part_price (org, sku, price) values (%s, %s, %s) on conflict (org, sku) do update set price = excluded.price
"""
_PARTS = """
select s.sku, s.on_hand, s.reserved, s.arrives, s.least, p.price, coalesce((
    select sum(o.quantity) from part_order o where o.org = s.org and o.sku = s.sku and o.received is null), 0)::int
    as on_order
from part_stock s left join part_price p on p.org = s.org and p.sku = s.sku where s.org = %s order by s.sku
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """A part as the depot's people see it."""

    sku: str
    on_hand: int
    reserved: int
    on_order: int
    arrives: datetime | None
    least: int | None
    price: Decimal | None


def list_parts(conn: Connection, org: str) -> list[PartRow]:
    """The parts of an organisation, by SKU."""
    with conn.cursor(row_factory=class_row(PartRow)) as cursor:
        return cursor.execute(_PARTS, (org,)).fetchall()


def set_part(
    conn: Connection, org: str, sku: str, *, price: Decimal | None, least: int | None, on_hand: int | None
) -> None:
    """Set what is given of a part; the rest stays."""
    conn.execute(_SET_PART, {"org": org, "sku": sku, "on_hand": on_hand, "least": least})
    if price is not None:
        conn.execute(_SET_PRICE, (org, sku, price))


def _stored(lines: Iterable[Line]) -> Jsonb:
    return Jsonb(
        [{"kind": line.kind, "amount": str(line.amount), "sku": line.sku, "minutes": line.minutes} for line in lines]
    )


def lines_of(stored: list[dict[str, Any]]) -> tuple[Line, ...]:
    """The lines of a quote or a bill, as they are stored."""
    return tuple(
        Line(kind=LineKind(each["kind"]), amount=Decimal(each["amount"]), sku=each["sku"], minutes=each["minutes"])
        for each in stored
    )


def _quote(
    *,
    state: str,
    lines: list[dict[str, Any]],
    parts: list[str],
    back: str | None,
    **columns: Any,  # noqa: ANN401  (columns of one row)
) -> Quote:
    return Quote(
        state=QuoteState(state),
        lines=lines_of(lines),
        parts=tuple(parts),
        back=None if back is None else TicketState(back),
        **columns,
    )


def _bill(*, lines: list[dict[str, Any]], **columns: Any) -> Bill:  # noqa: ANN401  (columns of one row)
    return Bill(lines=lines_of(lines), **columns)


def _decision(*, cover: str, step: str, evidence: list[str], **columns: Any) -> CoverDecision:  # noqa: ANN401  (columns of one row)
    return CoverDecision(cover=Cover(cover), step=CoverStep(step), evidence=tuple(evidence), **columns)


def _priced(sku: str, price: Decimal) -> tuple[str, Decimal]:
    return sku, price


def _counted(sku: str, count: int) -> tuple[str, int]:
    return sku, count


@dataclass(frozen=True, slots=True)
class PgQuotes:
    """Prices put to owners; the ticket has at most one that waits for an answer."""

    conn: Connection

    def add(self, quote: Quote) -> None:
        """Enter a quote."""
        self.conn.execute(
            _ADD_QUOTE,
            {
                "id": quote.id,
                "ticket": quote.ticket,
                "state": quote.state,
                "currency": quote.currency,
                "lines": _stored(quote.lines),
                "total": quote.total,
                "tax": quote.tax,
                "rule": quote.rule,
                "parts": list(quote.parts),
                "valid_until": quote.valid_until,
                "reason": quote.reason,
                "made": quote.made,
            },
        )

    def get(self, quote: UUID) -> Quote:
        """The quote, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(_quote)) as cursor:
            found = cursor.execute(_GET_QUOTE, (quote,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no quote {quote}")
        return found

    def save(self, quote: Quote) -> Quote:
        """Write a quote, version by version."""
        row = {
            "id": quote.id,
            "state": quote.state,
            "reason": quote.reason,
            "decided": quote.decided,
            "back": quote.back,
            "notice": quote.notice,
            "version": quote.version,
        }
        if self.conn.execute(_SAVE_QUOTE, row).rowcount != 1:
            raise ConflictError(f"quote {quote.id} was changed by someone else; read it again")
        return replace(quote, version=quote.version + 1)

    def ticket_of(self, quote: UUID) -> UUID:
        """Its ticket; nothing is locked."""
        row = self.conn.execute(_TICKET_OF, (quote,)).fetchone()
        if row is None or not isinstance(row[0], UUID):
            raise UnknownError(f"there is no quote {quote}")
        return row[0]

    def of_ticket(self, ticket: UUID) -> list[Quote]:
        """Oldest first."""
        with self.conn.cursor(row_factory=kwargs_row(_quote)) as cursor:
            return cursor.execute(_QUOTES, (ticket,)).fetchall()


@dataclass(frozen=True, slots=True)
class PgBills:
    """What was charged."""

    conn: Connection

    def add(self, bill: Bill) -> None:
        """Enter a bill once a visit or case."""
        self.conn.execute(
            _ADD_BILL,
            {
                "id": bill.id,
                "ticket": bill.ticket,
                "visit": bill.visit,
                "way": bill.way,
                "quote": bill.quote,
                "currency": bill.currency,
                "lines": _stored(bill.lines),
                "total": bill.total,
                "tax": bill.tax,
                "most": bill.most,
                "made": bill.made,
            },
        )

    def of_ticket(self, ticket: UUID) -> list[Bill]:
        """Oldest first."""
        with self.conn.cursor(row_factory=kwargs_row(_bill)) as cursor:
            return cursor.execute(_BILLS, (ticket,)).fetchall()

    def prices(self, org: str, skus: Collection[str]) -> Mapping[str, Decimal]:
        """Own prices by SKU."""
        with self.conn.cursor(row_factory=args_row(_priced)) as cursor:
            return dict(cursor.execute(_PRICES, (org, list(skus))).fetchall())


@dataclass(frozen=True, slots=True)
class PgCovers:
    """Evidence and decisions about warranty."""

    conn: Connection

    def note(self, evidence: Evidence) -> bool:
        """Record once."""
        row = (evidence.device, evidence.code, evidence.at, evidence.actor, evidence.note)
        return self.conn.execute(_NOTE, row).rowcount == 1

    def evidence(self, device: int) -> list[Evidence]:
        """By code."""
        with self.conn.cursor(row_factory=class_row(Evidence)) as cursor:
            return cursor.execute(_EVIDENCE, (device,)).fetchall()

    def decide(self, decision: CoverDecision) -> None:
        """Enter."""
        self.conn.execute(_DECIDE, _columns(decision))

    def get(self, decision: UUID) -> CoverDecision:
        """The decision, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(_decision)) as cursor:
            found = cursor.execute(_GET_DECISION, (decision,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no decision {decision}")
        return found

    def save(self, decision: CoverDecision) -> None:
        """Write."""
        self.conn.execute(_SAVE_DECISION, _columns(decision))

    def of_ticket(self, ticket: UUID) -> list[CoverDecision]:
        """Oldest first."""
        with self.conn.cursor(row_factory=kwargs_row(_decision)) as cursor:
            return cursor.execute(_DECISIONS, (ticket,)).fetchall()


@dataclass(frozen=True, slots=True)
class PgOrders:
    """Parts on order, and what was fitted."""

    conn: Connection

    def add(self, order: PartOrder) -> None:
        """Enter, and date the next delivery."""
        row = {
            "id": order.id,
            "org": order.org,
            "sku": order.sku,
            "quantity": order.quantity,
            "ordered": order.ordered,
            "arrives": order.arrives,
            "actor": order.actor,
        }
        self.conn.execute(_ADD_ORDER, row)
        self.conn.execute(_DATE, row)

    def open_of(self, org: str, skus: Collection[str]) -> Sequence[PartOrder]:
        """Not received, earliest first."""
        with self.conn.cursor(row_factory=class_row(PartOrder)) as cursor:
            return cursor.execute(_OPEN_ORDERS, (org, list(skus))).fetchall()

    def receive(self, order: UUID, at: datetime) -> PartOrder | None:
        """Into stock, once."""
        with self.conn.cursor(row_factory=class_row(PartOrder)) as cursor:
            found = cursor.execute(_RECEIVE, (at, order)).fetchone()
        if found is not None:
            row = {"org": found.org, "sku": found.sku, "quantity": found.quantity}
            self.conn.execute(_MORE, row)
            self.conn.execute(_DATE, row)
        return found

    def least(self, org: str, skus: Collection[str]) -> Mapping[str, int]:
        """By SKU."""
        with self.conn.cursor(row_factory=args_row(_counted)) as cursor:
            return dict(cursor.execute(_LEAST, (org, list(skus))).fetchall())

    def fit(self, fitted: Fitted) -> None:
        """Record once."""
        self.conn.execute(_FIT, (fitted.visit, fitted.sku, fitted.serial, fitted.replaced))

    def fitted(self, visits: Collection[UUID]) -> list[Fitted]:
        """By SKU and serial."""
        with self.conn.cursor(row_factory=class_row(Fitted)) as cursor:
            return cursor.execute(_FITTED, (list(visits),)).fetchall()


class PgMoney:
    """All of them on one connection."""

    def __init__(self, conn: Connection) -> None:
        self.bills = PgBills(conn)
        self.covers = PgCovers(conn)
        self.orders = PgOrders(conn)


def _columns(decision: CoverDecision) -> dict[str, Any]:
    return {
        "id": decision.id,
        "ticket": decision.ticket,
        "device": decision.device,
        "rule": decision.rule,
        "cover": decision.cover,
        "evidence": list(decision.evidence),
        "actor": decision.actor,
        "at": decision.at,
        "step": decision.step,
        "words": decision.words,
        "due": decision.due,
        "reviewer": decision.reviewer,
        "settled": decision.settled,
        "reason": decision.reason,
    }
