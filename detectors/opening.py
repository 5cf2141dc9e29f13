"""What keeps an episode from opening though the evidence is enough: no known cause, a rival, a failed appliance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detectors.diagnosis import UNKNOWN, Signature
from detectors.episodes import Episode
from detectors.life import Growth
from telemetry.finding import Cause, Proof

_DOUBT = 0.5
"""Somebody is sent for a fault that is more likely than none of those that are known."""
_FAILED = 0.8


def doubtful(causes: Sequence[Cause]) -> bool:
    """Whether no fault of the family is like what was seen: a visit for it would be in vain."""
    return any(cause.fault == UNKNOWN and cause.probability >= _DOUBT for cause in causes)


def rivals(signatures: Sequence[Signature]) -> dict[str, frozenset[str]]:
    """Of each family the others with a fault that moves the same features the same way.

    A heat pump that loses refrigerant and one whose reversing valve sticks move as less, if not by the same shares of
    it. As a leak grows it is now like the one, now like the other: while an episode of either is open, what moves is
    its doing. A repair that did not help shows that it was not, and evidence then starts anew.

    Args:
        signatures: of the kind.
    """
    faults = [one for one in signatures if one.family is not None]
    courses = [frozenset((i, size > 0) for i, size in one.moving) for one in faults]
    found: dict[str, set[str]] = {one.family: set() for one in faults if one.family is not None}
    for one, course in zip(faults, courses, strict=True):
        for other, alike in zip(faults, courses, strict=True):
            # One feature alone tells too little to be mistaken for another fault's.
            if one.family and other.family and other.family != one.family and course == alike and len(course) > 1:
                found[one.family].add(other.family)
    return {family: frozenset(others) for family, others in found.items()}


def failed(episode: Episode, growth: Mapping[str, Growth]) -> bool:
    """Whether an open episode's fault has come to its end: a failed appliance is like nothing in the catalogue.

    Signatures are straight lines up to functional failure. A washing machine whose valve lets no water in runs on
    without any, and what its load sensor and its pump then tell is not of them. A repair starts all anew.

    Args:
        episode: of another family, open.
        growth: how far each cause of each open family has come.
    """
    finding = episode.finding
    told = growth.get(finding.family)
    if told is None or finding.proof is Proof.PROVING:
        return False
    named = next((cause.fault for cause in finding.causes if cause.fault != UNKNOWN), UNKNOWN)
    return max(told.amounts.get(named, ()), default=0.0) >= _FAILED
