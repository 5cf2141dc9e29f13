"""When a fault began: from the scores of the last cycles, with the interval that they leave open."""

from __future__ import annotations

from detectors.decision import Track, date_shift
from detectors.episodes import DAY

_NEARLY = 0.7
_EARLY = 3 * DAY


def onset_of(
    track: Track, at: int, first: int, *, cohort: float, bounds: tuple[float, float], lead: int, fast: int | None
) -> tuple[int, int, int]:
    """Estimate of the onset, its earliest and its latest, event times in microseconds.

    Args:
        track: of the family.
        at: now.
        first: when the device was first seen.
        cohort: score against the cohort.
        bounds: of the evidence against the device's own reference, and of the score against the cohort.
        lead: longest time that a fault of the kind develops.
        fast: longest time that this fault does, where it stands out all at once; else None.
    """
    own, threshold = bounds
    if fast is not None and cohort < threshold:
        # The cycle before the first of these still looked healthy: it began some hours or days before that one.
        return track.sudden.since, max(first, track.sudden.since - fast), at
    shift = date_shift(track.times, track.scores)
    if shift is not None:
        begun = track.begun or shift[0]
        low = min(shift[1], begun)
        if cohort >= threshold * _NEARLY and low - first < _EARLY:
            # It grows, and was off the cohort when it was first seen: it may have begun before.
            low = first - lead
        return shift[0], low, max(shift[2], min(begun, at))
    if track.log_e >= own and track.begun:
        return track.begun, max(first, track.begun - 2 * DAY), min(at, track.begun + DAY)
    if cohort >= threshold:
        # Part worn when it was first seen: it began before.
        return first, first - lead, first
    return at, at - 2 * DAY, at
