"""Hands on a simulated fleet, where one is configured: what it does now, what is asked of it, and the clock it follows.

The fleet answers on a socket in its folder (`telemetry.steering`); the clock belongs to whoever paces it, who reads
what was wished for in the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from api.context import Context, Tx
from api.problems import ProblemError, problem
from api.said import said
from storage.lab_store import ClockWish, read_keeper, read_wish, write_wish
from storage.registry import DeviceRow
from telemetry.clock import to_datetime
from telemetry.steering import ControlError, Developing, NotRunningError, Request, Status, ask

KEEPER_SILENT = timedelta(seconds=10)
"""Who paces the clock says so every two seconds."""
START = "wellkept demo"
_TIMEOUT_S = 5.0
MOST_SPEED = 86_400.0
MOST_STEP_HOURS = 24.0 * 60


@dataclass(frozen=True, slots=True)
class Growing:
    """A fault that is developing: level 0 new, 1 functional failure."""

    device: str
    fault: str
    family: str
    onset: datetime
    failure: datetime
    level: float


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet that runs."""

    scenario: str
    seed: int
    devices: int
    fleet: datetime
    messages: int
    unreceipted: int
    lag: float
    offline: int
    connected: bool
    developing: list[Growing]


@dataclass(frozen=True, slots=True)
class ClockState:
    """How the fleet clock runs, and what is asked of it.

    Attributes:
        now: fleet time.
        speed: fleet seconds a wall second, as it is.
        steerable: whether somebody paces it and takes wishes.
        highest: what it was started with; None where nobody paces it.
        wish: what was asked last.
    """

    now: datetime
    speed: float
    steerable: bool
    highest: float | None
    wish: ClockWish | None

    @property
    def ceiling(self) -> float | None:
        """The greatest speed that is allowed now."""
        if self.highest is None:
            return None
        if self.wish is None:
            return self.highest
        return 0.0 if self.wish.until is not None and self.now >= self.wish.until else self.wish.ceiling


def folder_of(context: Context) -> Path:
    """The folder of the fleet.

    Raises:
        ProblemError: 409, none is configured.
    """
    folder = context.settings.sim_folder
    if folder is None:
        raise problem(
            "no-fleet",
            said(
                "this server knows no simulated fleet: run `wellkept demo`, or name the folder by WELLKEPT_SIM_FOLDER"
            ),
        )
    return folder


def steer(context: Context, request: Request, timeout: float = _TIMEOUT_S) -> dict[str, Any]:
    """Ask the fleet for something.

    Raises:
        ProblemError: 409, no fleet runs; 422, it refuses, with the nearest valid name.
    """
    folder = folder_of(context)
    try:
        return ask(folder, request, timeout)
    except NotRunningError as cause:
        raise problem(
            "no-fleet", said("no fleet runs now; start it with `wellkept demo` or `wellkept sim run`")
        ) from cause
    except ControlError as cause:
        raise problem("fleet-refused", str(cause), nearest=cause.nearest) from cause


def read_fleet(context: Context) -> Fleet | None:
    """The fleet as it is now; None when none runs or none is configured."""
    if context.settings.sim_folder is None:
        return None
    try:
        stands, grows = steer(context, Status()), steer(context, Developing())
    except ProblemError:
        return None
    return Fleet(
        scenario=str(stands["scenario"]),
        seed=int(stands["seed"]),
        devices=int(stands["devices"]),
        fleet=to_datetime(int(stands["fleet"])),
        messages=int(stands["messages"]),
        unreceipted=int(stands["unreceipted"]),
        lag=float(stands["lag"]),
        offline=int(stands.get("offline", 0)),
        connected=bool(stands["connected"]),
        developing=[
            Growing(
                str(one["device"]),
                str(one["fault"]),
                str(one["family"]),
                moment(one["onset"]),
                moment(one["failure"]),
                float(one["level"]),
            )
            for one in grows["faults"]
        ],
    )


def moment(seconds: float) -> datetime:
    """Unix seconds of fleet time."""
    return to_datetime(round(seconds * 1_000_000))


def device_status(context: Context, device: DeviceRow, timeout: float = _TIMEOUT_S) -> dict[str, Any] | None:
    """How a simulated device stands; None when it is none of the fleet, or no fleet runs or answers in time."""
    try:
        return steer(context, Status(device=str(device.key)), timeout)
    except ProblemError:
        return None


def read_clock_state(tx: Tx) -> ClockState:
    """How the clock runs and who paces it."""
    keeper = read_keeper(tx.conn)
    paced = keeper is not None and tx.wall - keeper.seen <= KEEPER_SILENT
    speed = tx.clock.speed
    return ClockState(
        tx.now,
        speed,
        paced,
        keeper.highest if keeper is not None and paced else None,
        read_wish(tx.conn) if paced else None,
    )


def wish(tx: Tx, by: str, *, speed: float | None, step_hours: float | None) -> ClockState:
    """Ask for another greatest speed (0 pauses), or for so many hours and then a rest.

    Raises:
        ProblemError: 409, nobody paces the clock: it is wall time, or its process ended.
    """
    state = read_clock_state(tx)
    if not state.steerable or state.highest is None:
        raise problem(
            "clock-not-paced",
            said("the fleet clock is wall time, or nobody paces it now: only `wellkept demo` runs an accelerated one"),
        )
    ceiling = state.highest if speed is None else min(speed, MOST_SPEED)
    if step_hours is not None and ceiling == 0:
        ceiling = state.highest
    until = None if step_hours is None else tx.now + timedelta(hours=step_hours)
    write_wish(tx.conn, ceiling, until, by=by, now=tx.now)
    return read_clock_state(tx)
