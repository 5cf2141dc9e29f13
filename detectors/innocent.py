"""What is left of deviations once every innocent cause has had its share.

A plug has no room thermometer to regress on. What hot weather or busy use can explain, in whatever amount and mixture,
is therefore taken out: signatures are projected on what is orthogonal to all confounders, in units of each feature's
spread (the partial regression of Frisch and Waugh, Econometrica 1, 1933). A family whose signatures have nothing
left there is not believed, however long the runs have become.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors.diagnosis import Signature

_NOTHING = 1e-9

_Directions = list[tuple[str, list[float]]]
_Basis = list[NDArray[np.float64]]


class Innocent:
    """The confounders of a kind, and what its faults do beside them.

    Args:
        signatures: of faults and confounders.
    """

    def __init__(self, signatures: Sequence[Signature]) -> None:
        self._faults = [s for s in signatures if s.family is not None]
        self._confounders = [s for s in signatures if s.family is None]
        self._sd: list[float] = []
        self._by_known: dict[tuple[bool, ...], _Directions] = {}

    def leading(self, z: list[float], sd: list[float], least: float) -> str | None:
        """The family whose own part of its signature stands out most; None when none reaches `least`.

        Args:
            z: deviations of each feature, averaged over cycles, in spreads; NaN where unknown.
            sd: spreads, in the unit of the signatures' sizes.
            least: how far out that part has to be, in spreads.
        """
        if sd != self._sd:
            self._sd, self._by_known = list(sd), {}
        known = tuple(not math.isnan(x) for x in z)
        if known not in self._by_known:
            self._by_known[known] = self._beside(np.array(known), np.array(sd))
        filled = [0.0 if math.isnan(x) else x for x in z]
        best, found = least, None
        for family, direction in self._by_known[known]:
            out = sum(d * x for d, x in zip(direction, filled, strict=True))
            if out >= best:
                best, found = out, family
        return found

    def without(self, z: list[float], sd: list[float]) -> tuple[list[float], list[Signature]]:
        """Deviations and the faults' signatures with the innocent causes' share taken out of both, for a diagnosis.

        Args:
            z: deviations of each feature, averaged over cycles, in spreads; NaN where unknown.
            sd: spreads, in the unit of the signatures' sizes.

        Returns:
            What is left of the deviations, NaN as before; and signatures, the innocent ones as they were.
        """
        known, spread = np.isfinite(np.array(z)), np.array(sd)
        basis = self._basis(known, spread)
        rest = _without(np.where(known, np.nan_to_num(np.array(z)), 0.0), basis)
        left = np.where(known, rest, math.nan)
        faults = [replace(s, size=self._left_of(s, known, spread, basis)) for s in self._faults]
        return left.tolist(), faults + self._confounders

    def _left_of(
        self, one: Signature, known: NDArray[np.bool_], sd: NDArray[np.float64], basis: _Basis
    ) -> tuple[float, ...]:
        rest = _without(_scaled(one, known, sd), basis) * sd
        return tuple(np.where(known, rest, np.array(one.size)).tolist())

    def _basis(self, known: NDArray[np.bool_], sd: NDArray[np.float64]) -> _Basis:
        """Orthonormal vectors of all that the confounders can explain."""
        basis: _Basis = []
        for one in self._confounders:
            rest = _without(_scaled(one, known, sd), basis)
            length = float(np.sqrt(rest @ rest))
            if length > _NOTHING:
                basis.append(rest / length)
        return basis

    def _beside(self, known: NDArray[np.bool_], sd: NDArray[np.float64]) -> _Directions:
        """Unit vectors of the faults, orthogonal to every confounder; none for a fault that they explain."""
        basis = self._basis(known, sd)
        found: _Directions = []
        for one in self._faults:
            whole = _scaled(one, known, sd)
            rest = _without(whole, basis)
            length = float(np.sqrt(rest @ rest))
            if one.family is not None and length > _NOTHING * (1.0 + float(np.sqrt(whole @ whole))):
                found.append((one.family, (rest / length).tolist()))
        return found


def _scaled(one: Signature, known: NDArray[np.bool_], sd: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.array(one.size)
    return np.where(known & np.isfinite(size), size / sd, 0.0)


def _without(v: NDArray[np.float64], basis: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    for b in basis:
        v = v - float(v @ b) * b
    return v
