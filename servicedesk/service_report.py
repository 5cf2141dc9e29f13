"""How well the service does: first-time fix, repeat, no fault found, on time, promises, causes, people. Pure.

Definitions, each over the cases of a period:

- *first-time fix*: repaired cases whose first finished visit repaired them and that were not taken up again.
- *repeat*: repaired cases whose appliance had the same trouble again within 30 days after the repair.
- *no fault found*: finished visits that found nothing.
- *on time*: arrivals no later than the end of their two hours.
- *breaches*: promises that were broken, of those that were kept or broken.
- *avoided*: cases that ended without a visit because the owner mended it with a guide.

A share carries the Wilson interval at 95 % (Wilson, "Probable inference, the law of succession, and statistical
inference", Journal of the American Statistical Association 22, 1927).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeVar

REPEAT_WITHIN = timedelta(days=30)
FEW = 20
"""Below so many cases a share is told with the word that they are few."""
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRow:
    """A finished visit: who came when, and what came of it."""

    technician: str
    end: datetime
    arrived: datetime | None
    outcome: str | None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A ticket as the reports see it.

    Attributes:
        origin: `telemetry` or `owner`.
        ended: how it ended, or None while it is open.
        done: the last repair.
        reopened: times it was taken up again.
        kept, broken: promises.
        billed: what the owner paid in all.
        rating: of the owner, 1 to 5.
    """

    device: str
    kind: str
    model: str
    family: str
    region: str
    tier: str
    origin: str
    opened: datetime
    done: datetime | None = None
    ended: str | None = None
    reopened: int = 0
    visits: tuple[VisitRow, ...] = ()
    kept: int = 0
    broken: int = 0
    billed: float = 0.0
    rating: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A share of cases with its interval; `few` when they are too few to compare."""

    of: int
    hits: int

    @property
    def value(self) -> float | None:
        """0 to 1, or None without a case."""
        return self.hits / self.of if self.of else None

    @property
    def few(self) -> bool:
        """Whether it says little."""
        return self.of < FEW

    @property
    def interval(self) -> tuple[float, float] | None:
        """At 95 %, or None without a case."""
        if not self.of:
            return None
        p, n, z = self.hits / self.of, self.of, _Z
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Summary:
    """The shares of a set of cases."""

    cases: int
    first_time_fix: Share
    repeat: Share
    no_fault_found: Share
    on_time: Share
    breaches: Share
    avoided: int
    billed: float
    rating: float | None


def summarise(cases: Sequence[CaseRow]) -> Summary:
    """The shares of all cases."""
    repaired = [case for case in cases if any(visit.outcome == "repaired" for visit in case.visits)]
    finished = [visit for case in cases for visit in case.visits if visit.outcome is not None]
    arrived = [visit for visit in finished if visit.arrived is not None]
    ratings = [case.rating for case in cases if case.rating is not None]
    again = _repeats(cases)
    return Summary(
        cases=len(cases),
        first_time_fix=_share(repaired, _fixed_at_once),
        repeat=_share([case for case in repaired if case.done is not None], lambda case: id(case) in again),
        no_fault_found=_share(finished, lambda visit: visit.outcome == "no_fault_found"),
        on_time=_share(arrived, lambda visit: visit.arrived is not None and visit.arrived <= visit.end),
        breaches=Share(sum(case.kept + case.broken for case in cases), sum(case.broken for case in cases)),
        avoided=sum(1 for case in cases if case.ended == "self_fixed"),
        billed=round(sum(case.billed for case in cases), 2),
        rating=round(sum(ratings) / len(ratings), 2) if ratings else None,
    )


def by(cases: Sequence[CaseRow], attribute: str) -> dict[str, Summary]:
    """The shares of each region, tier, origin, kind or model, to see whether all are served alike.

    Raises:
        ValueError: cases cannot be told apart by it.
    """
    if attribute not in ATTRIBUTES:
        raise ValueError(f"cases are told apart by {', '.join(ATTRIBUTES)}, not by {attribute!r}")
    return {
        name: summarise(group) for name, group in sorted(_grouped(cases, lambda case: getattr(case, attribute)).items())
    }


ATTRIBUTES = ("region", "tier", "origin", "kind", "model")


def causes(cases: Sequence[CaseRow]) -> list[tuple[str, str, str, int, float]]:
    """Confirmed causes by kind and model, the most frequent first: `(kind, model, cause, count, cumulated share)`."""
    found = Counter(
        (case.kind, case.model, visit.cause) for case in cases for visit in case.visits if visit.cause is not None
    )
    rows, upto, whole = [], 0, sum(found.values())
    for (kind, model, cause), count in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        upto += count
        rows.append((kind, model, cause, count, round(upto / whole, 4)))
    return rows


def technicians(cases: Sequence[CaseRow]) -> dict[str, Summary]:
    """The shares of each technician; a case counts for whoever came first."""
    known = [case for case in cases if case.visits]
    return {
        name: summarise(group)
        for name, group in sorted(_grouped(known, lambda case: case.visits[0].technician).items())
    }


def _fixed_at_once(case: CaseRow) -> bool:
    return case.visits[0].outcome == "repaired" and case.reopened == 0


def _repeats(cases: Sequence[CaseRow]) -> set[int]:
    """The cases whose trouble came back, by identity: taken up again, or a new case soon after."""
    again = {id(case) for case in cases if case.reopened}
    for group in _grouped(cases, lambda case: (case.device, case.family)).values():
        ordered = sorted(group, key=lambda case: case.opened)
        for first, later in pairwise(ordered):
            if first.done is not None and timedelta() <= later.opened - first.done <= REPEAT_WITHIN:
                again.add(id(first))
    return again


T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def _share(rows: Sequence[T], hit: Callable[[T], bool]) -> Share:
    return Share(len(rows), sum(1 for row in rows if hit(row)))


def _grouped(rows: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    found: dict[K, list[T]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)
