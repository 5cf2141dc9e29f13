"""What is known of a device's sequence: the highest gapless seq and the ranges beyond it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """Settled sequence numbers of one epoch: stored, dead-lettered or declared lost.

    Attributes:
        epoch: the epoch these numbers belong to.
        upto: highest seq below which, itself included, every seq is settled; 0 at first.
        beyond: settled ranges above `upto`, both ends included, ascending, never touching.
    """

    epoch: int
    upto: int = 0
    beyond: list[tuple[int, int]] = field(default_factory=list)

    def __contains__(self, seq: int) -> bool:
        if seq <= self.upto:
            return True
        index = bisect_right(self.beyond, (seq, 2**63)) - 1
        return index >= 0 and self.beyond[index][0] <= seq <= self.beyond[index][1]

    def copy(self) -> Progress:
        """One of its own: what is settled in it leaves this one as it is."""
        return Progress(self.epoch, self.upto, list(self.beyond))

    def add(self, seq: int) -> bool:
        """Settle one seq. Returns whether it was new."""
        if seq in self:
            return False
        if seq == self.upto + 1:
            self.upto = seq
            self._absorb()
            return True
        index = bisect_right(self.beyond, (seq, 2**63))
        low = high = seq
        if index < len(self.beyond) and self.beyond[index][0] == seq + 1:
            high = self.beyond.pop(index)[1]
        if index > 0 and self.beyond[index - 1][1] == seq - 1:
            low = self.beyond.pop(index - 1)[0]
            index -= 1
        self.beyond.insert(index, (low, high))
        return True

    def settle_below(self, base: int) -> list[tuple[int, int]]:
        """Settle everything below `base`. Returns the ranges that were declared lost by it."""
        if base <= self.upto + 1:
            return []
        lost: list[tuple[int, int]] = []
        at = self.upto + 1
        for low, high in self.beyond:
            if low >= base:
                break
            if low > at:
                lost.append((at, low - 1))
            at = high + 1
        if at < base:
            lost.append((at, base - 1))
            at = base
        self.upto = at - 1
        self._absorb()
        return lost

    def gaps(self, limit: int) -> list[tuple[int, int]]:
        """The first `limit` missing ranges below the highest settled seq."""
        found: list[tuple[int, int]] = []
        at = self.upto + 1
        for low, high in self.beyond[:limit]:
            found.append((at, low - 1))
            at = high + 1
        return found

    def _absorb(self) -> None:
        while self.beyond and self.beyond[0][0] <= self.upto + 1:
            self.upto = max(self.upto, self.beyond.pop(0)[1])
