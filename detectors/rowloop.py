# ruff: noqa: PLR0917  (compiled functions take their arguments by position)
"""The loop over rows of continuous devices: standardise, stack, score, count, and stop where Python must act.

Two scores are made of each row, and each counts for itself over the window:

* the prediction error of dynamic PCA, as a standardised logarithm, smoothed, against a reference that follows it at a
  bounded rate: a plant that slowly leaves the state of its commissioning raises nothing, a relation that breaks does;
* the level of each channel that the fault's signature names, smoothed, against such a reference of its own.

While an episode is open neither reference moves: nothing is learned from what was called a fault.

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
ERRORS = 7  # how many of them were over by the prediction error
LEVELS = 8  # how many by a channel's level
LOG_N = 9  # rows since the last dated score
SINCE = 10  # rows since the last judgement
BEGUN = 11  # when the shares over the limits last left the exit bound
OPEN = 12  # whether an episode is open
TRACK_N = 13  # dated scores
TRACK_AT = 14  # where the next is written
BINS = 15  # stretches of evidence
BIN_WIDTH = 16  # their length, microseconds
BIN_LAST = 17  # time of the newest row in them
PLACE = 18  # where in `early` the commissioning rows lie; -1 once they are gone
PARTS = 19  # components in `loadings`
KEPT = 20  # whether those are the components that the model keeps, not those it leaves out
WHOLE = 21

# What a slot's numbers mean: columns of `Fields.real`.
LOG_SUM = 0  # sum of standardised log errors since the last dated score
LOG_MEAN = 1
LOG_SPREAD = 2
ERROR = 3  # smoothed standardised log error
ERROR_USUAL = 4  # what it follows
OPENING = 5  # share over the limit that opens an episode
REAL = 6

# Numbers of each channel: rows of `Fields.channel`.
MEAN = 0  # in commissioning
SCALE = 1  # standard deviation in commissioning
STACK_MEAN = 2  # of what is stacked: a slow channel's is without its reference
STACK_WEIGHT = 3  # one over its standard deviation, 0 for a channel that takes no part
WANDER = 4  # how far the level strays in health
LEVEL = 5  # smoothed reading
USUAL = 6  # what it follows
SLOW = 7  # reference of a slow channel, that only its quick changes be stacked
CHANNEL = 8

# Why the loop stopped at a row.
DONE = 0
COMMISSION = 1
OPENS = 2
FOLLOWS = 3

EVERY = 20  # rows a dated score
POINTS = 30  # stretches of evidence at most
TRACK = 48  # dated scores that are kept


ROUNDING = 1e-9
"""A squared error of this size is the arithmetic's: a plant that was explained without rest must not alarm by it."""

Whole = NDArray[np.int64]
Single = NDArray[np.float32]
Double = NDArray[np.float64]


class Fields(NamedTuple):
    """State of all slots, first axis the slot.

    Attributes:
        whole: integers (slots, WHOLE).
        real: numbers (slots, REAL).
        channel: numbers of each channel (slots, CHANNEL, channels).
        loadings: of the model's components, (slots, channels * lag, half of that), of which PARTS are in use.
        rows: ring of the last rows as they are stacked, standardised (slots, rows, channels).
        over: ring: what was over in each of the last rows, 1 the error, 2 a level (slots, window).
        track_t: ring of times of dated scores (slots, TRACK).
        track_x: ring of dated scores.
        bin_at: number of each stretch of evidence since 1970, ascending (slots, POINTS + 1).
        bin_n: rows in it.
        bin_mean: mean of each channel (slots, POINTS + 1, channels).
        early: not by slot but by PLACE: commissioning rows (places, commissioning_rows, channels).
    """

    whole: Whole
    real: Double
    channel: NDArray[np.float64]
    loadings: Single
    rows: Single
    over: NDArray[np.uint8]
    track_t: Whole
    track_x: Single
    bin_at: Whole
    bin_n: NDArray[np.int32]
    bin_mean: Single
    early: Single


class Rules(NamedTuple):
    """Tuning of a kind.

    Attributes:
        need: commissioning rows.
        lag: rows a stack holds.
        window: rows a judgement looks at.
        step: longest time between two rows without a gap, microseconds.
        open_share: share over the limit that opens an episode, unless outcomes taught another.
        exit_share: share that counts as calm.
        error_rate: weight of the newest row in the smoothed error.
        error_limit: rise of the smoothed error that is over, in deviations of commissioning.
        error_follow: most that its reference moves in a row.
        level_rate: weight of the newest row in a level.
        level_limit: shift of a level that is over, in units of its wander.
        level_follow: share of a shift, or of one wander where that is less, that a level's reference follows in a row.
        slow_rate: weight of the newest row in a slow channel's reference.
        slow: whether each channel is slow (channels,).
        sign: direction in which the fault moves each channel's level, 0 where it says nothing.
        least: share of its commissioning mean that a level must have moved at least.
        most: share of it by which a level's reference follows in the fault's direction, all in all.
    """

    need: int
    lag: int
    window: int
    step: int
    open_share: float
    exit_share: float
    error_rate: float
    error_limit: float
    error_follow: float
    level_rate: float
    level_limit: float
    level_follow: float
    slow_rate: float
    slow: NDArray[np.bool_]
    sign: Double
    least: Double
    most: Double


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
    parts = np.zeros(size)
    for run in range(len(slots)):
        slot = slots[run]
        whole, real, channel = fields.whole[slot], fields.real[slot], fields.channel[slot]
        rows = fields.rows[slot]
        # The rows that the next stack begins with.
        stacked = _again(whole, rows, z) if whole[READY] == 1 else 0
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
                early = fields.early[whole[PLACE]]
                if _repeats(early, whole[HELD], read):
                    continue
                early[whole[HELD]] = read
                whole[HELD] += 1
                why = COMMISSION if whole[HELD] == rules.need else DONE
                continue
            if gap or whole[HELD] == 0:
                stacked = 0
                _restart(whole, real, channel, read)
            _show(whole, fields.bin_at[slot], fields.bin_n[slot], fields.bin_mean[slot], at, read)
            broken = 2 if _levels(rules, channel, read, whole[OPEN] == 1) else 0
            _stack(rules, whole, rows, channel, z, read)
            stacked = min(stacked + 1, rules.lag)
            if stacked == rules.lag:
                error = _error(fields.loadings[slot], whole[PARTS], whole[KEPT] == 1, z, parts)
                score = (math.log(error + ROUNDING) - real[LOG_MEAN]) / real[LOG_SPREAD]
                _date(whole, real, fields.track_t[slot], fields.track_x[slot], at, score)
                broken += 1 if _rises(rules, real, score, whole[OPEN] == 1) else 0
                why = _judge(rules, whole, fields.over[slot], at, broken, real[OPENING])
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
        same &= held > 0 and early[held - 1, channel] == read[channel]
    return same


@compiled
def _again(whole: Whole, rows: Single, z: Double) -> int:
    """Stack the last rows of the ring, but one less than a stack holds; returns how many."""
    channels = rows.shape[1]
    stacked: int = min(whole[HELD], len(z) // channels - 1)
    for back in range(stacked, 0, -1):
        held = whole[ROW_AT] - back
        held += len(rows) if held < 0 else 0
        place = len(z) - back * channels
        for channel in range(channels):
            z[place + channel] = rows[held, channel]
    return stacked


@compiled
def _restart(whole: Whole, real: Double, channel: Double, read: Single) -> None:
    """Begin anew behind a gap: levels and error stand at their references, a slow channel where it is now."""
    whole[HELD] = whole[ROW_AT] = whole[OVER_N] = whole[OVER_AT] = whole[ERRORS] = whole[LEVELS] = 0
    real[ERROR] = real[ERROR_USUAL]
    for i in range(len(read)):
        channel[LEVEL, i] = channel[USUAL, i]
        channel[SLOW, i] = read[i]


@compiled
def _levels(rules: Rules, channel: Double, read: Single, open_: bool) -> bool:  # noqa: FBT001  (numba knows no keywords-only arguments)
    """Move each channel's level, and its reference unless an episode is open; say whether one is over its limit."""
    broken = False
    for i in range(len(read)):
        level = channel[LEVEL, i] + rules.level_rate * (read[i] - channel[LEVEL, i])
        wander = channel[WANDER, i]
        shift = level - channel[USUAL, i]
        channel[LEVEL, i] = level
        sign, size = rules.sign[i], abs(channel[MEAN, i])
        if not open_:
            usual = channel[USUAL, i] + min(max(shift, -wander), wander) * rules.level_follow
            # Drift is followed, wear is not: so far as half of what a failure moves, and no farther.
            far = sign * (usual - channel[MEAN, i]) > rules.most[i] * size
            channel[USUAL, i] = channel[MEAN, i] + sign * rules.most[i] * size if sign != 0.0 and far else usual
        moved = sign * shift
        broken |= moved > rules.level_limit * wander and moved > rules.least[i] * size
    return broken


@compiled
def _stack(rules: Rules, whole: Whole, rows: Single, channel: Double, z: Double, read: Single) -> None:
    """Put a row, standardised, into the ring and behind the others of the stack."""
    channels = len(read)
    behind = len(z) - channels
    for place in range(behind):
        z[place] = z[place + channels]
    at = whole[ROW_AT]
    for i in range(channels):
        x = read[i] - channel[STACK_MEAN, i]
        if rules.slow[i]:
            x -= channel[SLOW, i]
            channel[SLOW, i] += rules.slow_rate * (read[i] - channel[SLOW, i])
        # As the ring keeps it, so that a stack is the same wherever a run begins.
        rows[at, i] = x * channel[STACK_WEIGHT, i]
        z[behind + i] = rows[at, i]
    whole[ROW_AT] = at + 1 if at + 1 < len(rows) else 0
    whole[HELD] = min(whole[HELD] + 1, len(rows))


@compiled
def _show(whole: Whole, bin_at: Whole, bin_n: NDArray[np.int32], bin_mean: Single, at: int, read: Single) -> None:
    """Add a row to the evidence: means over stretches of time; when they become too many, stretches double."""
    stretch = at // whole[BIN_WIDTH]
    last = whole[BINS] - 1
    if last < 0 or stretch > bin_at[last]:
        last += 1
        bin_at[last] = stretch
        bin_n[last] = 0
        for channel in range(len(read)):
            bin_mean[last, channel] = 0.0
    bin_n[last] += 1
    weight = 1.0 / bin_n[last]
    for channel in range(len(read)):
        bin_mean[last, channel] += (read[channel] - bin_mean[last, channel]) * weight
    whole[BIN_LAST] = max(whole[BIN_LAST], at)
    whole[BINS] = last + 1
    if whole[BINS] > POINTS:
        whole[BIN_WIDTH] *= 2
        kept = -1
        for old in range(whole[BINS]):
            wider, n = bin_at[old] // 2, bin_n[old]
            if kept >= 0 and bin_at[kept] == wider:
                both = bin_n[kept] + n
                for channel in range(len(read)):
                    bin_mean[kept, channel] += (bin_mean[old, channel] - bin_mean[kept, channel]) * n / both
                bin_n[kept] = both
            else:
                kept += 1
                bin_at[kept] = wider
                bin_n[kept] = n
                for channel in range(len(read)):
                    bin_mean[kept, channel] = bin_mean[old, channel]
        whole[BINS] = kept + 1


@compiled
def _error(loadings: Single, count: int, kept: bool, z: Double, parts: Double) -> float:  # noqa: FBT001  (likewise)
    """Squared prediction error of a stack: what the components left out hold of it, or what the kept ones do not."""
    for component in range(count):
        parts[component] = 0.0
    # Four at a time: half of the time would go into fetching and storing the sums.
    fours = len(z) // 4 * 4
    for place in range(0, fours, 4):
        a, b, c, d = z[place], z[place + 1], z[place + 2], z[place + 3]
        for component in range(count):
            parts[component] += (a * loadings[place, component] + b * loadings[place + 1, component]) + (
                c * loadings[place + 2, component] + d * loadings[place + 3, component]
            )
    for place in range(fours, len(z)):
        for component in range(count):
            parts[component] += z[place] * loadings[place, component]
    error = 0.0
    if kept:
        for place in range(len(z)):
            left = z[place]
            for component in range(count):
                left -= parts[component] * loadings[place, component]
            error += left * left
    else:
        for component in range(count):
            error += parts[component] * parts[component]
    return error


@compiled
def _rises(rules: Rules, real: Double, score: float, open_: bool) -> bool:  # noqa: FBT001  (likewise)
    """Smooth the error, move its reference unless an episode is open; say whether it is over its limit."""
    real[ERROR] += rules.error_rate * (score - real[ERROR])
    rise = real[ERROR] - real[ERROR_USUAL]
    if not open_:
        real[ERROR_USUAL] += min(max(rise, -rules.error_follow), rules.error_follow)
    over: bool = rise > rules.error_limit
    return over


@compiled
def _date(whole: Whole, real: Double, track_t: Whole, track_x: Single, at: int, score: float) -> None:
    """Add to the mean of standardised log errors that is kept for dating an onset."""
    real[LOG_SUM] += score
    whole[LOG_N] += 1
    if whole[LOG_N] == EVERY:
        track_t[whole[TRACK_AT]] = at
        track_x[whole[TRACK_AT]] = real[LOG_SUM] / EVERY
        whole[TRACK_AT] = (whole[TRACK_AT] + 1) % TRACK
        whole[TRACK_N] = min(whole[TRACK_N] + 1, TRACK)
        real[LOG_SUM] = 0.0
        whole[LOG_N] = 0


@compiled
def _judge(rules: Rules, whole: Whole, over: NDArray[np.uint8], at: int, broken: int, opening: float) -> int:
    """Count how many of the last rows were over; say whether that opens an episode or is due for one."""
    place = whole[OVER_AT]
    if whole[OVER_N] == rules.window:
        whole[ERRORS] -= over[place] & 1
        whole[LEVELS] -= over[place] >> 1
    else:
        whole[OVER_N] += 1
    over[place] = broken
    whole[ERRORS] += broken & 1
    whole[LEVELS] += broken >> 1
    whole[OVER_AT] = place + 1 if place + 1 < rules.window else 0
    share = max(whole[ERRORS], whole[LEVELS]) / rules.window
    if share <= rules.exit_share:
        whole[BEGUN] = at
    whole[SINCE] += 1
    if whole[OPEN] == 1:
        if whole[SINCE] >= rules.window and whole[OVER_N] == rules.window:
            whole[SINCE] = 0
            return FOLLOWS
    elif share >= opening:
        whole[SINCE] = 0
        return OPENS
    return DONE


@compiled
def smoothed(x: Double, rate: float) -> Double:
    """Exponentially weighted means along the first axis, which begin with the first row."""
    level = x.copy()
    for row in range(1, len(x)):
        for channel in range(x.shape[1]):
            level[row, channel] = level[row - 1, channel] + rate * (x[row, channel] - level[row - 1, channel])
    return level


@compiled
def errors(loadings: Single, count: int, kept: bool, stacks: Double) -> Double:  # noqa: FBT001  (likewise)
    """Squared prediction error of each stack (stacks, channels * lag), as `advance` makes it."""
    parts, found = np.zeros(stacks.shape[1]), np.zeros(len(stacks))
    for stack in range(len(stacks)):
        found[stack] = _error(loadings, count, kept, stacks[stack], parts)
    return found


@compiled
def contributions(rules: Rules, fields: Fields, slot: int) -> Double:
    """What each channel's newest reading brings to the error: means of squared residuals over the last stacks.

    Args:
        rules: of the kind.
        fields: state.
        slot: a commissioned device.

    Returns:
        Squared residuals (channels,).
    """
    rows, whole, loadings = fields.rows[slot], fields.whole[slot], fields.loadings[slot]
    channels = rows.shape[1]
    size = channels * rules.lag
    z, parts, share = np.zeros(size), np.zeros(size), np.zeros(channels)
    stacks = whole[HELD] - rules.lag + 1
    for stack in range(stacks):
        first = whole[ROW_AT] - whole[HELD] + stack
        for back in range(rules.lag):
            held = (first + back) % len(rows)
            for channel in range(channels):
                z[back * channels + channel] = rows[held, channel]
        for component in range(whole[PARTS]):
            parts[component] = 0.0
            for place in range(size):
                parts[component] += z[place] * loadings[place, component]
        for channel in range(channels):
            place = size - channels + channel
            seen = 0.0
            for component in range(whole[PARTS]):
                seen += loadings[place, component] * parts[component]
            residual = z[place] - seen if whole[KEPT] == 1 else seen
            share[channel] += residual * residual
    share /= max(stacks, 1)
    return share
