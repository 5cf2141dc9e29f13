"""What every simulated kind owes, and every fault that the catalogue gives it. A new kind is enrolled by its files."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from detectors.features import FEATURES
from firmware_sim.homes import DRIVES
from firmware_sim.mechanism import DRIVE, SENSOR, influence
from firmware_sim.physics import physics_of, simulated_kinds
from firmware_sim.physics.base import ContinuousPhysics, gather
from firmware_sim.testbed import Trace, _Bed, set_up
from firmware_sim.wear import DAY, HOUR, Fault
from stack.sim_features import read_features
from telemetry.catalogue import FaultSpec
from tests.firmware_sim.kinds.rig import Lived, catalogue, every_fault, faults, kinds, live, rig

_LATE = 0.8
_LIVED_DAYS = 2.0
_SEEN_DAYS = 2

every_physics = pytest.mark.parametrize("kind", [kind for kind in kinds() if kind in simulated_kinds()])
each_fault = pytest.mark.parametrize(("kind", "fault"), every_fault())
_SLOW = {"dishwasher", "tumble_dryer", "washing_machine"}
# Days of a fault on the test bed cost seconds where each run is simulated in steps of seconds.
each_fault_lived = pytest.mark.parametrize(
    ("kind", "fault"),
    [pytest.param(*one, marks=pytest.mark.long) if one[0] in _SLOW else one for one in every_fault()],
)


@cache
def lived(kind: str) -> Lived:
    return live(rig(kind), _LIVED_DAYS)


def spec_of(kind: str, fault: str) -> FaultSpec:
    return catalogue()[kind].faults[fault]


def test_eight_kinds_and_thirty_faults_of_every_course() -> None:
    assert set(simulated_kinds()) <= set(kinds())
    assert len(kinds()) >= 8
    count = {kind: len(faults(kind)) for kind in kinds()}
    assert min(count.values()) >= 4, count
    assert sum(count.values()) >= 30, count
    courses = Counter(spec_of(*one).course.pattern for one in every_fault())
    assert {"slow", "fast", "intermittent"} <= set(courses), courses
    sensors = [target for one in every_fault() for target in spec_of(*one).mechanism if target.startswith(SENSOR)]
    assert sensors
    whats = [what for one in every_fault() for t, what in spec_of(*one).mechanism.items() if t.startswith(SENSOR)]
    for how in ("bias", "stuck", "dropout", "noise"):
        assert any(getattr(what, how) is not None for what in whats), f"no sensor fault by {how}"


@every_physics
def test_physics_and_catalogue_speak_of_the_same_things(kind: str) -> None:
    spec, physics = catalogue()[kind], physics_of(kind)
    assert list(physics.channels) == list(spec.channels)
    assert len(spec.models) >= 2
    named = gather(physics, [model.parameters for model in spec.models.values()])
    assert set(physics.spread) <= set(named)
    if isinstance(physics, ContinuousPhysics):
        assert set(physics.phases) == set(spec.phases)
        assert set(physics.drives) <= set(DRIVES)
        assert set(physics.shift) <= set(named)
    else:
        assert {*physics.stages, "idle"} == set(spec.phases)
        assert set(physics.resting) == set(spec.channels)
    answers = physics.self_test(rig(kind).p)
    assert answers
    assert all(np.isfinite(values).all() for values in answers.values())


@each_fault
def test_a_fault_acts_on_what_there_is(kind: str, fault: str) -> None:
    one = spec_of(kind, fault)
    for seen in one.seen_from:
        host, _, behind = seen.partition(".")
        assert behind in faults(host), f"{seen} is no fault that can be simulated"
    for host in hosts(kind, fault):
        physics = physics_of(host)
        named = gather(physics, [next(iter(catalogue()[host].models.values())).parameters])
        for target, what in one.mechanism.items():
            if target.startswith(SENSOR):
                assert target.removeprefix(SENSOR) in physics.channels
            elif target.startswith(DRIVE):
                assert target.removeprefix(DRIVE) in DRIVES
            else:
                assert target in named
                assert what.bias is what.noise is what.stuck is what.dropout is None
    assert {effect.feature for effect in one.signature} <= set(FEATURES)


@every_physics
def test_no_heat_comes_from_nowhere(kind: str) -> None:
    found = lived(kind)
    assert (found.turnover > 0.0).all()
    assert found.residue.max() <= 1e-6 * max(float(found.turnover.max()), 1.0), dict(
        zip(rig(kind).names, found.residue, strict=True)
    )


@every_physics
def test_outputs_stay_plausible(kind: str) -> None:
    found, spec, physics = lived(kind), catalogue()[kind], physics_of(kind)
    assert np.isfinite(found.values).all()
    for number, (name, channel) in enumerate(spec.channels.items()):
        low, high = float(found.values[:, :, number].min()), float(found.values[:, :, number].max())
        assert channel.low <= low, name
        assert high <= channel.high, name
    most = len(physics.phases) - 1 if isinstance(physics, ContinuousPhysics) else physics.end
    assert found.codes.min() >= 0
    assert found.codes.max() <= most


@every_physics
def test_a_healthy_appliance_never_fails(kind: str) -> None:
    assert not lived(kind).failed[0]


def hosts(kind: str, fault: str) -> tuple[str, ...]:
    """The kinds whose physics shows a fault: a plug's are those behind it."""
    seen = {one.partition(".")[0] for one in spec_of(kind, fault).seen_from}
    return tuple(sorted(seen)) or ((kind,) if kind in simulated_kinds() else tuple(set(kinds()) - {kind}))


@cache
def beds(kind: str) -> dict[tuple[str, float], Trace]:
    """The healthy appliance and every fault at two levels, side by side; a plug's on the first appliance behind it."""
    found: dict[tuple[str, float], Trace] = {}
    by_host: dict[str, list[str]] = {}
    for fault in faults(kind):
        by_host.setdefault(set_up(catalogue(), kind, fault)[0].physics.kind, []).append(fault)
    for host, names in by_host.items():
        cases = [("healthy", 0.0), *((fault, level) for fault in names for level in (_LATE, 1.0))]
        acting = []
        for row, (fault, level) in enumerate(cases[1:], 1):
            setup, mechanism = set_up(catalogue(), kind, fault)
            acting += [replace(one, row=row, level=level) for one in mechanism]
        bed = _Bed(setup, acting, [level for _, level in cases])
        physics = setup.physics
        if isinstance(physics, ContinuousPhysics):
            all_shown = bed.continuous(physics, _SEEN_DAYS)
        else:
            all_shown = bed.programmes(physics, _SEEN_DAYS)
        for (fault, level), trace in zip(cases, all_shown, strict=True):
            found[fault if level else f"healthy {host}", level] = trace
        for fault in names:
            found[fault, 0.0] = all_shown[0]
    return found


def moved(kind: str, fault: str, level: float, *, judged: bool) -> dict[str, float]:
    """By how much of its size at failure each feature of the signature has moved, in the signature's direction.

    `judged` leaves out what the conditioning features explain, as the detectors do.
    """
    spec = catalogue()[kind]
    healthy, worn = beds(kind)[fault, 0.0], beds(kind)[fault, level]
    usual, found = (read_features(spec, one.pieces, healthy.pieces) for one in (healthy, worn))
    change = {name: found[name] - usual[name] for name in usual if name in found}
    told: dict[str, float] = {}
    for effect in spec_of(kind, fault).signature:
        if not effect.direction or effect.feature not in change:
            continue
        feature = spec.features[effect.feature]
        explained = sum(
            slope * change.get(by, 0.0)
            for by, slope in zip(feature.explained_by, feature.slopes, strict=True)
            if judged
        )
        size = effect.size * abs(usual[effect.feature])
        told[effect.feature] = (change[effect.feature] - explained) * effect.direction / size
    return told


@each_fault_lived
def test_wear_fails_the_appliance_or_shows_as_the_catalogue_says(kind: str, fault: str) -> None:
    assert not beds(kind)[fault, 0.0].events
    ways = [
        moved(kind, fault, level, judged=judged)
        for level in ((1.0,) if spec_of(kind, fault).course.pattern == "intermittent" else (_LATE, 1.0))
        for judged in (False, True)
    ]
    fails = bool(beds(kind)[fault, 1.0].events)
    shows = any(one and max(one.values()) > 0.3 and min(one.values()) > -0.02 for one in ways)
    assert shows or (fails and not any(ways)), ways


@each_fault_lived
def test_what_must_stay_stays(kind: str, fault: str) -> None:
    spec, one = catalogue()[kind], spec_of(kind, fault)
    level = 1.0 if one.course.pattern == "intermittent" else _LATE
    healthy, worn = beds(kind)[fault, 0.0], beds(kind)[fault, level]
    usual, found = (read_features(spec, trace.pieces, healthy.pieces) for trace in (healthy, worn))
    for effect in one.signature:
        if effect.direction == 0 and effect.feature in usual and effect.feature in found:
            feature = spec.features[effect.feature]
            allowed = 0.12 * abs(usual[effect.feature]) + 3.0 * feature.noise + feature.spread
            assert abs(found[effect.feature] - usual[effect.feature]) <= allowed, effect


@each_fault
def test_wear_grows_from_onset_to_failure(kind: str, fault: str) -> None:
    one = spec_of(kind, fault)
    failure = 40 * DAY
    worn = Fault(device="a/b", family=one.family, fault=fault, onset=0, failure=failure)
    times = [round(share * failure) for share in np.linspace(0.0, 1.0, 161)]
    if one.course.pattern == "intermittent":
        burst = round(one.course.burst_hours * HOUR)
        levels = np.array([[worn.level(at, one.course, key) for at in range(0, failure, burst)] for key in range(1, 9)])
        assert set(np.unique(levels)) == {0.0, 1.0}
        thirds = [float(part.mean()) for part in np.array_split(levels, 3, axis=1)]
        assert thirds[0] < thirds[1] < thirds[2], thirds
    else:
        grown = np.array([worn.level(at, one.course) for at in times])
        assert (np.diff(grown) > 0.0).all()
    assert worn.level(0, one.course, 1) == 0.0
    assert worn.level(failure, one.course, 1) == 1.0


@each_fault
def test_an_influence_grows_with_the_level(kind: str, fault: str) -> None:
    for target, what in spec_of(kind, fault).mechanism.items():
        if target.startswith(SENSOR):
            continue
        steps = np.diff([float(influence(np.ones(1), what, np.array([x]))[0]) for x in np.linspace(0.0, 1.2, 61)])
        assert (steps >= -1e-12).all() or (steps <= 1e-12).all(), target
        assert np.abs(steps).max() > 0.0
