"""Kinds of appliances by what people call them."""

from __future__ import annotations

from telemetry.catalogue import Catalogue


def kinds_named(catalogue: Catalogue, q: str) -> tuple[str, ...]:
    """Kinds whose name holds what was sought, in either language."""
    if not q:
        return ()
    folded = q.casefold()
    return tuple(
        name
        for name, spec in catalogue.kinds.items()
        if folded in name or folded in spec.title.en.casefold() or folded in spec.title.zh
    )
