"""Identifiers in order of time, from a clock and a generator that are passed in."""

from __future__ import annotations

import random
from collections.abc import Callable
from uuid import UUID

IdMaker = Callable[[], UUID]
"""Makes a new identifier."""

_VERSION = 7
_VARIANT = 0b10


def uuid7(micros: int, rng: random.Random) -> UUID:
    """A version 7 UUID (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits.

    Args:
        micros: the time, microseconds since 1970.
        rng: where the random bits come from.
    """
    millis = (micros // 1000) & ((1 << 48) - 1)
    value = millis << 80 | _VERSION << 76 | rng.getrandbits(12) << 64 | _VARIANT << 62 | rng.getrandbits(62)
    return UUID(int=value)


def maker(clock: Callable[[], int], rng: random.Random) -> IdMaker:
    """Bind a clock (microseconds) and a generator."""
    return lambda: uuid7(clock(), rng)
