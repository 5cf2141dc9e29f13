"""The ground truth of a fleet as JSON lines: faults, confounders and interventions, each with its `type`.

All times are fleet time in microseconds. A line is complete in itself; lines are ordered by time, then by device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from firmware_sim.confounders import occurrences
from firmware_sim.fleet import Fleet
from firmware_sim.households import Appliance
from firmware_sim.scenario_types import World
from firmware_sim.wear import Fault


class FaultLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="fault"):
    """A fault.

    Attributes:
        device: `org/device`.
        kind: of the device.
        model: of the device.
        family: fault family of the catalogue.
        fault: id among the kind's faults.
        mechanism_of: behind a plug: `KIND.FAULT` of the appliance, else None.
        onset: when wear began.
        failure: when the appliance fails, or would have.
        repaired: when it was mended, or None.
        by: how it was mended, or None.
    """

    device: str
    kind: str
    model: str
    family: str
    fault: str
    mechanism_of: str | None
    onset: int
    failure: int
    repaired: int | None
    by: str | None

    def plain(self) -> Fault:
        """The fault as the fleet knows it."""
        return Fault(**{name: getattr(self, name) for name in Fault.__struct_fields__})


class ConfounderLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="confounder"):
    """Something innocent on one device.

    Attributes:
        device: `org/device`.
        kind: of the device.
        what: id of the confounder.
        begin: when it begins.
        end: when it ends.
        size: how strong, in the confounder's unit.
    """

    device: str
    kind: str
    what: str
    begin: int
    end: int
    size: float


class InterventionLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="intervention"):
    """What somebody did to a device.

    Attributes:
        device: `org/device`.
        at: when.
        what: how: `visit`, `self_fix`, `breakdown`, `cleared`, or a confounder that mends.
        family: fault family it was meant for; empty where it was meant for one fault.
        fault: the fault it was meant for, or empty.
    """

    device: str
    at: int
    what: str
    family: str
    fault: str


Line = FaultLine | ConfounderLine | InterventionLine
_DECODER: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


class Chronicle:
    """The truth of one fleet, cheap to ask for again and again: what is innocent is known from the start.

    Args:
        fleet: it is read when it is asked, not kept in step with.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        world = World(fleet.scenario, fleet.seed, fleet.start)
        self._kinds = {one.key: one for one in fleet.devices}
        self._innocent = [line for one in fleet.devices for line in _confounders(world, one)]

    def lines(self, until: int | None = None) -> list[Line]:
        """What has been true up to now, by time.

        Args:
            until: also what will come by this fleet time when nobody repairs anything more.
        """
        fleet = self._fleet
        last = fleet.now if until is None else until
        found: list[Line] = [
            _fault(self._kinds, one) for one in (fleet.truth() if until is None else fleet.expected(until))
        ]
        found += [line for line in self._innocent if line.begin <= last]
        found += [
            InterventionLine(device=one.device, at=one.at, what=one.by, family=one.family, fault=one.fault)
            for one in fleet.repairs()
        ]
        return sorted(found, key=_place)

    def text(self, until: int | None = None) -> str:
        """As JSON lines; `until` as of `lines`."""
        return "".join(msgspec.json.encode(one).decode() + "\n" for one in self.lines(until))


def truth_text(fleet: Fleet, until: int | None = None) -> str:
    """The truth of a fleet as JSON lines, once; `until` as of `Chronicle.lines`."""
    return Chronicle(fleet).text(until)


def read_truth(text: str) -> list[Line]:
    """Read what `Chronicle.text` wrote.

    Raises:
        msgspec.ValidationError: a line is something else.
    """
    return [_DECODER.decode(line) for line in text.splitlines() if line]


def _fault(by_key: Mapping[str, Appliance], one: Fault) -> FaultLine:
    device = by_key[one.device]
    return FaultLine(
        device=one.device,
        kind=device.kind,
        model=device.model,
        family=one.family,
        fault=one.fault,
        mechanism_of=one.mechanism_of,
        onset=one.onset,
        failure=one.failure,
        repaired=one.repaired,
        by=one.by,
    )


def _confounders(world: World, device: Appliance) -> Iterator[ConfounderLine]:
    for one in occurrences(world, device):
        if one.end > world.start:
            yield ConfounderLine(
                device=device.key, kind=device.kind, what=one.what, begin=one.begin, end=one.end, size=one.size
            )


def _place(line: Line) -> tuple[int, str, str]:
    if isinstance(line, FaultLine):
        return line.onset, line.device, line.fault
    if isinstance(line, ConfounderLine):
        return line.begin, line.device, line.what
    return line.at, line.device, line.what
