"""What every profile promises: rows in, a score and an alarm a row out, and nothing known of rows to come."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Scores(NamedTuple):
    """One number of each a row.

    Attributes:
        score: float64 of shape (n,), 0 (usual) to 1 (never seen so), finite for every row.
        alarm: bool of shape (n,): the profile's own decision at its fixed threshold.
    """

    score: NDArray[np.float64]
    alarm: NDArray[np.bool_]


class Profile(Protocol):
    """A detector of one series. Made by `profile(channels, train_rows)`; see `detectors.profiles.registry`.

    What is said of a row depends on that row and earlier ones alone: not on the length of the series, its extremes, or
    how it is divided into calls, down to the last bit.
    """

    def observe(self, t: NDArray[np.float64], x: NDArray[np.float64]) -> Scores:
        """Score the next rows.

        Args:
            t: times in seconds, shape (n,); NaN where a row has none. They rise, except where a file's do not: rows
                come in its order, so that one may repeat or lie before the row above. Without a time column the
                caller passes the row's number.
            x: values, shape (n, channels); NaN where absent.
        """
        ...


class ProfileMaker(Protocol):
    """Makes a fresh profile."""

    def __call__(self, channels: int, train_rows: int | None) -> Profile:
        """Make it.

        Args:
            channels: columns of numbers.
            train_rows: so many first rows are known to be healthy; None lets the profile choose.
        """
        ...
