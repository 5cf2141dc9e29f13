"""What is usual: the cohort's prior, and the unit's own reference that starts from it.

A feature is modelled as `offset + slopes * (conditions - their prior mean) + noise`. The catalogue gives the prior
of offset and slopes; the unit's first clean cycles update it by recursive least squares (the Kalman form of Bayesian
linear regression, West & Harrison 1997, ch. 4), and then it stands: wear must not be learned away.
"""

from __future__ import annotations

import math

import msgspec

from telemetry.catalogue import FeatureSpec, KindSpec

_SLOPE_DOUBT = 0.3
_FEW = 8
"""Cycles with a feature before it is held against the unit's own reference, where a kind's page asks (`frontier`)."""
_FOUR_FIFTHS = 0.3901
_MAD = 1.4826


class OwnState(msgspec.Struct):
    """Posterior of one feature: coefficients, covariance (row by row), cycles learned from; conditions seen in them.

    Attributes:
        low: least regressors that the reference covers.
        high: greatest ones.
    """

    theta: list[float]
    cov: list[list[float]]
    n: int = 0
    low: list[float] = msgspec.field(default_factory=list)
    high: list[float] = msgspec.field(default_factory=list)


class Expectation(msgspec.Struct, frozen=True):
    """What a feature should be: mean, and variances of the cycle's noise and of the mean itself."""

    mean: float
    noise: float
    doubt: float


class FeatureModel:
    """Prior and posterior of one conditioned feature.

    Args:
        spec: the catalogue's prior.
        explained: index and prior mean of each conditioning feature.
        reach: how far beyond what the reference has seen of each it still holds, in its unit.
        bend: how far the truth may leave a straight line, as a share of what the conditions move it from the middle of
            those that the reference was learned under.
    """

    def __init__(
        self, spec: FeatureSpec, explained: list[tuple[int, float]], reach: list[float], bend: float = 0.0
    ) -> None:
        self.spec = spec
        self._bend = bend
        self._reach = [0.0, *reach]
        self._explained = explained
        self._noise = spec.noise**2
        self._prior_theta = [spec.mean, *spec.slopes]
        self._prior_var = [spec.spread**2, *((_SLOPE_DOUBT * slope) ** 2 for slope in spec.slopes)]

    def fresh(self) -> OwnState:
        """The prior as a state."""
        size = len(self._prior_theta)
        cov = [[self._prior_var[i] if i == j else 0.0 for j in range(size)] for i in range(size)]
        return OwnState(list(self._prior_theta), cov)

    def conditions(self, values: list[float]) -> list[float]:
        """Regressors of a cycle: 1, then each condition's distance from its prior mean; 0 where it is unknown."""
        out = [1.0]
        for index, centre in self._explained:
            value = values[index]
            out.append(value - centre if math.isfinite(value) else 0.0)
        return out

    def prior(self, x: list[float]) -> Expectation:
        """Expectation from the cohort alone."""
        mean = doubt = 0.0
        for theta, var, xi in zip(self._prior_theta, self._prior_var, x, strict=True):
            mean += theta * xi
            doubt += var * xi * xi
        return Expectation(mean, self._noise, doubt)

    def own(self, state: OwnState, x: list[float]) -> Expectation:
        """Expectation from the unit's own reference."""
        mean = doubt = 0.0
        for theta, xi, row in zip(state.theta, x, state.cov, strict=True):
            mean += theta * xi
            along = 0.0
            for c, xj in zip(row, x, strict=True):
                along += c * xj
            doubt += xi * along
        return Expectation(mean, self._noise, doubt + self._bent(state, x))

    def _bent(self, state: OwnState, x: list[float]) -> float:
        """Variance of what a straight line leaves out: no number of cycles of one season tells the slope of another."""
        if not self._bend or not state.low:
            return 0.0
        moved = 0.0
        for theta, xi, low, high in zip(state.theta, x, state.low, state.high, strict=True):
            moved += abs(theta * (xi - (low + high) / 2))
        return (self._bend * moved) ** 2

    @staticmethod
    def young(state: OwnState) -> bool:
        """Whether a feature was seen too seldom: what units differ by would stand against it cycle after cycle."""
        return state.n < _FEW

    def covers(self, state: OwnState, x: list[float]) -> bool:
        """Whether the reference has seen such conditions, or nearly such; always where a kind's page does not ask."""
        if not any(self._reach):
            return True
        return not self.young(state) and all(
            low - reach <= xi <= high + reach
            for xi, low, high, reach in zip(x, state.low, state.high, self._reach, strict=True)
        )

    def reach(self, state: OwnState, x: list[float]) -> None:
        """Let the reference cover such conditions, as far as one cycle beyond it tells."""
        state.low = [min(low, max(xi, low - by)) for xi, low, by in zip(x, state.low, self._reach, strict=True)]
        state.high = [max(high, min(xi, high + by)) for xi, high, by in zip(x, state.high, self._reach, strict=True)]

    def learn(self, state: OwnState, x: list[float], value: float) -> None:
        """One clean cycle updates the posterior. A value beyond four deviations counts as four."""
        pv = [sum(c * xj for c, xj in zip(row, x, strict=True)) for row in state.cov]
        total = self._noise + sum(xi * p for xi, p in zip(x, pv, strict=True))
        error = value - sum(theta * xi for theta, xi in zip(state.theta, x, strict=True))
        bound = 4 * math.sqrt(total)
        error = max(-bound, min(bound, error))
        gain = [p / total for p in pv]
        state.theta = [theta + g * error for theta, g in zip(state.theta, gain, strict=True)]
        state.cov = [[c - g * p for c, p in zip(row, pv, strict=True)] for row, g in zip(state.cov, gain, strict=True)]
        state.n += 1
        if not any(self._reach):
            return
        state.low = [min(pair) for pair in zip(state.low, x, strict=True)] if state.low else list(x)
        state.high = [max(pair) for pair in zip(state.high, x, strict=True)] if state.high else list(x)


def models_of(kind: KindSpec) -> list[FeatureModel]:
    """One model a feature, in the catalogue's order."""
    names, far = list(kind.features), kind.tuning.get("frontier", 0.0)
    bend = kind.tuning.get("bend", 0.0)
    return [
        FeatureModel(
            spec,
            [(names.index(other), kind.features[other].mean) for other in spec.explained_by],
            [far * kind.features[other].noise for other in spec.explained_by],
            bend,
        )
        for spec in kind.features.values()
    ]


def reach_out(model: FeatureModel, state: OwnState, x: list[float], value: float) -> None:
    """A clean cycle beyond what the reference has seen teaches it, and widens what it covers by a step."""
    low, high, young = state.low, state.high, model.young(state)
    model.learn(state, x, value)
    if not young:
        state.low, state.high = low, high
        model.reach(state, x)


def centre_and_spread(values: list[float], least: float) -> tuple[float, float]:
    """Mean of the middle four fifths, and the widest of: their spread, that of the middle half, and `least`.

    Both spreads are those of a normal with such quantiles. A median with its absolute deviation would be blind to a
    feature with two values, such as an inrush that a reading meets or misses.
    """
    known = sorted(v for v in values if math.isfinite(v))
    if not known:
        return math.nan, least
    tenth = len(known) // 10
    inner = known[tenth : len(known) - tenth]
    centre = sum(inner) / len(inner)
    half = _MAD * _middle(sorted(abs(v - centre) for v in known))
    return centre, max(least, half, _FOUR_FIFTHS * (inner[-1] - inner[0]))


def _middle(ordered: list[float]) -> float:
    n = len(ordered)
    return ordered[n // 2] if n % 2 else (ordered[n // 2 - 1] + ordered[n // 2]) / 2
