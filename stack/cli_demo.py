"""`wellkept demo`: its options; what it runs is loaded when it is asked for, for the simulator takes a second."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

_DEFAULT = Path(".wellkept/demo")


def demo(
    *,
    headless: Annotated[bool, typer.Option("--headless", help="No panel; nobody answers for your household.")] = False,
    seconds: Annotated[float | None, typer.Option("--for", min=1, help="End after so many seconds.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="Where the demo keeps its data.")] = _DEFAULT,
    speed: Annotated[float, typer.Option(min=1, max=86_400, help="Fleet seconds a second, at most.")] = 7_200.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the fleet; counts on the first run only.")] = 7,
    workers: Annotated[int, typer.Option(min=1, max=64, envvar="WELLKEPT_WORKERS", help="Worker processes.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget earlier runs.")] = False,
) -> None:
    """Run the main job: 120 simulated appliances, from telemetry to a repair that is proved and closed.

    Ctrl-C ends it and prints the score against the simulator's truth. Started again, it goes on from its data.
    """
    from stack.demo import forget, play  # noqa: PLC0415  (the simulator for this command alone)
    from stack.demo_run import Options  # noqa: PLC0415  (likewise)

    if fresh:
        forget(data_dir)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _number, _frame: stop.set())
    play(Options(data_dir, speed, seed, seconds, headless=headless, workers=workers), stop, as_json=as_json)
