"""Moist air, as the kinds whose coils frost need it."""

from __future__ import annotations

import numpy as np

from firmware_sim.physics.base import Floats


def vapour(celsius: Floats) -> Floats:
    """Moisture of saturated air at sea level, kg/kg (Magnus)."""
    return np.asarray(0.00377 * np.exp(17.27 * celsius / (celsius + 237.3)), dtype=np.float64)
