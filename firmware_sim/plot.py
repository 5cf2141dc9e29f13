"""A fault's signature as a picture: channels and features, healthy against faulty. Needs matplotlib."""

from __future__ import annotations

import itertools
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firmware_sim.physics.base import Floats
from firmware_sim.signature import Signature
from firmware_sim.testbed import RUNS
from firmware_sim.wear import DAY, HOUR
from telemetry.errors import WellkeptError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".svg", ".png")
_HEALTHY, _FAULTY = "#5b7083", "#c8452f"
_POINTS = 70
"""Points of a curve; a picture of a page of documents stays small."""
_CYCLES, _LEAST_H = 4.0, 4.0
"""So many cycles of an appliance that never ends, and at least so many hours."""
_FIRST_RUN_H, _LONGEST_RUN_H = RUNS[0], RUNS[1] - RUNS[0]
_MOST_FEATURES = 8
_STILL = 0.02
"""A feature that moves less is not drawn."""
_NUMBER = re.compile(r"-?\d+\.\d+")
_PATH = re.compile(r' d="([^"]*)"')
_STROKE = re.compile(r"\s*([LMCQz])\s*")
_METADATA = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL)
_GROUP = re.compile(r'<g id="[^"]*">')
_STYLE = re.compile(r'style="[^"]*"')
_FAMILY = " font-family: 'DejaVu Sans', sans-serif;"
_INDENT = re.compile(r"\n\s*")


class PlotError(WellkeptError):
    """A picture that cannot be made; says what to do."""


def plot(shown: Signature, path: Path) -> None:
    """Draw a signature into an SVG or PNG file; the same signature gives the same bytes of SVG.

    Raises:
        PlotError: matplotlib is not installed, or the name ends in neither `.svg` nor `.png`.
    """
    if path.suffix.lower() not in FORMATS:
        raise PlotError(f"{path.name} ends in neither {' nor '.join(FORMATS)}")
    if find_spec("matplotlib") is None:
        raise PlotError("pictures need matplotlib: install the extra `plot`, e.g. `pip install 'wellkept[plot]'`")
    import matplotlib as mpl  # noqa: PLC0415  (an optional extra)
    from matplotlib.figure import Figure  # noqa: PLC0415  (likewise)

    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "wellkept",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 8.0,
        "axes.linewidth": 0.6,
    }
    with mpl.rc_context(settings):
        channels = list(shown.setup.kind.channels)
        features = _told(shown)
        rows = max(len(channels), 1)
        figure = Figure(figsize=(8.4, 1.0 + 0.82 * rows), layout="constrained")
        grid = figure.add_gridspec(rows, 2, width_ratios=(1.7, 1.0))
        figure.suptitle(_title(shown), x=0.01, ha="left", fontsize=10)
        _channels(shown, [figure.add_subplot(grid[row, 0]) for row in range(rows)])
        _features(shown, features, figure.add_subplot(grid[:, 1]))
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata: dict[str, Any] = {"Date": None, "Creator": "wellkept"} if path.suffix.lower() == ".svg" else {}
        figure.savefig(path, dpi=110, metadata=metadata)
    if path.suffix.lower() == ".svg":
        path.write_text(_shorter(path.read_text(encoding="utf-8")), encoding="utf-8")


def window(shown: Signature) -> tuple[float, float]:
    """Hours of the laboratory's day that a picture shows: one programme, or a few cycles around noon."""
    pieces = shown.healthy.pieces
    begin = pieces[0].t[0]
    if hasattr(shown.setup.physics, "programmes"):
        first = float(_FIRST_RUN_H)
        ends = [
            (piece.t[-1] - begin) / HOUR
            for trace in (shown.healthy, shown.shown)
            for piece in trace.pieces
            if piece.phase not in {"idle", None}
        ]
        run = [end for end in ends if first < end < first + _LONGEST_RUN_H]
        return first - 0.1, (max(run) if run else first + 2.0) + 0.2
    a_day = [piece for piece in pieces if piece.t[0] < begin + DAY]
    cycle = 24.0 / max(len(a_day) / 2.0, 1.0)
    length = float(np.clip(_CYCLES * cycle, _LEAST_H, 24.0))
    middle = float(np.clip(14.0, length / 2.0, 24.0 - length / 2.0))
    return middle - length / 2.0, middle + length / 2.0


def _title(shown: Signature) -> str:
    kind = shown.setup.kind
    if shown.fault is None:
        return f"{kind.title.en}, healthy"
    level = shown.levels[shown.shown_at]
    return f"{kind.title.en}: {shown.fault.title.en} ({shown.id}), at {level:.0%} of its way to failure"


def _channels(shown: Signature, axes: list[Axes]) -> None:
    low, high = window(shown)
    for number, (axis, (name, spec)) in enumerate(zip(axes, shown.setup.kind.channels.items(), strict=True)):
        traces = [(shown.healthy, _HEALTHY, "healthy")]
        if shown.fault is not None:
            traces.append((shown.shown, _FAULTY, "with the fault"))
        for trace, colour, label in traces:
            hours, values = trace.series()
            inside = (hours >= low) & (hours <= high)
            x, y = thinned(hours[inside], values[inside, number], _POINTS)
            axis.plot(x, y, color=colour, linewidth=0.9, label=label, solid_joinstyle="round")
        axis.set_ylabel(
            f"{name}\n{'' if spec.unit == '1' else spec.unit}".strip(), rotation=0, ha="right", va="center", fontsize=7
        )
        axis.tick_params(labelsize=6, length=0, labelbottom=number == len(axes) - 1)
        axis.spines[["top", "right"]].set_visible(False)
        axis.locator_params(axis="y", nbins=3)
        axis.set_xlim(low, high)
    axes[0].legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False, fontsize=7)
    axes[-1].set_xlabel("hour of the laboratory's day", fontsize=7)


def _told(shown: Signature) -> list[str]:
    """The features that the fault moves most, in the catalogue's order."""
    if not shown.features or shown.fault is None:
        return []
    moved = {name: _moves(shown.feature(name)) for name in shown.setup.kind.features}
    order = sorted((name for name in moved if moved[name] > _STILL), key=lambda name: -moved[name])
    return order[:_MOST_FEATURES]


def _moves(values: Floats) -> float:
    known = values[np.isfinite(values)]
    if len(known) < 2 or not np.isfinite(values[0]) or values[0] == 0:  # noqa: PLR2004  (a change needs two)
        return 0.0
    return float(np.max(np.abs(known / values[0] - 1.0)))


def _features(shown: Signature, names: list[str], axis: Axes) -> None:
    if not names:
        axis.set_axis_off()
        return
    levels = np.array(shown.levels)
    for name in names:
        values = shown.feature(name)
        change = 100.0 * (values / values[0] - 1.0)
        (line,) = axis.plot(levels, change, marker="o", markersize=2.2, linewidth=0.9)
        known = np.flatnonzero(np.isfinite(change))
        axis.annotate(
            name, (levels[known[-1]], change[known[-1]]), xytext=(4, 0), textcoords="offset points", fontsize=6.5,
            color=line.get_color(), va="center",
        )  # fmt: skip
    axis.axhline(0.0, color="#999999", linewidth=0.5)
    axis.set_xlim(0.0, 1.35)
    axis.set_yscale("symlog", linthresh=20.0)
    axis.yaxis.set_major_formatter(lambda value, _place: f"{value:+.0f}")
    axis.set_title("features, change in % against healthy", fontsize=8)
    axis.set_xlabel("level of the fault (1: functional failure)", fontsize=7)
    axis.tick_params(labelsize=6, length=0)
    axis.set_xticks([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axis.spines[["top", "right"]].set_visible(False)


def thinned(x: Floats, y: Floats, most: int) -> tuple[Floats, Floats]:
    """At most about `most` points that keep a curve's highs and lows: of each stretch its lowest and highest."""
    if len(x) <= most:
        return x, y
    edges = np.linspace(0, len(x), most // 2 + 1).astype(np.int64)
    keep: set[int] = {0, len(x) - 1}
    for begin, end in itertools.pairwise(edges.tolist()):
        part = y[begin:end]
        if np.isfinite(part).any():
            keep |= {begin + int(np.nanargmin(part)), begin + int(np.nanargmax(part))}
    chosen = np.array(sorted(keep))
    return x[chosen], y[chosen]


def _shorter(svg: str) -> str:
    """The same picture in fewer bytes: a tenth of a point is finer than a screen shows, and names serve nobody."""
    head, body = svg.split("<svg", 1)
    body = _METADATA.sub("", body)
    body = _NUMBER.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), body)
    body = _PATH.sub(lambda found: f' d="{_STROKE.sub(_letter, found[1]).strip()}"', body)
    body = _GROUP.sub("<g>", body)
    body = _STYLE.sub(lambda found: found[0].replace(_FAMILY, "").replace(": ", ":").replace("; ", ";"), body)
    return f'{head}<svg font-family="DejaVu Sans, sans-serif"{_INDENT.sub(chr(10), body)}'


def _letter(found: re.Match[str]) -> str:
    return found[1]
