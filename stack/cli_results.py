"""How a scored benchmark is shown: one JSON value, or its tables and what is to be said of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stack.console import emit, out

if TYPE_CHECKING:  # numpy is for the benchmarks alone, and every command starts here
    from stack.scoring.common import Result


def show(found: Result, remarks: Iterable[str], *, as_json: bool) -> None:
    """Print a result.

    Args:
        found: what was scored.
        remarks: lines behind the tables; not part of the JSON value, which has them as fields.
        as_json: one value instead of tables.
    """
    if as_json:
        emit(found.plain(), as_json=True)
        return
    for title, rows in found.tables():
        out.print(f"\n{title}", highlight=False, markup=False)
        emit(rows, as_json=False)
    for line in remarks:
        out.print(line, highlight=False, markup=False)
