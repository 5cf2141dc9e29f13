from __future__ import annotations

from stack.watch import LagMeter


def test_lag_is_the_age_of_the_oldest_block_not_committed() -> None:
    meter = LagMeter()
    assert meter.observe(0.0, 10, 10) == 0.0
    assert meter.observe(1.0, 12, 10) == 0.0  # just seen
    assert meter.observe(1.5, 15, 10) == 0.5
    assert meter.observe(2.0, 15, 12) == 0.5  # what came at 1.5 still waits
    assert meter.observe(2.5, 15, 15) == 0.0
    assert meter.observe(9.0, 15, 15) == 0.0
