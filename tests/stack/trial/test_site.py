from __future__ import annotations

from functools import cache

from msgspec.structs import replace

from detectors.bank import Bank
from firmware_sim.network_spec import NetworkSpec
from firmware_sim.scenario import Scenario, appliances
from firmware_sim.scenario_file import read_scenario
from firmware_sim.wear import HOUR
from stack.trial.handed import Ended, SitePlan, Told
from stack.trial.roster import rows_of
from stack.trial.site import Site
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import to_datetime, to_micros
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Proof

SEED = 3
TEXT = """
id = "site"
title = "Three refrigerators, one of them part worn"
org = "t"
start = 2026-03-02T00:00:00Z

[[fleet]]
kind = "refrigerator"
count = 3

[[fault]]
device = "fridge-002"
fault = "condenser_fan_wear"
day = -8.0
lead_days = 18.0
"""
DEVICE = "t/fridge-002"
FLAKY = NetworkSpec(
    offline_hours=2.0, outage_hours=3.0, duplicates=0.1, reorder=0.1, reorder_seconds=300.0, loss=0.1, reboots=0.0
)


@cache
def parts() -> tuple[Catalogue, Bank]:
    catalogue = load_catalogue()
    return catalogue, Bank(catalogue)


class Lived:
    """A site that has lived for some days."""

    def __init__(self, days: int, network: NetworkSpec | None = None, text: str = TEXT) -> None:
        scenario = read_scenario(text, "site.toml")
        if network is not None:
            scenario = _with(scenario, network)
        assert scenario.start is not None
        self.start = self.now = to_micros(scenario.start)
        catalogue, bank = parts()
        rows = rows_of(appliances(scenario, SEED, catalogue), to_datetime(self.start))
        plan = SitePlan(number=0, scenario=scenario, seed=SEED, start=self.start, rows=rows, control=False)
        self.site = Site(plan, catalogue, catalogue, bank)
        self.told: list[Told] = []
        self.live(days)

    def live(self, days: int, *controls: ControlEntry) -> None:
        for _ in range(days * 24):
            self.now += HOUR
            self.told.append(self.site.advance(self.now, controls))
            controls = ()

    def revisions(self) -> list[tuple[str, int, int, str]]:
        return [
            (one.finding.id, one.finding.revision, one.finding.onset, str(one.finding.proof))
            for told in self.told
            for one in told.findings
        ]


def _with(scenario: Scenario, network: NetworkSpec) -> Scenario:
    return replace(scenario, network=network)


def test_what_a_bad_network_does_is_not_seen_in_the_findings() -> None:
    good, bad = Lived(2), Lived(2, FLAKY)
    # All that was under way has arrived by then.
    bad.live(1)
    good.live(1)
    assert good.revisions()
    kept = min(len(good.revisions()), len(bad.revisions()))
    assert kept
    assert bad.revisions()[:kept] == good.revisions()[:kept]
    first, second = good.site.close(), bad.site.close()
    assert second.counts.duplicates > 0
    assert (first.counts.duplicates, first.counts.lost, second.counts.lost) == (0, 0, 0)
    assert 0.9 * first.counts.messages < second.counts.messages <= first.counts.messages


def test_a_repair_and_its_entry_prove_themselves() -> None:
    lived = Lived(2)
    (fault,) = lived.site.find(DEVICE)
    assert lived.site.mend(DEVICE, fault.family, lived.now, "visit") == fault
    assert lived.site.find(DEVICE) == []
    entry = ControlEntry(
        id="e1",
        device=next(one.finding.device for told in lived.told for one in told.findings),
        kind=ControlKind.REPAIR_DONE,
        at=lived.now,
        body={"family": fault.family, "fault": fault.fault},
    )
    lived.live(4, entry)
    proofs = [proof for _, _, _, proof in lived.revisions()]
    assert Proof.PROVING in proofs
    assert proofs[-1] == Proof.PROVEN
    ended: Ended = lived.site.close()
    assert [(one.fault, one.by, one.repaired) for one in ended.truth] == [(fault.fault, "visit", entry.at)]


def test_memory_does_not_grow_with_the_days() -> None:
    lived = Lived(2)
    store = lived.site._store
    after_two = len(store.messages)
    lived.live(3)
    assert len(store.messages) <= 1.5 * after_two
    for message in store.messages.values():
        snapshot = store.snapshots[message.device]
        assert (message.epoch, message.seq) > (snapshot.epoch, snapshot.seq)


def test_a_failure_is_told_once() -> None:
    lived = Lived(2, text=TEXT.replace("lead_days = 18.0", "lead_days = 9.0"))
    told = [fault.fault for each in lived.told for fault in each.failed]
    assert told == ["condenser_fan_wear"]
