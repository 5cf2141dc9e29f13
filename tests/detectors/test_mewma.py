"""The benchmark of T² over all levels: no look ahead, a relation that breaks, episodes by persistence."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.mewma import Mewma, episodes
from stack.scoring.common import Floats

TRAIN = 400


def rows(shift: float) -> Floats:
    """Two channels that move together and one apart; from row 900 on the second no longer follows the first."""
    rng = np.random.default_rng(8)
    common = rng.normal(size=1400)
    x = np.column_stack([common, common + 0.3 * rng.normal(size=1400), rng.normal(size=1400)])
    x[900:, 1] += shift
    return x * [1.0, 50.0, 0.01] + [20.0, 300.0, 0.5]


@pytest.mark.parametrize("follow", [0.0, 1 / 150])
def test_no_row_knows_of_later_ones(follow: float) -> None:
    way, x = Mewma(0.2, 0.99, follow), rows(0.8)
    said = way.beyond(x, TRAIN)
    for n in (TRAIN + 1, 950, 1399):
        assert (way.beyond(x[:n], TRAIN) == said[:n]).all()


def test_a_broken_relation_is_beyond_the_limit_and_health_is_not() -> None:
    way = Mewma(0.2, 0.999, 0.0)
    said = way.beyond(rows(0.8), TRAIN)
    assert said[TRAIN:900].mean() < 0.05
    assert said[930:].mean() > 0.9
    assert way.beyond(rows(0.0), TRAIN)[TRAIN:].mean() < 0.05


def test_an_episode_opens_when_most_of_a_window_is_over_and_ends_when_windows_are_calm() -> None:
    tuning = {"window_rows": 10.0, "open_share": 0.7, "exit_share": 0.3, "exit_windows": 2.0}
    beyond = np.zeros(200, np.bool_)
    beyond[20:26] = True  # six of ten: not enough
    beyond[50:80] = True
    beyond[90:120] = True  # before two windows were calm: the same episode
    beyond[160:] = True
    assert episodes(beyond, tuning) == [56, 166]
