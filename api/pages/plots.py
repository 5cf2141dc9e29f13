"""Plots of reports as SVG, drawn on the server: shares with their intervals, causes by how often they were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

_WIDTH = 980
_LABEL = 230
_RIGHT = 130
_ROW = 30
_TALL = 40
_HEAD = 8
_FOOT = 24
_FIFTHS = 5


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its interval, all 0 to 1; `good` is where it ought to be: `high`, `low` or empty."""

    name: str
    value: float | None
    low: float
    high: float
    said: str


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause, how often it was found, the share of all up to it, and whose it is."""

    name: str
    count: int
    upto: float
    said: str
    whose: str = ""


def intervals(ident: str, title: str, desc: str, rows: Sequence[Interval], percent: Sequence[str]) -> Markup:
    """Dots on their intervals, one row each, over five gridlines.

    Args:
        ident: for the document.
        title: for whoever does not see it.
        desc: likewise.
        rows: from top to bottom.
        percent: the names of 0 to 100 percent in fifths.
    """
    height = _HEAD + _ROW * len(rows) + _FOOT
    out = _open(ident, title, desc, height)
    foot = _HEAD + _ROW * len(rows)
    for n, name in enumerate(percent):
        x = _at(n / _FIFTHS)
        out.append(f'<path class="c-grid" d="M{x} {_HEAD}V{foot}"/>')
        out.append(f'<text class="c-t" x="{x}" y="{foot + 16}" text-anchor="middle">{escape(name)}</text>')
    for n, row in enumerate(rows):
        y = _HEAD + _ROW * n + _ROW // 2
        out.append(f'<text class="c-t c-b" x="{_LABEL - 12}" y="{y + 4}" text-anchor="end">{escape(row.name)}</text>')
        if row.value is not None:
            out.append(f'<path class="p-span" d="M{_at(row.low)} {y}H{_at(row.high)}"/>')
            out.append(f'<circle class="p-dot" cx="{_at(row.value)}" cy="{y}" r="5.5"/>')
        out.append(f'<text class="c-t" x="{_WIDTH - _RIGHT + 14}" y="{y + 4}">{escape(row.said)}</text>')
    return _closed(out)


def pareto(ident: str, title: str, desc: str, rows: Sequence[Cause], percent: Sequence[str]) -> Markup:
    """Bars, the most frequent first, and over them the line of the share of all up to each.

    Args:
        ident: for the document.
        title: for whoever does not see it.
        desc: likewise.
        rows: from top to bottom.
        percent: the names of 0 to 100 percent in fifths, for the line.
    """
    foot = _HEAD + _TALL * len(rows)
    out = _open(ident, title, desc, foot + _FOOT)
    for n, name in enumerate(percent):
        x = _at(n / _FIFTHS)
        out.append(f'<path class="c-grid" d="M{x} {_HEAD}V{foot}"/>')
        out.append(f'<text class="c-t" x="{x}" y="{foot + 16}" text-anchor="middle">{escape(name)}</text>')
    most = max((row.count for row in rows), default=1)
    middles = [_HEAD + _TALL * n + _TALL // 2 for n in range(len(rows))]
    for n, (row, y) in enumerate(zip(rows, middles, strict=True)):
        width = round((_WIDTH - _LABEL - _RIGHT) * row.count / most, 1)
        up = 3 if row.whose else -4
        out.append(f'<text class="c-t c-b" x="{_LABEL - 12}" y="{y - up}" text-anchor="end">{escape(row.name)}</text>')
        if row.whose:
            out.append(f'<text class="c-t" x="{_LABEL - 12}" y="{y + 12}" text-anchor="end">{escape(row.whose)}</text>')
        look = "p-bar p-top" if n == 0 else "p-bar"
        out.append(f'<rect class="{look}" x="{_LABEL}" y="{y - 9}" width="{width}" height="18" rx="3"/>')
        out.append(f'<text class="c-t" x="{_WIDTH - _RIGHT + 14}" y="{y + 4}">{escape(row.said)}</text>')
    points = [(_at(row.upto), y) for row, y in zip(rows, middles, strict=True)]
    line = "L".join(f"{x} {y}" for x, y in points)
    out.append(f'<path class="p-upto" d="M{line}"/>')
    out += [f'<circle class="p-mark" cx="{x}" cy="{y}" r="4"/>' for x, y in points]
    return _closed(out)


def _at(share: float) -> float:
    return round(_LABEL + (_WIDTH - _LABEL - _RIGHT) * share, 1)


def _open(ident: str, title: str, desc: str, height: int) -> list[str]:
    head = f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="{ident}-t {ident}-d">'
    return [f'{head}<title id="{ident}-t">{escape(title)}</title><desc id="{ident}-d">{escape(desc)}</desc>']


def _closed(out: list[str]) -> Markup:
    return Markup("".join(out) + "</svg>")  # noqa: S704  (every text in it was escaped)
