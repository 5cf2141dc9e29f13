"""The core of a device: which message is published when. No thread, no socket, no clock.

Inputs are messages that were spooled, receipts, the connection's coming and going, and the time; the effects are
returned: messages to publish, and those that a receipt allows to forget. Times are wall microseconds.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from telemetry.clock import MICROS
from telemetry.message import Receipt

RESEND = 30 * MICROS
"""An unreceipted message is sent again after this."""
RECONNECT = 2 * MICROS
"""Everything unreceipted is sent again within this after a reconnect."""
NEVER = 2**62
"""A time that does not come."""
_QUIET = MICROS
"""A gap is not filled twice within this: receipts under way may still name it."""


@dataclass(slots=True)
class DeviceCore:
    """What one device has not got a receipt for.

    Attributes:
        epoch: of its spool.
        pending: seq to the time it was spooled (or found in the spool at the start), ascending.
        late: of these, what the network does not let through yet.
        resent: messages published again, counted.
        online: whether its connection is up.
        held: whether the network keeps everything back: the device speaks to nobody, whatever its connection does.
    """

    epoch: int
    pending: dict[int, int] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)
    resent: int = 0
    held: bool = False
    online: bool = False
    _sent: dict[int, int] = field(default_factory=dict)
    _filled: set[int] = field(default_factory=set)
    _due: dict[int, int] = field(default_factory=dict)
    _heap: list[tuple[int, int]] = field(default_factory=list)

    def produced(self, seq: int, now: int, *, late: bool = False) -> None:
        """A message was spooled; it is due at once, or, when the network makes it late, once it is let through."""
        self.pending[seq] = NEVER if late else now
        if late:
            self.late.add(seq)
        elif self.speaks:
            self._plan(seq, now)

    def let(self, seq: int, now: int) -> None:
        """The network lets a late message through."""
        if seq in self.late:
            self.late.discard(seq)
            self.pending[seq] = now
            if self.speaks:
                self._plan(seq, now)

    def forget(self, seq: int) -> None:
        """A full spool dropped the message."""
        self.pending.pop(seq, None)
        self.late.discard(seq)
        self._sent.pop(seq, None)
        self._due.pop(seq, None)
        self._filled.discard(seq)

    def connected(self, now: int, jitter: float) -> None:
        """The connection is up: everything unreceipted is due, spread over less than two seconds.

        Args:
            now: wall time.
            jitter: 0 to 1, this device's own draw: where in the first half second it begins.
        """
        self.online = True
        self._heap, self._due = [], {}
        if self.held:
            return
        begin = now + round(0.25 * RECONNECT * jitter)
        pace = 0.6 * RECONNECT / max(len(self.pending), 1)
        for i, seq in enumerate(self.pending):
            if seq not in self.late:
                self._plan(seq, begin + round(i * pace))

    def disconnected(self) -> None:
        """The connection is gone: nothing is due until it is back."""
        self.online = False
        self._heap, self._due = [], {}

    def hold(self) -> None:
        """The network keeps everything back from now on."""
        self.held = True
        self._heap, self._due = [], {}

    def release(self, now: int, jitter: float) -> None:
        """The network lets the device speak again: what was kept back counts as spooled now."""
        self.held = False
        self.pending = {seq: NEVER if seq in self.late else now for seq in self.pending}
        if self.online:
            self.connected(now, jitter)

    @property
    def speaks(self) -> bool:
        """Whether what it publishes goes out."""
        return self.online and not self.held

    def receipt(self, receipt: Receipt, now: int) -> list[int]:
        """Take a receipt; the seqs that may be forgotten. Gaps it names become due at once.

        A receipt of another epoch says nothing about this spool.
        """
        if receipt.epoch != self.epoch:
            return []
        ranges = iter([(0, receipt.upto), *receipt.beyond])
        top = receipt.beyond[-1][1] if receipt.beyond else receipt.upto
        low, high = next(ranges)
        gone: list[int] = []
        gaps: list[int] = []
        for seq in self.pending:
            if seq > top:
                break
            while seq > high:
                low, high = next(ranges)
            (gone if seq >= low else gaps).append(seq)
        for seq in gone:
            self.forget(seq)
        for seq in gaps if self.speaks else ():
            last = self._sent.get(seq)
            if last is not None and (seq not in self._filled or now - last >= _QUIET):
                self._filled.add(seq)
                self._plan(seq, now)
        return gone

    def step(self, now: int, room: int) -> list[int]:
        """The seqs to publish now, at most `room`; each is due again after RESEND."""
        found: list[int] = []
        while len(found) < room:
            at = self.next_due()
            if at is None or at > now:
                break
            _, seq = heapq.heappop(self._heap)
            self.resent += seq in self._sent
            self._sent[seq] = now
            self._plan(seq, now + RESEND)
            found.append(seq)
        return found

    def next_due(self) -> int | None:
        """When `step` has something to do next, or None."""
        heap = self._heap
        while heap and self._due.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def oldest(self) -> int | None:
        """When the oldest unreceipted message was spooled; None without one, and while all are kept back."""
        return None if self.held else next((at for at in self.pending.values() if at < NEVER), None)

    def _plan(self, seq: int, at: int) -> None:
        self._due[seq] = at
        heapq.heappush(self._heap, (at, seq))
