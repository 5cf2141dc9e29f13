"""What keeps an episode from opening though the evidence is enough: no known cause, or an appliance that has failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detectors.diagnosis import UNKNOWN
from detectors.episodes import Episode
from detectors.life import Growth
from telemetry.finding import Cause, Proof

_DOUBT = 0.75
_FAILED = 0.8


def doubtful(causes: Sequence[Cause]) -> bool:
    """Whether no fault of the family is like what was seen: a visit for it would be in vain."""
    return any(cause.fault == UNKNOWN and cause.probability >= _DOUBT for cause in causes)


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
