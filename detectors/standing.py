"""Where a cycle's features stand: against the cohort, and against the unit's own reference."""

from __future__ import annotations

import math
from collections.abc import Sequence

from detectors.baseline import FeatureModel
from detectors.cyclic_state import CyclicState, Stand
from detectors.diagnosis import bounded, share_within
from detectors.peers import Peers
from detectors.updates import NOT_MOVED

_CLIP = 6.0
_CLIP_FAR = 20.0


class Standing:
    """Holds cycles of a catalogued kind against what is expected.

    Args:
        models: of each feature.
        judged: places of the features that are judged.
        peers: what peers share.
        forget: weight of the newest cycle in averages.
    """

    def __init__(self, models: Sequence[FeatureModel], judged: Sequence[int], peers: Peers, forget: float) -> None:
        self._models = models
        self._judged = frozenset(judged)
        self._peers = peers
        self._forget = forget

    def __call__(self, state: CyclicState, start: int, values: list[float], *, calm: bool, steady: bool) -> Stand:
        """Hold a cycle against both.

        Args:
            state: its averages take the cycle up.
            start: of the cycle, event time.
            values: its features, in the catalogue's order; NaN where it cannot tell.
            calm: whether what the reference has never seen is to be learned, not judged.
            steady: whether the reference stands.
        """
        one = Stand(len(values))
        shifts = state.updates.moved()
        for i, model in enumerate(self._models):
            x = model.conditions(values)
            one.x.append(x)
            if i not in self._judged or math.isnan(values[i]):
                continue
            prior, own = model.prior(x), model.own(state.own[i], x)
            moved, recent = shifts[i] if shifts else NOT_MOVED, state.recent[i]
            plain = one.plain[i] = values[i] - moved.mean
            recent.add(x, plain - prior.mean, self._forget)
            level, doubt = self._peers.level(i, start, model.spec.spread, model.prior(recent.conditions).doubt)
            one.sd_coh[i] = math.sqrt(doubt + model.spec.noise**2 * recent.noise + moved.variance)
            one.z_coh[i] = (recent.residual - level) / one.sd_coh[i]
            variance = own.noise + own.doubt + (0.3 * model.spec.spread) ** 2 + moved.variance
            common = self._peers.moved(i, start, math.sqrt(variance))
            one.sd_own[i] = math.sqrt(variance + common.variance)
            one.off[i] = plain - own.mean
            one.sd_far[i] = one.sd_own[i]
            if calm and not model.covers(state.own[i], x):
                one.fresh.append(i)
                one.sd_far[i] = math.sqrt(prior.doubt + model.spec.noise**2 + moved.variance)
                one.z_far[i] = (plain - prior.mean - level) / one.sd_far[i]
                # What a young reference is off says nothing of an update: it learns that itself.
                one.off[i] = math.nan if model.young(state.own[i]) else one.off[i]
            else:
                one.z_own[i] = one.z_far[i] = (one.off[i] - common.shift) / one.sd_own[i]
            one.usual[i] = moved.mean + (own.mean + common.shift if steady else prior.mean + level)
            one.spread[i] = own.noise + common.variance + (own.doubt if steady else prior.doubt)
            self._peers.add(i, values[i] - prior.mean, one.off[i] if steady else math.nan, math.sqrt(variance))
        one.share_own, one.share_coh = share_within(one.z_own, _CLIP), share_within(one.z_coh, _CLIP_FAR)
        one.z_own, one.z_coh = bounded(one.z_own, _CLIP), bounded(one.z_coh, _CLIP_FAR)
        one.z_far, one.share_far = bounded(one.z_far, _CLIP_FAR), share_within(one.z_far, _CLIP_FAR)
        return one
