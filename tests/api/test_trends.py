"""A trend's own band, and its small picture: the past alone says what is usual, and gaps are not bridged."""

from __future__ import annotations

import random
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest

from api.evidence import Point
from api.sparkline import spark
from api.trends import own_band

DAY = 86_400_000_000


def days(values: Sequence[float | None]) -> list[Point]:
    return own_band([n * DAY for n in range(len(values))], values)


def test_a_band_needs_a_week_and_knows_nothing_of_its_own_day() -> None:
    rng = random.Random(4)
    usual: list[float | None] = [10 + rng.gauss(0, 0.3) for _ in range(40)]
    points = days([*usual, 30.0])
    assert all(p.low is None and not p.outside for p in points[:7])
    assert all(p.low is not None for p in points[7:])
    assert points[-1].outside == 1
    assert sum(abs(p.outside) for p in points[7:-1]) <= 2
    high = points[-1].high
    assert high is not None
    assert 10.2 < high < 12


def test_a_steady_appliance_has_a_band_all_the_same_and_power_is_never_below_nothing() -> None:
    steady = days([5.0] * 20 + [5.05])
    assert (steady[-1].low, steady[-1].high) == (4.9, 5.1)
    assert not steady[-1].outside
    rare = days([0.0, 3.0] * 12)
    assert rare[-1].low == 0.0


def test_missing_days_stay_missing() -> None:
    points = days([1.0] * 10 + [None, None] + [1.0] * 3)
    assert [p.value for p in points[9:13]] == [1.0, None, None, 1.0]
    picture = ET.fromstring(spark(points, "s1", "a <title>"))  # noqa: S314  (our own)
    lines = [each for each in picture if each.get("class") == "c-line"]
    assert len(lines) == 2
    assert picture[0].text == "a <title>"


def test_the_picture_says_whether_the_last_day_is_outside() -> None:
    points = days([10.0, 10.2] * 8 + [14.0])
    assert "c-now-out" in spark(points, "a", "t")
    assert "c-dot" in spark(points, "a", "t")
    assert "c-now-in" in spark(points[:-1], "a", "t")
    with pytest.raises(ValueError, match="value"):
        spark(days([None]), "a", "t")
