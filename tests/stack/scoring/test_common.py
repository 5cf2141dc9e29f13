"""What every benchmark shares."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stack.errors import StackError
from stack.scoring.common import (
    Figure,
    Result,
    blind_controls,
    bootstrap,
    find_data,
    over_seeds,
    rolling_median,
)

RNG = np.random.default_rng


def test_recordings_are_found_by_either_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "NAB").mkdir()
    assert find_data(tmp_path, "NAB") == tmp_path / "NAB"
    assert find_data(tmp_path / "NAB", "NAB") == tmp_path / "NAB"
    monkeypatch.setenv("WELLKEPT_DATA", str(tmp_path))
    assert find_data(None, "NAB") == tmp_path / "NAB"
    with pytest.raises(StackError, match="SKAB"):
        find_data(None, "SKAB")


def test_bootstrap_covers_the_mean() -> None:
    values = RNG(1).normal(5.0, 1.0, 100)
    low, high = bootstrap(100, lambda drawn: float(values[drawn].mean()))
    assert low < values.mean() < high
    # The normal interval is ±1.96/10 wide.
    assert 0.3 < high - low < 0.5


def test_controls_look_at_no_later_row() -> None:
    values = RNG(2).normal(size=(300, 2))
    values[40, 0] = np.nan
    for control in blind_controls(period=50, first=10, last=20).values():
        whole = control(values, RNG(3))
        assert whole.shape == (300,)
        assert np.all((whole >= 0) & (whole <= 1))
        assert np.array_equal(control(values[:200], RNG(3)), whole[:200])


def test_rolling_median_sees_a_spike_and_no_scale() -> None:
    values = RNG(4).normal(size=(400, 1))
    values[300] = 30.0
    score = rolling_median()(values, RNG(0))
    assert score.argmax() == 300
    assert score[300] > 0.9
    assert np.allclose(rolling_median()(values * 1000.0, RNG(0)), score)


def test_a_result_is_json_without_nan() -> None:
    result = Result(
        "nab", "p", "d", "s", "t", {"standard": over_seeds([1.0, 3.0]), "gone": Figure(float("nan"))}, units=[{"a": 1}]
    )
    plain = json.loads(json.dumps(result.plain()))
    assert plain["figures"]["standard"] == {"value": 2.0, "low": None, "high": None, "sd": pytest.approx(2**0.5)}
    assert plain["figures"]["gone"]["value"] is None
    assert str(result.figures["standard"]) == "2 ± 1.41"
