"""What a worker counts while it works: integers only; whoever wants to know reads them from outside."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper edges of the buckets of transaction times, seconds; one more holds the rest."""


@dataclass(slots=True)
class Totals:
    """What has passed since the process started.

    Attributes:
        messages: taken from the stream, repeats included.
        duplicates: of them, stored before.
        dead: of them, dead-lettered.
        dead_by_reason: likewise, by reason.
        transactions: committed.
        buckets: of their times by `BOUNDS`.
        seconds: their times together.
        retries: transactions that failed, were in doubt or lost their lease.
        errors: detectors that failed.
        findings: revisions written.
        passed: monotonic seconds at which the pipeline last went round.
    """

    messages: int = 0
    duplicates: int = 0
    dead: int = 0
    dead_by_reason: Counter[str] = field(default_factory=Counter)
    transactions: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0
    retries: int = 0
    errors: int = 0
    findings: int = 0
    passed: float = field(default_factory=time.monotonic)

    def committed(self, seconds: float) -> None:
        """A transaction is through."""
        self.transactions += 1
        self.seconds += seconds
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
