"""Identifiers in order of time: version 7 UUIDs (RFC 9562), from a clock and a generator that are passed in."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from uuid import UUID

IdMaker = Callable[[], UUID]
"""Makes a new identifier."""

_VERSION = 7
_VARIANT = 0b10
_MILLIS_BITS = 48
_LOW_BITS = 62
_TAIL_BITS = 12 + _LOW_BITS
"""Random bits of an identifier: 12 before the variant, 62 after it."""
_STEP_BITS = 32


class Ids:
    """Makes identifiers that only ever grow, also within a millisecond and when the clock goes back.

    The "monotonic random" method of RFC 9562, section 6.2: the first identifier of a millisecond has random bits, each
    further one adds a random step to the last. A clock that goes back does not count until it has caught up.
    Several threads may share one.

    Args:
        rng: where the random bits come from; the system's where identifiers must not be guessed.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lock = threading.Lock()
        self._millis = -1
        self._tail = 0

    def at(self, micros: int) -> UUID:
        """A new identifier.

        Args:
            micros: the time, microseconds since 1970.
        """
        millis = (micros // 1000) & ((1 << _MILLIS_BITS) - 1)
        with self._lock:
            if millis > self._millis:
                self._begin(millis)
            else:
                self._tail += 1 + self._rng.getrandbits(_STEP_BITS)
                if self._tail >> _TAIL_BITS:
                    self._begin(self._millis + 1)
            return _compose(self._millis, self._tail)

    def _begin(self, millis: int) -> None:
        """A new millisecond: its first bit stays clear, so that there is room to count."""
        self._millis = millis
        self._tail = self._rng.getrandbits(_TAIL_BITS - 1)


def uuid7(micros: int, rng: random.Random) -> UUID:
    """One identifier of a time in microseconds, without regard to others of its millisecond."""
    return _compose((micros // 1000) & ((1 << _MILLIS_BITS) - 1), rng.getrandbits(_TAIL_BITS))


def maker(clock: Callable[[], int], rng: random.Random) -> IdMaker:
    """Bind a clock (microseconds) and a generator."""
    ids = Ids(rng)
    return lambda: ids.at(clock())


def millis_of(ident: UUID) -> int:
    """The time in an identifier, milliseconds since 1970.

    Raises:
        ValueError: it is not of version 7.
    """
    if ident.version != _VERSION:
        raise ValueError(f"{ident} is not a version 7 UUID")
    return ident.int >> (128 - _MILLIS_BITS)


def _compose(millis: int, tail: int) -> UUID:
    high, low = tail >> _LOW_BITS, tail & ((1 << _LOW_BITS) - 1)
    return UUID(int=millis << 80 | _VERSION << 76 | high << 64 | _VARIANT << 62 | low)
