"""Whoever comes too late for a window is told those that are left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from api.context import Tx
from api.problems import problem
from api.v1.models import WindowOut
from servicedesk.errors import WindowGoneError
from servicedesk.planning import alternatives

T = TypeVar("T")


def with_fresh_windows(tx: Tx, visit: UUID, change: Callable[[], T]) -> T:
    """Try a change of a visit's window; who comes too late is told the windows that are left.

    Raises:
        ProblemError: 409, with `windows`.
    """
    try:
        return change()
    except WindowGoneError as cause:
        # What the change held is let go, so that the list is that of now and others go on.
        tx.conn.rollback()
        left = alternatives(tx.office, visit, tx.now).all
        shown = [WindowOut(start=each.window.start, end=each.window.end).model_dump(mode="json") for each in left]
        raise problem("window-gone", str(cause), windows=shown) from cause
