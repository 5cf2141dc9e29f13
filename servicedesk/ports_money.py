"""What quotes, bills, warranty and parts on order need of the outside. Both forms pass the same contract suite."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from servicedesk.money_rows import Bill, CoverDecision, Evidence, Fitted, PartOrder, Quote


class Quotes(Protocol):
    """Prices put to owners."""

    def add(self, quote: Quote) -> None:
        """Enter a quote."""
        ...

    def get(self, quote: UUID) -> Quote:
        """The quote, held for change. Raises UnknownError."""
        ...

    def save(self, quote: Quote) -> Quote:
        """Write a changed quote. Raises ConflictError."""
        ...

    def ticket_of(self, quote: UUID) -> UUID:
        """The ticket of a quote; nothing is held. Raises UnknownError."""
        ...

    def of_ticket(self, ticket: UUID) -> list[Quote]:
        """A ticket's quotes, oldest first."""
        ...


class Bills(Protocol):
    """What was charged."""

    def add(self, bill: Bill) -> None:
        """Enter a bill; a second one of the same visit, or case of another way, changes nothing."""
        ...

    def of_ticket(self, ticket: UUID) -> list[Bill]:
        """A ticket's bills, oldest first."""
        ...

    def prices(self, org: str, skus: Collection[str]) -> Mapping[str, Decimal]:
        """The prices of parts that have one of their own, by SKU."""
        ...


class Covers(Protocol):
    """Evidence and decisions about warranty."""

    def note(self, evidence: Evidence) -> bool:
        """Record evidence of an appliance; False when the code was recorded before."""
        ...

    def evidence(self, device: int) -> list[Evidence]:
        """What was recorded of an appliance, by code."""
        ...

    def decide(self, decision: CoverDecision) -> None:
        """Enter a decision."""
        ...

    def get(self, decision: UUID) -> CoverDecision:
        """The decision, held for change. Raises UnknownError."""
        ...

    def save(self, decision: CoverDecision) -> None:
        """Write a changed decision."""
        ...

    def of_ticket(self, ticket: UUID) -> list[CoverDecision]:
        """A ticket's decisions, oldest first."""
        ...


class Orders(Protocol):
    """Parts on order, and what was fitted."""

    def add(self, order: PartOrder) -> None:
        """Enter an order; the stock's next delivery is the earliest of those not received."""
        ...

    def open_of(self, org: str, skus: Collection[str]) -> Sequence[PartOrder]:
        """Orders not received, earliest first."""
        ...

    def receive(self, order: UUID, at: datetime) -> PartOrder | None:
        """Put the pieces into stock. None when they were received before, or there is no such order."""
        ...

    def least(self, org: str, skus: Collection[str]) -> Mapping[str, int]:
        """Below how many free pieces a part is ordered again, by SKU; absent where it is not."""
        ...

    def fit(self, fitted: Fitted) -> None:
        """Record a fitted part's serial number; the same one a second time changes nothing."""
        ...

    def fitted(self, visits: Collection[UUID]) -> list[Fitted]:
        """What visits have put in."""
        ...


class MoneyBook(Protocol):
    """All of them."""

    @property
    def bills(self) -> Bills:
        """What was charged."""
        ...

    @property
    def covers(self) -> Covers:
        """Warranty."""
        ...

    @property
    def orders(self) -> Orders:
        """Parts on order."""
        ...
