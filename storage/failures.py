"""What can go wrong with the database itself, in groups that a border translates."""

from __future__ import annotations

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout

OUTAGES = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
"""It does not answer, or the connection broke: whether a change was made is not known."""

BUSY = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)
"""Two transactions were in each other's way and this one gave up: nothing was changed. Some are OUTAGES too."""

UNFIT = (psycopg.DataError,)
"""A value that the database cannot hold (a NUL in a text, a date out of range)."""

ALL = (psycopg.Error, PoolTimeout)
"""Whatever it is: for loops that go on when it is over."""
