"""Which causes come up, how often a year, and whether one firmware, lot or model has more than its share. Pure.

Rates are confirmed causes over the years for which appliances of the group were in service. Their interval at 95 % is
exact for counts (Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28, 1936). Whether a group has a
cause more often than the rest of its kind is the exact test of two rates: given all cases of both, those of the group
are binomial with its share of the years (Przyborowski and Wilenski, "Homogeneity of results in testing samples from
Poisson series", Biometrika 31, 1940).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from servicedesk.rates import log_choose, rate_of

Group = Literal["firmware", "lot", "model"]
GROUPS: tuple[Group, ...] = get_args(Group)
LEVEL = 0.01
"""A group stands out when chance gives so much or more less often than this, over all groups that are compared."""
LEAST = 3
"""Fewer cases never stand out."""
_YEAR = 365.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What appliances have in common; empty where it is not known."""

    kind: str
    model: str
    firmware: str
    lot: str

    def of(self, group: Group) -> str:
        """The name by which they are told apart."""
        return {"firmware": self.firmware, "lot": self.lot, "model": self.model}[group]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A case and the cause that a technician confirmed; the firmware is the one at its onset."""

    traits: Traits
    cause: str


@dataclass(frozen=True, slots=True)
class InService:
    """Appliances with the same traits, and the days for which they were in service, added up."""

    traits: Traits
    days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseLine:
    """A cause in a group, the most frequent first.

    Attributes:
        group: firmware, lot or model; empty where it is not known.
        share: of all cases.
        cumulated: of all cases, this line and those before it.
        years: for which appliances of the group were in service.
        rate: cases a device-year; None where nothing was in service.
        interval: of the rate, at 95 %.
        rest_rate: of the other appliances of the kind.
        chance: how likely the group would have so many or more, were it like the rest; None where there is no rest.
        stands_out: whether that is too unlikely, for so many comparisons.
    """

    kind: str
    group: str
    cause: str
    count: int
    share: float
    cumulated: float
    years: float
    rate: float | None
    interval: tuple[float, float] | None
    rest_rate: float | None
    chance: float | None
    stands_out: bool

    @property
    def times(self) -> float | None:
        """How many times the rate of the rest; None where the rest has none."""
        return self.rate / self.rest_rate if self.rate is not None and self.rest_rate else None


def cause_lines(cases: Sequence[Confirmed], service: Sequence[InService], group: Group) -> list[CauseLine]:
    """The Pareto of causes by firmware, lot or model.

    Args:
        cases: confirmed ones of the period.
        service: of the same appliances in the same period.
        group: what tells them apart.
    """
    counts = Counter((case.traits.kind, case.traits.of(group), case.cause) for case in cases)
    of_kind = Counter((case.traits.kind, case.cause) for case in cases)
    years: dict[tuple[str, str], float] = defaultdict(float)
    kind_years: dict[str, float] = defaultdict(float)
    for each in service:
        years[each.traits.kind, each.traits.of(group)] += each.days / _YEAR
        kind_years[each.traits.kind] += each.days / _YEAR
    tested = {
        (kind, name, cause): chance
        for (kind, name, cause), count in counts.items()
        if name
        and (
            chance := chance_of(
                count,
                years[kind, name],
                of_kind[kind, cause] - count,
                kind_years[kind] - years[kind, name],
            )
        )
        is not None
    }
    whole, upto = sum(counts.values()), 0
    lines = []
    for (kind, name, cause), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        upto += count
        own, rest = years[kind, name], kind_years[kind] - years[kind, name]
        chance, rate = tested.get((kind, name, cause)), rate_of(count, own)
        lines.append(
            CauseLine(
                kind=kind,
                group=name,
                cause=cause,
                count=count,
                share=count / whole,
                cumulated=upto / whole,
                years=own,
                rate=None if rate is None else rate.rate,
                interval=None if rate is None else (rate.low, rate.high),
                rest_rate=(of_kind[kind, cause] - count) / rest if rest > _LITTLE else None,
                chance=chance,
                stands_out=chance is not None and count >= LEAST and chance < LEVEL / len(tested),
            )
        )
    return lines


_LITTLE = 1e-6
"""Years: less is what adding up leaves."""


def chance_of(count: int, years: float, rest: int, rest_years: float) -> float | None:
    """How likely a group has so many or more of all cases, were its rate that of the rest.

    Args:
        count: cases of the group.
        years: in service.
        rest: cases of the others.
        rest_years: in service.

    Returns:
        The probability, or None where group or rest were not in service.
    """
    if years <= 0 or rest_years <= _LITTLE:
        return None
    whole, share = count + rest, years / (years + rest_years)
    terms = (
        math.exp(log_choose(whole, n) + n * math.log(share) + (whole - n) * math.log1p(-share))
        for n in range(count, whole + 1)
    )
    return min(1.0, math.fsum(terms))
