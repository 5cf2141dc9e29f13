"""Numpy's elementwise functions for one number, compiled: what `np` is in a physics that is compiled for one appliance.

A physics uses of numpy, in `next_state`, `output` and `phase` and what they call, the names of this module alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

float64, int64 = np.float64, np.int64
pi = math.pi
Number = Any
"""A float, an integer or a truth value; numba knows which."""


@njit(error_model="numpy")
def where(condition: Number, yes: Number, no: Number) -> Number:
    """One of both."""
    if condition:
        return yes
    return no


@njit(error_model="numpy")
def minimum(a: Number, b: Number) -> Number:
    """The smaller one."""
    return min(a, b)


@njit(error_model="numpy")
def maximum(a: Number, b: Number) -> Number:
    """The larger one."""
    return max(a, b)


@njit(error_model="numpy")
def clip(value: Number, low: Number, high: Number) -> Number:
    """The value, within both."""
    return min(max(value, low), high)


@njit(error_model="numpy")
def exp(value: Number) -> Number:
    """Of e."""
    return math.exp(value)


@njit(error_model="numpy")
def sqrt(value: Number) -> Number:
    """The square root."""
    return math.sqrt(value)


@njit(error_model="numpy")
def cos(value: Number) -> Number:
    """Of an angle in radians."""
    return math.cos(value)


@njit(error_model="numpy")
def logical_not(value: Number) -> Number:
    """The other truth value."""
    return not value


@njit(error_model="numpy")
def asarray(value: Number, dtype: Number = None) -> Number:  # noqa: ARG001  (numpy's signature)
    """The number itself: its type is what its formula makes of it."""
    return value


@njit(error_model="numpy")
def stack(columns: Number, axis: Number = 0) -> Number:  # noqa: ARG001  (numpy's signature)
    """The columns of one appliance, as they are."""
    return columns


@njit(error_model="numpy")
def stage_of(job: Number, place: Number) -> Number:
    """`firmware_sim.physics.base.stage_of` of one run."""
    return job.stages[place]
