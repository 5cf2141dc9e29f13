"""What the self-test of a kind measures: its healthy readings, and what faults make of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import msgspec

from telemetry.catalogue.text import Text

if TYPE_CHECKING:
    from telemetry.catalogue.model import KindSpec

LEVELS = (0.25, 0.5, 0.75, 1.0)
"""How far a fault has come, of functional failure, where a fault's page gives the readings of the self-test."""
Course = tuple[float, float, float, float]
"""What a quantity reads at each of `LEVELS`, in its unit; between them, and the healthy reading, it goes straight."""


class MeasureSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A quantity that the device's own test routine measures.

    Attributes:
        unit: UCUM code, e.g. `W`, `/min`, `1`.
        title: for pages.
        healthy: mean of healthy units, over the kind's models.
        spread: standard deviation between them, the test's own noise included.
        low: readings below are absurd: the test went wrong.
        high: likewise above.
    """

    unit: str
    title: Text
    healthy: float
    spread: Annotated[float, msgspec.Meta(gt=0)]
    low: float
    high: float

    def takes(self, value: float) -> bool:
        """Whether a reading can be one; NaN cannot."""
        return self.low <= value <= self.high


def reading(measure: MeasureSpec, course: Course, level: float) -> float:
    """What a fault of some level makes of a quantity: straight between the given levels."""
    before, at = measure.healthy, 0.0
    for value, upto in zip(course, LEVELS, strict=True):
        if level <= upto:
            return before + (value - before) * (level - at) / (upto - at)
        before, at = value, upto
    return course[-1]


def measure_problems(kind: KindSpec) -> Iterator[tuple[str, str]]:
    """What is wrong with a kind's table of its self-test, as dotted key and sentence."""
    for name, measure in kind.self_test.items():
        key = f"self_test.{name}"
        if not measure.low <= measure.healthy <= measure.high:
            yield f"{key}.healthy", f"must lie between low {measure.low:g} and high {measure.high:g}"
        if name in kind.features or name in kind.channels:
            yield key, "is a feature or a channel, too: what explains a finding must have one name"
    for name, fault in kind.faults.items():
        for quantity, course in fault.self_test.items():
            key = f"faults.{name}.self_test.{quantity}"
            spec = kind.self_test.get(quantity)
            if spec is None:
                yield key, f"is not one of {', '.join(kind.self_test) or 'the self-test, which measures nothing'}"
            elif not all(map(spec.takes, course)):
                yield key, f"must lie between low {spec.low:g} and high {spec.high:g}"
