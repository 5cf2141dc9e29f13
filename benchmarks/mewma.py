"""What one T² over all levels (MEWMA) finds on the public pump test bed, alone and beside the live detector.

    python -m benchmarks.mewma --data DIR [--seeds N] [--json]

The multivariate exponentially weighted moving average (C. Lowry, W. Woodall, C. Champ, S. Rigdon, Technometrics 34,
1992): deviations of commissioning are averaged with a weight of 0.05 or 0.2, and T² is the squared Mahalanobis length
of the average. Its covariance is measured on the averages of commissioning, because neighbouring rows are not
independent; its limit is what one in a hundred or one in a thousand of them exceeds. *Following*: from each channel its
own average over the last 150 rows is taken first, the time in which the live detector's levels follow by their wander,
so that a slow drift is no deviation.

Scored twice, as everything else on this test bed: the rows' alarms by the guarded protocol (F1, share of healthy rows
alarmed), and the episodes of the live protocol of `benchmarks.live_pumps`: one opens when T² is beyond its limit in
70 % of the last 170 rows and ends behind four windows with at most 30 %. *Beside*: an episode of either opens.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.live_pumps import File, files_of, guarded, opened, tally
from benchmarks.real_recordings import COMMISSIONING
from detectors.bank import Bank
from detectors.rowloop import smoothed
from stack.scoring import skab
from stack.scoring.common import Floats, find_data, over_seeds
from stack.scoring.skab_reference import dynamic_pca
from telemetry.catalogue import KindSpec, load_catalogue

_RARE = (0.99, 0.999)
_WEIGHTS = (0.05, 0.2)
_LEAST = 1e-4
"""Of a channel's size: its least spread."""


@dataclass(frozen=True, slots=True)
class Mewma:
    """One way to make it.

    Attributes:
        weight: of the newest row in the averages.
        quantile: of T² in commissioning that is the limit.
        follow: weight of the newest row in each channel's reference; 0: the mean of commissioning stands.
    """

    weight: float
    quantile: float
    follow: float

    @property
    def name(self) -> str:
        """As the table calls it."""
        return f"weight {self.weight}, limit {self.quantile:.1%}{', following' if self.follow else ''}"

    def beyond(self, x: Floats, train_rows: int) -> NDArray[np.bool_]:
        """Whether T² is beyond its limit at each row, causal; none is within the training rows.

        Args:
            x: values (n, channels).
            train_rows: healthy first rows.
        """
        healthy = x[:train_rows]
        scale = np.maximum(healthy.std(axis=0), _LEAST * np.maximum(np.abs(healthy.mean(axis=0)), 1e-3))
        z = (x - healthy.mean(axis=0)) / scale
        if self.follow:
            reference = smoothed(np.ascontiguousarray(z), self.follow)
            z[1:] -= reference[:-1]
        average = smoothed(np.ascontiguousarray(z), self.weight)
        usual = average[:train_rows]
        precision = np.linalg.pinv(np.cov(usual.T), hermitian=True)
        off = average - usual.mean(axis=0)
        squared = np.einsum("ij,jk,ik->i", off, precision, off)
        found: NDArray[np.bool_] = squared > np.quantile(squared[:train_rows], self.quantile)
        found[:train_rows] = False
        return found


def episodes(beyond: NDArray[np.bool_], tuning: dict[str, float]) -> list[int]:
    """Rows at which episodes open, by the live detector's persistence and hysteresis.

    Args:
        beyond: whether each row is over.
        tuning: of the kind's page.
    """
    window = int(tuning["window_rows"])
    total = np.concatenate([[0], np.cumsum(beyond)])
    share = np.zeros(len(beyond))
    share[window - 1 :] = (total[window:] - total[:-window]) / window
    found, open_, calm = [], False, 0
    for row, now in enumerate(share.tolist()):
        if not open_ and now >= tuning["open_share"]:
            found.append(row)
            open_, calm = True, 0
        elif open_:
            calm = calm + 1 if now <= tuning["exit_share"] else 0
            open_ = calm < tuning["exit_windows"] * window
    return found


def ways(kind: KindSpec) -> Iterator[Mewma]:
    """All that are scored."""
    for follow in (0.0, 1 / kind.tuning["level_follow"]):
        for weight in _WEIGHTS:
            for quantile in _RARE:
                yield Mewma(weight, quantile, follow)


def measure(data: Path | None, seeds: int) -> dict[str, Any]:
    """By way: rows' figures over the seeds, episodes as recorded, guarded, and beside the live detector."""
    catalogue = load_catalogue()
    kind, bank = catalogue["pump"], Bank(catalogue)
    folder = find_data(data, "SKAB")
    files = files_of(folder.parent, kind)
    recordings = [r for r in skab.load(folder) if r.group != skab.CLEAN]
    drawn = [[guarded(file, np.random.default_rng([seed, i])) for i, file in enumerate(files)] for seed in range(seeds)]
    live = [opened(bank, kind, file) for file in files]
    live_guarded = [[opened(bank, kind, file) for file in one] for one in drawn]
    found: dict[str, Any] = {
        "live detector": _told(files, live, drawn, live_guarded),
        "dynamic PCA of textbooks": _rows(recordings, dynamic_pca, seeds),
    }
    for way in ways(kind):
        own = [_opened(way, file, kind) for file in files]
        own_guarded = [[_opened(way, file, kind) for file in one] for one in drawn]
        found[way.name] = _rows(recordings, way.beyond, seeds) | _told(files, own, drawn, own_guarded)
        both = [sorted([*a, *b]) for a, b in zip(live, own, strict=True)]
        found[way.name]["beside the live detector"] = tally(files, both)
    return found


def _opened(way: Mewma, file: File, kind: KindSpec) -> list[int]:
    return episodes(way.beyond(file.values.astype(np.float64), COMMISSIONING), dict(kind.tuning))


def _rows(recordings: list[skab.Recording], alarms: Any, seeds: int) -> dict[str, Any]:  # noqa: ANN401  (a function)
    """F1 and false alarm rate of rows by the guarded protocol."""
    f1, far = [], []
    for seed in range(seeds):
        tallies = []
        for recording in recordings:
            one = skab.guarded(recording, seed)
            said = alarms(one.x, skab.TRAIN_ROWS)
            tallies.append(skab.tally(said[skab.TRAIN_ROWS :], one.fault[skab.TRAIN_ROWS :]))
        f1.append(skab.total(tallies).f1)
        far.append(skab.total(tallies).far)
    return {"F1": _over(f1, 3), "FAR": _over(far, 1)}


def _over(values: list[float], digits: int) -> list[float]:
    told = over_seeds(values)
    return [round(told.value, digits), round(told.sd or 0.0, digits)]


def _told(
    files: list[File], own: list[list[int]], drawn: list[list[File]], guarded_: list[list[list[int]]]
) -> dict[str, Any]:
    told = [tally(one, rows) for one, rows in zip(drawn, guarded_, strict=True)]
    names = ("found", "too_early", "clean_episodes")
    return {"as recorded": tally(files, own), "guarded": {n: float(np.mean([t[n] for t in told])) for n in names}}


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description="What one T² over all levels (MEWMA) finds on a public pump test bed.",
        epilog="Example: python -m benchmarks.mewma --data DIR",
    )
    parser.add_argument("--data", type=Path, default=None, help="folder with SKAB; else $WELLKEPT_DATA")
    parser.add_argument("--seeds", type=int, default=5, help="of the guarded protocols (5)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    chosen = parser.parse_args(arguments)
    results = measure(chosen.data, chosen.seeds)
    if chosen.json:
        print(json.dumps(results))
        return
    print(
        "| | F1 | FAR % | found / too early / clean | guarded | beside the live detector |\n|---|---|---|---|---|---|"
    )
    for name, told in results.items():
        cells = [" ± ".join(map(str, told[key])) if key in told else "–" for key in ("F1", "FAR")]
        cells += [_counts(told.get(key)) for key in ("as recorded", "guarded", "beside the live detector")]
        print(f"| {name} | {' | '.join(cells)} |")


def _counts(told: dict[str, Any] | None) -> str:
    if told is None:
        return "–"
    return " / ".join(f"{told[name]:.3g}" for name in ("found", "too_early", "clean_episodes"))


if __name__ == "__main__":
    main()
