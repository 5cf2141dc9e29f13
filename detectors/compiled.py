"""Loops over rows, compiled to machine code by numba and kept on disk for the next process.

A compiled function must not call functions or read constants of another module: numba's cache watches its own file
only. No `fastmath`: sums are made in the order in which they are written, so a result never depends on how rows are
divided into calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile at the first call of each process, from the cache where one can be kept.

    The cache lies in `NUMBA_CACHE_DIR`, else beside the source, else in the user's cache folder. Where none of them
    can be written, each process compiles anew.
    """
    try:
        return cast("_Function", njit(cache=True, error_model="numpy")(function))
    except RuntimeError:
        return cast("_Function", njit(error_model="numpy")(function))
