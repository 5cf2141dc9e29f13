"""What stands in the bucket of leases, and what an observer knows of it: each record and since when it is as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from stream.port import Record, Write

_MEMBER = "member."
_LEASE = "lease."


class MemberRecord(msgspec.Struct, frozen=True, array_like=True):
    """A worker is there.

    Attributes:
        token: of this process: another token under the same name is its successor.
        count: grows with each write.
        left: it said good-bye.
    """

    token: str
    count: int
    left: bool = False


class LeaseRecord(msgspec.Struct, frozen=True, array_like=True):
    """A partition's owner; nobody's when `owner` is empty."""

    owner: str
    token: str
    count: int


_NOBODY: dict[type, tuple[object, ...]] = {MemberRecord: ("", 0, True), LeaseRecord: ("", "", 0)}
_K = TypeVar("_K")
_S = TypeVar("_S", MemberRecord, LeaseRecord)


@dataclass(slots=True)
class Seen(Generic[_S]):
    """A record as it was seen.

    Attributes:
        raw: with its revision; 0 when it is gone.
        record: what it says.
        since: monotonic seconds of the first look that showed it so.
    """

    raw: Record
    record: _S
    since: float


def write_member(name: str, record: MemberRecord, revision: int) -> Write:
    """The write of a worker's record."""
    return Write(_MEMBER + name, msgspec.json.encode(record), revision)


def write_lease(partition: int, record: LeaseRecord, revision: int) -> Write:
    """The write of a partition's lease."""
    return Write(f"{_LEASE}{partition}", msgspec.json.encode(record), revision)


def members_in(records: Mapping[str, Record]) -> Iterator[tuple[str, Record]]:
    """Records of workers, by name."""
    return ((key[len(_MEMBER) :], raw) for key, raw in records.items() if key.startswith(_MEMBER))


def leases_in(records: Mapping[str, Record]) -> Iterator[tuple[int, Record]]:
    """Leases, by partition."""
    for key, raw in records.items():
        number = key.removeprefix(_LEASE)
        if number != key and number.isdecimal():
            yield int(number), raw


def read_owners(records: Mapping[str, Record]) -> tuple[list[str], dict[int, str]]:
    """Members that did not leave, and the owner of each partition that has one, as the records say."""
    members = sorted(name for name, raw in members_in(records) if not decode(raw, MemberRecord).left)
    owners = {partition: decode(raw, LeaseRecord).owner for partition, raw in leases_in(records)}
    return members, {partition: owner for partition, owner in sorted(owners.items()) if owner}


def look(
    before: Mapping[_K, Seen[_S]], records: Iterator[tuple[_K, Record]], kind: type[_S], at: float, expiry: float
) -> dict[_K, Seen[_S]]:
    """What is known after a look at `at`, monotonic seconds; what is gone is remembered for `expiry` seconds."""
    found: dict[_K, Seen[_S]] = {}
    for key, raw in records:
        known = before.get(key)
        found[key] = known if known is not None and known.raw == raw else Seen(raw, decode(raw, kind), at)
    for key, gone in before.items():
        # A bucket that was lost says nothing about who is at work: what stood in it counts until it expires.
        if key not in found and gone.raw.revision:
            found[key] = Seen(Record(0, gone.raw.value), gone.record, at)
        elif key not in found and at - gone.since < expiry:
            found[key] = gone
    return found


def written(write: Write, revision: int, kind: type[_S], at: float) -> Seen[_S]:
    """What is known after a write of our own."""
    raw = Record(revision, write.value)
    return Seen(raw, decode(raw, kind), at)


def decode(raw: Record, kind: type[_S]) -> _S:
    """What a record says; one that cannot be read is nobody's, but its revision counts."""
    try:
        return msgspec.json.decode(raw.value, type=kind)
    except msgspec.MsgspecError:
        return msgspec.convert(_NOBODY[kind], type=kind)
