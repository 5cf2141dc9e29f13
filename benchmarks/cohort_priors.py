"""Measures the catalogue's cohort priors from simulated healthy appliances, never from the demo's seed.

Protocol: UNITS healthy appliances of the kind, models alike, in the default climate; seeds 1000 to 1000 + SEEDS - 1,
DAYS fleet days each from every date of `STARTS`, with a hot spell, a spell of heavier loads and one of guests; cycles
and features as the detectors compute them. Slopes are the pooled within-unit regression on `explained_by`; `noise` is
the standard deviation of its residuals within a unit; `spread` that of the units' mean residuals; `mean` the mean of
the units' means, taken at the printed means of the explaining features.

Run: `python -m benchmarks.cohort_priors KIND [--units N] [--seeds N] [--days D] [--write]`. `--write` puts the numbers
into the kind's catalogue file, the spread widened by a tenth. A feature without noise (a count) keeps its numbers, and
a mean within its spread of zero stays as it is, because the sizes of signatures are fractions of it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import warnings
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import telemetry.catalogue
from detectors.features import Extractor
from detectors.segment import Segmenter
from firmware_sim.entries import ConfounderEntry, FleetEntry
from firmware_sim.fleet import Fleet
from firmware_sim.physics import physics_of, simulated_kinds
from firmware_sim.physics.base import ContinuousPhysics
from firmware_sim.scenario import Scenario
from firmware_sim.wear import DAY
from telemetry.catalogue import KindSpec, load_catalogue
from telemetry.clock import to_micros

FIRST_SEED = 1000
_FEWEST = 5
_WIDER = 1.1
STARTS = {"outdoor": ((1, 10), (4, 5), (7, 10)), "inlet": ((1, 10), (7, 10)), "": ((3, 1),)}
"""Month and day at which a fleet of 2026 begins, by the drive that carries the season into a kind."""
Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prior:
    """Of one feature; numbers as of FeatureSpec."""

    mean: float
    spread: float
    noise: float
    slopes: tuple[float, ...]


def starts_of(kind: str) -> list[int]:
    """Fleet times at which the measurements of a kind begin."""
    physics = physics_of(kind)
    drives = physics.drives if isinstance(physics, ContinuousPhysics) else ("inlet",)
    season = next((name for name in STARTS if name in drives), "")
    return [to_micros(dt.datetime(2026, month, day, tzinfo=dt.UTC)) for month, day in STARTS[season]]


def healthy(kind: str, units: int) -> Scenario:
    """Healthy appliances of one kind among the innocent ups and downs of homes."""
    return Scenario(
        id=f"calibration-{kind.replace('_', '-')}",
        title="Healthy appliances, for the catalogue's priors",
        org="bench",
        fleet=(FleetEntry(kind=kind, count=units),),
        confounder=(
            ConfounderEntry(what="heat_wave", day=3.0, days=3.5, size=6.0),
            ConfounderEntry(what="heavy_loads", day=4.0, days=4.0, size=0.4, share=0.3),
            ConfounderEntry(what="guests", day=6.0, days=2.0, share=0.3),
        ),
    )


def cycles(kind: KindSpec, scenario: Scenario, seed: int, start: int, days: float) -> dict[int, list[list[float]]]:
    """The features of every cycle, by device."""
    fleet = Fleet(scenario, seed, start)
    rest = "off_time" in kind.features
    readers = {
        one.index: (Segmenter(kind, rest_counts=rest, keep_rest=rest), Extractor(kind, tuple(kind.features)))
        for one in fleet.devices
    }
    found: dict[int, list[list[float]]] = defaultdict(list)
    for body in fleet.advance(start + round(days * DAY)):
        segmenter, extract = readers[body.device]
        columns = [np.atleast_1d(np.array(body.q[name], dtype=np.float32)) for name in kind.channels]
        t = body.t + (body.dt or 0) * np.arange(len(columns[0]), dtype=np.int64)
        found[body.device] += [extract(one) for one in segmenter.feed(t, body.phase, np.stack(columns, axis=1))]
    return found


def priors(kind: KindSpec, tables: list[Table]) -> dict[str, Prior]:
    """The priors of every feature from one table of cycles a unit; a feature that no unit shows is left out."""
    names = list(kind.features)
    found: dict[str, Prior] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a feature that no cycle of a unit tells is NaN
        # Conditions count from their own mean over all cycles, also where a feature is told in one season only.
        usual = np.nanmean([np.nanmean(t, axis=0) for t in tables], axis=0)
    for number, (name, spec) in enumerate(kind.features.items()):
        by = [names.index(other) for other in spec.explained_by]
        clean = [t[np.isfinite(t[:, [number, *by]]).all(axis=1)] for t in tables]
        clean = [t for t in clean if len(t) >= _FEWEST]
        if not clean:
            continue
        y = np.concatenate([t[:, number] - t[:, number].mean() for t in clean])
        x = np.concatenate([t[:, by] - t[:, by].mean(axis=0) for t in clean])
        slopes = np.linalg.lstsq(x, y, rcond=None)[0] if by else np.zeros(0)
        centre = usual[by]
        level = np.array([t[:, number].mean() - (t[:, by].mean(axis=0) - centre) @ slopes for t in clean])
        found[name] = Prior(
            float(level.mean()), float(level.std()), float(np.std(y - x @ slopes)), tuple(slopes.tolist())
        )
    return found


def write(kind: str, found: dict[str, Prior]) -> None:
    """Put the numbers into the kind's catalogue file; comments, order and everything else stay."""
    path = Path(telemetry.catalogue.__file__).parent / f"{kind}.yaml"
    lines, feature, inside = [], "", False
    for line in path.read_text(encoding="utf-8").splitlines():
        if re.match(r"\w", line):
            inside = line.startswith("features:")
        head = re.match(r"  (\w+):\s*$", line)
        if inside and head:
            feature = head[1]
        told = re.match(r"    (mean|spread|noise|slopes):", line)
        one = found.get(feature)
        about_zero = one is not None and told is not None and told[1] == "mean" and abs(one.mean) < one.spread
        if inside and told and one is not None and one.noise > 0.0 and not about_zero:
            numbers = {
                "mean": f"{one.mean:.4g}",
                "spread": f"{_WIDER * one.spread:.3g}",
                "noise": f"{one.noise:.3g}",
                "slopes": "[" + ", ".join(f"{slope:.3g}" for slope in one.slopes) + "]",
            }
            line = f"    {told[1]}: {numbers[told[1]]}"  # noqa: PLW2901  (the line as it shall stand)
        lines.append(line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Measure one kind and print its priors."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("kind", choices=simulated_kinds())
    parser.add_argument("--units", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--days", type=float, default=10.0)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    kind = load_catalogue()[args.kind]
    tables: list[Table] = []
    for seed in range(FIRST_SEED, FIRST_SEED + args.seeds):
        units: dict[int, list[list[float]]] = defaultdict(list)
        for start in starts_of(args.kind):
            for device, some in cycles(kind, healthy(args.kind, args.units), seed, start, args.days).items():
                units[device] += some
        tables += [np.array(one) for one in units.values() if one]
    print(kind.kind, "units", len(tables), "cycles", sum(len(t) for t in tables))
    found = priors(kind, tables)
    for name, one in found.items():
        slopes = [float(f"{s:.3g}") for s in one.slopes]
        print(f"  {name}: mean {one.mean:.5g} spread {one.spread:.3g} noise {one.noise:.3g} slopes {slopes}")
    for name in kind.features.keys() - found.keys():
        print(f"  {name}: no cycle shows it")
    if args.write:
        write(args.kind, found)


if __name__ == "__main__":
    main()
