"""Words that the engineers' pages share: kinds, health, how long ago, the tabs of the area."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.i18n import Words
from telemetry.catalogue import Catalogue, KindSpec

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Tab:
    """An entry of the area's own bar."""

    id: str
    path: str
    name: str


def tabs(t: Words) -> list[Tab]:
    """The pages of the area."""
    return [
        Tab("devices", "/lab", t.plain("Devices")),
        Tab("scoreboard", "/lab/scoreboard", t.plain("Scoreboard")),
        Tab("simulator", "/lab/simulator", t.plain("Simulator")),
    ]


@dataclass(frozen=True, slots=True)
class Health:
    """What is said of a device's health: a symbol, a word, a tone."""

    icon: str
    word: str
    tone: str


def health_of(t: Words, health: str, last: datetime | None) -> Health:
    """Silence is unknown: never a fault, never healthy."""
    if health == "ok":
        return Health("inband", t.plain("Healthy"), "is-ok")
    if health == "faulty":
        return Health("leave", t.plain("Fault developing"), "is-warn")
    if last is None:
        return Health("unknown", t.plain("No data yet"), "is-unknown")
    return Health("unknown", t.plain("No data since {when}", when=t.stamp(last)), "is-unknown")


def ago(t: Words, then: datetime | None, now: datetime) -> str:
    """How long ago something was said."""
    if then is None:
        return t.plain("never")
    if abs(now - then) < _MINUTE:
        return t.plain("just now")
    if then > now:
        return t.plain("{span} ahead of the clock", span=t.span(then - now))
    return t.plain("{span} ago", span=t.span(now - then))


def kind_title(t: Words, catalogue: Catalogue, kind: str) -> str:
    """A kind's name."""
    spec = catalogue.kinds.get(kind)
    return t.pick(spec.title) if spec is not None else kind


def family_title(t: Words, kind: KindSpec | None, family: str) -> str:
    """A fault family by the fault that is most frequent in it."""
    faults = kind.family_faults(family) if kind is not None else {}
    most = max(faults.values(), key=lambda fault: fault.prior, default=None)
    return t.pick(most.title) if most is not None else family.replace("_", " ")


def feature_title(t: Words, kind: KindSpec | None, feature: str) -> str:
    """A feature's or a channel's name."""
    if kind is not None and feature in kind.features:
        return t.pick(kind.features[feature].title)
    if kind is not None and feature in kind.channels:
        return t.pick(kind.channels[feature].title)
    if kind is not None and feature in kind.self_test:
        return t.pick(kind.self_test[feature].title)
    return feature.replace("_", " ")
