"""Recordings of real appliances as messages of a device: parsing, binning, and a dated change. Pure functions.

`tracebase`: plug power of household appliances (A. Reinhardt et al., "On the accuracy of appliance identification
based on distributed load metering data", SustainIT 2012), rows `DD/MM/YYYY HH:MM:SS;watts;watts` at irregular
seconds, one file a day. `SKAB`: pump test bed at 1 Hz (I. Katser, V. Kozitsin, "Skoltech Anomaly Benchmark", 2020),
rows `time;8 channels[;anomaly; changepoint]`. Times are taken as UTC.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from firmware_sim.firmware import Body
from telemetry.clock import MICROS, to_micros
from telemetry.errors import WellkeptError

SETS = ("tracebase", "skab")
GRID = 10 * MICROS
"""Microseconds of a bin of plug power."""
_PLUG_BATCH = 60
_PUMP_BATCH = 60
_PUMP_CHANNELS = ("accel_1", "accel_2", "current", "pressure", "temp_motor", "temp_fluid", "voltage", "flow")
_ON_SHARE = 0.15
_FIRMWARE = "replay"
_DAY = 86_400 * MICROS


class RecordingError(WellkeptError):
    """A recording that cannot be read, or a folder without any; names file and row."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One device's recording.

    Attributes:
        device: id for topics.
        kind: of the catalogue.
        files: in order of time.
    """

    device: str
    kind: str
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to an appliance from a date on.

    Attributes:
        at: event time, microseconds.
        scale: channel to factor.
        stretch: factor by which each activity takes longer; the rests keep their length.
    """

    at: int
    scale: dict[str, float]
    stretch: float = 1.0


def find_recordings(data: Path, name: str, only: str = "") -> list[Recording]:
    """The recordings of a set.

    Args:
        data: folder that holds `tracebase` and `SKAB`.
        name: one of SETS.
        only: part of the device id or of the path below the set's folder, to choose some.

    Raises:
        RecordingError: nothing there.
    """
    if name == "tracebase":
        root = data / "tracebase"
        found = [recording for folder in sorted(root.glob("*/")) for recording in _plugs_in(folder)]
    elif name == "skab":
        root = data / "SKAB"
        found = [
            Recording(f"skab-{path.parent.name}-{path.stem}".replace("skab-anomaly-free-", "skab-"), "pump", (path,))
            for path in sorted(root.glob("*/*.csv"))
        ]
    else:
        raise RecordingError(f"no set {name!r}; there are {', '.join(SETS)}")
    chosen = [
        one
        for one in found
        if one.files and (only.lower() in one.device or any(only in str(path.relative_to(root)) for path in one.files))
    ]
    if not chosen:
        raise RecordingError(f"no recording of {name} under {root}" + (f" matches {only!r}" if only else ""))
    return chosen


def _plugs_in(folder: Path) -> list[Recording]:
    """A recording a device: `dev_ID_YYYY.MM.DD.csv`. The device's id is told where there are several."""
    by_device: dict[str, list[Path]] = {}
    for path in folder.glob("*.csv"):
        by_device.setdefault(path.stem.rpartition("_")[0], []).append(path)
    kind = folder.name.lower()
    return [
        Recording(
            f"tracebase-{kind}" if len(by_device) == 1 else f"tracebase-{kind}-{name.rpartition('_')[2].lower()}",
            "smart_plug",
            tuple(sorted(files, key=_day_of)),
        )
        for name, files in sorted(by_device.items())
    ]


def first_time(recording: Recording) -> int:
    """Event time of the recording's first row, microseconds: where the fleet clock is anchored.

    Raises:
        RecordingError: there is no row.
    """
    rows = _rows(recording.files[0])
    row = next((row for row in rows if row and row[0][:1].isdigit()), None)
    if row is None:
        raise RecordingError(f"{recording.files[0].name} holds no row")
    return _time(row[0], recording.files[0])


def recording_messages(recording: Recording, change: Change | None = None, shift: int = 0) -> Iterator[Body]:
    """The recording as messages, in order of time.

    Args:
        recording: which.
        change: a dated change.
        shift: microseconds added to every time.

    Raises:
        RecordingError: a row cannot be read.
    """
    bodies = _plug(recording, change) if recording.kind == "smart_plug" else _pump(recording, change)
    for body in bodies:
        yield body if shift == 0 else _shifted(body, shift)


def bin_power(t: NDArray[np.int64], power: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]]:
    """Mean power on a regular grid of GRID; NaN where nothing was recorded.

    Args:
        t: event times, microseconds, any order.
        power: same length.

    Returns:
        Number of the first bin since the epoch, and the bins.
    """
    bins = t // GRID
    first = int(bins.min())
    index = bins - first
    total = np.bincount(index, weights=power)
    count = np.bincount(index)
    with np.errstate(invalid="ignore"):
        return first, total / np.where(count > 0, count, np.nan)


def stretch_activity(power: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Every activity takes `factor` times as long, every rest as long as before; gaps count as rest.

    An activity is what lies above 15 % of the 99th percentile, at least 5 W.
    """
    known = power[np.isfinite(power)]
    level = max(_ON_SHARE * float(np.percentile(known, 99)), 5.0) if len(known) else np.inf
    active = np.nan_to_num(power) > level
    edges = [0, *(np.flatnonzero(active[1:] != active[:-1]) + 1).tolist(), len(power)]
    parts: list[NDArray[np.float64]] = []
    for begin, end in itertools.pairwise(edges):
        part = power[begin:end]
        if len(part) and active[begin]:
            length = round(len(part) * factor)
            part = part[np.minimum((np.arange(length) / factor).astype(np.int64), len(part) - 1)]
        parts.append(part)
    return np.concatenate(parts) if parts else power


def plug_power(recording: Recording) -> tuple[int, NDArray[np.float64]]:
    """A plug's recording on the grid.

    Returns:
        Number of the first bin since the epoch, and the bins; none when there is no row.

    Raises:
        RecordingError: a row cannot be read.
    """
    times: list[int] = []
    watts: list[float] = []
    for path in recording.files:
        for number, row in enumerate(_rows(path), 1):
            if not row:
                continue
            times.append(_time(row[0], path, number))
            watts.append(_number(row, 1, path, number))
    if not times:
        return 0, np.empty(0)
    return bin_power(np.array(times, dtype=np.int64), np.array(watts))


def changed_power(first: int, power: NDArray[np.float64], change: Change) -> NDArray[np.float64]:
    """Power on the grid from bin `first` on, as it would be after a dated change; longer when runs are stretched."""
    cut = min(max(change.at // GRID - first, 0), len(power))
    later = power[cut:] * change.scale.get("power", 1.0)
    return np.concatenate((power[:cut], stretch_activity(later, change.stretch)))


def plug_messages(first: int, power: NDArray[np.float64]) -> Iterator[Body]:
    """Power on the grid from bin `first` on, as messages; none where nothing was recorded."""
    known = np.isfinite(power)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        for at in range(begin, end, _PLUG_BATCH):
            part = np.round(power[at : min(at + _PLUG_BATCH, end)], 2).tolist()
            yield _body((first + at) * GRID, GRID, {"power": part})


def _plug(recording: Recording, change: Change | None) -> Iterator[Body]:
    first, power = plug_power(recording)
    yield from plug_messages(first, power if change is None else changed_power(first, power, change))


def _pump(recording: Recording, change: Change | None) -> Iterator[Body]:
    times: list[int] = []
    values: list[list[float]] = []
    for path in recording.files:
        for number, row in enumerate(_rows(path), 1):
            if not row or not row[0][:1].isdigit():
                continue
            times.append(_time(row[0], path, number))
            values.append([_number(row, column, path, number) for column in range(1, 1 + len(_PUMP_CHANNELS))])
    begin = 0
    for i in range(1, len(times) + 1):
        regular = i < len(times) and times[i] - times[i - 1] == MICROS and i - begin < _PUMP_BATCH
        if regular:
            continue
        part = values[begin:i]
        factors = [_factor(change, name, times[begin]) for name in _PUMP_CHANNELS]
        columns = [[row[c] * factor for row in part] for c, factor in enumerate(factors)]
        yield _body(times[begin], MICROS, dict(zip(_PUMP_CHANNELS, columns, strict=True)))
        begin = i


def _factor(change: Change | None, channel: str, t: int) -> float:
    return 1.0 if change is None or t < change.at else change.scale.get(channel, 1.0)


def _body(t: int, dt: int, columns: dict[str, list[float]]) -> Body:
    n = len(next(iter(columns.values())))
    if n == 1:
        return Body(device=0, done=t, t=t, q={name: column[0] for name, column in columns.items()}, fw=_FIRMWARE)
    done = t + (n - 1) * dt
    return Body(
        device=0, done=done, t=t, dt=dt, q={name: list(column) for name, column in columns.items()}, fw=_FIRMWARE
    )


def _shifted(body: Body, by: int) -> Body:
    return Body(device=body.device, done=body.done + by, t=body.t + by, q=body.q, dt=body.dt, fw=body.fw)


def _rows(path: Path) -> Iterator[Sequence[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file, delimiter=";")


def _day_of(path: Path) -> tuple[str, str]:
    """`dev_ID_YYYY.MM.DD.csv` by date."""
    return path.stem.rpartition("_")[2], path.name


def _time(text: str, path: Path, number: int = 1) -> int:
    """`DD/MM/YYYY HH:MM:SS` or `YYYY-MM-DD HH:MM:SS`; parsed by hand, a recording has hundreds of thousands."""
    try:
        day, _, clock = text.partition(" ")
        hours, minutes, seconds = clock.split(":")
        return _midnight(day) + (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * MICROS
    except ValueError as cause:
        raise RecordingError(f"{path.name}, row {number}: {text!r} is not a time") from cause


@lru_cache(maxsize=64)
def _midnight(day: str) -> int:
    form = "%d/%m/%Y" if "/" in day else "%Y-%m-%d"
    return to_micros(datetime.strptime(day, form).replace(tzinfo=UTC))


def _number(row: Sequence[str], column: int, path: Path, number: int) -> float:
    try:
        return float(row[column])
    except (IndexError, ValueError) as cause:
        raise RecordingError(f"{path.name}, row {number}: column {column + 1} is not a number") from cause


def together(recordings: Sequence[Recording]) -> dict[str, int]:
    """Shifts, microseconds by device, that let all recordings begin on the day of the earliest; hours are kept."""
    starts = {one.device: first_time(one) for one in recordings}
    earliest = min(starts.values()) // _DAY
    return {device: (earliest - start // _DAY) * _DAY for device, start in starts.items()}
