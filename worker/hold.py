"""Devices without a spool: their readings are observed in time order, behind a hold.

Nothing numbers what a plug with somebody else's firmware says. Its readings wait in the database for `HOLD` of fleet
time, so that those that were overtaken on the way can still take their place; then they get the next numbers of one
epoch and go the way of all messages. What comes after its time has been passed is stored, marked late, not observed:
it stands in an epoch before that one, as a message of a spool that is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from storage.telemetry_rows import HeldReading
from telemetry.clock import MICROS
from telemetry.message import Envelope, telemetry_message
from telemetry.progress import Progress

HOLD = 60 * MICROS
OBSERVED_EPOCH = 1
LATE_EPOCH = 0


@dataclass(slots=True)
class Hold:
    """What waits of one device.

    Attributes:
        passed: event time up to which readings were observed; -1 before the first.
        seq: last number given in the epoch that is observed.
        late_seq: last number given to late ones.
        waiting: by event time.
        stored: event times of those that wait in the database too.
    """

    passed: int = -1
    seq: int = 0
    late_seq: int = 0
    waiting: dict[int, HeldReading] = field(default_factory=dict)
    stored: set[int] = field(default_factory=set)

    def add(self, reading: HeldReading) -> HeldReading | None:
        """Let a reading wait.

        Of two with one time the channels are put together, of one channel the first counts. Returns what waits now
        and did not before, or None when the reading says nothing new.
        """
        known = self.waiting.get(reading.t)
        if known is not None:
            fresh = {name: x for name, x in reading.q.items() if name not in known.q}
            if not fresh:
                return None
            reading = HeldReading(reading.device, reading.t, known.arrival, known.q | fresh)
        self.waiting[reading.t] = reading
        return reading

    def release(self, now: int) -> Iterator[HeldReading]:
        """Those whose hold has passed at a fleet time, in time order; they wait no longer."""
        for t in sorted(t for t in self.waiting if t <= now - HOLD):
            self.passed = t
            yield self.waiting.pop(t)

    def number(self) -> int:
        """The next number among the observed."""
        self.seq += 1
        return self.seq

    def number_late(self) -> int:
        """The next number among the late."""
        self.late_seq += 1
        return self.late_seq


def hold_of(progress: Iterable[Progress], last_t: int | None, held: Iterable[HeldReading]) -> Hold:
    """The hold of a device as the database knows it."""
    upto = {each.epoch: each.upto for each in progress}
    waiting = {each.t: each for each in held}
    passed = -1 if last_t is None or OBSERVED_EPOCH not in upto else last_t
    return Hold(passed, upto.get(OBSERVED_EPOCH, 0), upto.get(LATE_EPOCH, 0), waiting, set(waiting))


def numbered(reading: HeldReading, epoch: int, seq: int) -> Envelope:
    """A reading as the message of a device that counts."""
    return telemetry_message(epoch=epoch, seq=seq, base=seq, t_micros=reading.t, q=reading.q)
