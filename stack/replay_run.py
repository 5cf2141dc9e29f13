"""`wellkept sim replay` on a running product: registers the recordings, anchors the fleet clock, replays."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from firmware_sim.cli import app as sim_app
from firmware_sim.cli_replay import source_of
from firmware_sim.replay import Source
from stack.clockwork import Clockwork, is_production
from stack.console import running
from stack.errors import StackError
from stack.governor import Governor, Pressure
from stack.run_state import RunState
from stack.watch import Watch, embedded_stream
from storage.pool import connect
from storage.registry import find_device, list_devices, register_device
from stream.nats_client import NatsStream
from telemetry.clock import system_wall, to_datetime
from telemetry.identity import parse_key

_SPEED = 7_200.0
_TICK_S = 0.25
_DECIDE_S = 1.5
_ALIKE = 0.02


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for, as the replay itself reads it: the source and the speed."""

    source: Source
    speed: float


def read_wanted(arguments: Sequence[str]) -> Wanted:
    """Read the options of `sim replay` by its own parser.

    Raises:
        CommandError, RecordingError: there is nothing to replay, or it cannot be read.
    """
    command = typer.main.get_command(sim_app).commands["replay"]  # type: ignore[attr-defined]  # a group
    given = command.make_context("wellkept sim replay", list(arguments)).params
    return Wanted(source_of(given), given["speed"] or _SPEED)


def replay_into(data_dir: Path, arguments: Sequence[str]) -> None:
    """Replay into the product of a data directory, at most at the asked-for speed.

    Raises:
        StackError: nothing runs there, or its clock has passed the recordings' first row.
    """
    state = running(data_dir)
    wanted = read_wanted(arguments)
    stream = NatsStream(state.secrets["nats_url"], name="replay")
    try:
        with connect(state.secrets["database_url"], application="wellkept-replay", autocommit=True) as conn:
            clock = Clockwork.present(conn, stream, system_wall, data_dir)
            kinds = {parse_key(key): kind for key, kind in wanted.source.devices.items()}
            first = wanted.source.first_time()
            strangers = [row for row in list_devices(conn) if row.key not in kinds]
            if is_production(clock.clock) and strangers:
                raise StackError(
                    f"{len(strangers)} other devices live on wall time here; replay into a fresh --data-dir"
                )
            if is_production(clock.clock):
                clock.begin(first)
            elif clock.now() > first and any(find_device(conn, key) is None for key in kinds):
                raise StackError(
                    f"the fleet clock stands at {to_datetime(clock.now()):%Y-%m-%d}, after the recordings' first row; "
                    "replay into a fresh --data-dir"
                )
            for key, kind in kinds.items():
                register_device(conn, key, kind, registered=to_datetime(first))
            watch = Watch(conn, embedded_stream(state.monitor), system_wall)
            _replay(state, clock, watch, wanted.speed, arguments)
    finally:
        stream.close()


def _replay(state: RunState, clock: Clockwork, watch: Watch, speed: float, arguments: Sequence[str]) -> None:
    ended = threading.Event()
    governor = threading.Thread(target=_govern, args=(clock, watch, speed, ended), name="governor")
    os.environ["WELLKEPT_MQTT_URL"] = state.secrets["gateway_url"]
    governor.start()
    try:
        # The fleet clock sets the pace, so that it can be held back: an own pace could not.
        sim_app(args=["replay", *arguments, "--speed", "0"], prog_name="wellkept sim", standalone_mode=False)
    finally:
        ended.set()
        governor.join()
        clock.stand()


def _govern(clock: Clockwork, watch: Watch, speed: float, ended: threading.Event) -> None:
    governor, decided = Governor(speed), 0.0
    while not ended.wait(_TICK_S):
        lag, now = watch.lag(), time.monotonic()
        if now - decided < _DECIDE_S or not clock.settled():
            continue
        decided = now
        waiting = watch.open(clock.now())
        wanted = governor.decide(
            clock.clock.speed, Pressure(lag, due=waiting.due + waiting.jobs + waiting.entries), now
        )
        if abs(wanted - clock.clock.speed) > _ALIKE * max(wanted, clock.clock.speed):
            clock.set_speed(wanted)
