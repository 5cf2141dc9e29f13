"""Fair shares of the partitions: the same in every worker, with as few moves as there can be."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from functools import lru_cache


def assign(partitions: int, members: Collection[str], owners: Mapping[int, str]) -> dict[int, str]:
    """Share partitions among members: every two shares differ by one at most, and as few as possible move.

    Who holds most keeps the larger share; what is over goes, partition by partition, to the member of the highest
    rendezvous weight that has room (Thaler and Ravishankar 1998, with a bound on each share).

    Args:
        partitions: their count.
        members: at least one.
        owners: who holds what at present; owners that are no members count for nothing.
    """
    held: dict[str, list[int]] = {member: [] for member in members}
    for partition in range(partitions):
        owner = owners.get(partition)
        if owner in held:
            held[owner].append(partition)
    share, larger = divmod(partitions, len(held))
    ranked = sorted(held, key=lambda member: (-len(held[member]), weight(member, -1), member))
    room = {member: share + (rank < larger) for rank, member in enumerate(ranked)}
    target: dict[int, str] = {}
    for member, own in held.items():
        kept = sorted(own, key=lambda partition: -weight(member, partition))[: room[member]]
        target.update(dict.fromkeys(kept, member))
        room[member] -= len(kept)
    for partition in range(partitions):
        if partition not in target:
            best = max((m for m in ranked if room[m]), key=lambda member: weight(member, partition))
            target[partition] = best
            room[best] -= 1
    return target


@lru_cache(maxsize=65_536)
def weight(member: str, partition: int) -> int:
    """Rendezvous weight of a pair: the same in every process."""
    return int.from_bytes(hashlib.blake2b(f"{member}/{partition}".encode(), digest_size=8).digest())
