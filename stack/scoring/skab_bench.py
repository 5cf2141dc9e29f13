"""The pump test bed's benchmark run: protocols, thresholds, controls, intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.profiles.multichannel import Multichannel, Rules
from detectors.profiles.registry import PROFILES
from stack.errors import StackError
from stack.scoring.common import (
    SEEDS,
    Control,
    Figure,
    Floats,
    Result,
    blind_controls,
    bootstrap,
    find_data,
    over_seeds,
)
from stack.scoring.skab import (
    BLOCK,
    CLEAN,
    MOST_INSERTED,
    TRAIN_ROWS,
    Events,
    Recording,
    Tally,
    best_threshold,
    events,
    guarded,
    load,
    standing,
    tally,
    total,
)
from stack.scoring.skab_reference import dynamic_pca

Flags = NDArray[np.bool_]
Scored = tuple[Floats, Flags]
"""Scores and labels of one file's rows behind the training rows."""

_PROFILE = "multichannel"
_GRID = [
    Rules(enter=enter, share=share, hold=hold, gain=gain)
    for enter in (3.0, 3.5, 4.0, 5.0)
    for share in (0.2, 0.35, 0.5)
    for hold in (15.0, 30.0, 60.0)
    for gain in (0.1, 0.15, 0.25)
]
_FOLDS = 5
_STANDS = 180
_PLAIN, _GUARDED = "plain", "guarded"
_SINGLE, _WHOLE = "guarded, single rows", "guarded, rows of the whole file"
_MEASURES: Mapping[str, Callable[[Tally], float]] = {
    "F1": lambda t: t.f1,
    "FAR %": lambda t: t.far,
    "MAR %": lambda t: t.mar,
}


def skab(data: Path | None, say: Callable[[str], None], *, refit: bool = False) -> Result:
    """Score the profile `multichannel`.

    Args:
        data: folder of the recordings; see `stack.scoring.common.find_data`.
        say: takes a line of progress.
        refit: also choose constants of the profile on the files of two groups and score those of the third.

    Raises:
        StackError: no recordings with a fault.
    """
    recordings = load(find_data(data, "SKAB"))
    faulty = [r for r in recordings if r.group != CLEAN]
    if len(faulty) < _FOLDS:
        raise StackError(f"{len(faulty)} files with a fault: at least {_FOLDS} are needed to fix thresholds on others")
    figures: dict[str, Figure] = {}
    units: list[dict[str, Any]] = [{"file": r.name} for r in faulty]
    for name, seeds in ((_GUARDED, SEEDS), (_SINGLE, SEEDS), (_WHOLE, SEEDS), (_PLAIN, (0,))):
        say(f"{name}: {len(faulty)} files, {len(seeds)} seeds")
        _protocol(name, [_series(name, faulty, seed) for seed in seeds], figures, units)
    if refit:
        say(f"constants chosen on other groups: {len(_GRID)} choices")
        _add(
            figures, "guarded, alarm, constants of other groups", [_refit(_series(_GUARDED, faulty, s)) for s in SEEDS]
        )
    for recording in recordings:
        if recording.group == CLEAN:
            alarm = _run(recording)[1]
            lasting = standing(alarm, _STANDS)
            figures["healthy file: alarms begun"] = Figure(events(alarm, recording.fault).episodes)
            figures[f"healthy file: alarms of {_STANDS} rows"] = Figure(events(lasting, recording.fault).episodes)
            figures["healthy file: FAR %"] = Figure(tally(alarm[TRAIN_ROWS:], recording.fault[TRAIN_ROWS:]).far)
    say("blind controls")
    return Result(
        benchmark="skab",
        protocol=(
            f"{TRAIN_ROWS} training rows a file, rows behind them counted, all files together. Guarded: 0 to "
            f"{MOST_INSERTED} healthy rows of the file's own training rows, drawn in blocks of {BLOCK} that follow one "
            f"another, put in behind row {TRAIN_ROWS}; single rows: not in blocks; rows of the whole file: drawn also "
            f"from those behind the fault; seeds {SEEDS[0]} to {SEEDS[-1]}; mean ± sd over seeds, 95 % "
            "interval over files. No look ahead, no point adjustment"
        ),
        developed_on=(
            "the profile's constants were chosen on these files; no constant is a row's number. The thresholds called "
            "'fixed' are chosen on four fifths of the files and used on the others, 'other group' on the other two "
            "groups of experiments"
        ),
        scored_on=f"{len(faulty)} files with a fault, {len(recordings) - len(faulty)} without",
        threshold="alarm: the profile's own decision; fixed: chosen on other files; swept: chosen on the same files",
        figures=figures,
        controls=_controls(faulty),
        units=units,
        not_detected=[f"{row['file']}: no alarm within the fault" for row in units if row["found"] < len(SEEDS)],
    )


def _series(name: str, faulty: Sequence[Recording], seed: int) -> list[Recording]:
    if name == _PLAIN:
        return list(faulty)
    block = 1 if name == _SINGLE else BLOCK
    return [guarded(recording, seed, block=block, whole=name == _WHOLE) for recording in faulty]


def _run(recording: Recording, rules: Rules | None = None) -> tuple[Floats, Flags]:
    channels = recording.x.shape[1]
    maker = PROFILES[_PROFILE]
    profile = maker(channels, TRAIN_ROWS) if rules is None else Multichannel(channels, TRAIN_ROWS, rules)
    scores = profile.observe(recording.t, recording.x)
    return scores.score, scores.alarm


def _protocol(
    name: str, drawn: Sequence[Sequence[Recording]], figures: dict[str, Figure], units: list[dict[str, Any]]
) -> None:
    """Add a protocol's figures; of the guarded one, what became of each file.

    Args:
        name: of the protocol.
        drawn: its files, once for each seed.
        figures: is added to.
        units: likewise, one for each file.
    """
    ran = [[_run(recording) for recording in recordings] for recordings in drawn]
    scored = [
        [(score[TRAIN_ROWS:], r.fault[TRAIN_ROWS:]) for (score, _), r in zip(each, recordings, strict=True)]
        for each, recordings in zip(ran, drawn, strict=True)
    ]
    groups = np.array([recording.group for recording in drawn[0]])
    alarms = [
        [tally(alarm[TRAIN_ROWS:], fault) for (_, alarm), (_, fault) in zip(each, rows, strict=True)]
        for each, rows in zip(ran, scored, strict=True)
    ]
    _add(figures, f"{name}, alarm", alarms)
    _add(figures, f"{name}, fixed", [_fixed(rows, _parts(len(rows), seed)) for seed, rows in enumerate(scored)])
    if name == _GUARDED:
        _add(figures, f"{name}, other group", [_fixed(rows, _by_group(groups)) for rows in scored])
    _add(figures, f"{name}, swept", [_at(rows, best_threshold(rows)) for rows in scored])
    seen = _seen(ran, drawn, 0)
    for of, each in (("", seen), (f" by alarms of {_STANDS} rows", _seen(ran, drawn, _STANDS))):
        figures[f"{name}: files with the fault found{of}"] = over_seeds([sum(e.found for e in files) for files in each])
        figures[f"{name}: files alarmed before it{of}"] = over_seeds([sum(e.early for e in files) for files in each])
    if name == _GUARDED:
        delays = [float(np.median([e.delay for e in each if e.delay is not None])) for each in seen]
        figures[f"{name}: median delay, rows"] = over_seeds(delays)
        for i, unit in enumerate(units):
            sums = total([each[i] for each in alarms])
            unit |= {key: round(of(sums), 3) for key, of in _MEASURES.items()}
            unit |= {
                "found": sum(each[i].found for each in seen),
                "early": sum(each[i].early for each in seen),
                "delay": next((each[i].delay for each in seen if each[i].delay is not None), None),
            }


def _seen(
    ran: Sequence[Sequence[tuple[Floats, Flags]]], drawn: Sequence[Sequence[Recording]], rows: int
) -> list[list[Events]]:
    """Of each seed and file, what alarms that stand longer than so many rows show."""
    return [
        [events(standing(alarm, rows), recording.fault) for (_, alarm), recording in zip(each, recordings, strict=True)]
        for each, recordings in zip(ran, drawn, strict=True)
    ]


def _add(figures: dict[str, Figure], name: str, tallies: Sequence[Sequence[Tally]]) -> None:
    """Figures of one threshold rule from one tally a seed and file."""
    of_file = np.sum([[astuple(found) for found in each] for each in tallies], axis=0)
    for key, of in _MEASURES.items():
        low, high = bootstrap(len(of_file), lambda drawn, of=of: of(Tally(*of_file[drawn].sum(axis=0))))  # type: ignore[misc]
        figures[f"{name}: {key}"] = over_seeds([of(total(each)) for each in tallies], low, high)


def _at(rows: Sequence[Scored], threshold: float) -> list[Tally]:
    return [tally(score >= threshold, fault) for score, fault in rows]


def _parts(files: int, seed: int) -> list[NDArray[np.intp]]:
    return list(np.array_split(np.random.default_rng(seed).permutation(files), _FOLDS))


def _by_group(groups: NDArray[np.str_]) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(groups == group) for group in np.unique(groups)]


def _fixed(rows: Sequence[Scored], parts: Sequence[NDArray[np.intp]]) -> list[Tally]:
    """Each file at the threshold that is best on the files of the other parts."""
    found = [Tally()] * len(rows)
    for part in parts:
        threshold = best_threshold([row for i, row in enumerate(rows) if i not in part])
        for i in part:
            found[i] = _at([rows[i]], threshold)[0]
    return found


def _refit(recordings: Sequence[Recording]) -> list[Tally]:
    """Each file by the alarms of the constants that are best on the files of the other groups."""
    tried = [
        [tally(_run(recording, rules)[1][TRAIN_ROWS:], recording.fault[TRAIN_ROWS:]) for recording in recordings]
        for rules in _GRID
    ]
    found = [Tally()] * len(recordings)
    for part in _by_group(np.array([recording.group for recording in recordings])):
        best = max(tried, key=lambda each: total([t for i, t in enumerate(each) if i not in part]).f1)
        for i in part:
            found[i] = best[i]
    return found


def _controls(faulty: Sequence[Recording]) -> dict[str, dict[str, Figure]]:
    """Detectors that hardly look, at the threshold best for them, and the one that others are measured against."""
    controls = blind_controls(period=BLOCK, first=570, last=980)
    named: dict[str, Control] = controls | {
        "not blind: dynamic PCA": lambda x, _rng: dynamic_pca(x, TRAIN_ROWS).astype(float)
    }
    found: dict[str, dict[str, Figure]] = {name: {} for name in named}
    for protocol, seeds in ((_GUARDED, SEEDS), (_WHOLE, SEEDS), (_PLAIN, (0,))):
        drawn = [_series(protocol, faulty, seed) for seed in seeds]
        for name, control in named.items():
            tallies = [total(_control(control, each, seed)) for each, seed in zip(drawn, seeds, strict=True)]
            found[name] |= {f"{protocol}: {key}": over_seeds([of(t) for t in tallies]) for key, of in _MEASURES.items()}
    return found


def _control(control: Control, recordings: Sequence[Recording], seed: int) -> list[Tally]:
    rng = np.random.default_rng(seed)
    rows = [(control(r.x, rng)[TRAIN_ROWS:], r.fault[TRAIN_ROWS:]) for r in recordings]
    decided = all(np.isin(score, (0.0, 1.0)).all() for score, _ in rows)
    return _at(rows, 0.5 if decided else best_threshold(rows))
