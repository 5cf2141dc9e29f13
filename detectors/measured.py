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


class Measured:
    """Fits causes to deviations, none farther than its conditions allow.

    Args:
        kind: the catalogue page; its tuning `confounders_measured` switches this on.
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
        self._causes = [
            (one, [(*where[i], size) for i, size in one.moving if on and one.family is None and i in where])
            for one in signatures
        ]

    def match(self, z: list[float], sd: list[float], conditions: Sequence[Sequence[float]]) -> dict[str, Match]:
        """Every cause fitted to deviations, by its id.

        Args:
            z: standardised deviations, a number a feature; NaN where unknown.
            sd: their standard deviations, in the features' units.
            conditions: of each feature its regressors, 1 and then each condition's distance from its usual mean; empty
                where nothing is known yet.
        """
        fits = {}
        for one, moved in self._causes:
            most = math.inf
            for i, k, size in moved:
                most = min(most, max(0.0, conditions[i][k] / size) if conditions[i] else 0.0)
            fits[one.cause] = match(one, z, sd, most)
        return fits
