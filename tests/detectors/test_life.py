"""Remaining life of an episode: an interval that holds the failure, narrows, and is made of bounded memory."""

from __future__ import annotations

import pytest

from detectors.episodes import DAY, HOUR
from detectors.life import Growth, Prior, remaining


def growing(days: float, lead: float, gain: float = 1.0, until: float = 0.9) -> list[tuple[float, float, float]]:
    """Intervals told twice a day, as seconds from now, of a fault found after `days` of its `lead`; with the truth."""
    prior = Prior((10.0, 25.0), 1.1, (0, 2 * DAY))
    growth, told = Growth(round(days * DAY)), []
    for half in range(round(2 * days), round(2 * until * lead)):
        at = round(half / 2 * DAY)
        level = (half / 2 / lead) ** 1.1
        growth.add(at, {"leak": gain * level, "other": 0.0})
        told.append((*remaining(prior, "leak", growth, at), lead - half / 2))
    return told


@pytest.mark.parametrize("lead", [11.0, 16.0, 24.0])
@pytest.mark.parametrize("gain", [0.5, 1.0, 1.4])
def test_remaining_life_holds_the_failure_and_narrows(lead: float, gain: float) -> None:
    told = growing(2.0, lead, gain)
    assert all(0 < low < high for low, high, _ in told)
    assert sum(low <= left * 86_400 for low, _, left in told) >= 0.95 * len(told)
    assert sum(low <= left * 86_400 <= high for low, high, left in told) >= 0.85 * len(told)
    # A fault that shows half of the usual may be half as far, or weak: that stays open.
    most = 0.9 if gain < 1 else 0.6
    assert told[-1][1] - told[-1][0] < most * (told[0][1] - told[0][0])


def test_a_sign_that_runs_ahead_of_the_wear_brings_no_false_date() -> None:
    """Two thirds of what a clogged filter does to the air are there at half of its life; the end must not seem near."""
    prior, lead = Prior((30.0, 70.0), 1.15, (0, 4 * DAY)), 55.0
    growth, held = Growth(4 * DAY), []
    for day in range(4, 52):
        at = day * DAY
        growth.add(at, {"filter": 0.9 * (day / lead) ** 0.6})
        low, high = remaining(prior, "filter", growth, at)
        held.append(low <= (lead - day) * 86_400 <= high)
    assert sum(held) >= 0.95 * len(held)


def test_remaining_life_is_the_lead_time_before_anything_grew() -> None:
    growth = Growth(0)
    growth.add(0, {"leak": 0.02})
    low, high = remaining(Prior((10.0, 25.0), 1.1, (-DAY, 0)), "leak", growth, 0)
    assert 2 * 86_400 < low < 12 * 86_400
    assert 18 * 86_400 < high < 40 * 86_400


def test_what_is_kept_of_a_growing_fault_stays_bounded() -> None:
    growth = Growth(0)
    for i in range(4_000):
        growth.add(i * HOUR, {"leak": i / 4_000})
    assert len(growth.times) <= 32
    assert sum(growth.counts) == 4_000
    assert growth.times == sorted(growth.times)
    mean = sum(a * n for a, n in zip(growth.amounts["leak"], growth.counts, strict=True)) / 4_000
    assert mean == pytest.approx(3_999 / 8_000)
