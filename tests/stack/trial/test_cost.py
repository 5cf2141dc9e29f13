from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from firmware_sim.costs import Costs, KindCosts
from stack.trial.baselines import best_calendar, calendar, periodic, random_tickets
from stack.trial.cost import Account, Prices, product_account, repair_on_failure
from stack.trial.matching import match
from stack.trial.record import DailyPeaks, FaultRecord, TrialRecord
from stack.trial.report import encode, report, round_all
from stack.trial.thresholds import QUIET_DAYS, at_recall, sweep, threshold_account
from telemetry.catalogue import load_catalogue
from tests.stack.trial.grown import grown
from tests.stack.trial.small import FRIDGE, OTHER, START, WASHER, at, fault, spell, ticket, trial, visit

CATALOGUE = load_catalogue()
COSTS = Costs(
    visit=100,
    urgent_visit=200,
    minute=2,
    false_visit=50,
    false_alert=10,
    repeat_visit=70,
    breakdown=500,
    breakdown_day=40,
    calendar_visit=80,
    calendar_days=50,
    calendar_catches=0.5,
)
PRICES = Prices(COSTS, CATALOGUE)
FAN = CATALOGUE["refrigerator"].faults["condenser_fan_wear"]
PARTS = (FAN.price.low + FAN.price.high) / 2
LABOUR = max(FAN.minutes - 30, 0) * 2.0


def used(account: Account) -> dict[str, float]:
    return {line: amount for line, amount in account.amounts.items() if account.counts[line]}


def test_repair_on_failure_pays_visit_part_breakdown_and_days() -> None:
    control = (
        fault(FRIDGE, 10, 30, repaired=33, by="breakdown"),
        fault(OTHER, 95, 110),
    )
    got = used(repair_on_failure(control, START, at(100), PRICES))
    assert got == {
        "urgent_visits": 200,
        "labour": LABOUR,
        "parts": PARTS,
        "breakdowns": 500,
        "standstill": pytest.approx(120),
    }


def test_the_product_pays_for_what_happened() -> None:
    record = trial(
        faults=(
            fault(FRIDGE, 10, 30, repaired=25, by="visit", visits=("V1", "V2")),
            fault(OTHER, 10, 30, repaired=32, by="breakdown", visits=("V3",)),
        ),
        tickets=(
            ticket("A", FRIDGE, visits=("V1", "V2")),
            ticket("B", OTHER, 31, source="owner", causes=(), visits=("V3",)),
            ticket("C", WASHER, 40, visits=("V4",)),
            ticket("D", WASHER, 60),
        ),
        visits=(
            visit("V1", "A", FRIDGE, 20, outcome="wrong_part", minutes=30),
            visit("V2", "A", FRIDGE, 25, minutes=50),
            visit("V3", "B", OTHER, 32, reactive=True, minutes=20),
            visit("V4", "C", WASHER, 42, outcome="no_fault_found", cause=None, minutes=40),
            visit("V5", "C", WASHER, None),
        ),
    )
    got = product_account(record, match(record), PRICES)
    assert used(got) == {
        "visits": 300,
        "urgent_visits": 200,
        "labour": 2.0 * (0 + 20 + 0 + 10),
        "parts": 3 * PARTS,
        "false_visits": 50,
        "false_alerts": 10,
        "repeat_visits": 70,
        "breakdowns": 500,
        "standstill": pytest.approx(80),
    }
    assert got.total == pytest.approx(sum(used(got).values()))


def test_a_kinds_own_costs_replace_the_general_ones() -> None:
    own = msgspec.structs.replace(COSTS, kinds={"refrigerator": KindCosts(breakdown=900)})
    got = repair_on_failure((fault(repaired=30),), START, at(100), Prices(own, CATALOGUE))
    assert got.amounts["breakdowns"] == 900


def test_the_calendar_finds_half_of_what_each_round_falls_upon() -> None:
    # 50 days between rounds: 20 days' development meets one with 0.4; 60 days' one round surely, a second with 0.2.
    record = trial(control=(fault(FRIDGE, 10, 30, repaired=31), fault(OTHER, 10, 70, repaired=71)), devices=(FRIDGE,))
    got = calendar(record, PRICES)
    assert got.caught == pytest.approx((0.4 * 0.5) + (1 - 0.5 * (1 - 0.2 * 0.5)))
    assert got.faults == 2
    assert got.account.amounts["maintenance"] == pytest.approx(160)
    assert got.account.counts["breakdowns"] == pytest.approx(2 - got.caught)


def test_the_cheapest_calendar_is_no_dearer_than_any_other() -> None:
    record = trial(control=(fault(FRIDGE, 10, 30, repaired=31),))
    days, best = best_calendar(record, PRICES)
    assert days == 730.0
    assert best.account.total <= calendar(record, PRICES, 30.0).account.total


def test_blind_controls_by_hand() -> None:
    # 300 device-days; one fault develops for 15 days and is there for 18.
    record = trial(control=(fault(FRIDGE, 10, 25, repaired=28),))
    every = periodic(record)
    assert every.tickets == pytest.approx(10)
    assert every.recall == pytest.approx(0.5)
    assert every.false_tickets == pytest.approx(10 * (1 - 18 / 300))
    chance = random_tickets(record, 4)
    assert chance.recall == pytest.approx(1 - (1 - 15 / 300) ** 4)
    assert random_tickets(record, 0).recall == 0.0


def peaks(*marks: tuple[int, int, float], days: int = 100, devices: tuple[str, ...] = (FRIDGE, OTHER)) -> DailyPeaks:
    """One channel's peaks of 1 but for marks of (device, day, z)."""
    values = np.ones((len(devices), days, 1), dtype=np.float32)
    for row, day, z in marks:
        values[row, day, 0] = z
    return DailyPeaks.of("refrigerator", devices, ("power",), values)


def plain(control: tuple[FaultRecord, ...], found: DailyPeaks) -> TrialRecord:
    return msgspec.structs.replace(trial(control=control, devices=(FRIDGE, OTHER)), peaks=(found,))


def test_thresholds_catch_what_stands_out_before_the_failure() -> None:
    control = (fault(FRIDGE, 10.2, 30, repaired=33), fault(OTHER, 50, 60, repaired=62))
    record = plain(control, peaks((0, 12, 8), (0, 31, 99), (1, 20, 6), (1, 61, 50)))
    tried = [each for each in sweep(record) if each.persistence == 1]
    low = next(each for each in tried if each.z > 5)
    assert low.caught == {0: at(12.5)}
    assert low.recall == 0.5
    assert low.false == {OTHER: 1}
    high = next(each for each in tried if each.z > 7)
    assert (high.recall, high.false_tickets) == (0.5, 0)
    assert next(each for each in tried if each.z > 20).recall == 0.0
    chosen = at_recall(tried, 0.5)
    assert chosen is not None
    assert (chosen.recall, chosen.false_tickets) == (0.5, 0)


def test_persistence_asks_for_the_same_channel_on_days_in_a_row() -> None:
    control = (fault(FRIDGE, 10, 30, repaired=33),)
    record = plain(control, peaks((0, 12, 8), (0, 13, 8), (1, 20, 9), (1, 22, 9)))
    tried = {each.persistence: each for each in sweep(record) if 5 < each.z < 6}
    assert (tried[1].recall, tried[1].false_tickets) == (1.0, 1)
    assert (tried[2].recall, tried[2].false_tickets) == (1.0, 0)
    assert (tried[3].recall, tried[3].false_tickets) == (0.0, 0)
    assert tried[2].caught == {0: at(13.5)}


def test_a_device_is_left_alone_after_a_false_ticket() -> None:
    days = range(90)
    record = plain((fault(FRIDGE, 92, 95, repaired=96),), peaks(*((0, day, 9.0) for day in days)))
    tried = next(each for each in sweep(record) if each.z > 5)
    assert tried.false == {FRIDGE: math.ceil(90 / QUIET_DAYS)}


def test_thresholds_pay_for_false_visits_and_late_ones() -> None:
    control = (fault(FRIDGE, 10, 14, repaired=18), fault(OTHER, 50, 60, repaired=62))
    record = plain(control, peaks((0, 12, 8), (1, 20, 8)))
    chosen = next(each for each in sweep(record) if each.z > 5)
    got = used(threshold_account(record, chosen, PRICES))
    # The visit comes 2.5 days after noon of day 12, that is a day after the failure of day 14.
    assert got["visits"] == 200
    assert got["false_visits"] == 50
    assert got["urgent_visits"] == 200
    assert got["breakdowns"] == 1000
    assert got["standstill"] == pytest.approx(40 * (1.0 + 2.0))


def test_without_peaks_or_faults_there_is_no_threshold() -> None:
    assert sweep(trial(control=(fault(),))) == []
    assert sweep(plain((), peaks())) == []
    assert at_recall([], 0.5) is None


KEYS = [
    "scenario",
    "seed",
    "device_days",
    "device_years",
    "faults",
    "caught",
    "recall",
    "lead_days_p50",
    "lead_days_p10",
    "false_tickets",
    "false_per_device_year",
    "false_per_device_year_ci95",
    "tickets_per_episode",
    "top1",
    "top3",
    "rul_coverage90",
    "rul_width_p50",
    "before_failure",
    "avoided_visits",
    "first_time_fix",
    "repeat",
    "cost",
    "baselines",
    "by_fault",
]


def whole() -> TrialRecord:
    base = trial(
        faults=(fault(FRIDGE, 10, 30, repaired=25, by="visit", visits=("V1",)), fault(OTHER, 50, 60, repaired=62)),
        tickets=(
            ticket("A", FRIDGE, life=(20, 40), visits=("V1",)),
            ticket("B", OTHER, 22),
        ),
        visits=(visit("V1", "A", FRIDGE, 25),),
        confounders=(spell(OTHER, 20, 23),),
        control=(fault(FRIDGE, 10, 30, repaired=33), fault(OTHER, 50, 60, repaired=62)),
        devices=(FRIDGE, OTHER),
    )
    return msgspec.structs.replace(base, peaks=(peaks((0, 12, 8), (1, 20, 6)),))


def test_the_report_has_every_key_and_reads_as_the_trial_went() -> None:
    got = report(whole(), COSTS, CATALOGUE)
    assert set(KEYS) <= set(got)
    assert (got["faults"], got["caught"], got["recall"], got["false_tickets"]) == (2, 1, 0.5, 1)
    assert got["false"][0]["confounders"] == ["heat_wave"]
    assert got["baselines"]["thresholds"]["reached"] is True
    assert got["baselines"]["thresholds"]["recall"] == 0.5
    assert set(got["baselines"]) == {"repair_on_failure", "calendar", "thresholds"}
    assert got["cost"]["total"] == pytest.approx(100 + LABOUR + PARTS + 10 + 500 + 80, abs=0.01)
    assert got["controls"]["periodic_30_days"]["recall"] == pytest.approx((20 / 30 + 10 / 30) / 2, abs=1e-4)


def test_the_report_is_the_same_bytes_from_the_record_and_from_the_record_read_again() -> None:
    record = whole()
    again = TrialRecord.decode(record.encode())
    assert encode(report(record, COSTS, CATALOGUE)) == encode(report(again, COSTS, CATALOGUE))
    keys = list(json.loads(encode(report(record, COSTS, CATALOGUE))))
    assert keys == sorted(keys)


def test_an_empty_trial_has_a_report_with_reasons() -> None:
    got = report(trial(), COSTS, CATALOGUE)
    assert got["recall"] is None
    assert got["baselines"]["thresholds"] is None
    assert {"recall", "baselines.thresholds", "baselines.repair_on_failure.cost_ratio"} <= set(got["undefined"])
    encode(got)


def test_rounding_leaves_no_minus_zero_and_no_tuple() -> None:
    assert encode(round_all({"a": -0.00001, "b": (1.23456, 2), "c": None})) == encode(
        {"a": 0.0, "b": [1.2346, 2], "c": None}
    )


def test_a_higher_threshold_never_catches_more_nor_alarms_more_often() -> None:
    tried = sweep(grown(CATALOGUE, devices=30, days=200))
    for persistence in {each.persistence for each in tried}:
        mine = [each for each in tried if each.persistence == persistence]
        assert [each.z for each in mine] == sorted(each.z for each in mine)
        assert all(low.recall >= high.recall for low, high in pairwise(mine))
        assert set(mine[-1].caught) <= set(mine[0].caught)
        assert mine[-1].false_tickets <= mine[0].false_tickets
    assert {each.recall for each in tried} != {0.0}


def test_the_order_in_which_a_record_tells_things_changes_no_byte() -> None:
    record = grown(CATALOGUE, devices=30)
    rng = random.Random(4)

    def mixed(rows: Sequence[object]) -> tuple[object, ...]:
        return tuple(rng.sample(list(rows), len(rows)))

    names = ("devices", "faults", "tickets", "visits", "episodes", "confounders", "control", "peaks")
    other = msgspec.structs.replace(record, **{name: mixed(getattr(record, name)) for name in names})
    assert other != record
    assert encode(report(record, COSTS, CATALOGUE)) == encode(report(other, COSTS, CATALOGUE))
