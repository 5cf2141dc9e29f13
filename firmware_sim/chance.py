"""Random numbers: every device has its own generators, one per purpose and day.

What happens to a device is so a function of (seed, device, purpose, day) alone: neither the other devices
nor the size of the steps in which the fleet is advanced can change it. Where a number is needed for every device and
step, `uniform` and `noise` compute it from a key and a counter, for many devices at once and without any state.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_MASK = (1 << 64) - 1
_PIECES = 4
_PIECE_MEAN = 65_535 / 2
_PIECE_SD = float(np.sqrt((65_536.0**2 - 1.0) / 12.0))


def generator(seed: int, index: int, purpose: str, day: int = 0) -> np.random.Generator:
    """A fresh generator for one device, purpose and day.

    Args:
        seed: of the fleet.
        index: of the device; use -1 for what all devices share (weather).
        purpose: a word, e.g. `doors`.
        day: days since the Unix epoch, or any other count.
    """
    key = (index + 1, zlib.crc32(purpose.encode()), day)
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))


def keys(seed: int, indices: Iterable[int], purpose: str) -> NDArray[np.uint64]:
    """One key a device for `uniform` and `noise`, shape (devices,)."""
    root = (seed * 0x9E3779B97F4A7C15 + zlib.crc32(purpose.encode())) & _MASK
    numbers = np.array([(index + 1) & _MASK for index in indices], dtype=np.uint64)
    return _mix(_mix(np.array([root], dtype=np.uint64)) + numbers * _GOLDEN)


def uniform(key: NDArray[np.uint64], counter: int | NDArray[np.int64]) -> NDArray[np.float64]:
    """Numbers in [0, 1), a function of key and counter; shapes broadcast."""
    counters = np.atleast_1d(np.asarray(counter, dtype=np.int64)).astype(np.uint64)
    bits = _mix(key + counters * _GOLDEN)
    return np.asarray((bits >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def noise(key: NDArray[np.uint64], first: int, count: int, channels: int) -> NDArray[np.float64]:
    """Sensor noise of `count` steps from `first` on: mean 0, standard deviation 1, shape (count, devices, channels).

    The sum of four uniform numbers (Irwin-Hall): bell-shaped, and never beyond 3.5 standard deviations, as the noise of
    a converter with a limited range is. Four of them come out of one hash (SplitMix64: Steele, Lea and Flood, "Fast
    splittable pseudorandom number generators", OOPSLA 2014).
    """
    counters = np.arange(first * channels, (first + count) * channels, dtype=np.int64).astype(np.uint64)
    bits = counters.reshape(count, 1, channels) * _GOLDEN + key.reshape(1, -1, 1)
    pieces = _mix(bits).view(np.uint16).reshape(*bits.shape, _PIECES)
    total: NDArray[np.float64] = pieces.sum(axis=-1, dtype=np.int32).astype(np.float64)
    total -= _PIECES * _PIECE_MEAN
    total /= _PIECE_SD * np.sqrt(_PIECES)
    return total


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser, in place; multiplication wraps around."""
    bits ^= bits >> np.uint64(30)
    bits *= _MIX_1
    bits ^= bits >> np.uint64(27)
    bits *= _MIX_2
    bits ^= bits >> np.uint64(31)
    return bits
