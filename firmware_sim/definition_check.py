"""What a scenario defines for itself, checked against what there is: models, faults, confounders, combinations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import msgspec

from firmware_sim.confounder_spec import ConfounderSpec, confounder_table
from firmware_sim.entries import ModelOverride
from firmware_sim.homes import DRIVES, HABITS
from firmware_sim.mechanism import DRIVE, HABIT, SENSOR
from firmware_sim.names import nearest
from firmware_sim.overrides import fault_table, model_of
from firmware_sim.physics import physics_of, simulated_kinds
from firmware_sim.physics.base import ProgrammePhysics
from firmware_sim.scenario_types import Scenario
from firmware_sim.type_errors import convert, explain
from telemetry.catalogue import Catalogue, FaultSpec, KindSpec, reference_problems

Problem = tuple[str, str]
"""Dotted key, and what is wrong with what is allowed."""
PLUG = "smart_plug"
PROGRAMME = "programme."
_SHOWN = 14


def defined(scenario: Scenario, base: Catalogue) -> Iterator[Problem]:
    """What is wrong with models and faults by themselves: after this, they can be merged into the catalogue."""
    yield from _models(scenario, base)
    for kind, faults in scenario.define.fault.items():
        yield from one_of(f"define.fault.{kind}", "kind", kind, kinds_of(base))
        for name, change in faults.items():
            yield from _fault(f"define.fault.{kind}.{name}", base[kind], name, change)


def referring(scenario: Scenario, catalogue: Catalogue) -> Iterator[Problem]:
    """What is wrong with that which refers to the scenario's own catalogue."""
    for kind, faults in scenario.define.fault.items():
        for name in faults:
            for seen in catalogue[kind].faults[name].seen_from:
                yield from one_of(f"define.fault.{kind}.{name}.seen_from", "fault", seen, fault_names(catalogue))
    yield from _confounders(scenario, catalogue)
    yield from _combinations(scenario, catalogue)


def wrong(what: str, name: str, known: Sequence[str]) -> str:
    """That a name is not known, with the nearest one and the others."""
    near = nearest(name, known)
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    guess = f"did you mean {near!r}? " if near else ""
    return f"no {what} {name!r}; {guess}there are {', '.join(known[:_SHOWN]) or 'none'}{more}"


def one_of(key: str, what: str, name: str, known: Sequence[str]) -> Iterator[Problem]:
    """The problem of a name that is not known, if it is not."""
    if name not in known:
        yield key, wrong(what, name, known)


def kinds_of(catalogue: Catalogue) -> list[str]:
    """Kinds that can live in a fleet."""
    return [kind for kind in sorted(catalogue.kinds) if kind in simulated_kinds() or kind == PLUG]


def fault_names(catalogue: Catalogue) -> list[str]:
    """All faults that something simulates, as KIND.FAULT."""
    return [
        f"{kind}.{name}"
        for kind in kinds_of(catalogue)
        for name, fault in catalogue[kind].faults.items()
        if fault.mechanism or fault.seen_from
    ]


def _parameters(kind: str) -> list[str]:
    return sorted(one.name for one in fields(physics_of(kind).parameters))


def _wearing(kind: KindSpec) -> list[str]:
    """What a fault can change on a kind; on a plug, its sensors."""
    sensors = [SENSOR + name for name in kind.channels]
    if kind.kind not in simulated_kinds():
        return sensors
    return [*_parameters(kind.kind), *sensors, *(DRIVE + name for name in DRIVES)]


def _changing(kind: str) -> list[str]:
    """What a confounder can change on a kind."""
    physics = physics_of(kind)
    programmes = physics.programmes if isinstance(physics, ProgrammePhysics) else ()
    return [
        *_parameters(kind),
        *(SENSOR + name for name in physics.channels),
        *(DRIVE + name for name in DRIVES),
        *(HABIT + name for name in HABITS),
        *(PROGRAMME + name for name in programmes),
    ]


def _models(scenario: Scenario, base: Catalogue) -> Iterator[Problem]:
    for kind, models in scenario.models.items():
        yield from one_of(f"models.{kind}", "kind", kind, kinds_of(base))
        for name, model in models.items():
            yield from _model(f"models.{kind}.{name}", base[kind], name, model)


def _model(key: str, kind: KindSpec, name: str, model: ModelOverride) -> Iterator[Problem]:
    if model.like:
        yield from one_of(f"{key}.like", f"model of {kind.kind}", model.like, sorted(kind.models))
    if kind.kind not in simulated_kinds():
        return
    allowed = sorted({*_parameters(kind.kind), *(p for one in kind.models.values() for p in one.parameters)})
    for parameter in model.parameters:
        yield from one_of(f"{key}.parameters.{parameter}", f"parameter of {kind.kind}", parameter, allowed)
    needed = set(_parameters(kind.kind)) - set(physics_of(kind.kind).rest)
    lacking = sorted(needed - set(model_of(kind, name, model).parameters))
    if lacking:
        yield f"{key}.parameters", f"{', '.join(lacking)} missing; give them, or `like` one of {', '.join(kind.models)}"


def _fault(key: str, kind: KindSpec, name: str, change: Mapping[str, Any]) -> Iterator[Problem]:
    if "like" in change:
        yield from one_of(f"{key}.like", f"fault of {kind.kind}", str(change["like"]), list(kind.faults))
    raw = fault_table(kind, name, change)
    try:
        fault = convert(raw, FaultSpec)
    except msgspec.ValidationError as cause:
        below, detail = explain(str(cause), raw, FaultSpec)
        yield f"{key}.{below}", detail
        return
    if not fault.mechanism and not fault.seen_from:
        yield f"{key}.mechanism", "is missing: a table of what the fault changes, TARGET = {factor = …} or {add = …}"
    for target in fault.mechanism:
        yield from one_of(f"{key}.mechanism.{target}", f"target on {kind.kind}", target, _wearing(kind))
    for where, detail in reference_problems(msgspec.structs.replace(kind, faults={name: fault})):
        yield where.replace(f"faults.{name}", key, 1), detail


def _confounders(scenario: Scenario, catalogue: Catalogue) -> Iterator[Problem]:
    every = sorted({target for kind in simulated_kinds() for target in _changing(kind)})
    for name, change in scenario.define.confounder.items():
        key = f"define.confounder.{name}"
        raw = confounder_table(name, change)
        try:
            spec = convert(raw, ConfounderSpec)
        except msgspec.ValidationError as cause:
            below, detail = explain(str(cause), raw, ConfounderSpec)
            yield f"{key}.{below}", detail
            continue
        for kind in (*spec.kinds, *spec.by_kind):
            yield from one_of(f"{key}.kinds", "simulated kind", kind, simulated_kinds())
        for target in spec.influences:
            yield from one_of(f"{key}.influences.{target}", "target", target, every)
        for kind, influences in spec.by_kind.items():
            for target in influences:
                yield from one_of(f"{key}.by_kind.{kind}.{target}", f"target on {kind}", target, _changing(kind))
        for fault in spec.mends:
            yield from one_of(f"{key}.mends", "fault", fault, fault_names(catalogue))


def _combinations(scenario: Scenario, catalogue: Catalogue) -> Iterator[Problem]:
    for name, one in scenario.define.combination.items():
        key = f"define.combination.{name}"
        yield from one_of(f"{key}.kind", "simulated kind", one.kind, simulated_kinds())
        for fault in one.faults:
            yield from one_of(f"{key}.faults", f"fault of {one.kind}", fault, list(catalogue[one.kind].faults))
