"""The strips of an engineer's device page as SVG: a channel each, all on one time axis. Pure, without inline styles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from markupsafe import Markup

from api.charts import text_width
from api.i18n import Words
from api.lab_signals import Signals, Span, Stretch
from telemetry.clock import MICROS, to_datetime, to_micros

WIDTH, HEIGHT = 720, 60
_PAD = 5
_AXIS, _MARKS = 22, 34
_MOST_EVENTS = 6
"""More than these are ticks without words; the list below the strips has all of them."""
_HOUR = 3_600 * MICROS
_DAY = 24 * _HOUR
_STEPS = (
    *(n * 1_000_000 for n in (1, 5, 10, 30)),
    *(n * 60 * MICROS for n in (1, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14, 28, 91)),
)


@dataclass(frozen=True, slots=True)
class AxisMark:
    """Something that happened.

    Attributes:
        at: when.
        kind: onset, finding, visit, repair or now.
        label: in a few words.
        low: of an onset, from.
        high: to.
    """

    at: datetime
    kind: str
    label: str
    low: datetime | None = None
    high: datetime | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of time drawn over the strips' width."""

    stretch: Stretch

    def x(self, at: datetime) -> float:
        """Where a moment stands, kept within the picture."""
        share = (at - self.stretch.start) / self.stretch.span
        return min(max(share, 0.0), 1.0) * WIDTH

    def holds(self, at: datetime) -> bool:
        """Whether a moment is in it."""
        return self.stretch.start <= at <= self.stretch.end


@dataclass(frozen=True, slots=True)
class Trace:
    """A channel on its steps; None where a step said nothing of it."""

    at: Sequence[datetime]
    low: Sequence[float | None]
    high: Sequence[float | None]
    mean: Sequence[float | None]


def strip(name: str, title: str, desc: str, trace: Trace, signals: Signals, marks: Sequence[AxisMark]) -> Markup:  # noqa: PLR0917  (all of them are the picture)
    """One channel: pale columns where the appliance works, the envelope, its mean, gaps hatched, marks as verticals."""
    axis = Axis(signals.stretch)
    known = [v for column in (trace.low, trace.high) for v in column if v is not None]
    bottom, top = (min(known), max(known)) if known else (0.0, 1.0)
    if top - bottom < 1e-9:  # noqa: PLR2004  (a flat line stands in the middle)
        bottom, top = bottom - 1.0, top + 1.0

    def y(value: float) -> float:
        return HEIGHT - _PAD - (value - bottom) / (top - bottom) * (HEIGHT - 2 * _PAD)

    parts = [_open(name, title, desc, HEIGHT), *_columns(signals.active, axis, HEIGHT)]
    for run in _runs(trace, signals.gaps):
        steps = [(axis.x(trace.at[i] + signals.envelope.width / 2), i) for i in run]
        upper = "L".join(f"{x:.1f} {y(trace.high[i] or 0.0):.1f}" for x, i in steps)
        lower = "L".join(f"{x:.1f} {y(trace.low[i] or 0.0):.1f}" for x, i in reversed(steps))
        line = "L".join(f"{x:.1f} {y(trace.mean[i] or 0.0):.1f}" for x, i in steps)
        parts.append(f'<path class="c-envelope" d="M{upper}L{lower}Z"/>')
        parts.append(f'<path class="c-line c-thin" d="M{line}{"h.1" if len(steps) == 1 else ""}"/>')
    parts += _gaps(signals.gaps, axis, HEIGHT)
    # Events are many: they stand above the strips alone.
    parts += [_stem(mark, axis, HEIGHT) for mark in marks if mark.kind != "event" and axis.holds(mark.at)]
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704  (texts are escaped)


def marks_strip(t: Words, marks: Sequence[AxisMark], stretch: Stretch) -> Markup:
    """What happened, above all strips, each with its words."""
    axis = Axis(stretch)
    shown = [mark for mark in marks if axis.holds(mark.at)]
    desc = "; ".join(f"{mark.label}, {t.stamp(mark.at)}" for mark in shown) or t.plain("Nothing happened here.")
    parts = [_open("marks", t.plain("What happened"), desc, _MARKS)]
    right = [-1.0, -1.0]
    silent = sum(mark.kind == "event" for mark in shown) > _MOST_EVENTS
    for mark in sorted(shown, key=lambda each: (each.kind == "event", each.at)):
        x, width = axis.x(mark.at), text_width(mark.label, 11.5)
        low, high = mark.low or mark.at, mark.high or mark.at
        if mark.kind == "onset":
            parts.append(f'<path class="c-onset-range" d="M{axis.x(low):.1f} {_MARKS - 3}H{axis.x(high):.1f}"/>')
        parts.append(_symbol(mark.kind, x))
        flipped = x + width + 12 > WIDTH
        start = x - width - 10 if flipped else x + 10
        row = next((i for i in (0, 1) if right[i] < start), None)
        if row is None or (silent and mark.kind == "event"):
            continue
        right[row] = start + width
        words = " c-rim" if mark.kind in {"visit", "repair"} else ""
        parts.append(f'<text class="c-t c-b{words}" x="{start:.1f}" y="{12 + 13 * row}">{escape(mark.label)}</text>')
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704  (likewise)


def time_strip(t: Words, stretch: Stretch) -> Markup:
    """The axis under all strips: four to seven ticks, days at midnight."""
    axis = Axis(stretch)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {_AXIS}" aria-hidden="true">',
        f'<path class="c-axis" d="M0 .5H{WIDTH}"/>',
    ]
    for at, label in ticks(t, stretch):
        x = axis.x(at)
        half = text_width(label, 11.5) / 2
        words = min(max(x, half), WIDTH - half)
        parts.append(f'<path class="c-tick" d="M{x:.1f} 0v4"/>')
        parts.append(f'<text class="c-t" x="{words:.1f}" y="17" text-anchor="middle">{escape(label)}</text>')
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704  (likewise)


def ticks(t: Words, stretch: Stretch, most: int = 7) -> list[tuple[datetime, str]]:
    """Round local times within a stretch, with their words."""
    low, high = to_micros(stretch.start), to_micros(stretch.end)
    step = next((each for each in _STEPS if (high - low) / each <= most), _STEPS[-1])
    offset = t.local(stretch.start).utcoffset()
    shift = 0 if offset is None else round(offset.total_seconds()) * MICROS
    first = -(-(low + shift) // step) * step - shift
    found = []
    for micros in range(first, high + 1, step):
        local = t.local(to_datetime(micros))
        midnight = (local.hour, local.minute, local.second) == (0, 0, 0)
        found.append(
            (local, t.short_day(local) if midnight else f"{local:%H:%M:%S}" if step < 60 * MICROS else t.time(local))
        )
    return found


def _open(name: str, title: str, desc: str, height: int) -> str:
    ident = escape(name)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{ident}-t {ident}-d">'
        f'<title id="{ident}-t">{escape(title)}</title><desc id="{ident}-d">{escape(desc)}</desc>'
    )


def _columns(active: Sequence[Span], axis: Axis, height: int) -> Iterator[str]:
    for span in active:
        a, b = axis.x(span.start), axis.x(span.end)
        yield f'<rect class="c-cycle" x="{a:.1f}" y="0" width="{max(b - a, 0.4):.1f}" height="{height}"/>'


def _gaps(gaps: Sequence[Span], axis: Axis, height: int) -> Iterator[str]:
    for gap in gaps:
        a, b = axis.x(gap.start), axis.x(gap.end)
        if b - a > 0.3:  # noqa: PLR2004  (thinner than a line is nothing to see)
            yield f'<rect class="c-gap" x="{a:.1f}" y="0" width="{b - a:.1f}" height="{height}"/>'


def _runs(trace: Trace, gaps: Sequence[Span]) -> Iterator[list[int]]:
    """Steps that belong together: no line across a gap, none across a channel's silence."""
    begins = {gap.end for gap in gaps}
    run: list[int] = []
    for i, at in enumerate(trace.at):
        if at in begins and run:
            yield run
            run = []
        if trace.mean[i] is not None:
            run.append(i)
    if run:
        yield run


def _stem(mark: AxisMark, axis: Axis, height: int) -> str:
    kind = {"visit": "c-visit", "repair": "c-visit", "now": "c-now"}.get(mark.kind, "c-onset")
    return f'<path class="{kind}" d="M{axis.x(mark.at):.1f} 0V{height}"/>'


def _symbol(kind: str, x: float) -> str:
    if kind == "onset":
        return f'<path class="c-onset-mark" d="M{x:.1f} {_MARKS - 14}l5 5-5 5-5-5Z"/>'
    if kind == "finding":
        return f'<path class="c-finding" d="M{x:.1f} {_MARKS - 14}l5.500 9h-11Z"/>'
    if kind in {"visit", "repair"}:
        ring = f'<circle class="c-{kind}-mark" cx="{x:.1f}" cy="{_MARKS - 9}" r="5"/>'
        return (
            ring
            if kind == "visit"
            else ring + f'<path class="c-repair-tick" d="M{x - 2.4:.1f} {_MARKS - 9}l1.700 1.900 3-3.500"/>'
        )
    return f'<path class="c-now" d="M{x:.1f} {_MARKS - 12}V{_MARKS}"/>'
