"""Estimators of river behind one face: values in, a score out, and a state that is rebuilt exactly.

An estimator's inside is the library's own, partly in Rust, and is never written down. What is kept is the bounded
history it was fed with: feeding that to a fresh one, seeded alike, gives the same estimator. So an anomaly detector
learns a first history and then stands (wear is not learned away), and a drift detector is begun anew, with its last
history, every so many values.

River is imported when the first kind asks for it: its `anomaly` and `drift` take two seconds, which a worker without
such a kind does not spend.
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from telemetry.catalogue import Catalogue, KindSpec
from telemetry.catalogue.model import RiverSpec

_STEEP = 0.6


class History(msgspec.Struct):
    """What an estimator was fed with, as it is snapshotted.

    Attributes:
        raw: first values, until there are enough to know what is usual.
        usual: median and spread of each number in them.
        fed: what the estimator was begun with, between 0 and 1.
        since: what it was fed with since.
        drifted: values since the last drift; None when there was none.
    """

    raw: list[list[float]] = msgspec.field(default_factory=list)
    usual: list[tuple[float, float]] = msgspec.field(default_factory=list)
    fed: list[list[float]] = msgspec.field(default_factory=list)
    since: list[list[float]] = msgspec.field(default_factory=list)
    drifted: int | None = None


class Adapter(Protocol):
    """One estimator of one device."""

    history: History

    def score(self, value: list[float]) -> float | None:
        """The next value's score, larger is stranger; None while the estimator has learned too little."""
        ...

    def restore(self, history: History) -> None:
        """Become the estimator that was fed with this."""
        ...


class AnomalyAdapter:
    """An anomaly detector: learns its history, then scores.

    Args:
        spec: of the catalogue.
        make: a fresh estimator.
        supervised: whether it takes the number itself as its target.
    """

    def __init__(self, spec: RiverSpec, make: Callable[[], Any], *, supervised: bool) -> None:
        self._spec, self._make, self._supervised = spec, make, supervised
        self.restore(History())

    def score(self, value: list[float]) -> float | None:
        """As `Adapter.score`."""
        history = self.history
        if not history.usual:
            history.raw.append(value)
            if len(history.raw) == self._spec.history:
                history.usual = usual_of(history.raw)
                history.fed = [squash(x, history.usual) for x in history.raw]
                history.raw = []
                self._learn()
            return None
        return float(self._estimator.score_one(*self._arguments(squash(value, history.usual))))

    def restore(self, history: History) -> None:
        """As `Adapter.restore`."""
        self.history = history
        self._estimator = self._make()
        self._learn()

    def _learn(self) -> None:
        for value in self.history.fed:
            self._estimator.learn_one(*self._arguments(value))

    def _arguments(self, value: list[float]) -> tuple[Any, ...]:
        if self._supervised:
            return None, value[0]
        return (dict(zip(self._spec.sees, value, strict=True)),)


class DriftAdapter:
    """A drift detector: one estimator a number; the score is 1 for some values behind a drift, else 0.

    Args:
        spec: of the catalogue.
        make: a fresh estimator.
    """

    def __init__(self, spec: RiverSpec, make: Callable[[], Any]) -> None:
        self._spec, self._make = spec, make
        self.restore(History())

    def score(self, value: list[float]) -> float | None:
        """As `Adapter.score`."""
        history = self.history
        if not history.usual:
            history.raw.append(value)
            if len(history.raw) == self._spec.history:
                history.usual = usual_of(history.raw)
                history.fed = [squash(x, history.usual) for x in history.raw]
                history.raw = []
                self.restore(history)
            return None
        seen = squash(value, history.usual)
        history.since.append(seen)
        drifted = self._feed(seen)
        if len(history.since) == self._spec.history:
            # Begun anew with what it saw last: what must be kept stays bounded.
            history.fed, history.since = history.since, []
            self.restore(history)
        if drifted:
            history.drifted = 0
        elif history.drifted is not None:
            history.drifted += 1
        return float(history.drifted is not None and history.drifted < self._spec.hold)

    def restore(self, history: History) -> None:
        """As `Adapter.restore`."""
        self.history = history
        self._estimators = [self._make() for _ in self._spec.sees]
        for value in (*history.fed, *history.since):
            self._feed(value)

    def _feed(self, value: list[float]) -> bool:
        drifted = False
        for estimator, x in zip(self._estimators, value, strict=True):
            estimator.update(x)
            drifted |= bool(estimator.drift_detected)
        return drifted


def usual_of(rows: list[list[float]]) -> list[tuple[float, float]]:
    """Median and spread of each number: half of the middle 68 %, and never next to nothing."""
    found: list[tuple[float, float]] = []
    for column in zip(*rows, strict=True):
        ordered = sorted(column)
        n = len(ordered)
        middle = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
        spread = 0.5 * (ordered[math.ceil(0.84 * n) - 1] - ordered[math.floor(0.16 * n)])
        found.append((middle, max(spread, 1e-3 * abs(middle), 1e-9)))
    return found


def squash(value: list[float], usual: list[tuple[float, float]]) -> list[float]:
    """Between 0 and 1, as half-space trees and ADWIN ask for; what is usual lies at a half."""
    deviations = ((x - middle) / spread for x, (middle, spread) in zip(value, usual, strict=True))
    return [1 / (1 + math.exp(-_STEEP * max(-50.0, min(50.0, d)))) for d in deviations]


def adapters_of(catalogue: Catalogue, kind: KindSpec) -> list[Callable[[], Adapter]]:
    """Makers of a kind's estimators.

    Raises:
        CatalogueError: river has no such estimator, or it takes no such parameters; names file, line and key.
    """
    return [_maker(catalogue, kind, number) for number in range(len(kind.river))]


def _maker(catalogue: Catalogue, kind: KindSpec, number: int) -> Callable[[], Adapter]:
    spec, key = kind.river[number], f"river[{number}]"
    module, name = spec.estimator.split(".")
    base = importlib.import_module("river.base")
    found: Any = getattr(importlib.import_module(f"river.{module}"), name, None)
    sorts = (base.DriftDetector, base.SupervisedAnomalyDetector, base.AnomalyDetector)
    if not inspect.isclass(found) or not issubclass(found, sorts):
        detail = f"river has no drift or anomaly detector {spec.estimator!r} that scores single values"
        raise catalogue.error(kind.kind, f"{key}.estimator", detail)
    supervised = issubclass(found, base.SupervisedAnomalyDetector)
    if supervised and len(spec.sees) > 1:
        raise catalogue.error(kind.kind, f"{key}.sees", f"{spec.estimator} sees one number")
    params: dict[str, Any] = dict(spec.params)
    takes = inspect.signature(found).parameters
    unknown = [name for name in params if name not in takes]
    if unknown:
        detail = f"{spec.estimator} takes {', '.join(takes)}; not {', '.join(unknown)}"
        raise catalogue.error(kind.kind, f"{key}.params", detail)
    if "seed" in takes:
        # Chance must fall alike whenever the estimator is rebuilt.
        params.setdefault("seed", 0)
    if "window_size" in takes and issubclass(found, base.AnomalyDetector):
        # A first window that its history never fills would let it say nothing.
        params.setdefault("window_size", min(takes["window_size"].default, spec.history))

    def make() -> Any:  # noqa: ANN401  (the library has no types)
        return found(**params)

    try:
        make()
    except (TypeError, ValueError) as cause:
        raise catalogue.error(kind.kind, f"{key}.params", str(cause)) from cause
    if issubclass(found, base.DriftDetector):
        return lambda: DriftAdapter(spec, make)
    return lambda: AnomalyAdapter(spec, make, supervised=supervised)
