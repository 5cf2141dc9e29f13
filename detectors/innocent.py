"""What of a plug's deviations only a fault explains, once every innocent cause may have its share.

A plug has no room thermometer to regress on, and does not know what stands behind it. Innocent causes may therefore
take part in any amount: deviations are fitted by a mixture of them and by the same mixture with a fault
(least squares under signs: C. Lawson, R. Hanson, *Solving Least Squares Problems*, 1974, ch. 23; with a handful of
causes every subset is tried). How much better the fault makes the fit is its own part. Signs matter: less use does not
come with hot weather, and could not undo what only hot weather does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.diagnosis import Signature

_USE = "busy_use"
_Floats = NDArray[np.float64]


class _Mixture(NamedTuple):
    """Causes that explain deviations together: a fault (-1: none), innocent ones, their directions, the solution."""

    fault: int
    causes: tuple[int, ...]
    direction: _Floats
    solve: _Floats


class Innocent:
    """The confounders of a kind, and what its faults do beside them.

    Args:
        signatures: of faults and confounders.

    Attributes:
        weather: whether weather may explain anything: it moves what a thermostat runs, not what people start.
    """

    def __init__(self, signatures: Sequence[Signature]) -> None:
        self._faults = [s for s in signatures if s.family is not None]
        self._confounders = [s for s in signatures if s.family is None]
        self.weather = True
        self._sd: list[float] = []
        self._by_known: dict[tuple[bool, ...], list[_Mixture]] = {}

    def leading(self, z: list[float], sd: list[float], least: float) -> str | None:
        """The family whose own part of its signature stands out most; None when none reaches `least`.

        Args:
            z: deviations of each feature, averaged over cycles, in spreads; NaN where unknown.
            sd: spreads, in the unit of the signatures' sizes.
            least: how far out that part has to be, in spreads.
        """
        explained = {fault: gain for fault, gain, _ in self._fits(z, sd, least)}
        innocent = explained.pop(-1, 0.0)
        best, found = least, None
        for fault, gain in explained.items():
            out = math.sqrt(max(0.0, gain - innocent))
            if out >= best:
                best, found = out, self._faults[fault].family
        return found

    def without(self, z: list[float], sd: list[float], family: str) -> list[float]:
        """What is left of deviations for a diagnosis of a family: less the innocent share of their best explanation."""
        of_family = [fit for fit in self._fits(z, sd) if fit[0] < 0 or self._faults[fit[0]].family == family]
        share = max(of_family, key=lambda fit: fit[1])[2]
        return [x - float(part) for x, part in zip(z, share, strict=True)]

    def _fits(self, z: list[float], sd: list[float], least: float = 0.0) -> Iterator[tuple[int, float, _Floats]]:
        """Of each fault, and of -1 for none, the best mixture: squared deviation explained, and the innocent share.

        Faults are not tried where innocence leaves less than `least` to explain.
        """
        if sd != self._sd:
            self._sd, self._by_known = list(sd), {}
        known = tuple(not math.isnan(x) for x in z)
        if known not in self._by_known:
            self._by_known[known] = sorted(
                self._mixtures(np.array(known), np.array(sd)), key=lambda one: one.fault >= 0
            )
        filled = np.nan_to_num(np.array(z))
        whole = float(filled @ filled)
        best: dict[int, tuple[float, _Floats]] = {-1: (0.0, np.zeros(len(z)))}
        for one in self._by_known[known]:
            if one.fault >= 0 and whole - best[-1][0] < least * least:
                break
            amounts = one.solve @ filled
            if not self._possible(one, amounts):
                continue
            gain = float(filled @ (one.direction @ amounts))
            if gain > best.get(one.fault, (0.0,))[0]:
                innocent = len(one.causes)
                best[one.fault] = (gain, one.direction[:, :innocent] @ amounts[:innocent])
        return ((fault, gain, share) for fault, (gain, share) in best.items())

    def _possible(self, one: _Mixture, amounts: _Floats) -> bool:
        """A fault does not run backwards, and it is not hot and cold, nor hot and quiet, at once."""
        if one.fault >= 0 and amounts[-1] <= 0:
            return False
        if not self.weather and any(self._confounders[i].cause != _USE for i in one.causes):
            return False
        weather = [a for i, a in zip(one.causes, amounts, strict=False) if self._confounders[i].cause != _USE]
        use = [a for i, a in zip(one.causes, amounts, strict=False) if self._confounders[i].cause == _USE]
        hot, cold = any(a > 0 for a in weather), any(a < 0 for a in weather)
        return not (hot and cold) and not (hot and any(a < 0 for a in use))

    def _mixtures(self, known: NDArray[np.bool_], sd: _Floats) -> Iterator[_Mixture]:
        innocent = [_scaled(one, known, sd) for one in self._confounders]
        faults = [_scaled(one, known, sd) for one in self._faults]
        for size in range(len(innocent) + 1):
            for causes in combinations(range(len(innocent)), size):
                for fault in range(-1, len(faults)):
                    parts = [innocent[i] for i in causes] + ([faults[fault]] if fault >= 0 else [])
                    if not parts or not all(part.any() for part in parts):
                        continue
                    direction = np.stack(parts, axis=1)
                    yield _Mixture(fault, causes, direction, np.asarray(np.linalg.pinv(direction), np.float64))


def _scaled(one: Signature, known: NDArray[np.bool_], sd: _Floats) -> _Floats:
    size = np.array(one.size)
    return np.where(known & np.isfinite(size), size / sd, 0.0)
