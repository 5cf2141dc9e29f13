"""The measured part of a kind's page in `docs/kinds`: what the test bed shows of every fault, as tables.

It stands between two marks, the first of which says of which catalogue it is: a page whose catalogue has changed since
is stale, and a test says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from firmware_sim.signature import Signature
from telemetry.catalogue import KindSpec
from telemetry.errors import WellkeptError

_BEGIN = "<!-- measured of catalogue {digest}: `wellkept sim describe {kind} --plots docs/img/kinds --page {page}` -->"
_END = "<!-- end of what was measured -->"
_BLOCK = re.compile(r"<!-- measured of catalogue (?P<digest>[^:]*):.*?-->.*?" + re.escape(_END), re.DOTALL)
_ARROWS = {-1: "↓", 0: "", 1: "↑"}
_FAULT = ("course", "lead_days", "mechanism", "signature", "seen_from")
"""Fields of a fault that its signature follows from."""


class PageError(WellkeptError):
    """A page without the two marks."""


def drawn(spec: KindSpec) -> list[str]:
    """The faults of a kind that the test bed can show: those that change something; an event alone does not."""
    return [name for name, one in spec.faults.items() if one.mechanism or one.seen_from]


def digest_of(spec: KindSpec) -> str:
    """Of what a kind's signatures follow from in the catalogue: numbers and ids, no texts and no priors."""
    told = msgspec.to_builtins(spec)
    chosen = {
        "channels": {name: [one["unit"], one["low"], one["high"]] for name, one in told["channels"].items()},
        "phases": told["phases"],
        "cycle": told["cycle"],
        "features": {name: one["unit"] for name, one in told["features"].items()},
        "models": {name: one["parameters"] for name, one in told["models"].items()},
        "faults": {name: {part: one[part] for part in _FAULT} for name, one in told["faults"].items()},
    }
    return hashlib.sha256(msgspec.json.encode(chosen, order="deterministic")).hexdigest()[:12]


def digest_on(text: str) -> str | None:
    """The digest that a page says it was measured of, or None without the marks."""
    found = _BLOCK.search(text)
    return None if found is None else found["digest"]


def block_on(text: str) -> str | None:
    """The measured part of a page, or None without the marks."""
    found = _BLOCK.search(text)
    return None if found is None else found[0]


def block(spec: KindSpec, shown: Sequence[Signature], page: str) -> str:
    """The measured part, from the marks' first to their last.

    Args:
        spec: the kind.
        shown: signatures of its faults, in the catalogue's order, with features.
        page: path of the page, as the mark says it.
    """
    metered = not spec.phases
    tables = [_by_fault(spec, shown)] if metered else [_features(spec, shown), _tests(shown)]
    begin = _BEGIN.format(digest=digest_of(spec), kind=spec.kind, page=page)
    return "\n\n".join([begin, *tables, _END])


def write_block(path: Path, text: str) -> None:
    """Put the measured part into a page, in place of the one that is there.

    Raises:
        PageError: the page has no place for it.
    """
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if block_on(before) is None:
        raise PageError(f"{path} has no place for it: write `<!-- measured of catalogue none: -->` and `{_END}` there")
    path.write_text(_BLOCK.sub(lambda _: text, before, count=1), encoding="utf-8")


def _features(spec: KindSpec, shown: Sequence[Signature]) -> str:
    """A row a feature, a column a fault; an arrow where the catalogue's signature names the feature."""
    head = ["feature", "unit", "healthy", *(f"`{one.id}`" for one in shown)]
    rows = []
    for name, feature in spec.features.items():
        if not np.isfinite(shown[0].features[0].get(name, np.nan)):
            continue
        cells = [_number(float(shown[0].feature(name)[0]))]
        for one in shown:
            told = {} if one.fault is None else {each.feature: each.direction for each in one.fault.signature}
            cells.append(
                _number(float(one.feature(name)[one.shown_at])) + (_ARROWS[told[name]] if name in told else "")
            )
        rows.append([f"`{name}`", feature.unit, *cells])
    codes = [sorted({code for code in one.traces[-1].events if code.startswith("error:")}) for one in shown]
    if any(codes):
        rows.append(["code at failure", "", "", *(", ".join(f"`{code}`" for code in each) for each in codes)])
    return _table(head, rows)


def _tests(shown: Sequence[Signature]) -> str:
    """A row a quantity of the self-test, a column a fault; bold where it moves by more than the test's noise."""
    head = ["self-test", "healthy", *(f"`{one.id}`" for one in shown)]
    rows = []
    for name in shown[0].healthy.test:
        healthy = float(shown[0].test(name)[0])
        cells = []
        for one in shown:
            value = float(one.test(name)[one.shown_at])
            moved = abs(value - healthy) > _MOVED * max(abs(healthy), _LEAST)
            cells.append(f"**{_number(value)}**" if moved else _number(value))
        rows.append([f"`{name}`", _number(healthy), *cells])
    return _table(head, rows)


def _by_fault(spec: KindSpec, shown: Sequence[Signature]) -> str:
    """Of a meter, behind which each fault is seen from another appliance: a row a fault and feature."""
    rows = []
    for one in shown:
        told = {} if one.fault is None else {each.feature: each.direction for each in one.fault.signature}
        for name, direction in told.items():
            values = one.feature(name)
            cells = [_number(float(values[at])) for at in (0, one.shown_at)]
            rows.append([f"`{one.id}`", one.setup.host.kind, f"`{name}`", spec.features[name].unit, *cells,
                         _ARROWS[direction] or "stays"])  # fmt: skip
    return _table(["fault", "seen on", "feature", "unit", "healthy", "late", "catalogue"], rows)


_MOVED = 0.03
"""Three standard deviations of what a self-test measures, relative."""
_LEAST = 0.05
"""Of a quantity about zero."""


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    shown = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"  # noqa: PLR2004  (four digits)
    return "0" if float(shown) == 0.0 else shown


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
