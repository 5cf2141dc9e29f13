"""What the appliance's own test is worth: first causes and abstentions of findings before and after its answer.

Protocol: the fleet and faults of `benchmarks.simulated`. When an episode opens for the family of a fault that has
begun, before its failure, the device tests itself as its firmware does, once no programme runs; a burst of an
intermittent fault may be over by then. The answer enters the detector as a control entry. `asked` counts those where
the desk would ask by itself (`servicedesk.policy.self_test_helps`). A first cause `unknown` is an abstention and not
right.

Run: `python -m benchmarks.self_tests [KIND ...] [--devices N] [--days D] [--seed S] [--json]`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections import defaultdict
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.simulated import scenario
from detectors.bank import Bank
from detectors.diagnosis import UNKNOWN
from detectors.engine import Observation
from firmware_sim.commands import Commands
from firmware_sim.fleet import Fleet
from firmware_sim.physics import simulated_kinds
from firmware_sim.wear import DAY, HOUR, Fault
from servicedesk.policy import DEFAULT, self_test_helps
from telemetry.catalogue import KindSpec
from telemetry.clock import to_micros
from telemetry.command import Command, Name, Status
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Finding
from telemetry.identity import DeviceKey
from telemetry.message import WIRE_VERSION


@dataclass(slots=True)
class Tally:
    """Of one fault: findings of its family; of these, first causes right and abstentions, before and after the answer.

    `wrong_before` and `wrong_after` name another fault. `answered` are those that had an answer, `asked` those for
    which the desk asks by itself; the `policy` figures count the answer only there.
    """

    found: int = 0
    answered: int = 0
    asked: int = 0
    right_before: int = 0
    right_after: int = 0
    right_policy: int = 0
    abstained_before: int = 0
    abstained_after: int = 0
    abstained_policy: int = 0
    probability_before: float = 0.0
    probability_after: float = 0.0

    def add(self, fault: str, before: Finding, after: Finding | None, *, asked: bool) -> None:
        """Count one finding."""
        told = before if after is None else after
        policy = told if asked else before
        self.found += 1
        self.answered += after is not None
        self.asked += asked
        self.right_before += before.causes[0].fault == fault
        self.right_after += told.causes[0].fault == fault
        self.right_policy += policy.causes[0].fault == fault
        self.abstained_before += before.causes[0].fault == UNKNOWN
        self.abstained_after += told.causes[0].fault == UNKNOWN
        self.abstained_policy += policy.causes[0].fault == UNKNOWN
        self.probability_before += next((c.probability for c in before.causes if c.fault == fault), 0.0)
        self.probability_after += next((c.probability for c in told.causes if c.fault == fault), 0.0)


def measure(kind: str, devices: int, days: float, seed: int, start: int) -> dict[str, Tally]:
    """Run the protocol for a kind, hour by hour, so that a device answers in the hour after its finding."""
    fleet = Fleet(scenario(kind, devices, days), seed, start)
    spec, bank = fleet.catalogue[kind], Bank(fleet.catalogue)
    keys = {one.index: one.key for one in fleet.devices}
    detectors = {index: bank(DeviceKey(*key.split("/")), spec) for index, key in keys.items()}
    commands = Commands(fleet)
    sequence: dict[int, int] = defaultdict(int)
    waiting: dict[int, Finding] = {}
    opened: dict[int, list[tuple[Finding, Finding | None]]] = defaultdict(list)
    while fleet.now < start + round(days * DAY):
        for body in fleet.advance(fleet.now + HOUR):
            seq = sequence[body.device] = sequence[body.device] + 1
            count = max((np.size(values) for values in body.q.values()), default=0)
            rows = [np.broadcast_to(np.asarray(body.q.get(name, np.nan), np.float32), count) for name in spec.channels]
            t = body.t + (body.dt or 0) * np.arange(max(count, 1), dtype=np.int64)
            run = Observation(1, seq, t, body.phase, np.stack(rows, axis=1), body.events)
            for one in detectors[body.device].observe(run):
                if one.revision == 0:
                    waiting[body.device] = one
        for index, finding in list(waiting.items()):
            said = commands.take(keys[index], Command(v=WIRE_VERSION, id=finding.id, command=Name.SELF_TEST))
            if said.response.status is Status.BUSY:
                continue
            del waiting[index]
            answer = {"status": str(said.response.status), "values": said.response.values, "error": ""}
            entry = ControlEntry(
                id=finding.id, device=finding.device, kind=ControlKind.SELF_TEST, at=said.due, body=answer
            )
            told = [one for one in detectors[index].control(entry) if one.id == finding.id]
            opened[index].append((finding, told[0] if told else None))
    return _tally(list(spec.faults), fleet.truth(), {keys[index]: some for index, some in opened.items()}, spec)


def _tally(
    faults: list[str], truth: list[Fault], opened: dict[str, list[tuple[Finding, Finding | None]]], spec: KindSpec
) -> dict[str, Tally]:
    found = {name: Tally() for name in faults}
    for fault in truth:
        mine = (
            pair
            for pair in opened.get(fault.device, ())
            if pair[0].family == fault.family and fault.onset <= pair[0].opened < fault.failure
        )
        first = next(mine, None)
        if first is not None:
            asked = self_test_helps(first[0], spec, DEFAULT)
            found[fault.fault].add(fault.fault, *first, asked=asked)
    return found


def main() -> None:
    """Run the protocol and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", default=[])
    parser.add_argument("--devices", type=int, default=48)
    parser.add_argument("--days", type=float, default=40.0)
    parser.add_argument("--seed", type=int, default=3001)
    parser.add_argument("--start", type=dt.date.fromisoformat, default=dt.date(2026, 3, 1))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    start = to_micros(dt.datetime.combine(args.start, dt.time(), dt.UTC))
    whole = {kind: measure(kind, args.devices, args.days, args.seed, start) for kind in args.kinds or simulated_kinds()}
    if args.json:
        print(json.dumps({k: {f: asdict(t) for f, t in some.items()} for k, some in whole.items()}))
        return
    three = "before / after / by policy"
    print(f"| fault | findings | asked | right {three} | abstained {three} | P(true) |")
    print("|---|---|---|---|---|---|")
    for kind, some in whole.items():
        for name, one in some.items():
            if one.found:
                _row(f"{kind}.{name}", one)
    _row("all", _sum([one for some in whole.values() for one in some.values()]))


def _row(name: str, one: Tally) -> None:
    print(
        f"| {name} | {one.found} | {one.asked} | {one.right_before} / {one.right_after} / {one.right_policy}",
        f"| {one.abstained_before} / {one.abstained_after} / {one.abstained_policy}",
        f"| {one.probability_before / max(one.found, 1):.2f} → {one.probability_after / max(one.found, 1):.2f} |",
    )


def _sum(some: list[Tally]) -> Tally:
    whole = Tally()
    for one in some:
        for name, value in asdict(one).items():
            setattr(whole, name, getattr(whole, name) + value)
    return whole


if __name__ == "__main__":
    main()
