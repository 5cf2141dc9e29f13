"""Faults that come within hours or days: evidence counts by its size, and two cycles may be enough.

The test against the cohort asks for some cycles in a row at so many deviations; the one against the unit's own
reference bounds what a cycle may say by how many clean ones it has seen. Both are made for wear that takes weeks. A
damper that jams, a valve that sticks and an element that breaks leave a handful of cycles, each far off. So one more
test stands beside them, as a chart for large shifts stands beside a CUSUM (Lucas, *Combined Shewhart-CUSUM quality
control schemes*, Journal of Quality Technology 14, 1982).

The log likelihood ratio of a shift by s deviations against none is s^2 / 2, so n cycles at the threshold h carry
n h^2 / 2. The same is asked for here, whatever cycles carry it, each of them at h at least: two at h sqrt(n / 2), or
one alone with twice as much. What something innocent explains of a cycle does not count: the ratio is to that, not to
nothing. Homes have sharp cycles of which no catalogue knows, too, and those look like slow faults (a door left open
like a bad gasket, a long draw of water like a dripping valve); so only faults whose course the catalogue calls fast
are believed so quickly, and only where one of them explains the cycle better than every other cause.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from detectors.cyclic_state import Stand
from detectors.decision import Track
from detectors.diagnosis import UNKNOWN, Signature
from detectors.episodes import DAY, Episode
from detectors.measured import Measured
from telemetry.catalogue import KindSpec
from telemetry.finding import Proof

_ALONE = 2.0
"""Times as much evidence as is asked of several cycles one cycle alone has to carry."""
_SLOW = 0.1
"""How likely a fault that takes weeks is to stand out all at once, beside one that takes hours or days."""


class SuddenFaults:
    """Watches for the fast faults of a kind.

    Args:
        kind: the catalogue page.
        signatures: of its causes.
        measured: fits them to deviations.
        least: deviations that each cycle has to show.
        cycles: how many such cycles have the evidence that is asked for.
    """

    def __init__(
        self, kind: KindSpec, signatures: Sequence[Signature], measured: Measured, least: float, cycles: int
    ) -> None:
        conditions = {
            list(kind.features).index(other) for spec in kind.features.values() for other in spec.explained_by
        }
        self._signatures = list(signatures)
        # What moves a condition was measured, and is out of the deviations already.
        self._innocent = [
            s.cause for s in signatures if s.family is None and not any(i in conditions for i, _ in s.moving)
        ]
        self._measured = measured
        self._families: dict[str, str] = {}
        self._soonest: dict[str, int] = {}
        self._features: dict[str, set[int]] = {}
        for one in signatures:
            if one.family is not None and kind.faults[one.cause].course.pattern == "fast":
                self._families[one.cause] = one.family
                self._soonest[one.cause] = round(kind.faults[one.cause].lead_days[0] * DAY)
                first = kind.faults[one.cause].shown_by
                shows = [i for i, _ in one.moving] if first is None else [list(kind.features).index(first)]
                self._features.setdefault(one.family, set()).update(shows)
        self._least = least
        self._need = cycles * least * least

    def judge(self, tracks: Mapping[str, Track], start: int, one: Stand, factor: Callable[[str], float]) -> None:
        """One cycle.

        Args:
            tracks: of the device, by family.
            start: event time at which the cycle began, microseconds.
            one: where it stands.
            factor: on the evidence that a family needs.
        """
        if not self._families:
            return
        known = [not math.isnan(z) for z in one.z_far]
        leading, score = "", 0.0
        # Of several features together the score is more than any of them, but not by much.
        if max((abs(z) for z in one.z_far if not math.isnan(z)), default=0.0) >= self._least / 2:
            fits = self._measured.match(one.z_far, one.sd_far, one.x, one.share_far)
            leading = max(self._signatures, key=lambda s: fits[s.cause].explained).cause
            innocent = max((fits[cause].explained for cause in self._innocent), default=0.0)
            best = fits[leading]
            # What an innocent cause explains as well is no evidence.
            score = best.score * math.sqrt(max(0.0, 1.0 - innocent / best.explained)) if best.explained > 0 else 0.0
        for family, features in self._features.items():
            if not any(known[i] for i in features):
                continue
            here = self._families.get(leading) == family and score >= self._least * math.sqrt(factor(family))
            if here:
                tracks[family].sudden.add(start, score)
            else:
                tracks[family].sudden.reset()

    def opens(self, track: Track, factor: float) -> bool:
        """Whether the cycles in a row are enough."""
        sudden = track.sudden
        return sudden.evidence >= self._need * factor * (1.0 if sudden.n > 1 else _ALONE)

    def causes(self, family: str, track: Track, learned: Mapping[str, float], factor: float) -> Mapping[str, float]:
        """Factors on prior probabilities: what stands out so far within a cycle or two did not grow for weeks.

        Args:
            family: whose causes are asked for.
            track: of it.
            learned: factors from confirmed causes.
            factor: on the evidence that the family needs.
        """
        if not self.opens(track, factor):
            return learned
        slow = [s.cause for s in self._signatures if s.family == family and s.cause not in self._families]
        return {**learned, **{cause: _SLOW * learned.get(cause, 1.0) for cause in slow}}

    def over(self, episode: Episode, at: int) -> bool:
        """Whether an open episode's fast fault may have come to its end, and the appliance be like nothing known.

        Args:
            episode: of some family.
            at: event time now.
        """
        finding = episode.finding
        fault = next((cause.fault for cause in finding.causes if cause.fault != UNKNOWN), UNKNOWN)
        return (
            fault in self._soonest and finding.proof is not Proof.PROVING and at >= finding.onset + self._soonest[fault]
        )
