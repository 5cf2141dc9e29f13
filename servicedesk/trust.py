"""How far a detector is believed: what outcomes said of it, and what follows. Pure numbers.

Precision is a Beta-Binomial estimate (Gelman et al., *Bayesian Data Analysis*, 2.4): the share of findings whose fault
was there, with a prior that stands for the false-finding budget that detectors are built to. It is counted for each
organisation, detector, kind, model and family over the last verdicts only, so that a detector can win trust back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from telemetry.catalogue import FaultSpec

UNKNOWN = "unknown"
_TINY = 1e-300
_CLOSE = 1e-12
_STEPS = 200
_HALVINGS = 60


class Truth(StrEnum):
    """What an outcome says of a finding."""

    TRUE = "true"
    FALSE = "false"
    OTHER_CAUSE = "other_cause"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Key:
    """Whose precision is meant; a device without a model has the empty one."""

    org: str
    detector: str
    kind: str
    model: str
    family: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one case turned out to be.

    Attributes:
        id: of the verdict.
        key: whose precision it moves.
        version: of the detector; empty where it said nothing.
        device: number of the device.
        ticket: that the outcome ended; the last outcome of a ticket counts.
        finding: None where telemetry missed it.
        told: cause that was told.
        confirmed: cause that was found.
        truth: the verdict.
        hit: a fault of the family was there.
        at: fleet time.
    """

    id: UUID
    key: Key
    version: str
    device: int
    ticket: UUID
    finding: UUID | None
    told: str | None
    confirmed: str | None
    truth: Truth
    hit: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """Verdicts counted: the last ones of findings, and faults that were missed meanwhile."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def findings(self) -> int:
        """Verdicts on findings."""
        return self.right + self.wrong


@dataclass(frozen=True, slots=True)
class Trust:
    """The bar and the priors.

    Attributes:
        prior_right: findings that count as right before any verdict.
        prior_wrong: likewise as wrong.
        bar: below this lower bound a detector only suggests.
        least: verdicts before it may fall.
        level: of the interval.
        window: so many last verdicts count.
        cause_weight: verdicts that the catalogue's frequencies of causes count as.
    """

    prior_right: float = 4.0
    prior_wrong: float = 1.0
    bar: float = 0.5
    least: int = 5
    level: float = 0.8
    window: int = 30
    cause_weight: float = 10.0


DEFAULT_TRUST = Trust()


@dataclass(frozen=True, slots=True)
class Precision:
    """Share of findings whose fault was there: posterior mean and interval."""

    mean: float
    low: float
    high: float


def precision(tally: Tally, trust: Trust = DEFAULT_TRUST) -> Precision:
    """The posterior of a tally."""
    a, b = trust.prior_right + tally.right, trust.prior_wrong + tally.wrong
    tail = (1 - trust.level) / 2
    return Precision(a / (a + b), beta_quantile(tail, a, b), beta_quantile(1 - tail, a, b))


def suggest_only(tally: Tally, trust: Trust = DEFAULT_TRUST) -> bool:
    """Whether findings open no tickets for now."""
    return tally.findings >= trust.least and precision(tally, trust).low < trust.bar


def lesson(
    family: str,
    tally: Tally,
    causes: Mapping[str, int],
    faults: Mapping[str, FaultSpec],
    trust: Trust = DEFAULT_TRUST,
) -> dict[str, Any]:
    """What detectors of a model are told of a family: the body of a control entry `priors`.

    Rounded coarsely, so that one more verdict seldom says something new; as made until there are enough verdicts.

    Args:
        family: fault family.
        tally: its verdicts.
        causes: how often each cause was confirmed.
        faults: of the family.
        trust: the numbers.

    Returns:
        `threshold`, a factor on the evidence that an episode needs: 1 at the prior's precision or above, up to 2 below;
        `causes`, factors on the prior probabilities of causes and of `unknown`.
    """
    usual = trust.prior_right / (trust.prior_right + trust.prior_wrong)
    mean = precision(tally, trust).mean if tally.findings >= trust.least else usual
    whole = sum(fault.prior for fault in faults.values()) or 1.0
    confirmed = sum(causes.get(name, 0) for name in faults)
    weights = {UNKNOWN: _coarse(min(3.0, max(1.0, (1 - mean) / (1 - usual))))}
    for name, fault in faults.items():
        share = fault.prior / whole
        if share > 0 and confirmed >= trust.least:
            posterior = (trust.cause_weight * share + causes.get(name, 0)) / (trust.cause_weight + confirmed)
            weights[name] = _coarse(posterior / share)
        else:
            weights[name] = 1.0
    threshold = _coarse(min(2.0, max(1.0, 1.0 + 2.0 * (usual - mean))))
    return {"family": family, "threshold": threshold, "causes": dict(sorted(weights.items()))}


def _coarse(x: float) -> float:
    """To the quarter, and never nothing."""
    return max(0.25, round(4 * x) / 4)


def says_nothing(body: Mapping[str, Any]) -> bool:
    """Whether a lesson leaves detectors as they were made."""
    return body["threshold"] == 1 and all(weight == 1 for weight in body["causes"].values())


def beta_quantile(p: float, a: float, b: float) -> float:
    """The p-quantile of the Beta(a, b) distribution, by halving."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_cdf(middle, a, b) < p else (low, middle)
    return (low + high) / 2


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b).

    By its continued fraction with Lentz's method (Abramowitz and Stegun 26.5.8).
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    fraction = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 + term * d
            d = 1 / (d if abs(d) > _TINY else _TINY)
            c = 1 + term / c
            c = c if abs(c) > _TINY else _TINY
            fraction *= d * c
        if abs(d * c - 1) < _CLOSE:
            break
    return front * fraction / a
