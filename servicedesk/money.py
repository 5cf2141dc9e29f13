"""What a repair costs, line by line, in Decimal; and the price list it is reckoned by."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from servicedesk.errors import DeskError
from telemetry.catalogue import FaultSpec

_FILE = Path(__file__).with_name("prices.toml")
_CENT = Decimal("0.01")


class LineKind(StrEnum):
    """What a line of a quote or bill stands for."""

    CALL_OUT = "call_out"
    LABOUR = "labour"
    PART = "part"
    WARRANTY = "warranty"
    """What the maker pays: below zero."""
    PROMISE = "promise"
    """What is taken off because no more was agreed: below zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a quote or a bill, tax included.

    Attributes:
        sku: of a part.
        minutes: of labour.
    """

    kind: LineKind
    amount: Decimal
    sku: str = ""
    minutes: int = 0


class PriceList(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The product's prices; see `prices.toml`."""

    currency: str
    call_out: Decimal
    minute: Decimal
    tax: Decimal
    valid_days: int
    quote_from: int
    factor: dict[str, Decimal] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A repair as it is priced.

    Attributes:
        fault: gives band, minutes and parts.
        skus: the parts that are fitted; by default those of the fault.
        model: of the appliance.
        own: prices of parts that have one of their own.
        share: what the maker pays, 0 to 1.
        rule: of the warranty table, which says so.
        call_out_free: a second visit for the same fault.
    """

    fault: FaultSpec
    skus: tuple[str, ...]
    model: str | None = None
    own: Mapping[str, Decimal] = field(default_factory=dict)
    share: Decimal = Decimal(0)
    rule: str = ""
    call_out_free: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is told before anybody books: the band the owner pays, and how long it takes."""

    currency: str
    low: Decimal
    high: Decimal
    minutes: int


@cache
def price_list() -> PriceList:
    """The product's own prices.

    Raises:
        DeskError: the file cannot be read or a price is below zero.
    """
    try:
        prices = msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8")), PriceList, strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as cause:
        raise DeskError(f"{_FILE.name}: {cause}") from cause
    if min(prices.call_out, prices.minute, prices.tax) < 0:
        raise DeskError(f"{_FILE.name}: call_out, minute and tax are not below zero")
    return prices


def estimate(job: Job, prices: PriceList) -> Estimate:
    """The catalogue's band for a model, less what the maker pays and a call-out that is free."""
    band, factor = job.fault.price, _factor(job, prices)
    free = prices.call_out if job.call_out_free else Decimal(0)
    pays = 1 - job.share

    def owner(amount: int) -> Decimal:
        return _cents(max(Decimal(0), amount * factor - free) * pays)

    return Estimate(band.currency, owner(band.low), owner(band.high), job.fault.minutes)


def itemise(job: Job, prices: PriceList) -> tuple[Line, ...]:
    """The lines of a repair: call-out, labour, each part, and what the maker pays."""
    lines = [] if job.call_out_free else [Line(kind=LineKind.CALL_OUT, amount=_cents(prices.call_out))]
    minutes = job.fault.minutes
    lines.append(Line(kind=LineKind.LABOUR, amount=_cents(prices.minute * minutes), minutes=minutes))
    lines += [Line(kind=LineKind.PART, amount=part_price(job, sku, prices), sku=sku) for sku in job.skus]
    if job.share > 0:
        lines.append(Line(kind=LineKind.WARRANTY, amount=-_cents(total(lines) * job.share)))
    return tuple(lines)


def part_price(job: Job, sku: str, prices: PriceList) -> Decimal:
    """A part's own price, or its share of what the middle of the band leaves after call-out and work."""
    if sku in job.own:
        return _cents(job.own[sku])
    band, count = job.fault.price, max(1, len(job.fault.parts))
    rest = Decimal(band.low + band.high) / 2 - prices.call_out - prices.minute * job.fault.minutes
    return _cents(max(Decimal(0), rest * _factor(job, prices)) / count)


def total(lines: Iterable[Line]) -> Decimal:
    """The sum of lines, never below zero."""
    return _cents(max(Decimal(0), sum((line.amount for line in lines), Decimal(0))))


def tax_in(amount: Decimal, prices: PriceList) -> Decimal:
    """The tax that an amount contains."""
    return _cents(amount * prices.tax / (1 + prices.tax))


def kept_to(lines: Sequence[Line], most: Decimal) -> tuple[Line, ...]:
    """The lines with what goes above a sum taken off again, so that no more is paid than was agreed."""
    above = total(lines) - most
    return (*lines, Line(kind=LineKind.PROMISE, amount=-_cents(above))) if above > 0 else tuple(lines)


def _factor(job: Job, prices: PriceList) -> Decimal:
    return prices.factor.get(job.model or "", Decimal(1))


def _cents(amount: Decimal) -> Decimal:
    return Decimal(amount).quantize(_CENT, ROUND_HALF_UP)
