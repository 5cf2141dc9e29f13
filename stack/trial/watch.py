"""A trial's progress on a terminal: fleet date, tickets, device-days a second, estimated end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from stack.trial.progress import Listener, Progress
from telemetry.clock import to_datetime

PLAIN_EVERY_S = 30.0
"""Seconds between two lines where there is no terminal."""


@contextmanager
def watching(title: str, console: Console, every: float = PLAIN_EVERY_S) -> Iterator[Listener]:
    """A listener that draws a bar; where there is no terminal, it says a line every half minute.

    Args:
        title: of the trial.
        console: of standard error.
        every: seconds between such lines.
    """
    if not console.is_terminal:
        yield _plain(title, console, every)
        return
    bar = Bar(
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[date]}"),
        TextColumn("{task.fields[tickets]} tickets"),
        TextColumn("{task.fields[speed]} device-days/s"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[end]}"),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=1.0, date="", tickets=0, speed="–", end="")
        began = time.monotonic()

        def listen(now: Progress) -> None:
            seconds = max(time.monotonic() - began, 1e-3)
            done = now.day / now.days if now.days else 1.0
            bar.update(
                task,
                completed=done,
                date=f"{to_datetime(now.now):%d %b %Y}",
                tickets=now.tickets,
                speed=f"{now.day * now.devices / seconds:,.0f}",
                end=_end(seconds, done),
            )

        yield listen


def _plain(title: str, console: Console, every: float) -> Listener:
    began = time.monotonic()
    said = began

    def listen(now: Progress) -> None:
        nonlocal said
        moment = time.monotonic()
        if moment - said < every:
            return
        said = moment
        speed = now.day * now.devices / max(moment - began, 1e-3)
        console.print(
            f"{title}: day {now.day:.0f} of {now.days}, {now.tickets} tickets, {speed:,.0f} device-days/s",
            highlight=False,
        )

    return listen


def _end(seconds: float, done: float) -> str:
    """About when it will be over, wall time."""
    if done <= 0.0:
        return ""
    left = timedelta(seconds=seconds * (1.0 - done) / done)
    return f"ends about {datetime.now().astimezone() + left:%H:%M}"
