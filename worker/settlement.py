"""What a worker must do so that what it works on agrees with its leases, and in which order; its pipeline does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from worker.ownership import Holding


@dataclass(frozen=True, slots=True)
class Holdings:
    """What is held at a moment.

    Attributes:
        partitions: held ones, by number.
        at: monotonic seconds.
    """

    partitions: dict[int, Holding]
    at: float

    def lost(self, partition: int, term: int) -> bool:
        """Whether a holding is over for good."""
        holding = self.partitions.get(partition)
        return holding is None or holding.term != term

    def lapsed(self, partition: int, term: int) -> bool:
        """Whether nothing may be committed under a holding now; a renewal brings it back."""
        return self.lost(partition, term) or self.at > self.partitions[partition].until


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is to be done, in this order (`carry_out`).

    Attributes:
        lost: forget these partitions.
        waits: a lease has lapsed: nothing else now, and nothing may be committed.
        unused: leases to let go of at once, as nothing was ever done under them; partition to term.
        leaving: hand these over: snapshots first, then the leases.
        new: own these from their committed positions; partition to term.
    """

    lost: list[int]
    waits: bool = False
    unused: dict[int, int] = field(default_factory=dict)
    leaving: list[int] = field(default_factory=list)
    new: dict[int, int] = field(default_factory=dict)


def settle(terms: Mapping[int, int], held: Holdings) -> Settlement:
    """Compare what is worked on with what is held.

    Args:
        terms: of the partitions in work.
        held: the leases.
    """
    lost = [partition for partition, term in terms.items() if held.lost(partition, term)]
    kept = {partition: term for partition, term in terms.items() if partition not in lost}
    if any(held.lapsed(partition, term) for partition, term in kept.items()):
        return Settlement(lost, waits=True)
    free = {partition: holding for partition, holding in held.partitions.items() if partition not in kept}
    return Settlement(
        lost,
        unused={partition: holding.term for partition, holding in free.items() if holding.leaving},
        leaving=[partition for partition in kept if held.partitions[partition].leaving],
        # Taking ends the former owner's backend: whoever wakes from a long sleep must not do so under a lapsed lease.
        new={p: holding.term for p, holding in free.items() if not holding.leaving and held.at <= holding.until},
    )


class Hands(Protocol):
    """Who works on partitions."""

    def lose(self, partition: int) -> None:
        """Forget a partition: its lease is over."""
        ...

    def let_go(self, partition: int, term: int) -> None:
        """Give back a lease under which nothing was done."""
        ...

    def hand_over(self, partitions: list[int]) -> None:
        """Leave snapshots and positions behind, then the leases."""
        ...

    def take(self, new: dict[int, int]) -> None:
        """Own partitions from their committed positions; partition to term."""
        ...


def carry_out(todo: Settlement, hands: Hands) -> bool:
    """Do what a settlement says. Returns whether anything may be committed now."""
    for partition in todo.lost:
        hands.lose(partition)
    if todo.waits:
        return False
    for partition, term in todo.unused.items():
        hands.let_go(partition, term)
    if todo.leaving:
        hands.hand_over(todo.leaving)
    if todo.new:
        hands.take(todo.new)
    return True
