"""Who owns which partition: the decisions of one worker, without thread, socket or clock.

A bucket holds one record a member, written again about every second, and one a partition: its lease, written again as
often by its owner. Every write is a compare-and-set on the record's revision, so that of two who want the same only
one succeeds, however old their view. A lease that did not change for `Timing.expiry` seconds *on the observer's own
clock*, while the observer was looking, is free; its owner stops after `Timing.grace`, which is shorter, counted from
before its last successful write was sent. Nobody's clock is compared with anybody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from stream.port import Record, Write
from worker.lease_records import (
    LeaseRecord,
    MemberRecord,
    Seen,
    leases_in,
    look,
    members_in,
    write_lease,
    write_member,
    written,
)
from worker.shares import assign


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds.

    Attributes:
        beat: between two writes of a record.
        grace: for so long after a write the owner may commit.
        expiry: after so long without a change others may take; above `grace` by what an observer may be late.
        gap: an observer that did not look for so long begins to count anew.
    """

    beat: float = 0.8
    grace: float = 2.2
    expiry: float = 3.0
    gap: float = 1.5


class Purpose(Enum):
    """What a write is for."""

    BEAT = "beat"
    TAKE = "take"
    RENEW = "renew"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Effect:
    """A write to carry out and to report with `Ownership.wrote`."""

    purpose: Purpose
    write: Write
    partition: int = -1


@dataclass(frozen=True, slots=True)
class Holding:
    """A partition that this worker holds.

    Attributes:
        term: names this holding; after a loss the next one has another.
        until: monotonic seconds up to which it may commit.
        leaving: another is to have it: hand it over, then say `released`.
    """

    term: int
    until: float
    leaving: bool


@dataclass(slots=True)
class _Held:
    term: int
    revision: int
    sent: float
    leaving: bool = False
    released: bool = False


class Ownership:
    """One worker's part in sharing the partitions.

    Args:
        name: of the worker; a successor under the same name has its partitions at once.
        token: of this process, unique.
        partitions: how many there are.
        timing: see there.

    Attributes:
        joined: its first record was written.
        replaced: another process runs under its name; it has to end.
    """

    def __init__(self, name: str, token: str, partitions: int, timing: Timing | None = None) -> None:
        self.name = name
        self.token = token
        self.replaced = False
        self._partitions = partitions
        self._timing = timing or Timing()
        self._members: dict[str, Seen[MemberRecord]] = {}
        self._leases: dict[int, Seen[LeaseRecord]] = {}
        self._held: dict[int, _Held] = {}
        self._observed: float | None = None
        self.joined = False
        self._beaten = 0.0
        self._revision = 0
        self._count = 0

    # what is seen

    def observe(self, records: Mapping[str, Record], at: float) -> None:
        """Take one look at the bucket.

        Args:
            records: all of it.
            at: monotonic seconds, from after the answer: no owner wrote later what is in it.
        """
        if self._observed is None or at - self._observed > self._timing.gap:
            # Nobody's silence counts while nobody listened.
            for member in self._members.values():
                member.since = at
            for lease in self._leases.values():
                lease.since = at
        self._observed = at
        expiry = self._timing.expiry
        self._members = look(self._members, members_in(records), MemberRecord, at, expiry)
        self._leases = look(self._leases, leases_in(records), LeaseRecord, at, expiry)
        mine = self._members.get(self.name)
        # A view that is older than our own last record (a late answer, a replica behind) shows our predecessor.
        newer = mine is not None and mine.raw.revision > self._revision
        if self.joined and newer and mine is not None and mine.record.token != self.token:
            self.replaced = True
            self._held.clear()
        for partition, held in list(self._held.items()):
            seen = self._leases.get(partition)
            if seen is None or seen.raw.revision <= held.revision:
                # An older view than our own last write; the next renewal will tell.
                continue
            if self._is_mine(seen.record):
                held.revision = seen.raw.revision
            else:
                del self._held[partition]

    # what is to be done

    def step(self, now: float) -> list[Effect]:
        """Writes to carry out now, each to be reported with `wrote` if it was answered."""
        if self._observed is None or self.replaced:
            return []
        if not self.joined:
            return [self._beat(left=False)]
        effects = [self._beat(left=False)] if now - self._beaten >= self._timing.beat else []
        target = self._target(now)
        for partition in range(self._partitions):
            wanted = target[partition] == self.name
            effect = self._step_partition(partition, now, wanted=wanted)
            if effect is not None:
                effects.append(effect)
        return effects

    def _step_partition(self, partition: int, now: float, *, wanted: bool) -> Effect | None:
        held, lease = self._held.get(partition), self._leases.get(partition)
        if held is not None:
            held.leaving = not wanted
            if held.released:
                return self._lease(Purpose.FREE, partition, held.revision)
            if now - held.sent >= self._timing.beat:
                return self._lease(Purpose.RENEW, partition, held.revision)
            return None
        revision = 0 if lease is None else lease.raw.revision
        if lease is not None and self._is_mine(lease.record):
            # The answer to an earlier write was lost.
            return self._lease(Purpose.TAKE if wanted else Purpose.FREE, partition, revision)
        if wanted and self._is_free(lease, now):
            return self._lease(Purpose.TAKE, partition, revision)
        return None

    def leave(self) -> list[Effect]:
        """Writes that free everything and say good-bye; nothing may be committed any more."""
        effects = [self._lease(Purpose.FREE, partition, held.revision) for partition, held in self._held.items()]
        self._held.clear()
        return [*effects, self._beat(left=True)] if self.joined and not self.replaced else effects

    def wrote(self, effect: Effect, revision: int | None, sent: float) -> None:
        """A write was answered; one without an answer is not reported: the next look tells.

        Args:
            effect: as `step` gave it.
            revision: of the record now, or None when it had changed meanwhile.
            sent: monotonic seconds, from before it was sent.
        """
        if effect.purpose is Purpose.BEAT:
            if revision is not None:
                self.joined = True
                self._beaten = sent
                self._revision = revision
                self._members[self.name] = written(effect.write, revision, MemberRecord, sent)
            return
        partition = effect.partition
        if revision is None:
            self._held.pop(partition, None)
            return
        self._leases[partition] = written(effect.write, revision, LeaseRecord, sent)
        held = self._held.get(partition)
        if effect.purpose is Purpose.FREE:
            self._held.pop(partition, None)
        elif held is None:
            self._held[partition] = _Held(revision, revision, sent)
        else:
            held.revision, held.sent = revision, sent

    # what the pipeline asks and says

    def holdings(self) -> dict[int, Holding]:
        """What is held, valid or lapsed: compare `until` with the clock."""
        return {
            partition: Holding(held.term, held.sent + self._timing.grace, held.leaving)
            for partition, held in self._held.items()
            if not held.released
        }

    def released(self, partition: int, term: int) -> None:
        """A leaving partition was handed over: nothing of it is in work any more."""
        held = self._held.get(partition)
        if held is not None and held.term == term:
            held.released = True

    # inside

    def live(self, now: float) -> set[str]:
        """Members that are there, this one included."""
        there = {
            name
            for name, seen in self._members.items()
            if not seen.record.left and now - seen.since < self._timing.expiry
        }
        return there | {self.name}

    def _target(self, now: float) -> dict[int, str]:
        owners = dict.fromkeys(self._held, self.name)
        for partition, lease in self._leases.items():
            if partition not in owners and not self._is_free(lease, now):
                owners[partition] = lease.record.owner
        return assign(self._partitions, self.live(now), owners)

    def _is_mine(self, lease: LeaseRecord) -> bool:
        return lease.owner == self.name and lease.token == self.token

    def _is_free(self, lease: Seen[LeaseRecord] | None, now: float) -> bool:
        if lease is None or not lease.record.owner or now - lease.since >= self._timing.expiry:
            return True
        owner = self._members.get(lease.record.owner)
        # Its owner left, or its successor is there already.
        return owner is not None and (owner.record.left or owner.record.token != lease.record.token)

    def _beat(self, *, left: bool) -> Effect:
        mine = self._members.get(self.name)
        self._count += 1
        revision = 0 if mine is None else mine.raw.revision
        return Effect(Purpose.BEAT, write_member(self.name, MemberRecord(self.token, self._count, left), revision))

    def _lease(self, purpose: Purpose, partition: int, revision: int) -> Effect:
        self._count += 1
        owner, token = ("", "") if purpose is Purpose.FREE else (self.name, self.token)
        record = LeaseRecord(owner, token, self._count)
        return Effect(purpose, write_lease(partition, record, revision), partition)
