"""Measures the catalogue's cohort priors from simulated healthy appliances, never from the demo's seed.

Protocol: the scenario `calibration`, seeds 1000 to 1000 + N - 1, DAYS fleet days each from 1 March 2026; cycles and
features as the detectors compute them. Slopes are the pooled within-unit regression on `explained_by`; `noise` is the
standard deviation of its residuals within a unit; `spread` that of the units' mean residuals; `mean` the mean of the
units' means, taken at the printed means of the explaining features.

Run: `python benchmarks/cohort_priors.py [N] [DAYS]`.
"""

from __future__ import annotations

import sys

import numpy as np

from detectors.features import Extractor
from detectors.segment import Segmenter
from firmware_sim.fleet import Fleet
from firmware_sim.scenario import load_scenario
from firmware_sim.wear import DAY
from telemetry.catalogue import KindSpec, load_catalogue
from telemetry.clock import MICROS

FIRST_SEED = 1000
_FEWEST = 5
START = 1_772_323_200 * MICROS


def main(seeds: int, days: int) -> None:
    """Print the priors of both simulated kinds."""
    catalogue = load_catalogue()
    units: dict[str, list[np.ndarray]] = {"refrigerator": [], "washing_machine": []}
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        fleet = Fleet(load_scenario("calibration"), seed, START, catalogue)
        segmenters: dict[int, tuple[Segmenter, Extractor, KindSpec, list[list[float]]]] = {}
        for device in fleet.devices:
            kind = catalogue[device.kind]
            rest = device.kind == "refrigerator"
            segmenters[device.index] = (
                Segmenter(kind, rest_counts=rest, keep_rest=rest),
                Extractor(kind, tuple(kind.features)),
                kind,
                [],
            )
        for body in fleet.advance(START + days * DAY):
            segmenter, extract, kind, found = segmenters[body.device]
            columns = [np.atleast_1d(np.array(body.q[name], dtype=np.float32)) for name in kind.channels]
            t = body.t + (body.dt or 0) * np.arange(len(columns[0]), dtype=np.int64)
            found.extend(extract(cycle) for cycle in segmenter.feed(t, body.phase, np.stack(columns, axis=1)))
        for device in fleet.devices:
            units[device.kind].append(np.array(segmenters[device.index][3]))
    for name, tables in units.items():
        report(catalogue[name], tables)


def report(kind: KindSpec, tables: list[np.ndarray]) -> None:
    """Print one kind's priors."""
    names = list(kind.features)
    print(kind.kind, "units", len(tables), "cycles", sum(len(t) for t in tables))
    for number, (name, spec) in enumerate(kind.features.items()):
        by = [names.index(other) for other in spec.explained_by]
        clean = [t[np.isfinite(t[:, [number, *by]]).all(axis=1)] for t in tables]
        clean = [t for t in clean if len(t) >= _FEWEST]
        y = np.concatenate([t[:, number] - t[:, number].mean() for t in clean])
        x = np.concatenate([t[:, by] - t[:, by].mean(axis=0) for t in clean])
        slopes = np.linalg.lstsq(x, y, rcond=None)[0] if by else np.zeros(0)
        noise = float(np.std(y - x @ slopes))
        centre = np.array([t[:, by].mean(axis=0) for t in clean]).mean(axis=0)
        level = np.array([t[:, number].mean() - (t[:, by].mean(axis=0) - centre) @ slopes for t in clean])
        print(
            f"  {name}: mean {level.mean():.5g} spread {level.std():.3g} noise {noise:.3g}",
            f"slopes {[float(f'{s:.3g}') for s in slopes]}",
        )


if __name__ == "__main__":
    main(*[int(x) for x in sys.argv[1:]] or (6, 8))
