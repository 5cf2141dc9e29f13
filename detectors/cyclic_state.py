"""What the detector of appliances that work in cycles remembers of a device, as it is snapshotted."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass
from typing import Annotated

import msgspec

from detectors.baseline import OwnState
from detectors.decision import Track
from detectors.episodes import Episode
from detectors.evidence import Bins
from detectors.levels import LevelState
from detectors.life import Growth
from detectors.peers import PeerState
from detectors.recovery import Recovery
from detectors.segment import SegmentState
from detectors.self_test import Heard
from detectors.standby import StandbyState
from detectors.updates import UpdateState
from telemetry.control import ControlEntry


@dataclass(frozen=True, slots=True)
class Span:
    """When what is judged began and ended, event times; and the epoch it came in."""

    start: int
    at: int
    epoch: int


class Stand:
    """Where a cycle's features stand, a number a feature; NaN where the cycle cannot tell.

    Attributes:
        x: regressors.
        plain: values without what updates did to them.
        off: distance of these from the unit's own reference.
        z_own: that distance in standard deviations.
        sd_own: these, in the feature's unit.
        z_coh: distance of the last cycles from the cohort, in standard deviations.
        sd_coh: likewise.
        usual: what is usual, for people.
        spread: variance of it.
        z_far: this cycle alone, bounded wider than `z_own`: distance from the unit's own reference, and from the cohort
            where that reference has not seen such conditions.
        sd_far: standard deviations of these, in the feature's unit.
        fresh: features under conditions that the reference has not seen; not judged but learned.
        share_own: what bounding has left of `z_own`, as a share.
        share_coh: likewise.
        share_far: likewise.
    """

    __slots__ = (
        "fresh",
        "off",
        "plain",
        "sd_coh",
        "sd_far",
        "sd_own",
        "share_coh",
        "share_far",
        "share_own",
        "spread",
        "usual",
        "x",
        "z_coh",
        "z_far",
        "z_own",
    )

    def __init__(self, size: int) -> None:
        self.plain, self.off, self.usual = [math.nan] * size, [math.nan] * size, [math.nan] * size
        self.z_own, self.z_coh, self.z_far = [math.nan] * size, [math.nan] * size, [math.nan] * size
        self.sd_own, self.sd_coh, self.sd_far, self.spread = [1.0] * size, [1.0] * size, [1.0] * size, [0.0] * size
        self.x: list[list[float]] = []
        self.fresh: list[int] = []
        self.share_own = self.share_coh = self.share_far = 1.0


class Recent(msgspec.Struct):
    """Moving averages of one feature's residual and conditions, for the test against the cohort.

    Attributes:
        residual: value minus the cohort's expectation; of a plug, deviation from its own reference in spreads.
        conditions: regressors.
        noise: variance of the average in units of one cycle's noise.
        n: cycles in it.
    """

    residual: float = 0.0
    conditions: list[float] = msgspec.field(default_factory=list)
    noise: float = 1.0
    n: int = 0

    def add(self, x: list[float], residual: float, forget: float) -> None:
        """One more cycle, which weighs `forget`, or as much as each of the first ones."""
        self.n += 1
        weight = max(forget, 1 / self.n)
        if self.n == 1:
            self.conditions, self.noise, self.residual = list(x), 1.0, residual
            return
        self.residual += weight * (residual - self.residual)
        self.conditions = [a + weight * (b - a) for a, b in zip(self.conditions, x, strict=True)]
        self.noise = (1 - weight) ** 2 * self.noise + weight**2


class Lesson(msgspec.Struct, forbid_unknown_fields=True):
    """What outcomes taught of a family, as the control entry `priors` says it.

    Attributes:
        family: fault family.
        threshold: factor on the evidence that an episode needs.
        causes: factors on the prior probabilities of causes and of `unknown`.
    """

    family: str
    threshold: Annotated[float, msgspec.Meta(ge=0.5, le=4.0)] = 1.0
    causes: dict[str, Annotated[float, msgspec.Meta(ge=0.0, le=100.0)]] = msgspec.field(default_factory=dict)


def lesson_of(entry: ControlEntry) -> Lesson | None:
    """The lesson of a control entry; None when it is none."""
    try:
        return msgspec.convert(entry.body, Lesson)
    except msgspec.ValidationError:
        return None


class CyclicState(msgspec.Struct):
    """Everything a device's detector knows, as it is snapshotted."""

    segment: SegmentState
    bins: Bins
    levels: LevelState = msgspec.field(default_factory=LevelState)
    own: list[OwnState] = msgspec.field(default_factory=list)
    recent: list[Recent] = msgspec.field(default_factory=list)
    tracks: dict[str, Track] = msgspec.field(default_factory=dict)
    episodes: dict[str, Episode] = msgspec.field(default_factory=dict)
    mended: dict[str, int] = msgspec.field(default_factory=dict)
    learned: int = 0
    first_t: int | None = None
    reference: list[list[float]] = msgspec.field(default_factory=list)
    reference_times: list[int] = msgspec.field(default_factory=list)
    usual: list[tuple[float, float]] = msgspec.field(default_factory=list)
    runs_a_day: float = 0.0
    lessons: dict[str, Lesson] = msgspec.field(default_factory=dict)
    growth: dict[str, Growth] = msgspec.field(default_factory=dict)
    heard: dict[str, Heard] = msgspec.field(default_factory=dict)
    peers: PeerState = msgspec.field(default_factory=PeerState)
    aftermath: dict[str, int] = msgspec.field(default_factory=dict)
    updates: UpdateState = msgspec.field(default_factory=UpdateState)
    standby: StandbyState = msgspec.field(default_factory=StandbyState)
    recovery: Recovery = msgspec.field(default_factory=Recovery)


def clipped(z: float, most: float) -> float:
    """A deviation bounded on both sides; NaN stays."""
    return z if math.isnan(z) else max(-most, min(most, z))


def take_lesson(state: CyclicState, entry: ControlEntry, families: Container[str]) -> None:
    """Take a lesson on a family; one that is on none of `families` changes nothing."""
    lesson = lesson_of(entry)
    if lesson is not None and lesson.family in families:
        state.lessons[lesson.family] = lesson
