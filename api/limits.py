"""A share for every token: a bucket that fills at a rate, so that one runaway program does not starve the others."""

from __future__ import annotations

import math
import threading
from datetime import datetime
from uuid import UUID

_MOST_BUCKETS = 10_000


class Limits:
    """Buckets of tokens, one process's.

    Args:
        per_second: requests a second for long; a bucket holds two seconds' worth.
    """

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._holds = max(1.0, 2 * per_second)
        self._lock = threading.Lock()
        self._buckets: dict[UUID, tuple[float, datetime]] = {}

    def take(self, who: UUID, now: datetime) -> int:
        """Take one request out of a bucket. Returns 0, or the whole seconds after which there is one again."""
        with self._lock:
            if len(self._buckets) >= _MOST_BUCKETS:
                self._drop_full(now)
            level, since = self._buckets.get(who, (self._holds, now))
            level = min(self._holds, level + max(0.0, (now - since).total_seconds()) * self._rate)
            if level < 1:
                self._buckets[who] = (level, now)
                return max(1, math.ceil((1 - level) / self._rate))
            self._buckets[who] = (level - 1, now)
            return 0

    def _drop_full(self, now: datetime) -> None:
        """Forget buckets that are full again: a new one is the same."""
        fills = self._holds / self._rate
        self._buckets = {w: b for w, b in self._buckets.items() if (now - b[1]).total_seconds() < fills}
