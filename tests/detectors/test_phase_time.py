"""How long a phase took: a reading that is missing at its edge must not make it longer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectors.segment import Cycle, Rows
from detectors.view import View, phase_time
from telemetry.clock import MICROS

_EVERY = {"wash": 60.0, "drain": 15.0, "dry": 300.0}


def _view(*readings: tuple[float, str]) -> View:
    numbers = {name: number for number, name in enumerate(_EVERY)}
    t = np.array([round(seconds * MICROS) for seconds, _ in readings], np.int64)
    phase = np.array([numbers[name] for _, name in readings], np.int8)
    rows = Rows(t, np.zeros((len(t), 1), np.float32), phase)
    return View(Cycle(0, int(t[-1]), None, rows), {"power": 0}, numbers, list(_EVERY.values()))


_WASH = [(0.0, "wash"), (60.0, "wash")]
_DRAIN = [(120.0, "drain"), (135.0, "drain"), (150.0, "drain")]


def test_from_the_first_reading_of_the_phase_to_the_first_of_the_next() -> None:
    assert phase_time(_view(*_WASH, *_DRAIN, (165.0, "dry"), (465.0, "dry")), "drain") == 45.0


def test_a_lost_first_reading_of_the_next_phase_makes_no_long_drain() -> None:
    assert math.isnan(phase_time(_view(*_WASH, *_DRAIN, (465.0, "dry")), "drain"))


def test_lost_first_readings_of_the_phase_make_no_short_one() -> None:
    lost = (_WASH[0], (165.0, "drain"), (180.0, "drain"), (195.0, "dry"))
    assert math.isnan(phase_time(_view(*lost), "drain"))


@pytest.mark.parametrize("second", [165.0, 465.0])
def test_the_others_of_the_cycle_still_count(second: float) -> None:
    later = [(700.0, "wash"), (760.0, "drain"), (775.0, "drain"), (790.0, "dry")]
    found = phase_time(_view(*_WASH, *_DRAIN, (second, "wash"), *later), "drain")
    assert found == (37.5 if second == 165.0 else 30.0)
