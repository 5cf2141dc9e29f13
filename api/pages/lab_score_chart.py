"""A score over time with the bound that opens an episode (long red dashes) and the one that ends it (grey)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from api.charts import Mark, nice_ticks, text_width
from api.i18n import Words
from api.lab_signals import Stretch
from api.pages.lab_strips import ticks
from telemetry.clock import MICROS, to_datetime

_W, _H = 530, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 36, 520, 30, 152
_LACK = 6
ORDER = ("own", "cohort", "level", "share")
"""What decides first stands first."""


@dataclass(frozen=True, slots=True)
class ScoreChart:
    """A score's picture: title, where it stands, its bounds in words."""

    id: str
    title: str
    latest: str
    bounds: str
    over: bool
    svg: Markup


def score_title(t: Words, name: str) -> str:
    """What a score is called."""
    names = {
        "own": t.plain("Evidence against itself, log e"),
        "cohort": t.plain("Deviation from the cohort"),
        "level": t.plain("Average deviation"),
        "share": t.plain("Share of rows over"),
    }
    return names.get(name, name)


def draw_score(
    t: Words, name: str, times: Sequence[int], score: Mapping[str, Any], marks: Sequence[Mark]
) -> ScoreChart:
    """Draw one."""
    rows = [(at, v) for at, v in zip(times, score["value"], strict=True) if v is not None]
    opens, ends, need = score["opens"], score["ends"], score["rows"]
    title = score_title(t, name)
    decimals = 2 if name == "share" else 1
    said = [t.plain("opens at {n}", n=t.number(opens, decimals))] if opens is not None else []
    if need > 1:
        said.append(t.plain("for {n} cycles in a row", n=need))
    if ends is not None:
        said.append(t.plain("ends below {n}", n=t.number(ends, decimals)))
    bounds = (", " if t.lang == "en" else "，").join(said)
    if not rows:
        return ScoreChart(name, title, "–", bounds, over=False, svg=Markup())
    latest = rows[-1][1]
    over = opens is not None and latest >= opens
    desc = t.plain("{title}: {latest} now; {bounds}.", title=title, latest=t.number(latest, decimals), bounds=bounds)
    svg = _svg(t, name, rows, (opens, ends), marks, title, desc)
    return ScoreChart(name, title, t.number(latest, decimals), bounds, over, svg)


def _svg(  # noqa: PLR0917  (all of them are the picture)
    t: Words,
    name: str,
    rows: Sequence[tuple[int, float]],
    bounds: tuple[float | None, float | None],
    marks: Sequence[Mark],
    title: str,
    desc: str,
) -> Markup:
    t0, t1 = rows[0][0], max(rows[-1][0], rows[0][0] + 1)
    values = [v for _, v in rows] + [b for b in bounds if b is not None]
    low, high = min(0.0, *values), max(values) * 1.08 or 1.0

    def x(at: int) -> float:
        return _LEFT + (at - t0) / (t1 - t0) * (_RIGHT - _LEFT)

    def y(value: float) -> float:
        return _BOTTOM - (value - low) / (high - low) * (_BOTTOM - _TOP)

    ident = f"s-{escape(name)}"
    parts = [
        f'<svg class="chart" viewBox="0 0 {_W} {_H}" role="img" aria-labelledby="{ident}-t {ident}-d">',
        f'<title id="{ident}-t">{escape(title)}</title><desc id="{ident}-d">{escape(desc)}</desc>',
    ]
    for value in nice_ticks(low, high, 4):
        shown = t.number(value, 0 if abs(value - round(value)) < 1e-9 else 2)  # noqa: PLR2004  (rounding)
        parts.append(f'<path class="c-grid" d="M{_LEFT} {y(value):.1f}H{_RIGHT}"/>')
        parts.append(f'<text class="c-t" x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{shown}</text>')
    gaps = _gaps([at for at, _ in rows])
    for a, b in gaps:
        parts.append(
            f'<rect class="c-gap" x="{x(a):.1f}" y="{_TOP}" width="{x(b) - x(a):.1f}" height="{_BOTTOM - _TOP}"/>'
        )
    for kind, bound in (("c-limit", bounds[0]), ("c-exit", bounds[1])):
        if bound is not None:
            parts.append(f'<path class="{kind}" d="M{_LEFT} {y(bound):.1f}H{_RIGHT}"/>')
    parts += [f'<path class="c-line" d="{_path(run, x, y)}"/>' for run in _runs(rows, gaps)]
    if bounds[0] is not None:
        out = [[each for each in run if each[1] >= bounds[0]] for run in _runs(rows, gaps)]
        parts += [f'<path class="c-out" d="{_path(run, x, y)}"/>' for run in out if run]
    parts += _marked(marks, x, (t0, t1))
    for at, label in ticks(t, Stretch(to_datetime(t0), to_datetime(t1)), 6):
        place = x(round(at.timestamp() * MICROS))
        half = text_width(label, 11.5) / 2
        parts.append(f'<path class="c-tick" d="M{place:.1f} {_BOTTOM}v4"/>')
        words = min(max(place, _LEFT + half - 10), _RIGHT - half)
        parts.append(
            f'<text class="c-t" x="{words:.1f}" y="{_BOTTOM + 18}" text-anchor="middle">{escape(label)}</text>'
        )
    parts.append(f'<path class="c-axis" d="M{_LEFT} {_BOTTOM}H{_RIGHT}"/></svg>')
    return Markup("".join(parts))  # noqa: S704  (texts are escaped)


def _gaps(times: Sequence[int]) -> list[tuple[int, int]]:
    """Rests between judgements that are far longer than is usual: nothing moved the score there."""
    rests = sorted(b - a for a, b in pairwise(times))
    usual = rests[len(rests) // 2] if rests else 0
    return [(a, b) for a, b in pairwise(times) if b - a > max(_LACK * usual, 3_600 * MICROS)]


def _runs(rows: Sequence[tuple[int, float]], gaps: Sequence[tuple[int, int]]) -> list[list[tuple[int, float]]]:
    begins = {b for _, b in gaps}
    runs: list[list[tuple[int, float]]] = [[]]
    for at, value in rows:
        if at in begins:
            runs.append([])
        runs[-1].append((at, value))
    return [run for run in runs if run]


def _path(run: Sequence[tuple[int, float]], x: Any, y: Any) -> str:  # noqa: ANN401  (two scales)
    body = "L".join(f"{x(at):.1f} {y(value):.1f}" for at, value in run)
    return f"M{body}" if len(run) > 1 else f"M{body}h.1"


def _marked(marks: Sequence[Mark], x: Any, within: tuple[int, int]) -> list[str]:  # noqa: ANN401  (a scale)
    parts: list[str] = []
    for mark in marks:
        if not within[0] <= mark.t <= within[1]:
            continue
        at = x(mark.t)
        if mark.kind == "onset":
            low, high = (x(min(max(each or mark.t, within[0]), within[1])) for each in (mark.low, mark.high))
            parts.append(f'<path class="c-onset" d="M{at:.1f} {_TOP - 2}V{_BOTTOM}"/>')
            parts.append(f'<path class="c-onset-range" d="M{low:.1f} {_BOTTOM}H{high:.1f}"/>')
            parts.append(f'<path class="c-onset-mark" d="M{at:.1f} {_TOP - 12}l5 5-5 5-5-5Z"/>')
        else:
            parts.append(f'<path class="c-onset" d="M{at:.1f} {_TOP - 2}V{_BOTTOM}"/>')
            parts.append(f'<path class="c-finding" d="M{at:.1f} {_TOP - 12}l5.500 9h-11Z"/>')
        anchor = "end" if at > _W / 2 else "start"
        start = at - 8 if anchor == "end" else at + 8
        row = 12 if mark.kind == "onset" else 26
        parts.append(
            f'<text class="c-t c-b c-halo" x="{start:.1f}" y="{row}" text-anchor="{anchor}">{escape(mark.label)}</text>'
        )
    return parts
