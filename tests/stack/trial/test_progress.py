from __future__ import annotations

from io import StringIO

from rich.console import Console

from stack.trial.progress import Progress
from stack.trial.watch import watching
from tests.stack.trial.small import at


def seen(*, terminal: bool) -> str:
    text = StringIO()
    console = Console(file=text, force_terminal=terminal, width=140)
    with watching("demo, seed 1", console) as listener:
        for day in (0.0, 10.0, 20.0):
            listener(Progress(now=at(day), day=day, days=20, devices=8, tickets=3))
    return text.getvalue()


def test_a_terminal_shows_date_tickets_speed_and_end() -> None:
    text = seen(terminal=True)
    assert "demo, seed 1" in text
    assert "3 tickets" in text
    assert "device-days/s" in text
    assert "ends about" in text


def test_without_a_terminal_it_is_silent_but_for_a_line_now_and_then() -> None:
    assert seen(terminal=False) == ""


def test_that_line_says_how_far_it_is() -> None:
    text = StringIO()
    console = Console(file=text, force_terminal=False, width=140)
    with watching("demo, seed 1", console, every=0.0) as listener:
        listener(Progress(now=at(10), day=10, days=20, devices=8, tickets=3))
    assert text.getvalue().startswith("demo, seed 1: day 10 of 20, 3 tickets, ")
