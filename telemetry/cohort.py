"""What a device tells of itself for comparison with its peers, and what it is told of them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0.0)]


class Own(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One feature of one device, averaged over its last days; in the feature's unit, of a plug in logarithms.

    Attributes:
        weight: cycles in the average.
        level: distance from the catalogue's expectation at equal conditions; None where there is no such.
        shift: distance from the device's own reference; None while there is none.
        scatter: standard deviation of one cycle about the device's own reference.
    """

    weight: float
    level: float | None
    shift: float | None
    scatter: float


class CohortSummary(msgspec.Struct, frozen=True, gc=False):
    """What a device tells once a day on which it worked.

    Attributes:
        day: whole days since 1970, UTC, of the newest cycle in it.
        features: by name.
        firmware: that the device said last, if it says any; the worker knows it.
    """

    day: int
    features: dict[str, Own]
    firmware: str | None = None


class Common(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """One feature of a device's peers; leave-one-out, so that nobody is compared with itself.

    Attributes:
        peers: how many it rests on.
        shift: median of their distances from their own references; 0 when they stand where they stood.
        shift_spread: how far peers lie from that median, as a standard deviation.
        level: median of their distances from the catalogue's expectation; None when too few have one.
        level_spread: likewise.
    """

    peers: Annotated[int, msgspec.Meta(ge=1)]
    shift: float = 0.0
    shift_spread: Share = 0.0
    level: float | None = None
    level_spread: Share = 0.0


class CohortReference(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Body of the control entry `cohort_reference`.

    Attributes:
        day: whole days since 1970, UTC, of the newest summary in it.
        features: by name; one that is not named is as made.
    """

    day: int
    features: dict[str, Common]

    def body(self) -> dict[str, Any]:
        """As a control entry carries it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def reference_of(body: dict[str, Any]) -> CohortReference | None:
    """The reference that a control entry carries; None when it carries none."""
    try:
        return msgspec.convert(body, CohortReference)
    except msgspec.ValidationError:
        return None
