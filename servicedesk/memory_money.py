"""Quotes, bills, warranty and orders in memory: the same promises as the database's, kept by one thread."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from servicedesk.errors import ConflictError, UnknownError
from servicedesk.model import PartStock
from servicedesk.money_rows import Bill, CoverDecision, Evidence, Fitted, PartOrder, Quote


class MemoryQuotes:
    """Prices put to owners."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Quote] = {}

    def add(self, quote: Quote) -> None:
        """Enter a quote."""
        self.rows[quote.id] = quote

    def get(self, quote: UUID) -> Quote:
        """The quote."""
        if quote not in self.rows:
            raise UnknownError(f"there is no quote {quote}")
        return self.rows[quote]

    def save(self, quote: Quote) -> Quote:
        """Write a quote."""
        if self.get(quote.id).version != quote.version:
            raise ConflictError(f"quote {quote.id} was changed by someone else; read it again")
        self.rows[quote.id] = replace(quote, version=quote.version + 1)
        return self.rows[quote.id]

    def ticket_of(self, quote: UUID) -> UUID:
        """Its ticket."""
        return self.get(quote).ticket

    def of_ticket(self, ticket: UUID) -> list[Quote]:
        """Oldest first."""
        found = [each for each in self.rows.values() if each.ticket == ticket]
        return sorted(found, key=lambda each: (each.made, each.id))


class MemoryBills:
    """What was charged."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Bill] = {}
        self.own: dict[tuple[str, str], Decimal] = {}

    def add(self, bill: Bill) -> None:
        """Enter a bill once a visit or case."""
        self.rows.setdefault(bill.work, bill)

    def of_ticket(self, ticket: UUID) -> list[Bill]:
        """Oldest first."""
        found = [each for each in self.rows.values() if each.ticket == ticket]
        return sorted(found, key=lambda each: (each.made, each.id))

    def prices(self, org: str, skus: Collection[str]) -> Mapping[str, Decimal]:
        """Own prices by SKU."""
        return {sku: self.own[org, sku] for sku in skus if (org, sku) in self.own}


class MemoryCovers:
    """Evidence and decisions about warranty."""

    def __init__(self) -> None:
        self.notes: dict[tuple[int, str], Evidence] = {}
        self.rows: dict[UUID, CoverDecision] = {}

    def note(self, evidence: Evidence) -> bool:
        """Record once."""
        return self.notes.setdefault((evidence.device, evidence.code), evidence) is evidence

    def evidence(self, device: int) -> list[Evidence]:
        """By code."""
        found = [each for each in self.notes.values() if each.device == device]
        return sorted(found, key=lambda each: each.code)

    def decide(self, decision: CoverDecision) -> None:
        """Enter."""
        self.rows[decision.id] = decision

    def get(self, decision: UUID) -> CoverDecision:
        """The decision."""
        if decision not in self.rows:
            raise UnknownError(f"there is no decision {decision}")
        return self.rows[decision]

    def save(self, decision: CoverDecision) -> None:
        """Write."""
        self.rows[decision.id] = decision

    def of_ticket(self, ticket: UUID) -> list[CoverDecision]:
        """Oldest first."""
        found = [each for each in self.rows.values() if each.ticket == ticket]
        return sorted(found, key=lambda each: (each.at, each.id))


class Shelf(Protocol):
    """Stock whose rows orders change."""

    rows: dict[tuple[str, str], PartStock]


class MemoryOrders:
    """Parts on order.

    Args:
        stock: into which they come.
    """

    def __init__(self, stock: Shelf) -> None:
        self._stock = stock
        self.rows: dict[UUID, PartOrder] = {}
        self.minimum: dict[tuple[str, str], int] = {}
        self.inside: dict[tuple[UUID, str, str], Fitted] = {}

    def add(self, order: PartOrder) -> None:
        """Enter, and date the next delivery."""
        self.rows[order.id] = order
        self._stock.rows.setdefault((order.org, order.sku), PartStock(org=order.org, sku=order.sku, on_hand=0))
        self._date(order.org, order.sku)

    def open_of(self, org: str, skus: Collection[str]) -> Sequence[PartOrder]:
        """Not received, earliest first."""
        found = [each for each in self.rows.values() if each.org == org and each.sku in skus and not each.received]
        return sorted(found, key=lambda each: (each.arrives, each.id))

    def receive(self, order: UUID, at: datetime) -> PartOrder | None:
        """Into stock, once."""
        row = self.rows.get(order)
        if row is None or row.received is not None:
            return None
        self.rows[order] = row = replace(row, received=at)
        part = self._stock.rows[row.org, row.sku]
        self._stock.rows[row.org, row.sku] = replace(part, on_hand=part.on_hand + row.quantity)
        self._date(row.org, row.sku)
        return row

    def least(self, org: str, skus: Collection[str]) -> Mapping[str, int]:
        """By SKU."""
        return {sku: self.minimum[org, sku] for sku in skus if (org, sku) in self.minimum}

    def fit(self, fitted: Fitted) -> None:
        """Record once."""
        self.inside.setdefault((fitted.visit, fitted.sku, fitted.serial), fitted)

    def fitted(self, visits: Collection[UUID]) -> list[Fitted]:
        """By SKU and serial."""
        found = [each for each in self.inside.values() if each.visit in visits]
        return sorted(found, key=lambda each: (each.sku, each.serial))

    def _date(self, org: str, sku: str) -> None:
        waiting = self.open_of(org, (sku,))
        self._stock.rows[org, sku] = replace(
            self._stock.rows[org, sku], arrives=waiting[0].arrives if waiting else None
        )


class MemoryMoney:
    """All of them.

    Args:
        stock: into which parts on order come.
    """

    def __init__(self, stock: Shelf) -> None:
        self.bills = MemoryBills()
        self.covers = MemoryCovers()
        self.orders = MemoryOrders(stock)
