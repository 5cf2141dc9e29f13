"""Types of a catalogue file. Unknown keys are refused; units are UCUM codes."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from telemetry.catalogue.guide import GuideStep
from telemetry.catalogue.measure import Course, MeasureSpec
from telemetry.catalogue.text import Text

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class ChannelSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measured quantity.

    Attributes:
        unit: UCUM code, e.g. `W`, `Cel`, `1`.
        low: values below are implausible and stored as absent, with the raw message kept.
        high: likewise above.
        title: for pages.
        slow: it strays with its surroundings, as temperatures do: of a continuous kind only its quick changes are
            judged.
    """

    unit: str
    low: float
    high: float
    title: Text
    slow: bool = False


class PhaseSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A phase of operation.

    Attributes:
        every: seconds between samples in this phase.
        batch: samples a message holds in this phase.
        title: for pages.
        active: whether the appliance works (counts towards a cycle).
    """

    every: Positive
    batch: Annotated[int, msgspec.Meta(ge=1, le=2000)]
    title: Text
    active: bool = False


class FeatureSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A number computed once per cycle (or per window, for continuous kinds).

    Attributes:
        unit: UCUM code.
        title: for charts and explanations.
        mean: cohort prior of a healthy device: centre.
        spread: cohort prior: standard deviation between healthy units, same conditions.
        noise: standard deviation from cycle to cycle of one unit.
        explained_by: features that condition this one (e.g. ambient), regressed out.
        slopes: prior change of the feature a unit of each `explained_by`, same order.
        technical: owners see it only when nothing plainer has left its usual range.
        per_day: a share of time, which owners read in hours a day.
    """

    unit: str
    title: Text
    mean: float
    spread: Annotated[float, msgspec.Meta(ge=0)]
    noise: Positive
    explained_by: tuple[Id, ...] = ()
    slopes: tuple[float, ...] = ()
    technical: bool = False
    per_day: bool = False


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a cause moves a feature.

    Attributes:
        feature: id of the kind's features.
        direction: +1 up, -1 down, 0 must stay.
        size: typical relative size at functional failure, as a fraction of the feature's mean.
    """

    feature: Id
    direction: Literal[-1, 0, 1]
    size: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class VerifySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What proves a repair: so many cycles, or so many hours, in band. Exactly one is set."""

    cycles: Annotated[int, msgspec.Meta(ge=1)] | None = None
    hours: Positive | None = None


class PartSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A spare part a repair needs."""

    sku: str
    title: Text


class PriceBand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Honest price outside warranty, both ends, in whole units of the currency."""

    currency: str
    low: Annotated[int, msgspec.Meta(ge=0)]
    high: Annotated[int, msgspec.Meta(ge=0)]


class Influence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a fault, at level 1 (functional failure), changes one quantity of the simulated appliance.

    In between it changes in proportion to the level. What is not set changes nothing.

    Attributes:
        factor: the quantity is multiplied by this.
        add: this is added, in the quantity's unit.
        failed: from level 1 on it is multiplied by this instead of `factor` (a seized motor: 0).
        bias: of a sensor: its reading is off by this.
        noise: of a sensor: standard deviation that is added.
        stuck: of a sensor: its reading stands at this value from the onset on.
        dropout: of a sensor: the share of its readings that is missing.
    """

    factor: Annotated[float, msgspec.Meta(ge=0)] | None = None
    add: float | None = None
    failed: Annotated[float, msgspec.Meta(ge=0)] | None = None
    bias: float | None = None
    noise: Annotated[float, msgspec.Meta(ge=0)] | None = None
    stuck: float | None = None
    dropout: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


class CourseSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a fault develops between its onset and functional failure.

    Attributes:
        pattern: `slow` and `fast` grow steadily, over weeks or hours; `intermittent` comes in bursts that get denser.
        shape: exponent of the elapsed share of the lead time; above 1, wear grows faster towards the end.
        burst_hours: length of a burst.
    """

    pattern: Literal["slow", "fast", "intermittent"] = "slow"
    shape: Positive = 1.15
    burst_hours: Positive = 2.0


class FaultSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A way in which the appliance fails.

    Attributes:
        family: what one visit would mend; findings and tickets are one per family.
        component: the part that wears.
        severity: 1 (stop using) to 4 (information).
        safety: judged on arrival by event codes, overrides cost and quiet hours.
        events: event codes that are this fault at once (safety faults).
        signature: how features move.
        shown_by: the feature that shows it first; of a fault that comes fast, no cycle without it says anything.
        lead_days: typical days from first sign to functional failure, low and high.
        skill: what the technician must know.
        parts: what the visit must bring.
        minutes: work on site.
        price: band outside warranty.
        verify: what proves the repair.
        prior: relative frequency among the kind's faults.
        mechanism: what it does inside the simulated appliance: a parameter of the physics, `sensor.CHANNEL` or
            `drive.NAME` to its influence.
        self_test: what it makes of the self-test's quantities: each one's readings at `measure.LEVELS`. Of the others
            it leaves alone.
        seen_from: for a plug: the faults of other kinds, `KIND.FAULT`, that it would see as this one.
        course: how it develops.
        self_fix: a guide for the owner, where one is safe; steps in order.
        notice: one plain sentence for the owner of what was noticed; may hold `{onset}`, which is `about 21 October`
            or `2 March or before` (in Chinese with its 从), or `{day}`, the day alone.
        title: the cause, in a few words.
        explain: one sentence of what it does to the appliance.
        risk: what happens when left alone.
        safe: the answer to "is it safe to use?".
    """

    family: Id
    component: Id
    severity: Annotated[int, msgspec.Meta(ge=1, le=4)]
    safety: bool = False
    events: tuple[str, ...] = ()
    signature: tuple[Effect, ...] = ()
    shown_by: Id | None = None
    lead_days: tuple[Positive, Positive]
    skill: Id
    parts: tuple[PartSpec, ...] = ()
    minutes: Annotated[int, msgspec.Meta(ge=5, le=480)]
    price: PriceBand
    verify: VerifySpec
    prior: Positive = 1.0
    mechanism: dict[str, Influence] = {}
    self_test: dict[Id, Course] = {}
    seen_from: tuple[str, ...] = ()
    course: CourseSpec = CourseSpec()
    self_fix: tuple[GuideStep, ...] = ()
    notice: Text
    title: Text
    explain: Text
    risk: Text
    safe: Text


class ConfounderSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something innocent that looks like a fault.

    Attributes:
        signature: how features move.
        title: in a few words.
        against: how the telemetry tells it apart, one sentence for "what we ruled out".
        most: how far it can come, in shares of the signature's sizes; beyond it explains no more. Mains sag by so much.
    """

    signature: tuple[Effect, ...]
    title: Text
    against: Text
    most: Positive | None = None


class AftermathSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an innocent event leaves behind until the appliance has undone it: an open door's frost, until it melts.

    Attributes:
        feature: in which the event shows.
        above: value beyond which it was one, in the feature's unit.
        until: feature that is known of the first cycle in which the appliance undoes it.
        hours: after which it is believed in no longer.
        hides: features that say nothing meanwhile.
    """

    feature: Id
    above: float
    until: Id
    hours: Annotated[float, msgspec.Meta(gt=0, le=168)]
    hides: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1)]


class ModelSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model of the kind and the parameters of its physics (SI units, names as in the physics module)."""

    title: str
    parameters: dict[str, float] = {}


class CycleSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How readings become cycles.

    Attributes:
        channel: the channel whose level starts and ends a cycle.
        on: threshold above which the appliance works, in the channel's unit.
        off: threshold below which it rests.
        min_seconds: shorter activity is noise.
        gap_seconds: rest shorter than this is inside a cycle (soak pauses of a washer).
        adaptive: learn the two thresholds from the signal (plugs, whose load is unknown).
    """

    channel: Id
    on: float
    off: float
    min_seconds: float
    gap_seconds: float
    adaptive: bool = False


class RiverSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An estimator of river that watches a kind; its scores are calibrated and decided as every other score is.

    Attributes:
        estimator: module and class of river, e.g. `anomaly.HalfSpaceTrees` or `drift.PageHinkley`.
        params: of its constructor.
        sees: features of a kind that works in cycles, channels of a continuous one.
        fault: which fault it speaks for; its family is no other detector's.
        every: readings that are averaged to one value (continuous kinds).
        history: values that it learns from; of a drift detector, how many it remembers at least.
        reference: values behind them that its scores are calibrated on.
        hold: values for which a drift counts.
        threshold: evidence that opens an episode: about exp of so many values between false ones.
    """

    estimator: Annotated[str, msgspec.Meta(pattern=r"^(anomaly|drift)\.[A-Z][A-Za-z]{1,60}$")]
    params: dict[str, bool | int | float | str] = {}
    sees: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=8)]
    fault: Id
    every: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 10
    history: Annotated[int, msgspec.Meta(ge=16, le=512)] = 100
    reference: Annotated[int, msgspec.Meta(ge=20, le=512)] = 60
    hold: Annotated[int, msgspec.Meta(ge=2, le=512)] = 20
    threshold: Annotated[float, msgspec.Meta(ge=4, le=40)] = 14.0


class KindSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One appliance kind: one file of the catalogue.

    Attributes:
        kind: equals the file's name.
        title: for pages.
        detector: which detector family reads it.
        channels: name to channel, in the order of the table's columns.
        phases: name to phase.
        cycle: cycle definition, for cyclic kinds.
        features: id to feature.
        self_test: what the device's own test routine measures, by quantity; empty for a kind that has none.
        models: id to model.
        faults: id to fault.
        confounders: id to confounder.
        aftermath: what innocent events leave behind for a while.
        tuning: numbers of the kind's detector, by name.
        river: estimators of river that watch it too.
    """

    kind: Id
    title: Text
    detector: Literal["cycles", "multichannel"]
    channels: dict[Id, ChannelSpec]
    phases: dict[Id, PhaseSpec] = {}
    cycle: CycleSpec | None = None
    features: dict[Id, FeatureSpec] = {}
    self_test: dict[Id, MeasureSpec] = {}
    models: dict[Id, ModelSpec] = {}
    faults: dict[Id, FaultSpec] = {}
    confounders: dict[Id, ConfounderSpec] = {}
    aftermath: tuple[AftermathSpec, ...] = ()
    tuning: dict[str, float] = {}
    river: tuple[RiverSpec, ...] = ()

    def family_faults(self, family: str) -> dict[str, FaultSpec]:
        """The faults of one family, by id."""
        return {name: fault for name, fault in self.faults.items() if fault.family == family}
