"""The evidence window: features over time with the band that is usual, bounded to sixty points."""

from __future__ import annotations

import math

import msgspec

from telemetry.finding import Signal

_POINTS = 60
_BAND = 2.5


class Bins(msgspec.Struct):
    """Sums over equal stretches of time; when they become too many, stretches double.

    Attributes:
        width: microseconds.
        index: number of each stretch since 1970, ascending.
        count: cycles in it, one number a feature.
        value: sum of the feature.
        usual: sum of its expected value.
        spread: sum of its expected variance.
        last: time of the newest cycle; no point lies beyond it.
    """

    width: int
    last: int = 0
    index: list[int] = msgspec.field(default_factory=list)
    count: list[list[int]] = msgspec.field(default_factory=list)
    value: list[list[float]] = msgspec.field(default_factory=list)
    usual: list[list[float]] = msgspec.field(default_factory=list)
    spread: list[list[float]] = msgspec.field(default_factory=list)

    def add(self, t: int, value: list[float], usual: list[float], spread: list[float]) -> None:
        """Add one cycle; NaN says nothing."""
        at = t // self.width
        self.last = max(self.last, t)
        if not self.index or at > self.index[-1]:
            size = len(value)
            self.index.append(at)
            self.count.append([0] * size)
            for sums in (self.value, self.usual, self.spread):
                sums.append([0.0] * size)
        for i, x in enumerate(value):
            if not (math.isnan(x) or math.isnan(usual[i])):
                self.count[-1][i] += 1
                self.value[-1][i] += x
                self.usual[-1][i] += usual[i]
                self.spread[-1][i] += spread[i]
        if len(self.index) > _POINTS:
            self._halve()

    def signal(self, feature: str, i: int, *, relative: bool) -> Signal | None:
        """The feature's series; with `relative` the sums are of logarithms. None when nothing is known."""
        t, value, low, high = [], [], [], []
        for at, index in enumerate(self.index):
            n = self.count[at][i]
            if n == 0:
                continue
            middle = self.usual[at][i] / n
            half = _BAND * math.sqrt(self.spread[at][i] / n)
            points = (self.value[at][i] / n, middle - half, middle + half)
            observed, lower, upper = (math.exp(p) for p in points) if relative else points
            t.append(min(index * self.width + self.width // 2, self.last))
            value.append(_short(observed))
            low.append(_short(lower))
            high.append(_short(upper))
        if not t:
            return None
        return Signal(feature=feature, t=tuple(t), value=tuple(value), low=tuple(low), high=tuple(high))

    def _halve(self) -> None:
        self.width *= 2
        old = (self.index, self.count, self.value, self.usual, self.spread)
        self.index, self.count, self.value, self.usual, self.spread = [], [], [], [], []
        for index, count, value, usual, spread in zip(*old, strict=True):
            at = index // 2
            if self.index and self.index[-1] == at:
                self.count[-1] = [a + b for a, b in zip(self.count[-1], count, strict=True)]
                for sums, more in ((self.value, value), (self.usual, usual), (self.spread, spread)):
                    sums[-1] = [a + b for a, b in zip(sums[-1], more, strict=True)]
            else:
                self.index.append(at)
                self.count.append(count)
                self.value.append(value)
                self.usual.append(usual)
                self.spread.append(spread)


def _short(x: float) -> float:
    """Six significant digits: what a page shows, not what a score rests on."""
    return float(f"{x:.6g}")
