"""Carries out what is asked of a running fleet: faults, networks, restarts, recordings. See `firmware_sim.control`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from firmware_sim.comms import Restart, SetLink
from firmware_sim.names import known_name
from firmware_sim.network_spec import Link, NetworkPart
from firmware_sim.runner import Runner
from firmware_sim.wear import Fault
from telemetry.clock import MICROS
from telemetry.steering import Clear, Developing, Inject, Reboot, Record, Request, SetNetwork, Status


class Steering:
    """The hands on a runner.

    Args:
        runner: of the fleet.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner, self._fleet = runner, runner.fleet
        self._devices = {one.key: one for one in self._fleet.devices}

    def __call__(self, request: Request) -> dict[str, Any]:
        """Carry a request out; what it changed is on disk when this returns.

        Raises:
            UnknownNameError: a device, fault or field that does not exist; names the nearest.
            ValueError: a value that is not allowed.
            OSError: a recording cannot be written.
        """
        with self._runner.lock:
            if isinstance(request, Status):
                return self._status(request)
            if isinstance(request, Developing):
                return self._developing()
            if isinstance(request, Record):
                return self._record(request)
            if isinstance(request, Inject):
                result = self._inject(request)
            elif isinstance(request, Clear):
                result = self._clear(request)
            elif isinstance(request, SetNetwork):
                result = self._network(request)
            else:
                result = self._reboot(request)
            self._runner.save()
            return result

    def _inject(self, request: Inject) -> dict[str, Any]:
        if request.lead_days is not None and not 0 < request.lead_days <= 3_650:  # noqa: PLR2004  (ten years)
            raise ValueError(f"lead_days is {request.lead_days:g}; above 0 and at most 3650 days")
        key = self._key(request.device)
        return {"fault": _shown(self._fleet.inject(key, request.fault, self._fleet.now, request.lead_days))}

    def _clear(self, request: Clear) -> dict[str, Any]:
        key = self._key(request.device)
        faults = self._fleet.catalogue[self._devices[key].kind].faults
        families = {spec.family for spec in faults.values()}
        if request.fault:
            known_name("fault or family", request.fault, sorted({*faults, *families}))
            families = {faults[request.fault].family if request.fault in faults else request.fault}
        found = [
            self._fleet.clear(key, family, self._fleet.now) for family in sorted(families) if self._active(key, family)
        ]
        return {"cleared": [_shown(one) for one in found if one is not None]}

    def _network(self, request: SetNetwork) -> dict[str, Any]:
        key = self._key(request.device) if request.device else ""
        values = request.values
        if values is not None:
            for name in values:
                known_name("field of a link", name, Link.__dataclass_fields__)
            # The scenario's own bounds hold.
            msgspec.convert(values, NetworkPart)
        self._fleet.intervene(SetLink(device=key, at=self._fleet.now + 1, values=values))
        self._runner.uplink.relink()
        return {"devices": 1 if key else len(self._devices), "at": self._fleet.now / MICROS}

    def _reboot(self, request: Reboot) -> dict[str, Any]:
        key = self._key(request.device)
        self._fleet.intervene(Restart(device=key, at=self._fleet.now + 1, fw=request.fw))
        if request.spool_lost:
            self._runner.uplink.lose_spool(key)
        slot = self._runner.uplink.spool.slot(key)
        return {"device": key, "epoch": slot.epoch, "fw": request.fw or self._fw(key)}

    def _record(self, request: Record) -> dict[str, Any]:
        before = self._runner.stats().recording
        self._runner.record(None if request.path is None else Path(request.path))
        return {"recording": request.path or "", "closed": before}

    def _status(self, request: Status) -> dict[str, Any]:
        if not request.device:
            stats: dict[str, Any] = msgspec.to_builtins(self._runner.stats())
            return stats | {
                "scenario": self._fleet.scenario.id,
                "seed": self._fleet.seed,
                "devices": len(self._devices),
            }
        key = self._key(request.device)
        # As it is from the next moment on: what was just asked for is in it.
        one, now, comms = self._devices[key], self._fleet.now + 1, self._fleet.comms
        slot = self._runner.uplink.spool.slot(key)
        faults = [fault for fault in self._fleet.truth() if fault.device == key and fault.repaired is None]
        return {
            "device": key,
            "kind": one.kind,
            "model": one.model,
            "fw": self._fw(key),
            "fleet": self._fleet.now / MICROS,
            "offline": comms.network.offline(one.index, now),
            "clock_error_s": comms.network.clock_error(one.index, now) / MICROS,
            "link": {name: getattr(comms.network.link(one.index, now), name) for name in Link.__dataclass_fields__},
            "epoch": slot.epoch,
            "next_seq": slot.next_seq,
            "unreceipted": len(slot.held),
            "faults": [_shown(fault) for fault in faults],
        }

    def _developing(self) -> dict[str, Any]:
        now = self._fleet.now
        faults = sorted((one for one in self._fleet.truth() if one.repaired is None), key=lambda one: one.failure)
        return {
            "fleet": now / MICROS,
            "faults": [_shown(one) | {"level": min(1.0, self._level(one, now))} for one in faults],
        }

    def _level(self, fault: Fault, now: int) -> float:
        """How far a fault has come: 0 new, 1 functional failure; of an intermittent one its share of bursts."""
        kind, _, name = (fault.mechanism_of or "").partition(".")
        if not name:
            kind, name = self._devices[fault.device].kind, fault.fault
        course = self._fleet.catalogue[kind].faults[name].course
        return ((now - fault.onset) / (fault.failure - fault.onset)) ** course.shape if now > fault.onset else 0.0

    def _key(self, device: str) -> str:
        """`org/device`; the organisation may be left out."""
        name = device if "/" in device else f"{self._fleet.scenario.org}/{device}"
        return known_name("device", name, self._devices)

    def _active(self, key: str, family: str) -> bool:
        return self._fleet.active(key, family) is not None

    def _fw(self, key: str) -> str:
        return self._fleet.comms.fw(self._devices[key].index, self._fleet.now + 1)


def _shown(fault: Fault) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(fault)
    return shown | {name: shown[name] / MICROS for name in ("onset", "failure") if shown[name] is not None}
