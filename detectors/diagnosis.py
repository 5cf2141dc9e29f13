"""Which cause explains what was measured: signatures of the catalogue against standardised deviations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from telemetry.catalogue import KindSpec
from telemetry.finding import Cause, Rejected

_RHO = 0.3
_LIKELY = 0.05
_WORSE = 2.0
_AS_MADE: Mapping[str, float] = {}
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Signature:
    """A cause's direction in feature space.

    Attributes:
        cause: fault or confounder id.
        family: of the fault; None for a confounder.
        prior: relative frequency.
        size: change of each feature at functional failure, in the feature's unit; NaN where it says nothing.
        moving: `(feature, size)` of those that change.
    """

    cause: str
    family: str | None
    prior: float
    size: tuple[float, ...]
    moving: tuple[tuple[int, float], ...] = field(init=False)

    def __post_init__(self) -> None:
        moving = tuple((i, size) for i, size in enumerate(self.size) if size < 0 or size > 0)
        object.__setattr__(self, "moving", moving)


class Match(NamedTuple):
    """How well a signature fits deviations z (standard deviations).

    Attributes:
        score: standard normal for a healthy unit, up to the assumed correlation between features.
        amount: fraction of functional failure that fits best, 0 at least.
        explained: drop of the squared deviation by it.
    """

    score: float
    amount: float
    explained: float


def signatures_of(kind: KindSpec, *, relative: bool) -> list[Signature]:
    """Signatures of a kind, faults first. With `relative` sizes are changes of the logarithm."""
    names = list(kind.features)
    means = [1.0 if relative else abs(spec.mean) for spec in kind.features.values()]

    def sizes(effects: tuple[object, ...]) -> tuple[float, ...]:
        out = [math.nan] * len(names)
        for effect in effects:
            at = names.index(effect.feature)  # type: ignore[attr-defined]
            size: float = effect.size  # type: ignore[attr-defined]
            move = (math.log1p(size) if relative else size) * means[at]
            out[at] = effect.direction * move  # type: ignore[attr-defined]
        return tuple(out)

    faults = [
        Signature(name, fault.family, fault.prior, sizes(fault.signature))
        for name, fault in kind.faults.items()
        if any(effect.direction for effect in fault.signature)
    ]
    return faults + [Signature(name, None, 1.0, sizes(c.signature)) for name, c in kind.confounders.items()]


def match(signature: Signature, z: list[float], sd: list[float], most: float = math.inf) -> Match:
    """Fit one signature to deviations, at most `most` of it; features unknown in this cycle say nothing."""
    dot = square = total = 0.0
    for i, size in signature.moving:
        zi = z[i]
        if zi == zi:  # noqa: PLR0124  (not NaN; most of a cycle's time is spent here)
            d = size / sd[i]
            dot += d * zi
            square += d * d
            total += d if d > 0 else -d
    if square == 0.0:
        return Match(0.0, 0.0, 0.0)
    score = dot / math.sqrt((1 - _RHO) * square + _RHO * total * total)
    amount = min(most, max(0.0, dot / square))
    return Match(score, amount, amount * (2 * dot - amount * square))


def bounded(z: list[float], bound: float) -> list[float]:
    """Deviations none of which is beyond `bound`, in the direction that they had.

    A bound on each alone would turn a gauge that stands still, far off in one feature, into what moves its others, too.
    """
    share = share_within(z, bound)
    return z if share == 1.0 else [x * share for x in z]


def share_within(z: list[float], bound: float) -> float:
    """Share of deviations that a bound on the largest leaves."""
    largest = max((abs(x) for x in z if not math.isnan(x)), default=0.0)
    return bound / largest if largest > bound else 1.0


@dataclass(frozen=True, slots=True)
class Deviations:
    """What one judgement saw, a number a feature.

    Attributes:
        z: standardised deviations; NaN where unknown.
        sd: their standard deviations in the feature's unit.
        value: what was measured, for people.
        usual: what is usual, for people.
    """

    z: list[float]
    sd: list[float]
    value: list[float]
    usual: list[float]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Causes of a family ranked, and what was ruled out."""

    causes: tuple[Cause, ...]
    rejected: tuple[Rejected, ...]
    amount: float


def diagnose(
    names: list[str],
    signatures: list[Signature],
    family: str,
    seen: Deviations,
    learned: Mapping[str, float] = _AS_MADE,
) -> Diagnosis:
    """Rank the causes of a family, with an abstain class, and say what speaks against the others.

    Args:
        names: feature ids.
        signatures: of the kind.
        family: whose causes are asked for.
        seen: the deviations to explain.
        learned: factors on the prior probabilities of causes and of `unknown`, from confirmed causes.
    """
    z, sd = seen.z, seen.sd
    judged = [
        i for i in range(len(names)) if not math.isnan(z[i]) and any(not math.isnan(s.size[i]) for s in signatures)
    ]
    whole = sum(min(z[i] * z[i], 400.0) for i in judged)
    # Signatures are rough: the more there is to explain, the less each unit of misfit may count.
    heat = max(1.0, whole / 16)
    fits = {s.cause: match(s, z, sd) for s in signatures}
    weight: dict[str, float] = {}
    for s in signatures:
        if s.family == family:
            weight[s.cause] = (
                learned.get(s.cause, 1.0) * s.prior * math.exp(-0.5 * max(0.0, whole - fits[s.cause].explained) / heat)
            )
    weight[UNKNOWN] = learned.get(UNKNOWN, 1.0) * 0.15 * math.exp(-0.5 * 0.5 * whole / heat)
    scale = sum(weight.values())
    causes = []
    for cause, w in sorted(weight.items(), key=lambda item: -item[1]):
        signature = next((s for s in signatures if s.cause == cause), None)
        causes.append(Cause(cause, w / scale, () if signature is None else _reasons(names, signature, seen)))
    named = [c for c in causes if c.fault != UNKNOWN]
    amount = fits[named[0].fault].amount if named else 0.0
    best = max((fits[c.fault].explained for c in named), default=0.0)
    rejected = []
    for s in signatures:
        unlikely = s.family != family or weight[s.cause] / scale < _LIKELY
        if unlikely and fits[s.cause].explained < best:
            against = _against(names, s, max(fits[s.cause].amount, amount, 0.2), seen)
            if against is not None:
                rejected.append(against)
    return Diagnosis(tuple(causes), tuple(rejected), amount)


def _reasons(names: list[str], signature: Signature, seen: Deviations) -> tuple[tuple[str, float, float], ...]:
    """Features that moved as the cause says, strongest first."""
    spoken = [
        (abs(z), i)
        for i, (size, z) in enumerate(zip(signature.size, seen.z, strict=True))
        # An average speaks of features that this cycle did not show, too: there is no value of these to tell.
        if not math.isnan(size) and size * z > 0 and abs(z) > 1 and not math.isnan(seen.value[i])
    ]
    strongest = sorted(spoken, key=lambda item: (-item[0], item[1]))[:3]
    return tuple((names[i], seen.value[i], seen.usual[i]) for _, i in strongest)


def _against(names: list[str], signature: Signature, scale: float, seen: Deviations) -> Rejected | None:
    """The feature that contradicts a cause most, had it been as far along as the likely one."""
    worst: tuple[float, int] | None = None
    for i, size in enumerate(signature.size):
        if math.isnan(size) or math.isnan(seen.z[i]) or math.isnan(seen.value[i]):
            continue
        misfit = abs(seen.z[i] - scale * size / seen.sd[i])
        if worst is None or misfit > worst[0]:
            worst = (misfit, i)
    if worst is None or worst[0] < _WORSE:
        return None
    i = worst[1]
    return Rejected(signature.cause, names[i], seen.value[i], seen.usual[i] + scale * signature.size[i])
