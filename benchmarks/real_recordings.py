"""What the detectors find in recordings of real appliances, beside blind controls.

    python -m benchmarks.real_recordings --data DIR [--json]

DIR holds `tracebase` and `SKAB` as published (see docs/detectors.md); nothing of them is in this repository.
Messages are those that `wellkept sim replay` sends. Protocol: tracebase has no known fault, so each finding is false;
the fridge is then changed from a date on (power times 1.15, runs 1.2 times as long) and must give one finding within
five days. In SKAB the first 400 rows of a file are commissioning; a finding before the first row labelled anomalous
is too early. Results are repeated with rescaled values, at half the sampling rate (plugs),
and with one in a hundred messages lost.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from detectors.bank import Bank
from firmware_sim.recordings import Change, find_recordings
from stack.scoring.live import VARIATIONS, Variation, episodes, findings_of
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import to_datetime, to_micros

COMMISSIONING = 400
CHANGE_SCALE = 1.15
CHANGE_STRETCH = 1.2
CHANGE_DATES = tuple(datetime(2012, 5, day, tzinfo=UTC) for day in (20, 22, 24, 26))
WITHIN = timedelta(days=5)
_PERIOD = 60


@dataclass(frozen=True, slots=True)
class Rows:
    """Event time of each row of a SKAB file and whether it is labelled anomalous."""

    t: list[int]
    anomalous: list[bool]

    @property
    def first(self) -> int | None:
        """Number of the first anomalous row."""
        return self.anomalous.index(True) if any(self.anomalous) else None

    def at(self, t: int) -> int:
        """Number of the first row not before a time."""
        return int(np.searchsorted(np.array(self.t), t))


def plugs(data: Path, catalogue: Catalogue, variation: Variation) -> dict[str, Any]:
    """Findings on unchanged recordings, and the delay in days of each dated change of the fridge."""
    recordings = find_recordings(data, "tracebase")
    healthy = {r.device: len(episodes(findings_of(r, catalogue, variation))) for r in recordings}
    fridge = next(r for r in recordings if "refrigerator" in r.device)
    changes = []
    for date in CHANGE_DATES:
        change = Change(to_micros(date), {"power": CHANGE_SCALE}, CHANGE_STRETCH)
        found = episodes(findings_of(fridge, catalogue, variation, change))
        delays = [(to_datetime(f.opened) - date) / timedelta(days=1) for f in found]
        changes.append(
            {
                "from": date.date().isoformat(),
                "findings": len(found),
                "delay_days": [round(delay, 2) for delay in delays],
                "onset_error_days": [round((to_datetime(f.onset) - date) / timedelta(days=1), 2) for f in found],
                "as_asked": len(found) == 1 and 0 <= delays[0] <= WITHIN / timedelta(days=1),
            }
        )
    return {"findings": healthy, "changed_fridge": changes}


def pumps(data: Path, catalogue: Catalogue, variation: Variation) -> dict[str, Any]:
    """How many faulty files give a finding, how many too early, and the episodes on the clean file."""
    files, clean = [], 0
    for recording in find_recordings(data, "skab"):
        rows = rows_of(recording.files[0])
        opened = [rows.at(f.opened) for f in episodes(findings_of(recording, catalogue, variation))]
        if rows.first is None:
            clean = len(opened)
            continue
        files.append(
            {
                "file": recording.device,
                "first_anomaly": rows.first,
                "opened": opened,
                "found": bool(opened),
                "too_early": bool(opened) and opened[0] < rows.first,
            }
        )
    return {
        "files": len(files),
        "found": sum(f["found"] for f in files),
        "too_early": sum(f["too_early"] for f in files),
        "clean_episodes": clean,
        "detail": files,
    }


def blind(data: Path) -> dict[str, Any]:
    """What an alarm reaches on SKAB that never looks: at once after commissioning, or every minute for one row."""
    control = {
        "always": {"found": 0, "too_early": 0, "clean_episodes": 1},
        "periodic": {"found": 0, "too_early": 0, "clean_episodes": 0},
    }
    for recording in find_recordings(data, "skab"):
        rows = rows_of(recording.files[0])
        if rows.first is None:
            control["periodic"]["clean_episodes"] = (len(rows.t) - COMMISSIONING) // _PERIOD
            continue
        for name, first in (("always", COMMISSIONING), ("periodic", COMMISSIONING + _PERIOD)):
            control[name]["found"] += 1
            control[name]["too_early"] += first < rows.first
    return control


def rows_of(path: Path) -> Rows:
    """Times and labels of a SKAB file."""
    lines = [line.split(";") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    label = 9
    return Rows(
        [to_micros(datetime.strptime(x[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)) for x in lines],
        [len(x) > label and float(x[label]) == 1 for x in lines],
    )


def measure(data: Path, variations: Iterable[str] = tuple(VARIATIONS)) -> dict[str, Any]:
    """Everything, by variation."""
    catalogue = load_catalogue()
    results: dict[str, Any] = {"version": Bank(catalogue).version, "blind_skab": blind(data)}
    for name in variations:
        results[name] = {"tracebase": plugs(data, catalogue, VARIATIONS[name])}
        if name != "half_rate":  # 400 rows of commissioning would reach into the labelled anomaly
            results[name]["skab"] = pumps(data, catalogue, VARIATIONS[name])
    return results


def report(results: dict[str, Any]) -> None:
    """Print for people."""
    for name, control in results["blind_skab"].items():
        print(f"blind {name}: SKAB {control}")
    for name in VARIATIONS:
        if name not in results:
            continue
        plug, pump = results[name]["tracebase"], results[name].get("skab")
        print(f"\n{name}")
        print(f"  tracebase findings, all false: {plug['findings']}")
        for change in plug["changed_fridge"]:
            print(f"  fridge changed {change['from']}: {change['findings']} finding, after {change['delay_days']} days")
        if pump is None:
            continue
        print(
            f"  SKAB found {pump['found']} of {pump['files']}, too early {pump['too_early']},"
            f" clean file {pump['clean_episodes']} episode"
        )


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="What the detectors find in recordings of real appliances.")
    parser.add_argument("--data", type=Path, required=True, help="folder with tracebase and SKAB")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    chosen = parser.parse_args(arguments)
    results = measure(chosen.data)
    if chosen.json:
        print(json.dumps(results))
    else:
        report(results)


if __name__ == "__main__":
    main()
