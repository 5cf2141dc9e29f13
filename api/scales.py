"""What every drawing of ours needs: how wide words stand, and round values for an axis."""

from __future__ import annotations

import math

_CJK = 0x2E80


def text_width(text: str, size: float = 12) -> float:
    """About how wide a text stands, in pixels: CJK characters are square, others a little over half that."""
    return sum(size if ord(c) >= _CJK else size * 0.56 for c in text)


def nice_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """At most `most` round values within the range (1, 2, 2.5 or 5 times a power of ten apart)."""
    if high <= low:
        return [low]
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    steps = [m * power for m in (1, 2, 2.5, 5, 10, 20)]
    # Counted as drawn below: the division is the same, or rounding would let one more through.
    step = next(each for each in steps if math.floor(high / each) - math.ceil(low / each) < most)
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)]
