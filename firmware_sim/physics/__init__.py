"""The physics of each kind: one module a kind, which ends in a value `PHYSICS`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from firmware_sim.physics.base import Physics

_NO_KIND = {"air", "base"}


@cache
def simulated_kinds() -> tuple[str, ...]:
    """The kinds that have a physics, sorted."""
    return tuple(sorted(one.name for one in pkgutil.iter_modules(__path__) if one.name not in _NO_KIND))


@cache
def physics_of(kind: str) -> Physics:
    """The physics of a kind.

    Raises:
        KeyError: nothing simulates this kind.
    """
    if kind not in simulated_kinds():
        raise KeyError(f"no physics for {kind!r}; there is one for {', '.join(simulated_kinds())}")
    found: Physics = importlib.import_module(f"{__name__}.{kind}").PHYSICS
    return found
