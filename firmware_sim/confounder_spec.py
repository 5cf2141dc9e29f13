"""What a confounder is: something innocent that looks like a fault. The product's own are in `confounders.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from firmware_sim.type_errors import convert
from telemetry.catalogue import Influence, Text

_FILE = Path(__file__).parent / "confounders.toml"


class ConfounderSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something innocent.

    Attributes:
        title: in a few words; a plain string stands for both languages.
        scope: who shares it: all appliances of the `region`, those of one `home`, or one `device`.
        kinds: which kinds it concerns, those behind plugs included; empty: all.
        unit: what `size` counts, for people.
        size: usual strength.
        days: usual length.
        ramp_days: in which it comes and goes.
        lasting: it does not end unless the scenario gives its days.
        influences: at size 1, by target: `drive.NAME`, `habit.NAME`, `programme.NAME` or a parameter of the physics.
            What an appliance does not have is left alone.
        by_kind: further influences that only one kind has.
        mends: faults `KIND.FAULT` whose wear it takes away when it begins, without a repair.
        firmware: version that the device runs from its begin on; empty: no update.
    """

    title: Text
    scope: Literal["region", "home", "device"] = "device"
    kinds: tuple[str, ...] = ()
    unit: str = ""
    size: float = 1.0
    days: Annotated[float, msgspec.Meta(gt=0)] = 7.0
    ramp_days: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    lasting: bool = False
    influences: dict[str, Influence] = {}
    by_kind: dict[str, dict[str, Influence]] = {}
    mends: tuple[str, ...] = ()
    firmware: str = ""

    def on(self, kind: str) -> dict[str, Influence]:
        """Its influences on a kind at size 1; empty where it does not concern the kind."""
        if self.kinds and kind not in self.kinds:
            return {}
        return self.influences | self.by_kind.get(kind, {})


def confounder_specs(changes: Mapping[str, Mapping[str, Any]]) -> dict[str, ConfounderSpec]:
    """The product's confounders with a scenario's definitions laid over them.

    Raises:
        msgspec.ValidationError: a definition is no confounder.
    """
    defined = {name: convert(confounder_table(name, change), ConfounderSpec) for name, change in changes.items()}
    return {**_own(), **defined}


def confounder_table(name: str, change: Mapping[str, Any]) -> dict[str, Any]:
    """All fields of a confounder with a scenario's changes, as a table."""
    own = _own()
    known = msgspec.to_builtins(own[name]) if name in own else {"title": _title(name)}
    table = laid_over(known, change)
    title = table["title"]
    return table | {"title": {"zh": title, "en": title}} if isinstance(title, str) else table


def sized(what: Influence, size: float) -> Influence:
    """An influence at another size than 1: sums grow in proportion, factors move away from 1 in proportion."""
    return Influence(
        factor=_factor(what.factor, size),
        add=_times(what.add, size),
        failed=what.failed,
        bias=_times(what.bias, size),
        noise=None if what.noise is None else abs(what.noise * size),
        stuck=what.stuck,
        dropout=None if what.dropout is None else min(abs(what.dropout * size), 1.0),
    )


def laid_over(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A table with another laid over it, table by table; everything else is replaced."""
    found = dict(base)
    for key, value in change.items():
        old = found.get(key)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        found[key] = laid_over(old, value) if both and old is not None else value
    return found


@cache
def _own() -> Mapping[str, ConfounderSpec]:
    raw = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {name: msgspec.convert(table, ConfounderSpec) for name, table in raw.items()}


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _factor(factor: float | None, size: float) -> float | None:
    return None if factor is None else max(1.0 + (factor - 1.0) * size, 0.0)


def _times(value: float | None, size: float) -> float | None:
    return None if value is None else value * size
