"""Commands as a device carries them out: sampling intervals, the self-test, identification. No thread, no socket.

An answer is a function of (scenario, seed, device, dated interventions, fleet time): the same test at the same time
measures the same, noise included.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from firmware_sim.chance import generator
from firmware_sim.comms import SetInterval
from firmware_sim.fleet import Fleet
from firmware_sim.households import Appliance
from firmware_sim.names import UnknownNameError, known_name
from firmware_sim.physics import physics_of
from firmware_sim.units import METERED
from telemetry.clock import MICROS
from telemetry.command import Command, Name, Response, Status, Value
from telemetry.message import WIRE_VERSION

SELF_TEST = 120 * MICROS
"""How long the self-test takes, fleet microseconds: each actuator runs once."""
LONGEST_INTERVAL_S = 3_600.0
TEST_NOISE = 0.01
"""Standard deviation of what the self-test measures, relative: the device's own sensors at their best."""
_REMEMBERED = 64
_METERING_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device will say.

    Attributes:
        due: fleet time at which it says it.
        response: the message.
        changed: whether the fleet is another now and wants to be kept.
        began: fleet time at which a routine began that takes time; 0 of what is answered at once.
    """

    due: int
    response: Response
    changed: bool = False
    began: int = 0


class _RefusedError(Exception):
    """A command that cannot be carried out; the sentence says why."""

    def __init__(self, why: str, status: Status = Status.ERROR) -> None:
        super().__init__(why)
        self.status = status


class Commands:
    """Carries out what devices of a fleet are asked.

    Args:
        fleet: theirs; nobody else may use it meanwhile.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._devices = {one.key: one for one in fleet.devices}
        self._said: dict[tuple[str, str], Answer] = {}
        self._testing: dict[str, int] = {}
        self._known: dict[str, Callable[[Appliance, Command], Answer]] = {
            Name.SET_INTERVAL.value: self._set_interval,
            Name.SELF_TEST.value: self._self_test,
            Name.IDENTIFY.value: self._identify,
        }

    def take(self, device: str, command: Command) -> Answer:
        """Carry a command out on `org/device`; a repeat under the same id gets the same answer.

        Raises:
            UnknownNameError: no such device.
        """
        before = self._said.get((device, command.id))
        if before is not None:
            return before
        one = self._devices[known_name("device", device, self._devices)]
        try:
            answer = self._known[known_name("command", command.command, self._known)](one, command)
        except (UnknownNameError, _RefusedError) as cause:
            status = cause.status if isinstance(cause, _RefusedError) else Status.ERROR
            answer = Answer(self._fleet.now, self._response(command, self._fleet.now, status=status, error=str(cause)))
        if answer.response.status is not Status.BUSY:
            self.remember(device, command, answer)
        return answer

    def remember(self, device: str, command: Command, answer: Answer) -> None:
        """Answer a repeat of a command so from now on; a routine that it tells of is under way until then."""
        self._said.pop((device, command.id), None)
        if len(self._said) >= _REMEMBERED * len(self._devices):
            self._said.pop(next(iter(self._said)))
        self._said[device, command.id] = answer
        if answer.began:
            self._testing[device] = answer.due

    def after_restarts(self, device: str, command: Command, answer: Answer) -> Answer:
        """The answer as it is when its time has come: a routine that a restart cut short began anew after it."""
        one = self._devices.get(device)
        back = None
        if one is not None and answer.began:
            back = self._fleet.comms.restarted(one.index, answer.began, answer.due)
        if one is None or back is None:
            return answer
        again = self._measured(one, command, back)
        self.remember(device, command, again)
        return again

    def _set_interval(self, one: Appliance, command: Command) -> Answer:
        """`{"phase": "cooling", "seconds": 300}`; without a phase all of them, with 0 seconds the catalogue's again."""
        seconds, phase = _number(command, "seconds"), _word(command, "phase")
        phases = self._fleet.catalogue[one.kind].phases
        if phase:
            known_name(f"phase of {one.kind}", phase, phases)
        least = _METERING_S if not phases else physics_of(one.physics).step
        if seconds and not least <= seconds <= LONGEST_INTERVAL_S:
            raise _RefusedError(
                f"{seconds:g} s between samples; a {one.kind} can sample every {least:g} to {LONGEST_INTERVAL_S:g} s"
            )
        exact = round(seconds / least) * least
        at = self._fleet.now + 1
        self._fleet.intervene(SetInterval(device=one.key, at=at, phase=phase, seconds=exact))
        every = {name: exact or spec.every for name, spec in phases.items() if phase in {"", name}}
        values = every or {METERED: exact or _METERING_S}
        return Answer(self._fleet.now, self._response(command, at, values=values), changed=True)

    def _self_test(self, one: Appliance, command: Command) -> Answer:
        """Each actuator runs once; the quantities carry their unit as suffix. Not while a programme runs."""
        now = self._fleet.now
        if one.kind != one.physics:
            raise _RefusedError(f"a {one.kind} has no actuator to test; it only measures what the appliance draws")
        if self._testing.get(one.key, 0) > now:
            raise _RefusedError("a self-test is under way", Status.BUSY)
        if self._fleet.busy(one.key):
            raise _RefusedError("a programme runs; ask again when it has ended", Status.BUSY)
        return self._measured(one, command, now)

    def _measured(self, one: Appliance, command: Command, began: int) -> Answer:
        """The answer of a self-test that begins at a fleet time."""
        done = began + SELF_TEST
        rng = generator(self._fleet.seed, one.index, "self_test", began // MICROS)
        true = sorted(self._fleet.self_test(one.key).items())
        values = {name: float(f"{value * (1.0 + TEST_NOISE * rng.standard_normal()):.5g}") for name, value in true}
        said = self._response(command, done, values=values, info={"fw": self._fw(one, done)})
        return Answer(done, said, began=began)

    def _identify(self, one: Appliance, command: Command) -> Answer:
        """The lamp blinks; says what is on the plate."""
        now = self._fleet.now
        plate = {"kind": one.kind, "model": one.model, "serial": one.serial, "fw": self._fw(one, now)}
        return Answer(now, self._response(command, now, info=plate))

    def _fw(self, one: Appliance, at: int) -> str:
        return self._fleet.comms.fw(one.index, at)

    def _response(
        self,
        command: Command,
        at: int,
        *,
        status: Status = Status.OK,
        error: str | None = None,
        values: dict[str, float] | None = None,
        info: dict[str, str] | None = None,
    ) -> Response:
        return Response(
            v=WIRE_VERSION,
            id=command.id,
            command=command.command,
            status=status,
            t=at / MICROS,
            error=error,
            values=values or {},
            info=info or {},
        )


def _number(command: Command, name: str) -> float:
    value: Value = command.args.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _RefusedError(f"{command.command} needs {name}, a number: {_shown(command)}")
    return float(value)


def _word(command: Command, name: str) -> str:
    value = command.args.get(name, "")
    if not isinstance(value, str):
        raise _RefusedError(f"{name} is a word: {_shown(command)}")
    return value


def _shown(command: Command) -> str:
    return f"the arguments were {msgspec.json.encode(command.args).decode()[:200]}"
