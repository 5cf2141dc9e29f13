"""What a detector forgets of an appliance: a family's evidence after its repair, all evidence, the reference itself."""

from __future__ import annotations

from collections.abc import Container, Sequence

from detectors.baseline import FeatureModel
from detectors.cyclic_state import CyclicState, Recent
from detectors.diagnosis import Signature


def forget_family(
    state: CyclicState, signatures: Sequence[Signature], family: str, judged: Sequence[int], but: int | None = None
) -> None:
    """A family's evidence starts anew.

    Args:
        state: changed.
        signatures: of the kind.
        family: whose.
        judged: places of the features that are judged.
        but: place of a feature whose average stays.
    """
    state.tracks[family].reset()
    moved = _moved(signatures, (family,))
    for i in judged:
        if i != but and i in moved:
            state.recent[i] = Recent()


def forget_but(
    state: CyclicState, signatures: Sequence[Signature], judged: Sequence[int], open_: Container[str]
) -> None:
    """The evidence of every family starts anew, but of those with an open episode.

    Args:
        state: changed.
        signatures: of the kind.
        judged: places of the features that are judged.
        open_: families with an open episode; averages of features that they move stay.
    """
    kept = _moved(signatures, open_)
    for family, track in state.tracks.items():
        if family not in open_:
            track.reset()
    for i in judged:
        if i not in kept:
            state.recent[i] = Recent()


def _moved(signatures: Sequence[Signature], families: Container[str]) -> set[int]:
    """Places of the features that faults of some families move."""
    return {i for s in signatures if s.family is not None and s.family in families for i, _ in s.moving}


def forget_own(state: CyclicState, models: Sequence[FeatureModel]) -> None:
    """A new part is a new unit: its reference is learned again from the cohort's prior."""
    state.own = [model.fresh() for model in models]
    state.learned = 0
    for track in state.tracks.values():
        track.clean = []
        track.reset()
