"""A bad lot and a bad firmware in small, from the simulated devices to the desk's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from firmware_sim.scenario import load_scenario
from servicedesk.fleet_rows import Trait
from servicedesk.shared_trait import SHARES
from stack.trial.engine import Trial

HEAD = """
about = "In small."
org = "trial"
start = 2026-02-02T00:00:00Z
[households]
languages = {zh = 0.6, en = 0.4}
zones = ["Asia/Shanghai"]
[[fleet]]
kind = "refrigerator"
count = 24
"""
FAULT = """
[[fault]]
fault = "refrigerator.condenser_fan_wear"
kind = "refrigerator"
day = 22.0
"""
BAD_BATCH = f"""
id = "bad-batch-small"
title = "One lot wears out early"
{HEAD}
lots = {{"2025-31" = 3, "2025-32" = 1}}
{FAULT}
lot = "2025-32"
spread_days = 20.0
lead_days = 30.0
"""
BAD_FIRMWARE = f"""
id = "bad-firmware-small"
title = "A newer firmware wears the fans out"
{HEAD}
firmware = {{"2.4.1" = 2, "2.5.0" = 1}}
{FAULT}
firmware = "2.5.0"
spread_days = 1.0
lead_days = 60.0
"""


def ran(folder: Path, text: str, days: int) -> Trial:
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    trial = Trial(load_scenario(str(path)), 11, 1, control=False)
    trial.run(days)
    return trial


def said(trial: Trial) -> list[dict[str, Any]]:
    return [dict(event.body) for event in trial.desk.tickets.events if event.kind == SHARES]


@pytest.mark.long
def test_a_bad_lot_is_named_on_the_tickets_of_its_appliances(tmp_path: Path) -> None:
    trial = ran(tmp_path, BAD_BATCH, 60)
    bad = {no for no, each in trial.desk.people.appliances.items() if each.lot == "2025-32"}
    tickets = [each for each in trial.desk.tickets.rows.values() if each.device in bad]
    assert len(tickets) >= 4
    told = said(trial)
    assert told
    assert {(each["what"], each["name"]) for each in told} == {("lot", "2025-32")}


@pytest.mark.long
def test_a_firmware_that_makes_many_fail_at_once_is_named_by_the_fleet_finding(tmp_path: Path) -> None:
    trial = ran(tmp_path, BAD_FIRMWARE, 40)
    fleet = trial.desk.fleet
    # What the desk knows of firmware came from the devices' own messages, through the worker.
    assert len(fleet.firmware) == len(trial.desk.people.appliances)
    newer = {no for no, told in fleet.firmware.items() if told[-1][1] == "2.5.0"}
    (ident,) = fleet.fleets
    shared = fleet.shared(ident)
    assert shared is not None
    assert (shared.what, shared.name) == (Trait.FIRMWARE, "2.5.0")
    assert shared.members_having == shared.members <= len(newer)
    assert {device for _, device, _ in fleet.members.values()} <= newer
    assert {(each["what"], each["name"]) for each in said(trial)} == {("firmware", "2.5.0")}
