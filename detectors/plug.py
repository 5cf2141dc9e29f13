"""An appliance behind a plug: what hangs on how often it runs, a fridge thirty times a day, a dryer now and then."""

from __future__ import annotations

import math
from collections.abc import Mapping

from detectors.cyclic_state import CyclicState, Lesson, Recent
from detectors.diagnosis import Deviations
from detectors.episodes import HOUR
from detectors.innocent import Innocent

_CAP = 120
_DAYS = 7.0
_FASTEST = 0.17
_OFTEN = 30.0
_LEAST = 8.0
_RARE = "rare_prior_"


def gather(state: CyclicState, start: int, logs: list[float]) -> None:
    """One more run for the reference; of many every other one is kept.

    Args:
        state: changed; `learned` counts all of them.
        start: of the run.
        logs: logarithms of its features.
    """
    state.learned += 1
    state.reference.append(logs)
    state.reference_times.append(start)
    if len(state.reference) > _CAP:
        del state.reference[::2], state.reference_times[::2]


def enough(runs: int, passed: int, tuning: Mapping[str, float]) -> bool:
    """Whether the first runs make a reference: many of them over some days, or fewer over weeks.

    Args:
        runs: so far.
        passed: since the first of them, microseconds.
        tuning: of the kind.
    """
    often = runs >= tuning.get("reference", 40) and passed >= tuning.get("reference_hours", 72) * HOUR
    return often or (runs >= tuning.get("rare_reference", 24) and passed >= tuning.get("rare_hours", 672) * HOUR)


def forget(runs_a_day: float, tuning: Mapping[str, float]) -> float:
    """Weight of the newest run in averages: a week's runs, but six of them at least."""
    return max(tuning.get("forget", 0.05), min(_FASTEST, 1 / (_DAYS * runs_a_day)))


def threshold(runs_a_day: float, tuning: Mapping[str, float]) -> float:
    """Evidence that opens an episode: as many false ones a year, however often the appliance runs.

    A threshold h means exp(h) healthy runs between false alarms, so what runs a tenth as often needs ln 10 less.
    """
    most = tuning.get("threshold", 14.0)
    return max(_LEAST, most + min(0.0, math.log(runs_a_day / _OFTEN)))


def on_thermostat(runs_a_day: float, tuning: Mapping[str, float]) -> bool:
    """Whether a thermostat starts the appliance, which then runs more often than people would."""
    return runs_a_day >= tuning.get("thermostat_runs", 8.0)


def least_spread(runs_a_day: float, tuning: Mapping[str, float]) -> float:
    """What a logarithm strays at least; less for programmes, which draw what their motors and heaters are made for.

    A thermostat's appliance draws what the room's temperature makes of it, thirty times a day; a programme's few runs
    have to tell a twentieth.
    """
    if on_thermostat(runs_a_day, tuning):
        return tuning.get("least_spread", 0.05)
    return tuning.get("rare_spread", 0.03)


def chances(lesson: Lesson | None, runs_a_day: float, tuning: Mapping[str, float]) -> Mapping[str, float]:
    """Factors on the prior probabilities of causes: what outcomes taught, and how often the appliance runs.

    What people start has a motor, and no condenser that dust could fill: harder work is told by `rare_prior_CAUSE`.

    Args:
        lesson: of the family; None when outcomes taught nothing yet.
        runs_a_day: 0 where it is unknown, or where nothing stands behind a plug.
        tuning: of the kind.
    """
    taught: Mapping[str, float] = {} if lesson is None else lesson.causes
    if runs_a_day <= 0 or on_thermostat(runs_a_day, tuning):
        return taught
    rare = {name.removeprefix(_RARE): factor for name, factor in tuning.items() if name.startswith(_RARE)}
    return {**taught, **{cause: taught.get(cause, 1.0) * factor for cause, factor in rare.items()}}


def averaged(innocent: Innocent, recent: list[Recent], seen: Deviations, family: str, tolerance: float) -> Deviations:
    """The averaged deviations beside what is innocent; one run says little, and hot weather much of it.

    An average strays less than one run, but by what may drift innocently: half of the tolerance.
    """
    lately = [one.residual if one.n else math.nan for one in recent]
    rest = innocent.without(lately, seen.sd, family)
    less = [math.sqrt(one.noise + (0.5 * tolerance) ** 2) for one in recent]
    z = [x / by for x, by in zip(rest, less, strict=True)]
    return Deviations(z, [x * by for x, by in zip(seen.sd, less, strict=True)], seen.value, seen.usual)
