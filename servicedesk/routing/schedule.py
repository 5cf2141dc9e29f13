"""One technician's day: whether a row of visits can be kept, and when each begins. Exact, with pauses on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from servicedesk.routing.problem import Pause

Leg = Callable[[int, int], int]
"""Seconds from one place to another, by number."""
NOWHERE = -1
"""A shift without a home begins and ends where its visits are."""


class Halt(NamedTuple):
    """A visit of a day: work begins from `first` to `last` and takes `seconds`."""

    place: int
    first: int
    last: int
    seconds: int


class Day(NamedTuple):
    """The frame of a day: `home` is a place's number or `NOWHERE`."""

    start: int
    end: int
    home: int
    pauses: tuple[Pause, ...]


class Times(NamedTuple):
    """When each visit and each pause begins, at the earliest, and the seconds on the road."""

    begins: tuple[int, ...]
    pauses: tuple[int, ...]
    travel: int


def feasible(day: Day, halts: Sequence[Halt], leg: Leg) -> bool:
    """Whether the visits can be kept in this order."""
    return _run(day, halts, leg) if not day.pauses else _search(day, halts, leg) is not None


def times(day: Day, halts: Sequence[Halt], leg: Leg) -> Times | None:
    """The earliest times at which the visits can be kept in this order, or None."""
    found = _search(day, halts, leg)
    if found is None:
        return None
    legs = _legs(day, halts, leg)
    return Times(tuple(found[0]), tuple(found[1]), sum(legs))


def travel(day: Day, halts: Sequence[Halt], leg: Leg) -> int:
    """Seconds on the road for visits in this order, whether they can be kept or not."""
    return sum(_legs(day, halts, leg))


def _run(day: Day, halts: Sequence[Halt], leg: Leg) -> bool:
    now, place = day.start, day.home
    for halt in halts:
        if place != NOWHERE:
            now += leg(place, halt.place)
        if now > halt.last:
            return False
        now = max(now, halt.first) + halt.seconds
        place = halt.place
    if day.home != NOWHERE and halts:
        now += leg(place, day.home)
    return now <= day.end


def _legs(day: Day, halts: Sequence[Halt], leg: Leg) -> list[int]:
    """Seconds of each leg, the one home included."""
    places = [halt.place for halt in halts]
    first = leg(day.home, places[0]) if places and day.home != NOWHERE else 0
    last = leg(places[-1], day.home) if places and day.home != NOWHERE else 0
    return [first, *(leg(a, b) for a, b in pairwise(places)), last]


def _search(day: Day, halts: Sequence[Halt], leg: Leg) -> tuple[list[int], list[int]] | None:
    """Earliest end for every number of pauses taken after every visit; an earlier end is never worse.

    A pause is taken on the way: what was driven before it need not be driven after.
    """
    legs, pauses = _legs(day, halts, leg), day.pauses
    # By pauses taken: (time, begins of visits, begins of pauses).
    states: dict[int, tuple[int, list[int], list[int]]] = {0: (day.start, [], [])}
    for index in range(len(halts) + 1):
        reached: dict[int, tuple[int, list[int], list[int]]] = {}
        for taken, (left, begins, paused) in states.items():
            now, rest, resting = left, legs[index], paused
            for count in range(taken, len(pauses) + 1):
                arrive = now + rest
                if index < len(halts):
                    halt = halts[index]
                    if arrive > halt.last:
                        break
                    begin = max(arrive, halt.first)
                    state = (begin + halt.seconds, [*begins, begin], resting)
                else:
                    state = (arrive, begins, resting)
                if count not in reached or state[0] < reached[count][0]:
                    reached[count] = state
                if count == len(pauses):
                    break
                pause = pauses[count]
                start = max(now, pause.earliest)
                if start > pause.latest:
                    break
                rest -= min(rest, start - now)
                now = start + pause.seconds
                resting = [*resting, start]
        states = reached
    done = states.get(len(pauses))
    return None if done is None or done[0] > day.end else (done[1], done[2])
