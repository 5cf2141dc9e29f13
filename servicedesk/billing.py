"""The bill of a visit: what was done, never above what was agreed, and nothing where nothing was mended."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from servicedesk.errors import DeskError
from servicedesk.model import Outcome, OutcomeCode, Ticket, Visit
from servicedesk.money import itemise, kept_to, price_list, tax_in, total
from servicedesk.money_rows import Bill, Fitted
from servicedesk.office import Office
from servicedesk.quoting import agreed, check_parts, job_of


class ChargeError(DeskError):
    """More is asked than was agreed.

    Attributes:
        asked: what the technician wants to charge.
        most: what was approved, or told before booking.
    """

    def __init__(self, asked: Decimal, most: Decimal, currency: str) -> None:
        super().__init__(
            f"{asked} {currency} lies above the {most} {currency} that were agreed; send a new quote first"
        )
        self.asked = asked
        self.most = most


def bill(office: Office, ticket: Ticket, visit: Visit, outcome: Outcome, now: datetime) -> Bill | None:
    """Charge a finished visit; only a repair costs anything.

    Args:
        office: see there.
        ticket: as it was when the work began.
        visit: that is finished.
        outcome: of it, with `charged` where the technician names a sum.
        now: when.

    Raises:
        ChargeError: the named sum lies above what was agreed.
        NeedsReasonError: a part that does not belong to the diagnosis, without a note that says why.
    """
    if outcome.code is not OutcomeCode.REPAIRED:
        return None
    strange = check_parts(office, ticket, outcome.parts, outcome.note, outcome.cause)
    if strange:
        why = {"rule": "parts", "parts": list(strange), "reason": outcome.note}
        office.log(ticket.id, now, "override", outcome.actor, **why)
    most, quote = agreed(office, ticket, now)
    prices = price_list()
    job = job_of(office, ticket, now, outcome.parts, outcome.cause)
    if outcome.charged is not None and outcome.charged > most:
        raise ChargeError(outcome.charged, most, prices.currency)
    if job is None:
        return None
    lines = kept_to(itemise(job, prices), most if outcome.charged is None else outcome.charged)
    asked = total(lines)
    made = Bill(
        id=office.new_id(),
        ticket=ticket.id,
        visit=visit.id,
        currency=prices.currency,
        lines=lines,
        total=asked,
        tax=tax_in(asked, prices),
        most=most,
        made=now,
        quote=quote,
    )
    office.desk.money.bills.add(made)
    office.log(ticket.id, now, "billed", outcome.actor, total=str(asked), currency=prices.currency, most=str(most))
    for sku, serial, replaced in outcome.fitted:
        office.desk.money.orders.fit(Fitted(visit=visit.id, sku=sku, serial=serial, replaced=replaced))
    return made
