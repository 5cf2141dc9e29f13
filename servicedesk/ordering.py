"""Parts on order: what a ticket waits for, and what runs short; the visit is planned for when they are there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.errors import UnknownError
from servicedesk.model import PartStock, Ticket
from servicedesk.money_rows import PartOrder
from servicedesk.office import SYSTEM, Office

ARRIVES = "part_arrives"
"""Due: an order should be here; its ref is the order."""
_LEAD = timedelta(days=3)
_RESTOCK = 10


def order_missing(office: Office, ticket: Ticket, now: datetime) -> list[PartOrder]:
    """Order the parts of a ticket's repair that are neither there nor on their way."""
    skus, stock, coming = _standing(office, ticket)
    return [
        order_part(office, ticket.org, sku, 1, now, ticket=ticket)
        for sku in skus
        if (stock[sku].free if sku in stock else 0) <= 0 and sku not in coming
    ]


def restock(office: Office, ticket_id: UUID, now: datetime) -> list[PartOrder]:
    """Order what a ticket's repair has left too little of."""
    ticket = office.desk.tickets.get(ticket_id)
    skus, stock, coming = _standing(office, ticket)
    least = office.desk.money.orders.least(ticket.org, skus)
    return [
        order_part(office, ticket.org, sku, least[sku] + _RESTOCK - stock[sku].free, now)
        for sku in skus
        if sku in least and sku in stock and stock[sku].free < least[sku] and sku not in coming
    ]


def order_part(
    office: Office,
    org: str,
    sku: str,
    quantity: int,
    now: datetime,
    *,
    actor: str = SYSTEM,
    arrives: datetime | None = None,
    ticket: Ticket | None = None,
) -> PartOrder:
    """Order pieces of a part.

    Args:
        office: see there.
        org: for whose stock.
        sku: of the catalogue.
        quantity: pieces.
        now: when.
        actor: who orders.
        arrives: when they will be here; by default three days from now.
        ticket: that waits for them, for its timeline.

    Raises:
        UnknownError: the catalogue has no such part.
    """
    if sku not in office.catalogue.skus():
        raise UnknownError(f"no part of the catalogue is called {sku!r}")
    order = PartOrder(
        id=office.new_id(),
        org=org,
        sku=sku,
        quantity=quantity,
        ordered=now,
        arrives=arrives or now + _LEAD,
        actor=actor,
    )
    office.desk.money.orders.add(order)
    office.desk.agenda.set_due(ARRIVES, order.id, order.arrives)
    if ticket is not None:
        office.log(ticket.id, now, "part_ordered", actor, sku=sku, quantity=quantity, arrives=order.arrives.isoformat())
    return order


def part_arrives(office: Office, order: UUID, now: datetime) -> PartOrder | None:
    """The pieces of an order are put into stock; a second time changes nothing."""
    return office.desk.money.orders.receive(order, now)


def _standing(office: Office, ticket: Ticket) -> tuple[tuple[str, ...], Mapping[str, PartStock], frozenset[str]]:
    """The parts of a ticket's repair, their stock, and which of them are on their way."""
    desk, fault = office.desk, office.fault(ticket)
    skus = tuple(part.sku for part in fault.parts) if fault is not None else ()
    coming = frozenset(each.sku for each in desk.money.orders.open_of(ticket.org, skus))
    return skus, desk.parts.stock(ticket.org, skus), coming
