"""Sensors at equal operating conditions: what the settings explain is taken out, in steps or along a curve.

A turbofan's pressures follow altitude and throttle far more than wear. Where the settings take a few distinct values
the rows of each are standardised apart (regimes); where they vary freely a quadratic surface is taken out; where they
explain little, as where there is one regime, nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from detectors.rul.records import Floats, LifeError, Record, held

_NEAR = 0.1
"""Two rows belong to one regime when no setting differs by more than this share of its range."""
_MOST_REGIMES = 30
_ROWS_A_REGIME = 20
_WORTH = 0.3
"""Settings are used from this median share of the sensors' variance on."""
_CONSTANT = 1e-6
_CLIP = 10.0


class Conditions(msgspec.Struct, frozen=True, eq=False):
    """How raw sensors become standardised deviations.

    Attributes:
        keep: numbers of the sensors that vary at equal conditions.
        low: smallest value of each setting in training.
        span: its range there; 1 where it never moved.
        centres: regimes in units of the range, shape (regimes, settings); no row where none are told apart.
        surface: coefficients of the quadratic surface, shape (terms, sensors kept); no row where none is used.
        mean: shape (regimes or 1, sensors kept).
        scale: like `mean`, above 0.
    """

    keep: list[int]
    low: Floats
    span: Floats
    centres: Floats
    surface: Floats
    mean: Floats
    scale: Floats

    def deviations(self, record: Record) -> Floats:
        """Standardised deviations of each row, shape (n, sensors kept); rests on that row and earlier ones alone."""
        sensors = held(record.sensors[:, self.keep])
        scaled = _scaled(held(record.settings), self.low, self.span)
        if len(self.surface):
            sensors = sensors - _terms(scaled) @ self.surface
        regime = _nearest(scaled, self.centres) if len(self.centres) else np.zeros(len(sensors), np.intp)
        z = (sensors - self.mean[regime]) / self.scale[regime]
        return np.clip(np.nan_to_num(z, nan=0.0, posinf=_CLIP, neginf=-_CLIP), -_CLIP, _CLIP)


def learn_conditions(records: Sequence[Record]) -> Conditions:
    """Choose between no correction, regimes and a surface by the share of the sensors' variance each explains.

    Raises:
        LifeError: no sensor varies.
    """
    sensors = np.concatenate([held(record.sensors) for record in records])
    settings = np.concatenate([held(record.settings) for record in records])
    settings = np.where(np.isfinite(settings), settings, 0.0)
    low = settings.min(axis=0) if settings.size else np.zeros(0)
    width = settings.max(axis=0) - low if settings.size else np.zeros(0)
    span: Floats = np.where(width > 0, width, 1.0).astype(np.float64)
    known = np.isfinite(sensors)
    total = _variance(sensors, known)
    varying = total > (_CONSTANT * np.maximum(1e-300, np.abs(np.where(known, sensors, 0.0)).max(axis=0))) ** 2
    if not varying.any():
        raise LifeError("no sensor varies in these records: there is nothing to learn from")
    scaled = _scaled(settings, low, span)
    filled = np.where(known, sensors, np.nan_to_num(np.nanmean(np.where(known, sensors, np.nan), axis=0)))
    none = np.zeros((0, settings.shape[1]))

    centres, regime = _regimes(scaled)
    by_regime = (
        _share(filled - _means(filled, regime, len(centres))[regime], total, varying) if len(centres) > 1 else 0.0
    )
    terms = _terms(scaled)
    surface = np.asarray(np.linalg.lstsq(terms, filled, rcond=None)[0], np.float64)
    by_surface = _share(filled - terms @ surface, total, varying) if settings.shape[1] else 0.0

    if by_regime >= max(_WORTH, by_surface - 0.05):
        rest, surface = filled, surface[:0]
    elif by_surface >= _WORTH:
        rest, centres, regime = filled - terms @ surface, none, np.zeros(len(filled), np.intp)
    else:
        rest, surface, centres, regime = filled, surface[:0], none, np.zeros(len(filled), np.intp)
    groups = max(1, len(centres))
    mean = _means(rest, regime, groups)
    spread = np.sqrt(_means((rest - mean[regime]) ** 2, regime, groups))
    within = np.sqrt((spread**2).mean(axis=0))
    level = np.maximum(np.abs(filled).max(axis=0), 1e-300)
    keep = np.flatnonzero(varying & (within > _CONSTANT * level))
    if not len(keep):
        raise LifeError("no sensor varies at equal settings in these records: there is nothing to learn from")
    # A sensor that stands still in one regime alone is measured there by how it moves in the others.
    scale = np.where(spread > _CONSTANT * level, spread, within)[:, keep]
    return Conditions(keep.tolist(), low, span, centres, surface[:, keep], mean[:, keep], scale)


def _scaled(settings: Floats, low: Floats, span: Floats) -> Floats:
    return (np.where(np.isfinite(settings), settings, low) - low) / span


def _regimes(scaled: Floats) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Leader clustering: rows near the first unclaimed row are one regime; none where there would be too many."""
    none = np.zeros((0, scaled.shape[1])), np.zeros(len(scaled), np.intp)
    if not scaled.shape[1]:
        return none
    left, leaders = np.arange(len(scaled)), []
    while len(left):
        near = np.abs(scaled[left] - scaled[left[0]]).max(axis=1) <= _NEAR
        leaders.append(scaled[left[near]].mean(axis=0))
        left = left[~near]
        if len(leaders) > _MOST_REGIMES:
            return none
    centres = np.array(leaders)
    regime = _nearest(scaled, centres)
    if np.bincount(regime, minlength=len(centres)).min() < _ROWS_A_REGIME:
        return none
    return _means(scaled, regime, len(centres)), regime


def _nearest(scaled: Floats, centres: Floats) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    away = ((scaled[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(away.argmin(axis=1), np.intp)


def _terms(scaled: Floats) -> Floats:
    """1, each setting, and the products of each two."""
    size = scaled.shape[1]
    products = [scaled[:, i] * scaled[:, j] for i in range(size) for j in range(i, size)]
    return np.column_stack([np.ones(len(scaled)), *scaled.T, *products])


def _means(values: Floats, group: np.ndarray[tuple[int], np.dtype[np.intp]], groups: int) -> Floats:
    count = np.maximum(1, np.bincount(group, minlength=groups))
    sums = [np.bincount(group, weights=column, minlength=groups) for column in values.T]
    return np.column_stack(sums) / count[:, None] if sums else np.zeros((groups, 0))


def _variance(values: Floats, known: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> Floats:
    count = np.maximum(1, known.sum(axis=0))
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    return np.asarray((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / count)


def _share(rest: Floats, total: Floats, varying: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    """Median over the sensors of the share of variance that a correction took out."""
    return float(np.median(1 - (rest[:, varying] ** 2).mean(axis=0) / total[varying]))
