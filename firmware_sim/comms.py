"""The communication modules of a fleet: firmware versions, clocks, restarts, and what somebody has changed in them.

A module stands between the appliance's control, which samples, and the spool. It is a pure function of (seed, device,
dated interventions, time): `finish` takes what samplers made and gives what the modules say, whatever the size of the
steps. A restart costs what the module held in memory and had not yet spooled; the appliance itself goes on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import msgspec

from firmware_sim.firmware import FIRMWARE, Body, Intervals, Quantities
from firmware_sim.names import known_name
from firmware_sim.network import Network
from firmware_sim.network_spec import Link
from firmware_sim.wear import DAY
from telemetry.clock import MICROS

REBOOT, UPDATED = "reboot", "firmware:"
"""Events: the module has started; it has started with another version (`firmware:2.5.0`)."""
_KEPT_DAYS = 8


class SetInterval(msgspec.Struct, frozen=True, kw_only=True, tag="set_interval"):
    """A device samples a phase (all when empty) in another interval from a time on; 0 seconds: the catalogue's."""

    device: str
    at: int
    phase: str = ""
    seconds: float


class Restart(msgspec.Struct, frozen=True, kw_only=True, tag="restart"):
    """A device's module restarts, with another version when one is given."""

    device: str
    at: int
    fw: str = ""


class SetLink(msgspec.Struct, frozen=True, kw_only=True, tag="set_link"):
    """A device's link (every device's when empty) is another from a time on; without values, the scenario's again."""

    device: str = ""
    at: int
    values: dict[str, float] | None


Intervention = SetInterval | Restart | SetLink
"""What somebody did to a device's module, dated in fleet microseconds."""


@dataclass(frozen=True, slots=True, order=True)
class _Restart:
    """Begins, comes back, whose, with which version."""

    at: int
    back: int
    device: int
    fw: str


@dataclass(frozen=True, slots=True)
class _Day:
    """The restarts that begin on a day."""

    all: list[_Restart]
    by_device: dict[int, list[_Restart]]


class Comms:
    """The modules.

    Args:
        seed: of the fleet.
        start: of the fleet, fleet microseconds.
        devices: `org/device` to index.
        links: of each, by index.
        versions: `(fleet time, version)` of each by index, ascending: the first it has from the start, each other comes
            over the air at its time, with a restart. FIRMWARE for ever where none are given.
    """

    def __init__(
        self,
        seed: int,
        start: int,
        devices: Mapping[str, int],
        links: Mapping[int, Link],
        versions: Mapping[int, Sequence[tuple[int, str]]] | None = None,
    ) -> None:
        self._seed, self._start, self._links = seed, start, dict(links)
        self._given = {index: list((versions or {}).get(index, ((start, FIRMWARE),))) for index in links}
        self._index = dict(devices)
        self._intervals = {index: Intervals() for index in links}
        self._days: dict[int, _Day] = {}
        self._longest = 0
        self._plain: dict[int, bool] = {}
        self._begin()

    def intervals(self, device: int) -> Intervals:
        """Of a device's sampler; it follows what is set."""
        return self._intervals[device]

    def fw(self, device: int, at: int) -> str:
        """The version that a device runs at a time."""
        versions = self._versions[device]
        return versions[max(bisect_right(versions, at, key=lambda one: one[0]) - 1, 0)][1]

    def restarted(self, device: int, begin: int, end: int) -> int | None:
        """When a device's module was back after the last restart that began in `[begin, end)`; None without one."""
        found = [
            one.back
            for day in self._days_between(begin, end)
            for one in self._of_day(day).by_device.get(device, ())
            if begin <= one.at < end
        ]
        return max(found, default=None)

    def intervene(self, one: Intervention) -> None:
        """Take an intervention; it must not lie before what the modules have said already.

        Raises:
            UnknownNameError: no such device, or no such field of a link.
        """
        index = None if not one.device else self._index[known_name("device", one.device, self._index)]
        if isinstance(one, SetLink):
            self.network.change(index, one.at, one.values)
        elif index is None:
            raise ValueError(f"{type(one).__name__} needs a device")
        elif isinstance(one, SetInterval):
            self._intervals[index].set(one.at, one.phase, one.seconds)
        else:
            self._restarts[index] = sorted([*self._restarts[index], (one.at, one.fw)])
            if one.fw:
                self._versions[index] = sorted([*self._versions[index], (one.at, one.fw)])
        self.interventions.append(one)
        self._look()

    def finish(self, bodies: list[Body], begin: int, end: int) -> list[Body]:
        """What the modules say of what samplers completed in `(begin, end]`; each device's in order."""
        if all(self._plain.values()):
            return bodies
        found = [said for body in bodies if (said := self._said(body)) is not None]
        starts = self._starts(begin, end)
        if starts:
            found = sorted([*found, *starts], key=attrgetter("done"))
        return found

    def dump(self) -> bytes:
        """All interventions."""
        return msgspec.json.encode(self.interventions)

    def load(self, data: bytes) -> None:
        """Take the interventions that `dump` gave in place of all others.

        Raises:
            msgspec.DecodeError, msgspec.ValidationError: it is something else.
        """
        known = msgspec.json.decode(data, type=list[Intervention])
        self._begin()
        for one in known:
            self.intervene(one)

    def _begin(self) -> None:
        """Be as the scenario has it."""
        self.network = Network(self._seed, self._links, self._start)
        self.interventions: list[Intervention] = []
        self._versions = {index: list(one) for index, one in self._given.items()}
        self._restarts = {index: one[1:] for index, one in self._given.items()}
        for one in self._intervals.values():
            one.dated.clear()
        self._look()

    def _look(self) -> None:
        """Note which devices' messages pass as they are, and forget what was drawn."""
        self._plain = {
            index: len(versions) == 1
            and versions[0][1] == FIRMWARE
            and not self._restarts[index]
            and self.network.perfect(index)
            for index, versions in self._versions.items()
        }
        self._days.clear()
        self._longest = round(self.network.longest_reboot() * MICROS)

    def _said(self, body: Body) -> Body | None:
        """A message as the module sends it; None when nothing of it outlived a restart."""
        index = body.device
        if self._plain[index]:
            return body
        body = self._after_restarts(body)
        if not (body.q or body.events):
            return None
        fw, t = self.fw(index, body.done), self.network.skewed(index, body.t)
        if t == body.t and fw == body.fw:
            return body
        return msgspec.structs.replace(body, t=t, fw=fw)

    def _after_restarts(self, body: Body) -> Body:
        """Without the readings that a restart cost; an event is kept by the appliance's control and said afterwards."""
        from_t = body.t
        for day in self._days_between(body.t - self._longest, body.done):
            for one in self._of_day(day).by_device.get(body.device, ()):
                if one.at <= body.done and one.back > body.t:
                    from_t = max(from_t, one.back)
        if from_t == body.t:
            return body
        if body.dt is None:
            return msgspec.structs.replace(body, q={})
        lost = -(-(from_t - body.t) // body.dt)
        columns: dict[str, list[float | None]] = {
            name: value[lost:] for name, value in body.q.items() if isinstance(value, list) and len(value) > lost
        }
        if not columns:
            return msgspec.structs.replace(body, q={}, dt=None)
        single = len(next(iter(columns.values()))) == 1
        q: Quantities = {name: value[0] if single else value for name, value in columns.items()}
        return msgspec.structs.replace(body, t=body.t + lost * body.dt, q=q, dt=None if single else body.dt)

    def _starts(self, begin: int, end: int) -> list[Body]:
        """What modules say that came back in `(begin, end]`."""
        found = []
        for day in self._days_between(begin - self._longest, end):
            for one in self._of_day(day).all:
                if begin < one.back <= end:
                    events = (REBOOT, UPDATED + one.fw) if one.fw else (REBOOT,)
                    t, fw = self.network.skewed(one.device, one.back), self.fw(one.device, one.back)
                    found.append(Body(device=one.device, done=one.back, t=t, q={}, events=events, fw=fw))
        return found

    def _days_between(self, begin: int, end: int) -> range:
        return range(begin // DAY, end // DAY + 1)

    def _of_day(self, day: int) -> _Day:
        if day not in self._days:
            if len(self._days) >= _KEPT_DAYS:
                self._days.pop(next(iter(self._days)))
            found = []
            for index, plain in self._plain.items():
                if not plain:
                    dated = [(at, "") for at in self.network.reboots(index, day)]
                    dated += [(at, fw) for at, fw in self._restarts[index] if at // DAY == day]
                    found += [_Restart(at, at + self._takes(index, at), index, fw) for at, fw in dated]
            by_device: dict[int, list[_Restart]] = {}
            for one in sorted(found):
                by_device.setdefault(one.device, []).append(one)
            self._days[day] = _Day(sorted(found), by_device)
        return self._days[day]

    def _takes(self, device: int, at: int) -> int:
        """How long a restart at a time takes."""
        return round(self.network.link(device, at).reboot_s * MICROS)
