"""A line inside or outside its band, as small as a word. Pure; colours come from the stylesheet's classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from api.evidence import Point

_WIDTH, _HEIGHT, _PAD = 132, 40, 4


def spark(points: Sequence[Point], name: str, title: str) -> str:
    """The picture of a trend as an `<svg>` element.

    Args:
        points: oldest first.
        name: unique on its page.
        title: what it says, for who does not see it.

    Raises:
        ValueError: no point has a value.
    """
    values = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
    if not any(p.value is not None for p in points):
        raise ValueError("a trend needs at least one value")
    low, high = min(values), max(values)
    span = high - low or abs(high) or 1.0
    step = (_WIDTH - 2 * _PAD) / max(1, len(points) - 1)

    def x(i: int) -> float:
        return _PAD + i * step

    def y(value: float) -> float:
        return _HEIGHT - _PAD - (value - low) / span * (_HEIGHT - 2 * _PAD)

    ident = escape(name)
    head = f'<svg class="spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="{ident}-t">'
    parts = [head, f'<title id="{ident}-t">{escape(title)}</title>']
    for run in _runs(points, banded=True):
        upper = "L".join(f"{x(i):.1f} {y(points[i].high or 0):.1f}" for i in run)
        lower = "L".join(f"{x(i):.1f} {y(points[i].low or 0):.1f}" for i in reversed(run))
        parts.append(f'<path class="c-band" d="M{upper}L{lower}Z"/><path class="c-edge" d="M{upper}M{lower}"/>')
    lines = ([(x(i), y(points[i].value or 0)) for i in run] for run in _runs(points, banded=False))
    parts += [f'<path class="c-line" d="{_path(line)}"/>' for line in lines]
    out = [(x(i), y(p.value)) for i, p in enumerate(points) if p.outside and p.value is not None]
    if out:
        parts.append('<path class="c-dot" d="' + "".join(f"M{a:.1f} {b:.1f}h0" for a, b in out) + '"/>')
    last = max(i for i, p in enumerate(points) if p.value is not None)
    tone = "c-now-out" if points[last].outside else "c-now-in"
    parts.append(f'<circle class="{tone}" cx="{x(last):.1f}" cy="{y(points[last].value or 0):.1f}" r="3.2"/></svg>')
    return "".join(parts)


def _runs(points: Sequence[Point], *, banded: bool) -> Iterator[list[int]]:
    """Stretches whose points have a band, or a value: what is unknown is never bridged."""
    run: list[int] = []
    for i, point in enumerate(points):
        if (point.low is not None and point.high is not None) if banded else point.value is not None:
            run.append(i)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _path(places: list[tuple[float, float]]) -> str:
    body = "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
    return f"M{body}" if len(places) > 1 else f"M{body}h0"
