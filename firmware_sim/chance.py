"""Random numbers: every device has its own generators, one per purpose and day.

What happens to a device is so a function of (seed, device, purpose, day) alone: neither the other devices
nor the size of the steps in which the fleet is advanced can change it.
"""

from __future__ import annotations

import zlib

import numpy as np


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
