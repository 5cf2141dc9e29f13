"""What the device's own test says of the causes of an episode: Bayes' rule over the catalogue's table of readings.

A fault is a curve of readings over how far it has come. Its likelihood is the mean over levels: near that of which the
device's readings speak, for the episode's own family, and any for the others; what has hardly begun shows in no test.
Quantities are independent given fault and level. A reading that nothing explains has a small constant density, so that
no single quantity, and no test that went wrong, decides alone. `unknown` divides into what no test shows (all reads
healthy), something not in the catalogue, and the kind's faults of other families: one of these is named when the
answer makes it likely.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from detectors.diagnosis import UNKNOWN, Diagnosis
from detectors.episodes import DAY, Book
from telemetry.catalogue import KindSpec
from telemetry.catalogue.measure import MeasureSpec, reading
from telemetry.control import ControlEntry
from telemetry.finding import Cause, Finding, Rejected

_LEVELS = (0.02, 0.05, *((i + 0.5) / 10 for i in range(1, 10)), 1.0)
_NEAR = 0.7
"""How far the level that the readings speak of may be off, as the standard deviation of its logarithm."""
_ANY = 0.1
"""Probability that they say nothing of it."""
_ROUGH = 0.1
"""Of a fault's move of a quantity: how far a unit's own may differ from the table, standard deviation."""
_ODD = 0.03
"""Probability that a quantity reads something that neither health nor the fault explains."""
_STRANGE = 0.3
"""Likewise under a cause that is not in the catalogue."""
_BETWEEN = 0.5
"""Of an intermittent fault: probability that the test falls between two bursts."""
_ELSEWHERE = 0.5
"""Of `unknown`, before the answer: the share of the kind's other families."""
_UNLISTED = 0.1
"""Of the rest: the share of what is not in the catalogue, yet moves what the test measures."""
_LIKELY = 0.05
_FADES = 10 * DAY
"""Age at which an answer counts half: faults go on."""
_SPEAKS = 2.0
_WORSE = 3.0
_HALFWAY = _LEVELS.index(0.55)
"""Which level speaks for a fault that is ruled out."""
_REASONS = 4


class Heard(msgspec.Struct):
    """What is known of one open family's episode: the readings' diagnosis, and the device's own answer.

    Attributes:
        causes: as the readings alone have them.
        rejected: likewise.
        amount: likewise.
        at: fleet time of the answer; None without one.
        values: what it measured, by quantity of the catalogue.
    """

    causes: tuple[Cause, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    amount: float = 0.0
    at: int | None = None
    values: dict[str, float] = msgspec.field(default_factory=dict)


class _Body(msgspec.Struct):
    """The body of a control entry `self_test`."""

    status: str
    values: dict[str, float] = {}


class _Course(NamedTuple):
    """A fault as the test sees it.

    Attributes:
        family: of the fault.
        prior: relative frequency.
        bursts: it comes and goes: the test may fall between.
        levels: reading of each quantity that it moves, at each of `_LEVELS`.
    """

    family: str
    prior: float
    bursts: bool
    levels: tuple[dict[str, float], ...]


class Witness:
    """Hears a device's answers, and keeps them beside what its readings say of each open family.

    Args:
        kind: the device's catalogue page.
    """

    __slots__ = ("_kind", "_tests", "heard")

    def __init__(self, kind: KindSpec) -> None:
        self._kind = kind
        self._tests: SelfTests | None = None
        self.heard: dict[str, Heard] = {}

    def weigh(self, family: str, plain: Diagnosis, at: int, onset: int) -> Diagnosis:
        """Keep what the readings say of a family, and add what the device itself has answered since the onset."""
        if not self._kind.self_test:
            return plain
        heard = self.heard.setdefault(family, Heard())
        heard.causes, heard.rejected, heard.amount = plain.causes, plain.rejected, plain.amount
        return plain if heard.at is None else self._weigher.weigh(family, heard, at, onset)

    def forget(self, family: str) -> None:
        """The episode has ended, or its repair is under proof: the answer was about what was before."""
        self.heard.pop(family, None)

    def hear(self, entry: ControlEntry, book: Book) -> list[Finding]:
        """Take an answer; every open episode that it is about is told anew. Without one it changes nothing."""
        about = [f for f in self.heard if book.is_open(f) and not book.proving(f)]
        values = self._weigher.answer(entry) if about else {}
        found: list[Finding] = []
        for family in about if values else ():
            heard, last = self.heard[family], book.episodes[family].finding
            if entry.at < last.onset or (heard.at is not None and entry.at <= heard.at):
                continue
            heard.at, heard.values = entry.at, values
            told = self._weigher.weigh(family, heard, entry.at, last.onset)
            first = next(cause.fault for cause in told.causes if self._is_of(family, cause.fault))
            found.append(book.learned(family, entry.at, self._kind.faults[first].severity, told.causes, told.rejected))
        return found

    def _is_of(self, family: str, fault: str) -> bool:
        return fault in self._kind.faults and self._kind.faults[fault].family == family

    @property
    def _weigher(self) -> SelfTests:
        """Made when the first answer comes: most devices are never asked."""
        if self._tests is None:
            self._tests = SelfTests(self._kind)
        return self._tests


class SelfTests:
    """Weighs answers of devices of a kind.

    Args:
        kind: its catalogue page.
    """

    def __init__(self, kind: KindSpec) -> None:
        self._measures = kind.self_test
        self._courses = {
            name: _Course(
                fault.family,
                fault.prior,
                fault.course.pattern == "intermittent",
                tuple(
                    {each: reading(kind.self_test[each], course, level) for each, course in fault.self_test.items()}
                    for level in _LEVELS
                ),
            )
            for name, fault in kind.faults.items()
            if fault.self_test or fault.signature
        }
        self._width = {name: _width(kind, name) for name in kind.self_test}

    def answer(self, entry: ControlEntry) -> dict[str, float]:
        """The quantities of an answer that the catalogue knows and that can be readings at all; others are ignored."""
        try:
            body = msgspec.convert(entry.body, _Body)
        except msgspec.ValidationError:
            return {}
        if body.status != "ok":
            return {}
        known = ((name, body.values[name]) for name in self._measures if name in body.values)
        return {name: value for name, value in known if self._measures[name].takes(value)}

    def weigh(self, family: str, heard: Heard, at: int, onset: int) -> Diagnosis:
        """The causes of an episode with the device's answer in mind.

        Args:
            family: of the episode.
            heard: the readings' diagnosis, and the answer.
            at: of the judgement.
            onset: estimate of when the fault began; an answer from before says nothing of it.
        """
        plain = Diagnosis(heard.causes, heard.rejected, heard.amount)
        if heard.at is None or heard.at < onset or not heard.values:
            return plain
        # A tempered likelihood: of an old answer, the fault has gone on since.
        age = 0.5 ** (max(0, at - heard.at) / _FADES)
        values = heard.values
        near, anyhow = _weights(plain.amount), _weights(0.0)
        fits = {
            name: age * self._fit(course, values, near if course.family == family else anyhow)
            for name, course in self._courses.items()
        }
        healthy, strange = self._nothing(values, _ODD), self._nothing(values, _STRANGE)
        shares = {cause.fault: cause.probability for cause in plain.causes}
        doubt = shares.pop(UNKNOWN, 0.0)
        others = {name: course.prior for name, course in self._courses.items() if course.family != family}
        elsewhere = _ELSEWHERE if others else 0.0
        total = sum(others.values())
        weight = {name: (shares[name], fits.get(name, age * healthy)) for name in shares}
        weight |= {name: (doubt * elsewhere * prior / total, fits[name]) for name, prior in others.items()}
        hidden = doubt * (1 - elsewhere)
        unknown = [(hidden * (1 - _UNLISTED), age * healthy), (hidden * _UNLISTED, age * strange)]
        top = max(log for share, log in (*weight.values(), *unknown) if share > 0)
        mass = {name: share * math.exp(log - top) for name, (share, log) in weight.items()}
        rest = sum(share * math.exp(log - top) for share, log in unknown)
        scale = sum(mass.values()) + rest
        listed = {name: x / scale for name, x in mass.items() if name in shares or x / scale >= _LIKELY}
        listed[UNKNOWN] = max(0.0, 1.0 - sum(listed.values()))
        return Diagnosis(self._ranked(plain, listed, values), self._rejected(plain, listed, values), plain.amount)

    def _ranked(self, plain: Diagnosis, listed: dict[str, float], values: dict[str, float]) -> tuple[Cause, ...]:
        before = {cause.fault: cause.reasons for cause in plain.causes}
        order = sorted(listed, key=lambda name: (-listed[name], name != UNKNOWN, name))
        return tuple(
            Cause(name, listed[name], (*self._reasons(name, values), *before.get(name, ()))[:_REASONS])
            for name in order
        )

    def _reasons(self, fault: str, values: dict[str, float]) -> tuple[tuple[str, float, float], ...]:
        """The quantity that speaks most for a fault, with its healthy reading."""
        course = self._courses.get(fault)
        if course is None:
            return ()
        best = self._best(course, values)
        spoken = []
        for name, expected in best.items():
            measure, value = self._measures[name], values[name]
            gain = _off(measure, value, measure.healthy) - _off(measure, value, expected)
            if gain > _SPEAKS:
                spoken.append((-gain, name, value, measure.healthy))
        return tuple((name, value, healthy) for _, name, value, healthy in sorted(spoken)[:1])

    def _rejected(self, plain: Diagnosis, listed: dict[str, float], values: dict[str, float]) -> tuple[Rejected, ...]:
        """What the readings ruled out and the answer does not bring back, then what the answer rules out."""
        found = [each for each in plain.rejected if listed.get(each.cause, 0.0) < _LIKELY]
        known = {each.cause for each in found}
        for fault, course in self._courses.items():
            if fault in known or listed.get(fault, 0.0) >= _LIKELY:
                continue
            worst: tuple[float, str, float] | None = None
            for name, expected in course.levels[_HALFWAY].items():
                off = abs(values[name] - expected) / _sd(self._measures[name], expected) if name in values else 0.0
                if off > _WORSE and (worst is None or off > worst[0]):
                    worst = off, name, expected
            if worst is not None:
                found.append(Rejected(fault, worst[1], values[worst[1]], worst[2]))
        return tuple(found)

    def _fit(self, course: _Course, values: dict[str, float], weights: tuple[float, ...]) -> float:
        """Log likelihood of an answer under a fault, with how probable each level is."""
        burst = 1 - _BETWEEN if course.bursts else 1.0
        logs = [
            (burst * weight, self._log(values, moved, _ODD))
            for weight, moved in zip(weights, course.levels, strict=True)
        ]
        if course.bursts:
            logs.append((_BETWEEN, self._log(values, {}, _ODD)))
        top = max(log for _, log in logs)
        return top + math.log(sum(weight * math.exp(log - top) for weight, log in logs))

    def _nothing(self, values: dict[str, float], odd: float) -> float:
        """Log likelihood where no quantity is moved but by accident."""
        return self._log(values, {}, odd)

    def _log(self, values: dict[str, float], moved: dict[str, float], odd: float) -> float:
        total = 0.0
        for name, value in values.items():
            measure = self._measures[name]
            expected = moved.get(name, measure.healthy)
            sd = _sd(measure, expected)
            normal = math.exp(-0.5 * ((value - expected) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
            total += math.log((1 - odd) * normal + odd / self._width[name])
        return total

    def _best(self, course: _Course, values: dict[str, float]) -> dict[str, float]:
        """What the fault moves of the measured quantities, at the level that fits best."""
        fit = max(course.levels, key=lambda moved: self._log(values, moved, _ODD))
        return {name: expected for name, expected in fit.items() if name in values}


def _weights(amount: float) -> tuple[float, ...]:
    """How probable each level is, where the readings speak of some share of functional failure; 0 is unknown."""
    even = [1 / len(_LEVELS)] * len(_LEVELS)
    if amount <= 0:
        return tuple(even)
    about = min(max(amount, _LEVELS[0]), _LEVELS[-1])
    near = [math.exp(-0.5 * (math.log(level / about) / _NEAR) ** 2) for level in _LEVELS]
    scale = sum(near)
    return tuple(_ANY * e + (1 - _ANY) * n / scale for e, n in zip(even, near, strict=True))


def _width(kind: KindSpec, name: str) -> float:
    """How far readings of a quantity lie apart, all faults together."""
    measure = kind.self_test[name]
    read = [measure.healthy, *(x for fault in kind.faults.values() for x in fault.self_test.get(name, ()))]
    return max(10 * measure.spread, 1.2 * (max(read) - min(read)))


def _sd(measure: MeasureSpec, expected: float) -> float:
    return math.hypot(measure.spread, _ROUGH * (expected - measure.healthy))


def _off(measure: MeasureSpec, value: float, expected: float) -> float:
    """Half the squared distance from what is expected, in its standard deviation."""
    return 0.5 * ((value - expected) / _sd(measure, expected)) ** 2
