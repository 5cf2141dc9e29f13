"""How far an innocent cause can have come, by what was measured of it.

Hot weather lengthens a freezer's runs, and so does a bad gasket. But the room's temperature is a reading: weather that
was not hot explains nothing, however well its signature fits. What is left of a feature after its conditions were taken
out is explained by a cause of theirs only as far as they moved at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from detectors.diagnosis import Match, Signature, match
from telemetry.catalogue import KindSpec

_LEAST_SHARE, _MOST_SHARE = 0.4, 4.0


class Measured:
    """Fits causes to deviations, none farther than its conditions allow.

    Args:
        kind: the catalogue page; its tuning `confounders_measured` switches this on, and `sizes_scale` that signatures
            are shares of what is usual under the conditions.
        signatures: of the kind; those of faults have no bound.
    """

    def __init__(self, kind: KindSpec, signatures: Sequence[Signature]) -> None:
        names = list(kind.features)
        # Where a feature's regressors hold a condition: place of the feature, place among them (0 is the constant).
        where = {
            names.index(other): (i, k)
            for i, spec in enumerate(kind.features.values())
            for k, other in enumerate(spec.explained_by, start=1)
        }
        on = bool(kind.tuning.get("confounders_measured", 0))
        specs = kind.features.values() if kind.tuning.get("sizes_scale", 0) else ()
        # Of each feature that scales: its place, and by how much of its mean each of its regressors moves it.
        self._scales = [
            (i, [slope / spec.mean for slope in (spec.mean, *spec.slopes)])
            for i, spec in enumerate(specs)
            if spec.explained_by
        ]
        most = {name: one.most or math.inf for name, one in kind.confounders.items()}
        self._causes = [
            (
                one,
                [(*where[i], size) for i, size in one.moving if on and one.family is None and i in where],
                most.get(one.cause, math.inf) if one.family is None else math.inf,
            )
            for one in signatures
        ]

    def scaled(self, sd: list[float], conditions: Sequence[Sequence[float]]) -> list[float]:
        """Standard deviations in the unit of the sizes of signatures, under the conditions of a cycle.

        A fault takes a share of what an appliance does. At twice the compressor speed the same share is about twice as
        many kelvins and watts, and not of each feature alike: sizes that stood still would turn one fault at top speed
        into another. So a size counts as a share of what the cohort does under these conditions, within bounds beyond
        which a slope is no guide; dividing the deviation by that share is the same as growing the size.

        Args:
            sd: in the features' units.
            conditions: as for `match`.
        """
        if not self._scales:
            return sd
        out = list(sd)
        for i, slopes in self._scales:
            if conditions[i]:
                share = sum(by * x for by, x in zip(slopes, conditions[i], strict=True))
                out[i] /= max(_LEAST_SHARE, min(_MOST_SHARE, share))
        return out

    def match(
        self, z: list[float], sd: list[float], conditions: Sequence[Sequence[float]], share: float = 1.0
    ) -> dict[str, Match]:
        """Every cause fitted to deviations, by its id.

        Args:
            z: standardised deviations, a number a feature; NaN where unknown.
            sd: their standard deviations, in the features' units.
            conditions: of each feature its regressors, 1 and then each condition's distance from its usual mean; empty
                where nothing is known yet.
            share: what bounding has left of the deviations.
        """
        fits = {}
        for one, moved, known in self._causes:
            most = known * share
            for i, k, size in moved:
                most = min(most, max(0.0, conditions[i][k] / size) if conditions[i] else 0.0)
            fits[one.cause] = match(one, z, sd, most)
        return fits
