"""Outside partners: what became of what they were given, and the bar below which nobody is sent to them unasked.

Below the bar a partner is not offered to owners and not taken without a dispatcher's hand. It needs evidence: with few
cases the interval is wide and a partner stays above it. The bar is the product's; numbers stand here and in the docs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from servicedesk.office import Office
from servicedesk.service_report import Share
from servicedesk.way_rows import PastCase, Way, WayKind

LOOK_BACK = timedelta(days=365)
REPEAT_WITHIN = timedelta(days=30)
BAR_FIX = 0.7
"""The best that the evidence allows for the share mended at once must reach this."""
BAR_REPEAT = 0.25
"""The best that it allows for the share that came back must not be above this."""
BAR_RATING = 3.0
_LEAST = 5
"""Fewer cases, or answers, say nothing."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A partner's last year.

    Attributes:
        fixed_at_once: mended, and not taken up again.
        no_fault_found: given back without a repair.
        repeat: of what was mended, taken up again within 30 days.
        rating: mean of owners' answers, None without one.
        rated: how many answered.
    """

    cases: int
    fixed_at_once: Share
    no_fault_found: Share
    repeat: Share
    rating: float | None
    rated: int

    @property
    def below(self) -> tuple[str, ...]:
        """What falls short of the bar, beyond what chance explains; empty above it."""
        short = []
        if self.cases >= _LEAST and (fixed := self.fixed_at_once.interval) is not None and fixed[1] < BAR_FIX:
            short.append("fixed_at_once")
        if self.repeat.of >= _LEAST and (again := self.repeat.interval) is not None and again[0] > BAR_REPEAT:
            short.append("repeat")
        if self.rating is not None and self.rated >= _LEAST and self.rating < BAR_RATING:
            short.append("rating")
        return tuple(short)


def scorecard(office: Office, way: Way, now: datetime) -> Scorecard:
    """What became of a partner's cases of the last year."""
    return card_of(office.desk.ways.past(way.id, now - LOOK_BACK))


def card_of(cases: list[PastCase]) -> Scorecard:
    """The card of some cases."""
    mended = [each for each in cases if each.mended]
    ratings = [each.rating for each in cases if each.rating is not None]
    return Scorecard(
        cases=len(cases),
        fixed_at_once=Share(len(cases), sum(each.reopened is None for each in mended)),
        no_fault_found=Share(len(cases), len(cases) - len(mended)),
        repeat=Share(len(mended), sum(_soon(each) for each in mended)),
        rating=sum(ratings) / len(ratings) if ratings else None,
        rated=len(ratings),
    )


def by_hand_only(office: Office, way: Way, now: datetime) -> bool:
    """Whether only a dispatcher may give a case to this way: a partner below the bar."""
    return way.kind is WayKind.PARTNER and bool(scorecard(office, way, now).below)


def _soon(case: PastCase) -> bool:
    return case.reopened is not None and case.reopened - case.returned <= REPEAT_WITHIN
