"""From a world that breaks a promise to the shortest that still breaks it: fewer faults, then less of everything.

Faults are dropped by delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
IEEE Transactions on Software Engineering 28, 2002); then devices, workers, partitions and time, as far as the same
promise stays broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from stack.world.faults import Fault
from stack.world.shape import Shape
from telemetry.clock import MICROS

_LEAST: dict[str, Any] = {
    "gateways": 1,
    "devices": 1,
    "stranger": False,
    "poisoned": False,
    "workers": 1,
    "partitions": 1,
    "speed": 1.0,
}
_LEAST_SPAN = 2 * MICROS


def shrink(shape: Shape, breaks: Callable[[Shape], bool], patience: int = 200) -> Shape:
    """The smallest shape found that still breaks.

    Args:
        shape: breaks.
        breaks: runs a shape and says whether the same promise is broken.
        patience: runs at most.
    """
    left = [patience]

    def still(candidate: Shape) -> bool:
        if left[0] <= 0:
            return False
        left[0] -= 1
        return breaks(candidate)

    while True:
        smaller = _fewer_faults(shape, still)
        while (simpler := next((each for each in _simpler(smaller) if still(each)), None)) is not None:
            smaller = simpler
        if smaller == shape or left[0] <= 0:
            return smaller
        shape = smaller


def _fewer_faults(shape: Shape, still: Callable[[Shape], bool]) -> Shape:
    faults, parts = list(shape.faults), 2
    while faults:
        size = max(1, len(faults) // parts)
        for at in range(0, len(faults), size):
            fewer = faults[:at] + faults[at + size :]
            if still(replace(shape, faults=tuple(fewer))):
                faults, parts = fewer, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(faults))
    return replace(shape, faults=tuple(faults))


def _simpler(shape: Shape) -> Iterator[Shape]:
    """Shapes with one thing less."""
    for name, least in _LEAST.items():
        if getattr(shape, name) != least:
            yield replace(shape, **{name: least})
    last = max((fault.at + min(fault.lasts, MICROS) for fault in shape.faults), default=_LEAST_SPAN)
    for span in (max(last, _LEAST_SPAN), shape.span // 2):
        if _LEAST_SPAN <= span < shape.span and all(fault.at < span for fault in shape.faults):
            yield replace(shape, span=span)
    for number, fault in enumerate(shape.faults):
        if fault.lasts > MICROS:
            yield replace(shape, faults=_with(shape.faults, number, replace(fault, lasts=fault.lasts // 2)))


def _with(faults: tuple[Fault, ...], number: int, fault: Fault) -> tuple[Fault, ...]:
    return (*faults[:number], fault, *faults[number + 1 :])
