# ruff: noqa: PLR0917  (compiled functions take their arguments by position)
"""The loop over rows of continuous devices: standardise, stack, score, count, and stop where Python must act.

The state of many devices lies in the arrays of `Fields`, one slot a device; see `detectors.plants`, which owns them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

# What a slot's integers mean: columns of `Fields.whole`.
SEEN = 0  # whether LAST_T is known
LAST_T = 1  # time of the last complete row
READY = 2  # whether the plant is commissioned
HELD = 3  # commissioning rows so far; once commissioned, rows without a gap in `rows`
ROW_AT = 4  # where the next row is written in `rows`
OVER_N = 5  # rows judged in `over`
OVER_AT = 6  # where the next is written
OVER_SUM = 7  # how many of them broke the limit
LOG_N = 8  # rows since the last dated score
SINCE = 9  # rows since the last judgement
BEGUN = 10  # when the share over the limit last left the exit bound
OPEN = 11  # whether an episode is open
TRACK_N = 12  # dated scores
TRACK_AT = 13  # where the next is written
BINS = 14  # stretches of evidence
BIN_WIDTH = 15  # their length, microseconds
BIN_LAST = 16  # time of the newest row in them
FREE = 17  # components that the model leaves out, whose squares are the prediction error
WHOLE = 18

# What a slot's numbers mean: columns of `Fields.real`.
LOG_SUM = 0  # sum of standardised log errors since the last dated score
LIMIT = 1  # squared prediction error that breaks the limit
LOG_MEAN = 2
LOG_SPREAD = 3
REAL = 4

# Why the loop stopped at a row.
DONE = 0
COMMISSION = 1
OPENS = 2
FOLLOWS = 3

EVERY = 10  # rows a dated score
POINTS = 60  # stretches of evidence at most
TRACK = 128  # dated scores that are kept


Whole = NDArray[np.int64]
Single = NDArray[np.float32]
Double = NDArray[np.float64]


class Fields(NamedTuple):
    """State of all slots, first axis the slot.

    Attributes:
        whole: integers (slots, WHOLE).
        real: numbers (slots, REAL).
        mean: of each channel in commissioning (slots, channels).
        scale: standard deviation of each channel in commissioning.
        store: loadings of the components left out, (channels * lag, FREE) flattened.
        early: the same memory as float32: commissioning rows, (commissioning_rows, channels) flattened.
        rows: ring of the last rows as read (slots, window + lag - 1, channels), float32.
        over: ring: whether each of the last rows broke the limit (slots, window).
        track_t: ring of times of dated scores (slots, TRACK).
        track_x: ring of dated scores.
        bin_at: number of each stretch of evidence since 1970, ascending (slots, POINTS + 1).
        bin_n: rows in it.
        bin_sum: sum of each channel (slots, POINTS + 1, channels).
    """

    whole: Whole
    real: Double
    mean: Double
    scale: Double
    store: Double
    early: Single
    rows: Single
    over: NDArray[np.uint8]
    track_t: Whole
    track_x: Double
    bin_at: Whole
    bin_n: Whole
    bin_sum: Double


class Rules(NamedTuple):
    """Tuning of a kind.

    Attributes:
        need: commissioning rows.
        lag: rows a stack holds.
        window: rows a judgement looks at.
        step: longest time between two rows without a gap, microseconds.
        open_share: share over the limit that opens an episode.
        exit_share: share that counts as calm.
    """

    need: int
    lag: int
    window: int
    step: int
    open_share: float
    exit_share: float


@compiled
def advance(
    rules: Rules,
    fields: Fields,
    slots: Whole,
    span: Whole,
    t: Whole,
    values: Single,
    told: NDArray[np.int8],
) -> None:
    """Take the rows of a run for each slot, up to the first behind which Python must act.

    Args:
        rules: of the kind.
        fields: state; changed.
        slots: one for each run; no slot twice.
        span: of each run its first row in `t` and `values`, changed to the first row not taken, and the row behind it.
        t: event times (rows,), microseconds.
        values: (rows, channels).
        told: why each run stopped; changed.
    """
    channels = values.shape[1]
    size = channels * rules.lag
    z = np.zeros(size)
    for run in range(len(slots)):
        slot = slots[run]
        whole, real = fields.whole[slot], fields.real[slot]
        mean, scale = fields.mean[slot], fields.scale[slot]
        rows, over, early = fields.rows[slot], fields.over[slot], fields.early[slot]
        bin_at, bin_n, bin_sum = fields.bin_at[slot], fields.bin_n[slot], fields.bin_sum[slot]
        track_t, track_x = fields.track_t[slot], fields.track_x[slot]
        rest = np.zeros(whole[FREE])
        loadings = fields.store[slot, : size * len(rest)].reshape(size, len(rest))
        # The rows that the next stack begins with, standardised anew.
        stacked = _again(whole, rows, mean, scale, z) if whole[READY] == 1 else 0
        why = DONE
        row = span[run, 0]
        while row < span[run, 1] and why == DONE:
            at, read = t[row], values[row]
            row += 1
            if not _complete(read):
                continue
            gap = whole[SEEN] == 1 and (at <= whole[LAST_T] or at - whole[LAST_T] > rules.step)
            whole[SEEN] = 1
            whole[LAST_T] = at
            if whole[READY] == 0:
                if _repeats(early, whole[HELD], read):
                    continue
                for channel in range(channels):
                    early[whole[HELD] * channels + channel] = read[channel]
                whole[HELD] += 1
                why = COMMISSION if whole[HELD] == rules.need else DONE
                continue
            if gap:
                stacked = 0
                whole[HELD] = whole[ROW_AT] = whole[OVER_N] = whole[OVER_AT] = whole[OVER_SUM] = 0
            _show(whole, bin_at, bin_n, bin_sum, at, read)
            _stack(whole, rows, mean, scale, z, read)
            stacked = min(stacked + 1, rules.lag)
            if stacked == rules.lag:
                error = _error(loadings, z, rest)
                _date(whole, real, track_t, track_x, at, error)
                why = _judge(rules, whole, over, at, error > real[LIMIT])
        span[run, 0] = row
        told[run] = why


@compiled
def _complete(read: Single) -> bool:
    """Whether every channel was read."""
    known = True
    for channel in range(len(read)):
        known &= math.isfinite(read[channel])
    return known


@compiled
def _repeats(early: Single, held: int, read: Single) -> bool:
    """Whether a row is the last commissioning row once more: a plant, or its sensors, that stand still say nothing."""
    same = held > 0
    for channel in range(len(read)):
        same &= held > 0 and early[(held - 1) * len(read) + channel] == read[channel]
    return same


@compiled
def _again(whole: Whole, rows: Single, mean: Double, scale: Double, z: Double) -> int:
    """Stack the last rows of the ring, but one less than a stack holds; returns how many."""
    channels = len(mean)
    stacked = min(int(whole[HELD]), len(z) // channels - 1)
    for back in range(stacked, 0, -1):
        held = (whole[ROW_AT] - back) % len(rows)
        place = len(z) - back * channels
        for channel in range(channels):
            z[place + channel] = (rows[held, channel] - mean[channel]) / scale[channel]
    return stacked


@compiled
def _stack(whole: Whole, rows: Single, mean: Double, scale: Double, z: Double, read: Single) -> None:
    """Put a row into the ring and, standardised, behind the others of the stack."""
    behind = len(z) - len(mean)
    for place in range(behind):
        z[place] = z[place + len(mean)]
    for channel in range(len(mean)):
        rows[whole[ROW_AT], channel] = read[channel]
        z[behind + channel] = (read[channel] - mean[channel]) / scale[channel]
    whole[ROW_AT] = (whole[ROW_AT] + 1) % len(rows)
    whole[HELD] = min(whole[HELD] + 1, len(rows))


@compiled
def _show(whole: Whole, bin_at: Whole, bin_n: Whole, bin_sum: Double, at: int, read: Single) -> None:
    """Add a row to the evidence: sums over stretches of time; when they become too many, stretches double."""
    stretch = at // whole[BIN_WIDTH]
    last = whole[BINS] - 1
    if last < 0 or stretch > bin_at[last]:
        last += 1
        bin_at[last] = stretch
        bin_n[last] = 0
        for channel in range(len(read)):
            bin_sum[last, channel] = 0.0
    bin_n[last] += 1
    for channel in range(len(read)):
        bin_sum[last, channel] += read[channel]
    whole[BIN_LAST] = max(whole[BIN_LAST], at)
    whole[BINS] = last + 1
    if whole[BINS] > POINTS:
        whole[BIN_WIDTH] *= 2
        kept = -1
        for old in range(whole[BINS]):
            wider, n = bin_at[old] // 2, bin_n[old]
            same = kept >= 0 and bin_at[kept] == wider
            if not same:
                kept += 1
            bin_at[kept] = wider
            bin_n[kept] = bin_n[kept] + n if same else n
            for channel in range(len(read)):
                value = bin_sum[old, channel]
                bin_sum[kept, channel] = bin_sum[kept, channel] + value if same else value
        whole[BINS] = kept + 1


@compiled
def _error(loadings: Double, z: Double, rest: Double) -> float:
    """Squared prediction error of a stack."""
    for component in range(len(rest)):
        rest[component] = 0.0
    for place in range(len(z)):
        for component in range(len(rest)):
            rest[component] += z[place] * loadings[place, component]
    error = 0.0
    for component in range(len(rest)):
        error += rest[component] * rest[component]
    return error


@compiled
def _date(whole: Whole, real: Double, track_t: Whole, track_x: Double, at: int, error: float) -> None:
    """Add to the mean of standardised log errors that is kept for dating an onset."""
    real[LOG_SUM] += (math.log(error + 1e-12) - real[LOG_MEAN]) / real[LOG_SPREAD]
    whole[LOG_N] += 1
    if whole[LOG_N] == EVERY:
        track_t[whole[TRACK_AT]] = at
        track_x[whole[TRACK_AT]] = real[LOG_SUM] / EVERY
        whole[TRACK_AT] = (whole[TRACK_AT] + 1) % TRACK
        whole[TRACK_N] = min(whole[TRACK_N] + 1, TRACK)
        real[LOG_SUM] = 0.0
        whole[LOG_N] = 0


@compiled
def _judge(rules: Rules, whole: Whole, over: NDArray[np.uint8], at: int, broken: bool) -> int:  # noqa: FBT001  (numba knows no keywords-only arguments)
    """Count how many of the last rows broke the limit; say whether that opens an episode or is due for one."""
    if whole[OVER_N] == rules.window:
        whole[OVER_SUM] -= over[whole[OVER_AT]]
    else:
        whole[OVER_N] += 1
    over[whole[OVER_AT]] = broken
    whole[OVER_SUM] += over[whole[OVER_AT]]
    whole[OVER_AT] = (whole[OVER_AT] + 1) % rules.window
    share = whole[OVER_SUM] / rules.window
    if share <= rules.exit_share:
        whole[BEGUN] = at
    whole[SINCE] += 1
    if whole[OPEN] == 1:
        if whole[SINCE] >= rules.window and whole[OVER_N] == rules.window:
            whole[SINCE] = 0
            return FOLLOWS
    elif share >= rules.open_share:
        whole[SINCE] = 0
        return OPENS
    return DONE


@compiled
def contributions(rules: Rules, fields: Fields, slot: int) -> tuple[Double, Double]:
    """What each channel's newest reading brings to the error, and its deviation: means over the window's stacks.

    Args:
        rules: of the kind.
        fields: state.
        slot: a commissioned device.

    Returns:
        Squared residuals (channels,), and deviations in commissioning deviations (channels,).
    """
    channels = fields.rows.shape[2]
    size = channels * rules.lag
    held_most = rules.window + rules.lag - 1
    whole, rows = fields.whole[slot], fields.rows[slot]
    mean, scale = fields.mean[slot], fields.scale[slot]
    free = whole[FREE]
    loadings = fields.store[slot, : size * free].reshape(size, free)
    share, level = np.zeros(channels), np.zeros(channels)
    stacks = whole[HELD] - rules.lag + 1
    for stack in range(stacks):
        first = whole[ROW_AT] - whole[HELD] + stack
        rest = np.zeros(free)
        for back in range(rules.lag):
            held = (first + back) % held_most
            for channel in range(channels):
                z = (rows[held, channel] - mean[channel]) / scale[channel]
                for component in range(free):
                    rest[component] += z * loadings[back * channels + channel, component]
                if back == rules.lag - 1:
                    level[channel] += z
        for channel in range(channels):
            residual = 0.0
            for component in range(free):
                residual += loadings[size - channels + channel, component] * rest[component]
            share[channel] += residual * residual
    return share / max(stacks, 1), level / max(stacks, 1)
