"""Remaining life: the catalogue's lead time, given how far the fault is and how long it has been growing."""

from __future__ import annotations

_DAY_SECONDS = 86_400.0
_SLOW_START = 0.6
_DOUBT = 0.8
_LESS = 0.85


def remaining(lead_days: tuple[float, float], amount: float, grown_days: float) -> tuple[float, float]:
    """Seconds from now to functional failure, lower and upper end.

    Wear is taken to grow between linearly and as the power 1 / 0.6 of time since the first sign: damage feeds
    itself. What is left of the lead time is its share not yet used, and at most
    what the days since the onset leave of the longest lead.

    Args:
        lead_days: typical days from first sign to failure, low and high.
        amount: fraction of functional failure reached, 0 at least.
        grown_days: days since the earliest likely onset.
    """
    done = min(0.97, amount)
    low = _DOUBT * lead_days[0] * (1 - done**_SLOW_START)
    # How far it has come is itself uncertain; the upper end takes it for less.
    high = lead_days[1] * (1 - _LESS * done)
    if grown_days > 1.0 and done > 0.0:
        # Growing at the observed pace; early on that pace is uncertain, so it only narrows the upper end.
        high = min(high, max(3 * grown_days * (1 - _LESS * done) / done, 2 * low))
    low = max(0.5, low)
    return low * _DAY_SECONDS, max(high, 1.5 * low) * _DAY_SECONDS
