"""Lays a scenario's own models and faults over the catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from firmware_sim.confounder_spec import laid_over
from firmware_sim.entries import Define, ModelOverride
from firmware_sim.type_errors import convert
from telemetry.catalogue import Catalogue, FaultSpec, KindSpec, ModelSpec

_TEXTS = ("notice", "title", "explain", "risk", "safe")
_LIKE = "like"


def merged(base: Catalogue, models: Mapping[str, Mapping[str, ModelOverride]], define: Define) -> Catalogue:
    """The catalogue with models and faults merged in; the base itself when there are none.

    Raises:
        KeyError: no such kind.
        ValueError: a definition names a model or fault that is not there, or cannot be read.
    """
    if not models and not define.fault:
        return base
    kinds = dict(base.kinds)
    for kind in sorted({*models, *define.fault}):
        spec = kinds[kind]
        kinds[kind] = msgspec.structs.replace(
            spec,
            models=spec.models | {name: model_of(spec, name, one) for name, one in models.get(kind, {}).items()},
            faults=spec.faults | {name: fault_of(spec, name, one) for name, one in define.fault.get(kind, {}).items()},
        )
    said = msgspec.json.encode((base.hash, models, define.fault), order="sorted")
    return Catalogue(kinds, hashlib.sha256(said).hexdigest())


def model_of(kind: KindSpec, name: str, change: ModelOverride) -> ModelSpec:
    """A model with a scenario's changes.

    Raises:
        ValueError: it is like a model that is not there.
    """
    pattern = change.like or (name if name in kind.models else "")
    if pattern and pattern not in kind.models:
        raise ValueError(f"{kind.kind} has no model {pattern!r}")
    known = kind.models[pattern] if pattern else ModelSpec(title=name)
    title = change.title or (known.title if name in kind.models else name)
    return ModelSpec(title=title, parameters=known.parameters | change.parameters)


def fault_of(kind: KindSpec, name: str, change: Mapping[str, Any]) -> FaultSpec:
    """A fault with a scenario's changes; what a new one does not say is ordinary.

    Raises:
        ValueError: it is like a fault that is not there, or a field is wrong (`msgspec.ValidationError`).
    """
    return convert(fault_table(kind, name, change), FaultSpec)  # type: ignore[no-any-return]


def fault_table(kind: KindSpec, name: str, change: Mapping[str, Any]) -> dict[str, Any]:
    """All fields of a fault with a scenario's changes, as a table.

    Raises:
        ValueError: it is like a fault that is not there.
    """
    fields = {key: value for key, value in change.items() if key != _LIKE}
    for text in _TEXTS:
        if isinstance(fields.get(text), str):
            fields[text] = {"zh": fields[text], "en": fields[text]}
    if isinstance(fields.get("self_fix"), list):
        fields["self_fix"] = [{"zh": one, "en": one} if isinstance(one, str) else one for one in fields["self_fix"]]
    pattern = str(change.get(_LIKE, "")) or (name if name in kind.faults else "")
    if pattern and pattern not in kind.faults:
        raise ValueError(f"{kind.kind} has no fault {pattern!r}")
    known = msgspec.to_builtins(kind.faults[pattern]) if pattern else _ordinary(kind, name)
    return laid_over(known, fields)


def _ordinary(kind: KindSpec, name: str) -> dict[str, Any]:
    """What a new fault is unless it says otherwise: nothing dangerous, one visit, a price outside warranty."""
    words = name.replace("_", " ")
    title = words[:1].upper() + words[1:]
    return {
        "family": name,
        "component": name,
        "severity": 3,
        "skill": next((one.skill for one in kind.faults.values()), kind.kind),
        "minutes": 45,
        "price": {"currency": "CNY", "low": 80, "high": 400},
        "verify": {"hours": 72.0},
        "notice": {
            "zh": f"{{onset}}，您家的{kind.title.zh}与平时不同。",
            "en": f"Since {{onset}} your {kind.title.en.lower()} has been working differently from its usual way.",
        },
        "title": {"zh": title, "en": title},
        "explain": {"zh": "有部件在变化。", "en": "A part is changing."},
        "risk": {"zh": "如果不处理，电器可能停止工作。", "en": "Left alone, the appliance may stop working."},
        "safe": {"zh": "可以放心使用。", "en": "Safe to use."},
    }
