"""`wellkept detect`: a score and an alarm for each row of any table."""

from __future__ import annotations

import csv
import gzip
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from stack.cli_desk import AsJson
from stack.console import emit, err
from stack.errors import StackError
from stack.table_file import TableFile

_SHOW_EVERY = 250_000
_PIPE_CLOSED = 141  # as a program that SIGPIPE ended


def detect(
    table: Annotated[str, typer.Argument(metavar="INPUT.csv", help="A table, gzipped or not; - for standard input.")],
    *,
    profile: Annotated[str, typer.Option(help="univariate, multichannel or cycles.")],
    output: Annotated[str, typer.Option("--output", "-o", help="Where the scores go; - for standard output.")] = "-",
    time: Annotated[str | None, typer.Option(help="The time column; guessed unless told.")] = None,
    train_rows: Annotated[
        int | None, typer.Option(min=1, help="So many first rows are known to be healthy; the profile chooses.")
    ] = None,
    columns: Annotated[str | None, typer.Option(help="Columns to use, a,b,c; all numbers but labels.")] = None,
    as_json: AsJson = False,
) -> None:
    """Score each row of a table: 0 is usual, 1 was never seen so; and raise an alarm where it counts.

    What is said of a row rests on that row and the ones before it: a longer file changes nothing. Rows are taken as
    they come, absent and unreadable numbers as unknown.
    """
    if output != "-" and table != "-" and Path(output).resolve() == Path(table).resolve():
        raise StackError(f"the scores would replace {table}: name another file with -o")
    chosen = [name.strip() for name in columns.split(",") if name.strip()] if columns is not None else None
    with TableFile(table, time, chosen) as source:
        for name, reason in source.columns.left_out:
            if reason != "not chosen":
                err.print(f"left out: {name} ({reason})", highlight=False, markup=False)
        with _writer(output) as file:
            alarms = _score(source, profile, train_rows, file)
        _say(source)
        summary = {
            "profile": profile,
            "rows": source.counts.rows,
            "alarms": alarms,
            "time": [source.columns.names[i] for i in source.columns.time],
            "columns": [source.columns.names[i] for i in source.columns.values],
            "left_out": dict(source.columns.left_out),
            "incomplete_rows": source.counts.incomplete,
            "unreadable_cells": {name: n for name, n in source.counts.unreadable.items() if n},
        }
    if output != "-":
        emit(summary, as_json=as_json)
    elif as_json:
        err.print_json(data=summary)


def _score(source: TableFile, profile: str, train_rows: int | None, file: TextIO) -> int:
    """Write the scores of all rows; returns how many raised an alarm."""
    from detectors.profiles.registry import PROFILES  # noqa: PLC0415  (numba for this command alone)

    if profile not in PROFILES:
        raise StackError(f"there is no profile {profile!r}; there are {', '.join(sorted(PROFILES)) or 'none yet'}")
    columns = source.columns
    detector = PROFILES[profile](len(columns.values), train_rows)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*(columns.names[i] for i in columns.time), "score", "alarm"])
    alarms = shown = 0
    with err.status("reading") as status:
        for rows in source.blocks():
            scores = detector.observe(rows.t, rows.x)
            writer.writerows(
                [*cells, repr(score), int(alarm)]
                for cells, score, alarm in zip(rows.times, scores.score.tolist(), scores.alarm.tolist(), strict=True)
            )
            file.flush()
            alarms += int(scores.alarm.sum())
            if source.counts.rows - shown >= _SHOW_EVERY:
                shown = source.counts.rows
                status.update(f"{shown:,} rows, {alarms:,} alarms")
    return alarms


def _say(source: TableFile) -> None:
    """What of the table could not be used, on standard error."""
    counts = source.counts
    for name, n in counts.unreadable.items():
        if n:
            err.print(
                f"{name}: {n} of {counts.rows} cells are no numbers; taken as unknown", highlight=False, markup=False
            )
    if counts.incomplete:
        err.print(f"{counts.incomplete} of {counts.rows} rows lack a number", highlight=False)
    if counts.no_time:
        err.print(f"{counts.no_time} of {counts.rows} rows have no readable time", highlight=False)
    if counts.falling:
        err.print(f"{counts.falling} of {counts.rows} rows are dated before the row above", highlight=False)
    if not counts.rows:
        err.print("the table has no rows", highlight=False)


@contextmanager
def _writer(path: str) -> Iterator[TextIO]:
    if path == "-":
        try:
            yield sys.stdout
        except BrokenPipeError:
            # Whoever read the scores has seen enough; the interpreter must not try once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(_PIPE_CLOSED) from None
        return
    try:
        if path.endswith(".gz"):
            with gzip.open(path, "wb") as packed, io.TextIOWrapper(packed, "utf-8", newline="") as file:
                yield file
        else:
            with Path(path).open("w", encoding="utf-8", newline="") as file:
                yield file
    except OSError as cause:
        raise StackError(f"{path} cannot be written: {cause.strerror or cause}") from cause
