"""The bill of a repair: what was done, never above what was agreed, and nothing where nothing was mended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A finished repair, to be charged.

    Attributes:
        actor: who says so.
        visit: that did it, or None.
        way: the case of another way that did it, or None.
        cause: confirmed fault, where it is known.
        parts: SKUs that were fitted; those of the fault when None.
        note: why parts outside the diagnosis were needed.
        charged: the sum that is asked where it is another than the reckoned one.
        here: the appliance was brought, so that nobody's way is charged.
    """

    actor: str
    visit: UUID | None = None
    way: UUID | None = None
    cause: str | None = None
    parts: tuple[str, ...] | None = None
    note: str = ""
    charged: Decimal | None = None
    here: bool = False


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
    work = Work(
        actor=outcome.actor,
        visit=visit.id,
        cause=outcome.cause,
        parts=outcome.parts,
        note=outcome.note,
        charged=outcome.charged,
    )
    made = charge(office, ticket, work, now)
    if made is not None:
        for sku, serial, replaced in outcome.fitted:
            office.desk.money.orders.fit(Fitted(visit=visit.id, sku=sku, serial=serial, replaced=replaced))
    return made


def charge(office: Office, ticket: Ticket, work: Work, now: datetime) -> Bill | None:
    """Charge a repair, by whichever way: never above what was agreed. None where no fault is known.

    Raises:
        ChargeError: the named sum lies above what was agreed.
        NeedsReasonError: a part that does not belong to the diagnosis, without a note that says why.
    """
    strange = check_parts(office, ticket, work.parts or (), work.note, work.cause)
    if strange:
        why = {"rule": "parts", "parts": list(strange), "reason": work.note}
        office.log(ticket.id, now, "override", work.actor, **why)
    most, quote = agreed(office, ticket, now)
    prices = price_list()
    if work.charged is not None and work.charged > most:
        raise ChargeError(work.charged, most, prices.currency)
    job = job_of(office, ticket, now, work.parts, work.cause)
    if job is None:
        return None
    job = replace(job, call_out_free=job.call_out_free or work.here)
    lines = kept_to(itemise(job, prices), most if work.charged is None else work.charged)
    asked = total(lines)
    made = Bill(
        id=office.new_id(),
        ticket=ticket.id,
        visit=work.visit,
        way=work.way,
        currency=prices.currency,
        lines=lines,
        total=asked,
        tax=tax_in(asked, prices),
        most=most,
        made=now,
        quote=quote,
    )
    office.desk.money.bills.add(made)
    office.log(ticket.id, now, "billed", work.actor, total=str(asked), currency=prices.currency, most=str(most))
    return made
