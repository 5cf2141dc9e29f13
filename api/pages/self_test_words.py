"""The answer of an appliance's own test in words: what is not as usual, and what that did to the causes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.i18n import Words
from api.units import unit_of
from telemetry.catalogue import KindSpec
from telemetry.catalogue.measure import MeasureSpec

_UNUSUAL = 3.0
"""Spreads between healthy units from which on a reading is said to be off."""


def self_test_words(t: Words, body: Mapping[str, Any], kind: KindSpec | None) -> str:
    """A line of the timeline: `status`, `values`, and where the answer told causes apart `before` and `causes`."""
    match body.get("status"):
        case "ok":
            told = _measured(t, body.get("values") or {}, kind)
            effect = _effect(t, body, kind)
            return told if effect is None else t.plain("{told}. {effect}", told=told, effect=effect)
        case "silent":
            return t.plain("The appliance did not answer to the self-test")
        case _:
            return t.plain("The appliance cannot test itself now: {why}", why=body.get("error") or "–")


def _measured(t: Words, values: Mapping[str, float], kind: KindSpec | None) -> str:
    known = {} if kind is None else {name: spec for name, spec in kind.self_test.items() if name in values}
    if not known:
        # Of a kind without a table names and units are the firmware's own; a technician knows them.
        raw = _joined(t, [f"{name} {x:g}" for name, x in sorted(values.items())])
        return t.plain("Self-test of the appliance: {measured}", measured=raw or "–")
    off = [name for name, spec in known.items() if abs(values[name] - spec.healthy) > _UNUSUAL * spec.spread]
    if not off:
        return t.plain("Self-test of the appliance: all {n} readings are as usual", n=len(known))
    measured = _joined(t, [_reading(t, known[name], values[name]) for name in off])
    if len(off) == len(known):
        return t.plain("Self-test of the appliance: {measured}", measured=measured)
    return t.plain("Self-test of the appliance: {measured}; all else is as usual", measured=measured)


def _reading(t: Words, spec: MeasureSpec, value: float) -> str:
    unit = unit_of(spec.unit, spec.healthy or value)
    return t.plain(
        "{name} {value} of {usual}",
        name=t.pick(spec.title),
        value=t.number(value * unit.scale, unit.decimals),
        usual=unit.say(t.number(spec.healthy * unit.scale, unit.decimals), t.lang),
    )


def _effect(t: Words, body: Mapping[str, Any], kind: KindSpec | None) -> str | None:
    causes, before = body.get("causes"), dict(body.get("before") or ())
    if not causes or kind is None:
        return None
    fault, share = causes[0]
    spec = kind.faults.get(fault)
    return t.plain(
        "Most likely now: {cause}, {share}% (before the test {before}%)",
        cause=t.pick(spec.title) if spec is not None else t.plain("Something else"),
        share=round(100 * share),
        before=round(100 * before.get(fault, 0.0)),
    )


def _joined(t: Words, parts: list[str]) -> str:
    return (", " if t.lang == "en" else "、").join(parts)
