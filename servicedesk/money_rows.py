"""Rows of bills, warranty decisions and parts on order as values: frozen, times aware. Columns have the same names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from servicedesk.money import Line
from servicedesk.states import QuoteState, TicketState
from servicedesk.warranty import Cover


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A price put to the owner, tax included.

    Attributes:
        tax: contained in `total`.
        rule: of the warranty table, which says what the maker pays.
        parts: what will be fitted.
        back: where the ticket stood before it waited for the answer.
        notice: what carries it to the owner, once it was sent.
        reason: why it was declined, or why it lies above the band.
    """

    id: UUID
    ticket: UUID
    state: QuoteState
    currency: str
    lines: tuple[Line, ...]
    total: Decimal
    valid_until: datetime
    made: datetime
    tax: Decimal = Decimal(0)
    rule: str = ""
    parts: tuple[str, ...] = ()
    back: TicketState | None = None
    notice: UUID | None = None
    reason: str | None = None
    decided: datetime | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What is charged for a repair.

    Attributes:
        visit: that did it, or None.
        way: the case of another way that did it, or None; one of the two is given.
        most: what was agreed: approved in a quote, or told before booking.
    """

    id: UUID
    ticket: UUID
    currency: str
    lines: tuple[Line, ...]
    total: Decimal
    tax: Decimal
    most: Decimal
    made: datetime
    visit: UUID | None = None
    way: UUID | None = None
    quote: UUID | None = None

    @property
    def work(self) -> UUID:
        """The visit or the case that did it.

        Raises:
            ValueError: neither is given, which no repository takes.
        """
        found = self.visit or self.way
        if found is None:
            raise ValueError(f"bill {self.id} is of no visit and no case")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Something found at an appliance that may matter to its warranty; `note` says where it is kept."""

    device: int
    code: str
    at: datetime
    actor: str
    note: str = ""


class CoverStep(StrEnum):
    """How far a decision about warranty went."""

    DECIDED = "decided"
    APPEALED = "appealed"
    UPHELD = "upheld"
    OVERTURNED = "overturned"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverDecision:
    """A person's decision about an appliance's warranty for one ticket, and its appeal.

    Attributes:
        rule: of the table.
        actor: who decided.
        words: the owner's, of the appeal.
        due: when the appeal is answered.
        reviewer: who answered it; never who decided.
    """

    id: UUID
    ticket: UUID
    device: int
    rule: str
    cover: Cover
    evidence: tuple[str, ...]
    actor: str
    at: datetime
    step: CoverStep = CoverStep.DECIDED
    words: str = ""
    due: datetime | None = None
    reviewer: str | None = None
    settled: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOrder:
    """Pieces of a part on their way."""

    id: UUID
    org: str
    sku: str
    quantity: int
    ordered: datetime
    arrives: datetime
    actor: str
    received: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A part with a serial number of its own that a visit put in, and the one that came out."""

    visit: UUID
    sku: str
    serial: str
    replaced: str = ""
