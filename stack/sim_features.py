"""Features of simulated samples, read as the product's detectors read them: `wellkept sim describe` shows them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from detectors.features import FEATURES, Extractor
from detectors.levels import LevelState, learn
from detectors.segment import Cycle, Segmenter
from firmware_sim.testbed import Piece
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS

_LONGEST = 300 * MICROS
_ENOUGH = 12 * 3600 * MICROS


def read_features(kind: KindSpec, pieces: Sequence[Piece], usual: Sequence[Piece]) -> dict[str, float]:
    """Median over the cycles of each feature that a cycle tells; empty for kinds without cycles.

    Args:
        kind: its catalogue page.
        pieces: the samples.
        usual: those of the healthy appliance, from which a plug has learned its thresholds.
    """
    if kind.cycle is None or kind.detector != "cycles":
        return {}
    names = tuple(name for name in kind.features if name in FEATURES)
    rest = "off_time" in kind.features
    segmenter = Segmenter(kind, rest_counts=rest, keep_rest=rest and not kind.cycle.adaptive)
    if kind.cycle.adaptive:
        work = _working_power(kind, usual)
        if work is None:
            return {}
        segmenter.on, segmenter.off = kind.cycle.on * work, kind.cycle.off * work
    cycles: list[Cycle] = []
    for piece in pieces:
        cycles += segmenter.feed(piece.t, piece.phase, piece.values.astype(np.float32))
    extract = Extractor(kind, names)
    rows = np.array([extract(cycle) for cycle in cycles], dtype=np.float64).reshape(-1, len(names))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a feature that no cycle tells is NaN
        middle = np.nanmedian(rows, axis=0) if len(rows) else np.full(len(names), np.nan)
    return {name: float(value) for name, value in zip(names, middle, strict=True) if np.isfinite(value)}


def _working_power(kind: KindSpec, pieces: Sequence[Piece]) -> float | None:
    channel = list(kind.channels).index(kind.cycle.channel) if kind.cycle is not None else 0
    state = LevelState()
    for piece in pieces:
        if learn(state, piece.t, piece.values[:, channel].astype(np.float32), _LONGEST, _ENOUGH) is not None:
            break
    return state.work
