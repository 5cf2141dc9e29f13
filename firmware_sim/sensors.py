"""Sensors: what a reading differs in from the true value, and how a sensor itself fails."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from firmware_sim import chance
from firmware_sim.mechanism import SENSOR, Acting
from firmware_sim.physics.base import Floats, Sensor


class Sensors:
    """The sensors of a group of devices.

    Args:
        seed: of the fleet.
        indices: of the devices.
        channels: in order.
        offsets: of each unit, shape (devices, channels).

    Attributes:
        samples: how many values were read, absent ones included.
    """

    def __init__(self, seed: int, indices: Sequence[int], channels: dict[str, Sensor], offsets: Floats) -> None:
        self.samples = 0
        kinds = list(channels.values())
        self._names = {name: number for number, name in enumerate(channels)}
        self._keys = chance.keys(seed, indices, "noise")
        self._dropout = chance.keys(seed, indices, "dropout")
        self._offsets = offsets
        self._noise = np.array([one.noise for one in kinds])
        self._scale = np.array([1.0 / one.resolution for one in kinds])
        self._low = np.array([one.low for one in kinds])
        self._zero = [number for number, one in enumerate(kinds) if one.zero]

    def read(self, true: Floats, first: int, acting: Sequence[Acting], rows: Sequence[int] | None = None) -> Floats:
        """What the sensors read; absent readings are NaN.

        Args:
            true: true values, shape (steps, devices, channels).
            first: number of the first step, the key of the noise.
            acting: what acts meanwhile; targets that are no sensor are passed over.
            rows: which devices of the group the columns of `true` are; all of them when None.
        """
        who = slice(None) if rows is None else np.asarray(rows, dtype=np.int64)
        at_rest = [true[:, :, channel] == 0.0 for channel in self._zero]
        draws = chance.noise(self._keys[who], first, len(true), true.shape[2])
        found: NDArray[np.float64] = draws * self._noise
        wrong = [one for one in acting if one.target.startswith(SENSOR)]
        for one in wrong:
            if one.what.noise is not None:
                channel = self._names[one.target.removeprefix(SENSOR)]
                sd = float(np.hypot(self._noise[channel], one.what.noise * one.level))
                found[:, one.row, channel] = draws[:, one.row, channel] * sd
        found += true
        found += self._offsets[who]
        for one in wrong:
            self._fail(found, one)
        np.maximum(found, self._low, out=found)
        for channel, still in zip(self._zero, at_rest, strict=True):
            found[:, :, channel][still] = 0.0
        found *= self._scale
        np.rint(found, out=found)
        found /= self._scale
        found += 0.0  # no negative zero
        for one in wrong:
            self._drop(found, first, one, rows)
        self.samples += found.size
        return found

    def at_rest(self, still: Floats, first: int, acting: Sequence[Acting], device: int, channel: str) -> Floats:
        """What a failing sensor makes of readings of a machine that stands by; as they are where it is well.

        Args:
            still: what it would read, shape (steps,).
            first: number of the first step, the key of the noise.
            acting: what acts meanwhile on the device alone, in row 0.
            device: of the group.
            channel: which.
        """
        wrong = [one for one in acting if one.target == SENSOR + channel]
        if not wrong:
            return still
        number = self._names[channel]
        found = np.repeat(still[:, None, None], len(self._names), axis=2)
        draws = chance.noise(self._keys[device : device + 1], first, len(still), len(self._names))
        for one in wrong:
            if one.what.noise is not None:
                found += draws * one.what.noise * one.level
            self._fail(found, one)
        np.maximum(found, self._low, out=found)
        found = np.rint(found * self._scale) / self._scale
        for one in wrong:
            self._drop(found, first, one, [device])
        return np.asarray(found[:, 0, number])

    def _fail(self, found: Floats, one: Acting) -> None:
        channel = self._names[one.target.removeprefix(SENSOR)]
        if one.what.bias is not None:
            found[:, one.row, channel] += one.what.bias * one.level
        if one.what.factor is not None:
            found[:, one.row, channel] *= 1.0 + (one.what.factor - 1.0) * one.level
        if one.what.stuck is not None:
            found[:, one.row, channel] = one.what.stuck

    def _drop(self, found: Floats, first: int, one: Acting, rows: Sequence[int] | None) -> None:
        if one.what.dropout is None:
            return
        channel = self._names[one.target.removeprefix(SENSOR)]
        device = one.row if rows is None else rows[one.row]
        draws = chance.uniform(self._dropout[device : device + 1], np.arange(first, first + len(found), dtype=np.int64))
        found[draws < one.what.dropout * min(one.level, 1.0), one.row, channel] = np.nan
