"""`wellkept demo`: the whole product with a simulated neighbourhood, on an accelerated fleet clock."""

from __future__ import annotations

import contextlib
import select
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

from rich.live import Live

from stack import run_state
from stack.console import emit, err, out
from stack.demo_fleet import load_state
from stack.demo_run import DemoRun, Options
from stack.embedded_postgres import EmbeddedPostgres
from stack.errors import StackError
from stack.panel import render

_PICTURE_S = 0.5


def play(options: Options, stop: threading.Event, *, as_json: bool) -> None:
    """Run the demo until it is told to stop or its time is over, and print its score."""
    quiet = as_json and options.headless
    run = DemoRun(
        options,
        (lambda _line: None) if quiet else (lambda line: err.print(line, style="dim", highlight=False)),
    )
    try:
        run.start()
        _announce(run, quiet=quiet)
        if options.headless:
            _run_plain(run, stop, quiet=quiet)
        else:
            _run_live(run, stop)
    finally:
        result = run.stop()
    if result:
        _print_score(result, as_json=as_json)


def forget(data_dir: Path) -> None:
    """Delete a demo's data.

    Raises:
        StackError: it runs, or the folder is not a demo's.
    """
    data_dir = data_dir.resolve()
    if not data_dir.exists():
        return
    state = run_state.load(data_dir)
    if state is None and load_state(data_dir) is None and any(data_dir.iterdir()):
        raise StackError(f"{data_dir} holds something else than a demo; delete it yourself or give another --data-dir")
    if state is not None:
        if state.supervisor.alive:
            raise StackError(f"the demo in {data_dir} runs as process {state.supervisor.pid}; stop it first")
        run_state.end_orphans(state)
    EmbeddedPostgres(data_dir / "postgres").remove()
    shutil.rmtree(data_dir)


def _announce(run: DemoRun, *, quiet: bool) -> None:
    if quiet:
        return
    url = run.supervisor.http_url
    out.print(
        f"[bold]Wellkept demo[/bold]  fleet of {run.devices} appliances, clock at up to {run.options.speed:,.0f}×"
    )
    out.print(f"mailbox   {url}/mailbox\ndispatch  {url}/dispatch\nAPI       {url}/docs")
    if run.login:
        out.print(f"[bold]staff logins, shown once: {run.login}[/bold]")


def _run_plain(run: DemoRun, stop: threading.Event, *, quiet: bool) -> None:
    told = -1
    while not stop.is_set() and not run.over():
        run.tick()
        tickets = run.view.counts.tickets if run.view else 0
        if tickets != told and not quiet:
            told = tickets
            err.print(f"{run.elapsed:6.1f} s  {run.fleet_now:%Y-%m-%d %H:%M}  {tickets} tickets", highlight=False)


def _run_live(run: DemoRun, stop: threading.Event) -> None:
    drawn = 0.0
    with Live(console=out, refresh_per_second=4, transient=False) as live:
        while not stop.is_set() and not run.over():
            run.tick()
            if run.yours_link and _enter_pressed():
                run.answer_for_you()
            if run.view is not None and time.monotonic() - drawn >= _PICTURE_S:
                drawn = time.monotonic()
                live.update(render(run.view, run.surroundings()))


def _enter_pressed() -> bool:
    if not sys.stdin.isatty():
        return False
    with contextlib.suppress(OSError, ValueError):
        ready, _, _ = select.select([sys.stdin], [], [], 0)
        if ready:
            sys.stdin.readline()
            return True
    return False


def _print_score(result: dict[str, Any], *, as_json: bool) -> None:
    if not as_json:
        out.print("[bold]Score against the simulator's truth[/bold]")
        out.print(
            f"{result['caught']} of {result['faults']} faults caught, {result['false_tickets']} false tickets, "
            f"{result['closed_verified']} repairs verified by telemetry and closed; "
            f"{result['messages']:,} messages, {result['lost']} lost"
        )
        out.print(
            f"prices put to owners {result['quotes']}, mended by the owner with a guide {result['self_fixed']}, "
            f"visits that found nothing {result['no_fault_found']}, "
            f"repairs that did not hold, by the telemetry {result['reopened']}"
        )
    emit(result, as_json=as_json)
