"""What an innocent event leaves behind until the appliance has undone it, and which features say nothing meanwhile.

A freezer's door that stands ajar for an afternoon lets in the moisture of days. Its frost narrows the air's way as that
of a dead defrost heater does, and lengthens the runs as a bad gasket does, until the next defrost melts it. A heater
that is dead indeed melts nothing: after that defrost the readings count again, and speak.
"""

from __future__ import annotations

import math

from detectors.episodes import HOUR
from telemetry.catalogue import KindSpec


class Aftermath:
    """The aftermaths that a kind's page knows.

    Args:
        kind: the catalogue page.
    """

    def __init__(self, kind: KindSpec) -> None:
        names = list(kind.features)
        self._known = [
            (
                spec.feature,
                names.index(spec.feature),
                spec.above,
                names.index(spec.until),
                round(spec.hours * HOUR),
                [names.index(name) for name in spec.hides],
            )
            for spec in kind.aftermath
        ]

    def without(self, start: int, values: list[float], begun: dict[str, int]) -> list[float]:
        """A cycle's features without those that an aftermath hides, as NaN.

        Args:
            start: of the cycle, event time.
            values: its features, in the catalogue's order.
            begun: since when which aftermath lasts, by the feature of its event; brought up to date.
        """
        for feature, i, above, until, longest, hides in self._known:
            since = begun.get(feature)
            undone = since is not None and not math.isnan(values[until])
            if values[i] > above:
                # A door that never closes is no event: its first opening counts, and that only for so long.
                since = begun.setdefault(feature, start)
            elif undone:
                # The cycle of the defrost itself is still told by the frost.
                del begun[feature]
            if since is not None and start < since + longest:
                values = [math.nan if j in hides else value for j, value in enumerate(values)]
        return values
