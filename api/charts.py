"""Charts as SVG text, drawn on the server: a line inside or outside its band, and what happened when.

Pure: the same spec gives the same picture. Colours come from the stylesheet's classes; no inline styles,
so that a strict content security policy holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from itertools import pairwise

from api.evidence import Point
from api.scales import nice_ticks, text_width

__all__ = ["Life", "Mark", "Proof", "Spec", "draw", "life_shown", "nice_ticks", "text_width", "unknown_spans"]

Tick = Callable[[int], str]
_AXIS = 26
_LANE = 17
_LANES = 4
_TOUCH = 5
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_HOURLY = (_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY)
_DAILY = (_DAY, 2 * _DAY, 3 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 91 * _DAY)
_ANCHORS = {
    "onset": ("middle", "end", "start"),
    "finding": ("end", "start", "middle"),
    "now": ("end", "start", "middle"),
    "visit": ("start", "end", "middle"),
    "repair": ("start", "end", "middle"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical at a moment.

    Attributes:
        t: microseconds.
        kind: `onset`, `finding`, `now`, `visit` or `repair`.
        label: in a few words.
        low: for an onset: its uncertainty, from.
        high: to.
    """

    t: int
    kind: str
    label: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """The remaining-life interval, as a range and in words; never one date."""

    low: int
    high: int
    label: str
    sub: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """The bracket after a repair that names what proves it."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """All that a chart shows. Times in microseconds, values in the unit the title names.

    Attributes:
        name: unique on its page; part of element ids.
        title: read out first.
        desc: what the picture says, in sentences.
        points: oldest first.
        band_label: put inside the chart, beside the band.
        last_label: the last value with its unit.
        tick: text of a time on the axis: a day at midnight, else a time.
        number: text of a value on the axis.
        origin: a local midnight, microseconds; ticks of the time axis are counted from it.
    """

    name: str
    title: str
    desc: str
    points: Sequence[Point]
    band_label: str
    last_label: str
    tick: Tick
    number: Callable[[float], str]
    marks: Sequence[Mark] = ()
    life: Life | None = None
    proof: Proof | None = None
    gap_label: str = ""
    origin: int = 0
    width: int = 342
    height: int = 232


@dataclass(slots=True)
class _Frame:
    """The plot's box and its two scales."""

    left: float
    right: float
    top: float
    bottom: float
    t0: int
    t1: int
    v0: float
    v1: float
    lanes: list[tuple[float, float, int]] = field(default_factory=list)

    def x(self, t: float) -> float:
        return self.left + (t - self.t0) / (self.t1 - self.t0) * (self.right - self.left)

    def y(self, v: float) -> float:
        return self.bottom - (v - self.v0) / (self.v1 - self.v0) * (self.bottom - self.top)


def draw(spec: Spec) -> str:
    """The chart as an `<svg>` element.

    Raises:
        ValueError: there is no point to draw.
    """
    if not spec.points:
        raise ValueError("a chart needs at least one point")
    frame, labels = _frame(spec)
    ident = escape(spec.name)
    parts = [
        (
            f'<svg class="chart" viewBox="0 0 {spec.width} {spec.height}" role="img" '
            f'aria-labelledby="{ident}-t {ident}-d">'
            f'<title id="{ident}-t">{escape(spec.title)}</title><desc id="{ident}-d">{escape(spec.desc)}</desc>'
        )
    ]
    parts += _grid(spec, frame)
    parts += _life(spec, frame)
    parts += _band(spec, frame)
    parts += _gaps(spec, frame)
    parts += _verticals(spec, frame, labels)
    parts += _line(spec, frame)
    parts += _proof(spec, frame)
    parts += _words(spec, frame)
    parts += _time_axis(spec, frame)
    parts.append("</svg>")
    return "".join(parts)


def _frame(spec: Spec) -> tuple[_Frame, list[tuple[Mark, float, str, int]]]:
    points = spec.points
    half = (points[1].t - points[0].t) // 2 if len(points) > 1 else 43_200_000_000
    t0, last = points[0].t - half, points[-1].t + half
    wanted = [last, *(m.t for m in spec.marks)]
    if spec.life is not None:
        wanted.append(spec.life.high)
    if spec.proof is not None:
        wanted.append(spec.proof.end)
    # The future never takes more than two thirds of the picture: a long life runs out of it at the right.
    t1 = min(max(wanted), max(last, *(m.t for m in spec.marks), 0) + 2 * (last - t0))
    t1 += (t1 - t0) // 40
    values = [v for p in points for v in (p.value, p.low, p.high) if v is not None] or [0.0, 1.0]
    low, high = min(values), max(values)
    pad = (high - low) * 0.09 or abs(high) * 0.1 or 1.0
    # Twice as much below: the band's name stands there.
    low = 0.0 if 0 <= low < pad else low - 2 * pad
    # A bracket stands above the line.
    high += 3 * pad if spec.proof is not None else pad
    ticks = nice_ticks(low, high)
    left = max(text_width(spec.number(v)) for v in ticks) + 10
    frame = _Frame(left, spec.width - 6, 0, spec.height - _AXIS, t0, t1, low, high)
    labels, lanes = _place(spec, frame)
    frame.top = 8 + lanes * _LANE + 6
    return frame, labels


def _place(spec: Spec, frame: _Frame) -> tuple[list[tuple[Mark, float, str, int]], int]:
    """Give every label a lane above the plot, as few as will do, so that none touches another."""
    taken: list[tuple[float, float, int]] = []
    lanes = 1
    if _life_shown(spec, frame) and spec.life is not None:
        width = max(text_width(spec.life.label), text_width(spec.life.sub)) * 1.06
        middle = _life_middle(spec, frame, width)
        lanes = 2 if spec.life.sub else 1
        taken = [(middle - width / 2 - 4, middle + width / 2 + 4, row) for row in range(lanes)]
    fixed = [_Label(a, b, row) for a, b, row in taken]
    for most in range(lanes, _LANES + 1):
        found = _fit(list(spec.marks), fixed, most, frame)
        if found is not None:
            return found, max(lanes, 1 + max((lane for *_, lane in found), default=0))
    # Too many marks too close: each gets a lane of its own.
    apart = [(mark, max(frame.left, frame.x(mark.t)), "middle", lane) for lane, mark in enumerate(spec.marks)]
    return apart, max(lanes, len(apart))


@dataclass(frozen=True, slots=True)
class _Label:
    """A label's span and lane, and where its stem goes down; the remaining life's has none."""

    left: float
    right: float
    lane: int
    stem: float | None = None

    def clashes(self, other: _Label) -> bool:
        """Whether they touch, or the higher one's stem crosses the lower one's words."""
        if self.lane == other.lane:
            return self.left <= other.right and other.left <= self.right
        low, high = (self, other) if self.lane < other.lane else (other, self)
        # Marks of nearly one moment stand on one stem: it may touch the edge of words, not go through them.
        return high.stem is not None and low.left + _TOUCH < high.stem < low.right - _TOUCH


def _fit(
    marks: list[Mark], placed: list[_Label], most: int, frame: _Frame
) -> list[tuple[Mark, float, str, int]] | None:
    """Lanes and sides for all marks so that no two clash, by trying; None when so many lanes are too few."""
    if not marks:
        return []
    mark, rest = marks[0], marks[1:]
    width, x = text_width(mark.label) * 1.06, max(frame.left, frame.x(mark.t))
    for lane in range(most):
        for anchor in _ANCHORS[mark.kind]:
            label = _Label(*_span(x, width, anchor), lane, x)
            if label.left < 0 or label.right > frame.right + 8 or any(label.clashes(each) for each in placed):
                continue
            found = _fit(rest, [*placed, label], most, frame)
            if found is not None:
                return [(mark, x, anchor, lane), *found]
    return None


def life_shown(spec: Spec) -> bool:
    """Whether the remaining life begins within the picture."""
    return _life_shown(spec, _frame(spec)[0])


def _life_shown(spec: Spec, frame: _Frame) -> bool:
    return spec.life is not None and spec.life.low < frame.t1


def _life_middle(spec: Spec, frame: _Frame, width: float) -> float:
    if spec.life is None:
        return 0.0
    middle = (frame.x(min(spec.life.low, frame.t1)) + min(frame.x(spec.life.high), frame.right)) / 2
    return min(middle, frame.right + 6 - width / 2)


def _span(x: float, width: float, anchor: str) -> tuple[float, float]:
    if anchor == "start":
        return x - 1, x + 12 + width
    if anchor == "end":
        return x - width - 8, x + 1
    return x - width / 2 - 4, x + width / 2 + 4


def _grid(spec: Spec, frame: _Frame) -> Iterator[str]:
    for value in nice_ticks(frame.v0, frame.v1):
        y = frame.y(value)
        yield f'<path class="c-grid" d="M{frame.left:.1f} {y:.1f}H{frame.right:.1f}"/>'
        yield _text(frame.left - 6, y + 4, spec.number(value), "", "end")


def _life(spec: Spec, frame: _Frame) -> Iterator[str]:
    life = spec.life
    if life is None or not _life_shown(spec, frame):
        return
    a, b = frame.x(life.low), min(frame.x(life.high), frame.right)
    open_end = frame.x(life.high) > frame.right + 1
    top = frame.top
    yield f'<rect class="c-life" x="{a:.1f}" y="{top:.1f}" width="{b - a:.1f}" height="{frame.bottom - top:.1f}"/>'
    far = "" if open_end else f"M{b:.1f} {top:.1f}V{frame.bottom:.1f}"
    yield f'<path class="c-life-edge" d="M{a:.1f} {top:.1f}V{frame.bottom:.1f}{far}"/>'
    yield f'<path class="c-life-bar" d="M{a:.1f} {top + 4:.1f}v-4H{b:.1f}{"" if open_end else "v4"}"/>'
    width = max(text_width(life.label), text_width(life.sub)) * 1.06
    middle = _life_middle(spec, frame, width)
    if life.sub:
        yield _text(middle, top - 6, life.sub, "c-warn", "middle")
    yield _text(middle, top - 6 - (15 if life.sub else 0), life.label, "c-warn c-b", "middle")


def _band(spec: Spec, frame: _Frame) -> Iterator[str]:
    known = [p for p in spec.points if p.low is not None and p.high is not None]
    if not known:
        return
    yield from _band_part(known, frame, "", "")
    last = known[-1]
    ahead = replace(last, t=frame.t1)
    yield from _band_part([last, ahead], frame, " c-band-next", " c-edge-next")


def _band_part(points: Sequence[Point], frame: _Frame, fill: str, edge: str) -> Iterator[str]:
    upper = "L".join(f"{frame.x(p.t):.1f} {frame.y(p.high or 0):.1f}" for p in points)
    lower = "L".join(f"{frame.x(p.t):.1f} {frame.y(p.low or 0):.1f}" for p in reversed(points))
    yield f'<path class="c-band{fill}" d="M{upper}L{lower}Z"/>'
    yield f'<path class="c-edge{edge}" d="M{upper}M{lower}"/>'


def _gaps(spec: Spec, frame: _Frame) -> Iterator[str]:
    for start, end in unknown_spans(spec.points):
        a, b = frame.x(start), frame.x(end)
        height = frame.bottom - frame.top
        yield f'<rect class="c-gap" x="{a:.1f}" y="{frame.top:.1f}" width="{b - a:.1f}" height="{height:.1f}"/>'
        if spec.gap_label and b - a > text_width(spec.gap_label) * 0.7:
            yield _text((a + b) / 2, frame.bottom - 7, spec.gap_label, "c-quiet c-halo", "middle")


def unknown_spans(points: Sequence[Point]) -> list[tuple[int, int]]:
    """Stretches without a known value between known ones, from the last known point to the next."""
    spans = []
    before: Point | None = None
    missing = False
    for point in points:
        if point.value is None:
            missing = True
            continue
        if missing and before is not None:
            spans.append((before.t, point.t))
        before, missing = point, False
    return spans


def _line(spec: Spec, frame: _Frame) -> Iterator[str]:
    for run in _runs(spec.points):
        yield f'<path class="c-line" d="{_path(run, frame)}"/>'
        out: list[Point] = []
        for point in [*run, None]:
            if point is not None and point.outside:
                out.append(point)
                continue
            if out:
                yield f'<path class="c-out" d="{_path(out, frame)}"/>'
                dots = "".join(f"M{frame.x(p.t):.1f} {frame.y(p.value or 0):.1f}h0" for p in out)
                yield f'<path class="c-dot" d="{dots}"/>'
            out = []


def _runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    run: list[Point] = []
    for point in points:
        if point.value is not None:
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _path(points: Sequence[Point], frame: _Frame) -> str:
    body = "L".join(f"{frame.x(p.t):.1f} {frame.y(p.value or 0):.1f}" for p in points)
    return f"M{body}" if len(points) > 1 else f"M{body}h0"


def _verticals(spec: Spec, frame: _Frame, labels: list[tuple[Mark, float, str, int]]) -> Iterator[str]:  # noqa: ARG001  (one shape for all parts)
    for mark, x, anchor, lane in labels:
        base = frame.top - 6 - lane * _LANE
        shift = {"start": 10, "end": 0, "middle": 0}[anchor]
        stem = base + 5
        if mark.kind in ("visit", "repair"):
            ring = "c-visit-mark" if mark.kind == "visit" else "c-repair-mark"
            yield f'<path class="c-visit" d="M{x:.1f} {base + 2:.1f}V{frame.bottom:.1f}"/>'
            yield f'<circle class="{ring}" cx="{x:.1f}" cy="{base - 4:.1f}" r="6"/>'
            if mark.kind == "repair":
                yield f'<path class="c-repair-tick" d="M{x - 2.8:.1f} {base - 4:.1f}l2 2.2 3.6-4.2"/>'
            shift = {"start": 10, "end": -10, "middle": 0}[anchor]
            words = "c-rim c-b"
            base = base - 14 if anchor == "middle" else base
        elif mark.kind == "now":
            yield f'<path class="c-now" d="M{x:.1f} {stem:.1f}V{frame.bottom:.1f}"/>'
            shift, words = 0 if anchor == "middle" else {"start": 2, "end": -2}[anchor], "c-b"
        else:
            yield f'<path class="c-onset" d="M{x:.1f} {stem + 8:.1f}V{frame.bottom:.1f}"/>'
            if mark.kind == "onset":
                if mark.low is not None and mark.high is not None:
                    a, b = max(frame.x(mark.low), frame.left), max(frame.x(mark.high), frame.left + 3)
                    yield f'<path class="c-onset-range" d="M{a:.1f} {frame.bottom:.1f}H{b:.1f}"/>'
                yield f'<path class="c-onset-mark" d="M{x:.1f} {stem:.1f}l5 5-5 5-5-5Z"/>'
            else:
                yield f'<path class="c-finding" d="M{x - 5:.1f} {stem + 9:.1f}h10l-5-9Z"/>'
            shift, words = {"start": 2, "end": -2, "middle": 0}[anchor], "c-b"
        yield _text(x + shift, base, mark.label, f"{words} c-halo", anchor)


def _proof(spec: Spec, frame: _Frame) -> Iterator[str]:
    proof = spec.proof
    if proof is None:
        return
    a, b, y = frame.x(proof.start), frame.x(proof.end), frame.top + 10
    yield f'<path class="c-proof" d="M{a + 3:.1f} {y + 5:.1f}v-5H{b:.1f}v5"/>'
    x, anchor = _proof_words(proof, a, b)
    yield _text(x, y + 18, proof.label, "c-ok c-b c-halo", anchor)


def _proof_words(proof: Proof, a: float, b: float) -> tuple[float, str]:
    """Where the bracket's words stand: in its middle, or to its end where it is shorter than they are."""
    return ((a + b) / 2, "middle") if text_width(proof.label) < b - a else (b, "end")


def _proof_box(spec: Spec, frame: _Frame) -> list[_Box]:
    """The place that the bracket and its words take."""
    if spec.proof is None:
        return []
    a, b = frame.x(spec.proof.start), frame.x(spec.proof.end)
    width = text_width(spec.proof.label) * 1.06
    x, anchor = _proof_words(spec.proof, a, b)
    left = x - width / 2 if anchor == "middle" else x - width
    return [(min(a, left) - 2, max(b, left + width) + 2, frame.top + 8, frame.top + 32)]


def _words(spec: Spec, frame: _Frame) -> Iterator[str]:
    """The band's name, and the last value beside its point, each where it hides the line least."""
    taken = _proof_box(spec, frame)
    last = next((p for p in reversed(spec.points) if p.value is not None), None)
    if last is not None and spec.last_label:
        x, y, width = frame.x(last.t), frame.y(last.value or 0), text_width(spec.last_label) * 1.06
        over, under = (max(y - 10, frame.top + 12)), y + 20
        sides = (over, under) if last.outside >= 0 else (under, over)
        places = [(x - 8, row, "end") for row in sides] + [(x + 8, row, "start") for row in (y + 4, *sides)]
        at, row, anchor = _least_hidden(spec, frame, places, width, taken)
        yield _text(at, row, spec.last_label, f"{'c-warn' if last.outside else 'c-ok'} c-b c-halo", anchor)
    banded = [p for p in spec.points if p.low is not None and p.high is not None]
    if banded:
        first, end = banded[0], banded[-1]
        low, high = frame.y(first.low or 0), frame.y(first.high or 0)
        width = text_width(spec.band_label) * 1.06
        after = frame.x(end.t) + 8
        rows = [low + 15, high - 7, low - 6, high + 15]
        places = [(frame.left + 7, row, "start") for row in rows]
        places += [(frame.right - 6, frame.y(end.low or 0) + dy, "end") for dy in (-6, 15)]
        places += [(after, frame.y(end.low or 0) + dy, "start") for dy in (-6, 15)]
        at, row, anchor = _least_hidden(spec, frame, places, width, taken)
        yield _text(at, row, spec.band_label, "c-ok c-b c-halo", anchor)


_Box = tuple[float, float, float, float]


def _least_hidden(
    spec: Spec, frame: _Frame, places: list[tuple[float, float, str]], width: float, taken: list[_Box]
) -> tuple[float, float, str]:
    """The first of the places that covers fewest points of the line, no other word and no vertical."""
    line = [(frame.x(p.t), frame.y(p.value)) for p in spec.points if p.value is not None]
    # Between two points the line counts as well.
    line += [
        (a[0] + (b[0] - a[0]) * part / 4, a[1] + (b[1] - a[1]) * part / 4)
        for a, b in pairwise(line)
        for part in (1, 2, 3)
    ]
    stems = [max(frame.left, frame.x(m.t)) for m in spec.marks]

    def box(place: tuple[float, float, str]) -> _Box:
        x, y, anchor = place
        left = x if anchor == "start" else x - width
        return left - 2, left + width + 2, y - 12, y + 4

    def cost(place: tuple[float, float, str]) -> float:
        a, b, top, bottom = box(place)
        outside = a < frame.left - 2 or b > frame.right + 4 or bottom > frame.bottom or top < frame.top - 2
        words = sum(1 for c, d, e, f in taken if a < d and c < b and top < f and e < bottom)
        points = sum(1 for x, y in line if a <= x <= b and top <= y <= bottom)
        return 1000 * outside + 100 * words + 4 * points + 3 * sum(1 for x in stems if a < x < b)

    best = min(places, key=cost)
    taken.append(box(best))
    return best


def _time_axis(spec: Spec, frame: _Frame) -> Iterator[str]:
    """Ticks at local midnights; within two days at full hours, so that no label stands twice."""
    yield f'<path class="c-axis" d="M{frame.left:.1f} {frame.bottom:.1f}H{frame.right:.1f}"/>'
    span = frame.t1 - frame.t0
    widest = text_width(spec.tick(frame.t0)) + 20
    many = max(2, min(7, int((frame.right - frame.left) / widest)))
    steps = _HOURLY if span < 2 * _DAY else _DAILY
    step = next((each for each in steps if span <= each * many), steps[-1])
    t = spec.origin + (frame.t0 - spec.origin) // step * step
    while t < frame.t1:
        x, half = frame.x(t), text_width(spec.tick(t)) / 2
        if t >= frame.t0 and frame.left - 14 <= x - half and x + half <= frame.right + 6:
            yield f'<path class="c-tick" d="M{x:.1f} {frame.bottom:.1f}v4"/>'
            yield _text(x, frame.bottom + 18, spec.tick(t), "", "middle")
        t += step


def _text(x: float, y: float, text: str, classes: str, anchor: str) -> str:
    tone = f"c-t {classes}".strip()
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{tone}" x="{x:.1f}" y="{y:.1f}"{side}>{escape(text)}</text>'
