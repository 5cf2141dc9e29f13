from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicedesk.rates import at_most, poisson_interval
from stack.trial.statistics import binomial_interval, quantile


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # Garwood's table, as printed in textbooks of epidemiology (Ulm, 1990).
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904), (100, 81.3640, 121.6268)],
)
def test_exact_poisson_interval_is_garwoods(count: int, low: float, high: float) -> None:
    assert poisson_interval(count) == pytest.approx((low, high), abs=1e-4)


def test_the_interval_of_a_large_count_is_near_its_normal_approximation() -> None:
    low, high = poisson_interval(10_000)
    assert low == pytest.approx(10_000 - 1.96 * 100, abs=2)
    assert high == pytest.approx(10_000 + 1.96 * 100, abs=3)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 600))
def test_the_interval_holds_the_count_and_its_ends_have_the_tails_they_claim(count: int) -> None:
    low, high = poisson_interval(count)
    assert low <= count <= high
    assert at_most(count, high) == pytest.approx(0.025, rel=1e-6)
    if count:
        assert 1 - at_most(count - 1, low) == pytest.approx(0.025, rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 500))
def test_intervals_rise_with_the_count(count: int) -> None:
    assert poisson_interval(count)[0] < poisson_interval(count + 1)[0]
    assert poisson_interval(count)[1] < poisson_interval(count + 1)[1]


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(0, 10, 0.0, 0.3085), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0), (1, 20, 0.0013, 0.2487)],
)
def test_exact_binomial_interval_is_clopper_and_pearsons(part: int, whole: int, low: float, high: float) -> None:
    assert binomial_interval(part, whole) == pytest.approx((low, high), abs=1e-4)


def test_nothing_has_no_share_and_no_quantile() -> None:
    assert binomial_interval(0, 0) is None
    assert quantile([], 0.5) is None


def test_quantiles_lie_between_neighbours() -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert quantile([10.0, 20.0], 0.1) == 11.0
    assert quantile([7.0], 0.1) == 7.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 1))
def test_a_quantile_stays_within_its_sample(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert found is not None
    assert min(values) <= found <= max(values) or math.isclose(found, max(values)) or math.isclose(found, min(values))
