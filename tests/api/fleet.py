"""A fleet's socket that answers as a fleet does, for tests of routes and pages that need no living fleet.

The conversation itself, with a fleet that lives, is `tests/api/test_lab_fleet.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from firmware_sim.control import ControlServer
from firmware_sim.names import UnknownNameError, known_name
from telemetry.clock import MICROS, to_micros
from telemetry.steering import Clear, Developing, Inject, Reboot, Request, SetNetwork, Status
from tests.api.case import NOW, ORG

DEVICE = f"{ORG}/fridge-1"
_FAULTS = ("condenser_fan_wear", "refrigerant_leak")
_DAY = 86_400


class Answers:
    """Keeps what it is asked for, and answers by it."""

    def __init__(self) -> None:
        self.faults: dict[str, float] = {}
        self.link: dict[str, float] = {"offline_hours": 0.0, "loss": 0.0}
        self.fw = "2.4.1"

    def __call__(self, request: Request) -> dict[str, Any]:  # noqa: PLR0911  (one answer a request)
        """One answer.

        Raises:
            UnknownNameError: another device or fault.
        """
        if isinstance(request, Inject | Clear | Reboot) or (
            isinstance(request, Status | SetNetwork) and request.device
        ):
            known_name("device", request.device, [DEVICE])
        match request:
            case Inject():
                self.faults[known_name("fault", request.fault, _FAULTS)] = request.lead_days or 20.0
                return {"fault": self._fault(request.fault)}
            case Clear():
                gone = [name for name in self.faults if request.fault in ("", name)]
                return {"cleared": [self._fault(name) | {"by": self.faults.pop(name)} for name in gone]}
            case SetNetwork():
                self.link |= request.values or {"offline_hours": 0.0, "loss": 0.0}
                return {"devices": 1, "at": to_micros(NOW) / MICROS}
            case Reboot():
                self.fw = request.fw or self.fw
                return {"device": DEVICE, "epoch": 1, "fw": self.fw}
            case Developing():
                return {"fleet": to_micros(NOW) / MICROS, "faults": [self._fault(name) for name in self.faults]}
            case Status(device=""):
                numbers = {"seed": 7, "devices": 1, "messages": 9, "unreceipted": 0, "lag": 0.0, "offline": 0}
                return {"scenario": "demo", "fleet": to_micros(NOW), "connected": True, **numbers}
            case Status():
                numbers = {"clock_error_s": 0.0, "epoch": 1, "next_seq": 10, "unreceipted": 0}
                shown = [self._fault(name) for name in self.faults]
                return {
                    "device": DEVICE,
                    "fw": self.fw,
                    "offline": False,
                    "link": self.link,
                    "faults": shown,
                    **numbers,
                }
        raise UnknownNameError("request", str(request), ())

    def _fault(self, name: str) -> dict[str, Any]:
        onset = to_micros(NOW) / MICROS
        course = {"onset": onset, "failure": onset + self.faults[name] * _DAY, "level": 0.25}
        return {"device": DEVICE, "fault": name, "family": "condenser_airflow", **course}


@contextmanager
def answering(folder: Path) -> Iterator[Answers]:
    """A socket in a folder that answers until the end."""
    answers = Answers()
    server = ControlServer(folder, answers)
    server.start()
    try:
        yield answers
    finally:
        server.stop()
