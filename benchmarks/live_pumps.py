"""What the live pump detector finds on a public pump test bed, beside blind controls and with its constants moved.

    python -m benchmarks.live_pumps --data DIR [--seeds N] [--sensitivity] [--refit N] [--json]

DIR holds `SKAB` as published (see docs/detectors.md); nothing of it is in this repository. Protocol: the first 400 rows
of a file are commissioning; a file is found when an episode opens after them, too early when the first opens before the
first row labelled anomalous; every episode on the clean file is false. *Guarded*: up to 1,500 healthy rows, stretches
of 60 drawn from the commissioning of the same file, stand between commissioning and the rest, so that no detector can
win by the place of the fault. *Sensitivity*: each constant of the kind's tuning alone, a fifth less and a quarter more.
*Refit*: N sets of constants drawn at random, each constant between 0.6 and 1.65 times what it is; for each group of
files the set that does best on all other files (found, less twice too early and clean episodes; of equals the one in
their middle) is scored on the group.
Controls that never look: an alarm at once after commissioning, one every minute, one at row 570.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.real_recordings import COMMISSIONING, rows_of
from detectors.bank import Bank
from detectors.engine import Observation
from firmware_sim.recordings import find_recordings, recording_messages
from stack.scoring.live import observations
from telemetry.catalogue import Catalogue, KindSpec, load_catalogue
from telemetry.clock import MICROS
from telemetry.identity import DeviceKey

_STRETCH = 60
_MOST = 1_500
_LOST = 0.01
_POSITION = 570
_DRAWS = 2_000
_FIXED = ("commissioning_rows", "lag", "exit_windows", "exit_share", "evidence_rows", "evidence_seconds", "quantile")
_CHANGES = (0.8, 1.25)
_SHARE_MOST = 0.95


@dataclass(frozen=True, slots=True)
class File:
    """One recording: rows, and the number of the first labelled anomalous (None in the clean one)."""

    name: str
    t: NDArray[np.int64]
    values: NDArray[np.float32]
    first: int | None


def files_of(data: Path, kind: KindSpec) -> list[File]:
    """All files of the test bed, as their messages hold them."""
    found = []
    for recording in find_recordings(data, "skab"):
        messages = list(observations(recording_messages(recording), list(kind.channels)))
        t, values = np.concatenate([m.t for m in messages]), np.concatenate([m.values for m in messages])
        found.append(File(recording.device, t, values, rows_of(recording.files[0]).first))
    return found


def guarded(file: File, rng: np.random.Generator) -> File:
    """The file with healthy rows of its own between commissioning and the rest."""
    count = int(rng.integers(0, _MOST + 1))
    starts = rng.integers(0, COMMISSIONING - _STRETCH + 1, -(-count // _STRETCH))
    rows = (starts[:, None] + np.arange(_STRETCH)).ravel()[:count]
    t = file.t[COMMISSIONING - 1] + (1 + np.arange(count, dtype=np.int64)) * MICROS
    shifted = file.t[COMMISSIONING:] + count * MICROS
    early, late = file.values[:COMMISSIONING], file.values[COMMISSIONING:]
    first = file.first if file.first is None or file.first < COMMISSIONING else file.first + count
    times = np.concatenate((file.t[:COMMISSIONING], t, shifted))
    return File(file.name, times, np.concatenate((early, file.values[rows], late)), first)


def rescaled(file: File) -> File:
    """Every value 2.5 times as large."""
    return File(file.name, file.t, file.values * np.float32(2.5), file.first)


def thinned(file: File) -> File:
    """One row in a hundred never arrives."""
    kept = np.random.default_rng(11).random(len(file.t)) >= _LOST
    first = None if file.first is None else int(kept[: file.first].sum())
    return File(file.name, file.t[kept], file.values[kept], first)


def opened(bank: Bank, kind: KindSpec, file: File) -> list[int]:
    """Rows at which episodes open."""
    detector = bank(DeviceKey("bench", file.name), kind)
    told = detector.observe(Observation(1, 1, file.t, "running", file.values))
    return [int(np.searchsorted(file.t, f.opened)) for f in told if f.revision == 0]


def tally(files: list[File], episodes: list[list[int]]) -> dict[str, Any]:
    """Found, too early, false episodes on the clean file; delays of those found in time."""
    faulty = [(f, rows) for f, rows in zip(files, episodes, strict=True) if f.first is not None]
    hit = [bool(rows) for _, rows in faulty]
    early = [bool(rows) and rows[0] < (f.first or 0) for f, rows in faulty]
    delays = [rows[0] - (f.first or 0) for (f, rows), e in zip(faulty, early, strict=True) if rows and not e]
    draws = np.random.default_rng(1).choice(np.array(hit), (_DRAWS, len(hit))).sum(axis=1)
    return {
        "files": len(faulty),
        "found": sum(hit),
        "found_95": [int(x) for x in np.quantile(draws, (0.025, 0.975))],
        "too_early": sum(early),
        "clean_episodes": sum(len(r) for f, r in zip(files, episodes, strict=True) if f.first is None),
        "median_delay_rows": float(np.median(delays)) if delays else None,
        "missed": [f.name for f, rows in faulty if not rows],
        "early": [f.name for (f, _), e in zip(faulty, early, strict=True) if e],
    }


def blind(files: list[File]) -> dict[str, Any]:
    """Alarms that never look."""
    minutes = [list(range(COMMISSIONING + _STRETCH, len(f.t), _STRETCH)) for f in files]
    return {
        "always": tally(files, [[COMMISSIONING] for _ in files]),
        "every_minute": tally(files, minutes),
        "row_570": tally(files, [[_POSITION] for _ in files]),
    }


def sensitivity(catalogue: Catalogue, files: list[File]) -> dict[str, Any]:
    """Found, too early and clean episodes with each constant moved alone."""
    kind, found = catalogue["pump"], {}
    for name, value in kind.tuning.items():
        if name in _FIXED:
            continue
        for factor in _CHANGES:
            moved = value * factor
            moved = min(moved, _SHARE_MOST) if name in {"open_share", "variance_kept"} else moved
            other = msgspec.structs.replace(kind, tuning={**kind.tuning, name: moved})
            bank = Bank(Catalogue({"pump": other}, catalogue.hash))
            told = tally(files, [opened(bank, other, f) for f in files])
            found[f"{name} {moved:.4g}"] = [told["found"], told["too_early"], told["clean_episodes"]]
    return found


def refit(catalogue: Catalogue, files: list[File], draws: int) -> dict[str, Any]:
    """What constants chosen on the other files reach on each group of files, and together."""
    kind, rng = catalogue["pump"], np.random.default_rng(3)
    told, drawn = [], rng.uniform(-0.5, 0.5, (draws, len(kind.tuning)))
    for factors in np.exp(drawn):
        moved = {
            n: v if n in _FIXED else v * f for (n, v), f in zip(kind.tuning.items(), factors.tolist(), strict=True)
        }
        moved |= {n: min(moved[n], _SHARE_MOST) for n in ("open_share", "variance_kept")}
        other = msgspec.structs.replace(kind, tuning=moved)
        bank = Bank(Catalogue({"pump": other}, catalogue.hash))
        told.append([opened(bank, other, f) for f in files])
    groups = ["free" if f.first is None else f.name.split("-")[1] for f in files]
    held: list[list[int]] = [[] for _ in files]
    for group in dict.fromkeys(groups):
        others = [i for i, g in enumerate(groups) if g != group]
        worth = [_worth(tally([files[i] for i in others], [episodes[i] for i in others])) for episodes in told]
        # Of those that do equally well, the one in their middle.
        equal = np.flatnonzero(np.array(worth) == max(worth))
        away = ((drawn[equal] - drawn[equal].mean(axis=0)) ** 2).sum(axis=1)
        best = told[int(equal[np.argmin(away)])]
        for i, g in enumerate(groups):
            held[i] = best[i] if g == group else held[i]
    return tally(files, held)


def _worth(told: dict[str, Any]) -> float:
    return float(told["found"] - 2 * (told["too_early"] + told["clean_episodes"]))


def measure(data: Path, seeds: int, draws: int, *, moved: bool) -> dict[str, Any]:
    """Everything."""
    catalogue = load_catalogue()
    kind, bank = catalogue["pump"], Bank(catalogue)
    files = files_of(data, kind)
    sets = {"as_recorded": files, "rescaled": [rescaled(f) for f in files], "thinned": [thinned(f) for f in files]}
    results: dict[str, Any] = {n: tally(fs, [opened(bank, kind, f) for f in fs]) for n, fs in sets.items()}
    results["blind"] = blind(files)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        chosen = [guarded(f, rng) for f in files]
        results[f"guarded_{seed}"] = tally(chosen, [opened(bank, kind, f) for f in chosen])
        results[f"guarded_{seed}"]["blind"] = blind(chosen)
    if draws:
        results["refit"] = refit(catalogue, files, draws)
    if moved:
        results["sensitivity"] = sensitivity(catalogue, files)
    return results


def _line(name: str, told: dict[str, Any]) -> str:
    return (
        f"{name:26} found {told['found']:2} of {told['files']} {told['found_95']}, too early {told['too_early']:2},"
        f" clean file {told['clean_episodes']:3} episodes, median delay {told['median_delay_rows']} rows"
    )


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="What the live pump detector finds on a public test bed.")
    parser.add_argument("--data", type=Path, required=True, help="folder with SKAB")
    parser.add_argument("--seeds", type=int, default=5, help="of the guarded protocol (5)")
    parser.add_argument("--sensitivity", action="store_true", help="move each constant alone, too")
    parser.add_argument("--refit", type=int, default=0, metavar="N", help="choose constants on other files, of N sets")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    chosen = parser.parse_args(arguments)
    results = measure(chosen.data, chosen.seeds, chosen.refit, moved=chosen.sensitivity)
    if chosen.json:
        print(json.dumps(results))
        return
    for name, told in results.items():
        if name == "sensitivity":
            for change, counts in told.items():
                print(f"{change:26} found {counts[0]}, too early {counts[1]}, clean {counts[2]}")
        elif name == "blind":
            for control, counts in told.items():
                print(_line(f"blind: {control}", counts))
        else:
            print(_line(name, told))


if __name__ == "__main__":
    main()
