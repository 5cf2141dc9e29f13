from __future__ import annotations

import random
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicedesk.policy import DEFAULT, decide, fault_of, fault_probability, priority, proof_time, respond_due
from telemetry.finding import Cause, EpisodeState, Proof
from telemetry.ids import uuid7
from tests.servicedesk.world import CATALOGUE, START, finding

FRIDGE = CATALOGUE["refrigerator"]


def test_sure_faults_are_worth_a_visit_and_unsure_ones_are_not() -> None:
    draft = decide(finding(score=0.9999), FRIDGE)
    assert draft is not None
    assert draft.expected_cost > draft.visit_cost > 0
    assert draft.fault == "condenser_fan_wear"
    assert decide(finding(score=0.6), FRIDGE) is None


def test_safety_overrides_cost() -> None:
    draft = decide(finding(score=0.6, severity=1), FRIDGE)
    assert draft is not None
    assert draft.safety
    assert draft.priority == 0


@pytest.mark.parametrize("proof", [Proof.PROVING, Proof.PROVEN, Proof.FAILED])
def test_revisions_of_a_repair_open_nothing(proof: Proof) -> None:
    assert decide(finding(proof=proof), FRIDGE) is None


def test_history_ends_and_strange_families_open_nothing() -> None:
    assert decide(finding(history=True), FRIDGE) is None
    assert decide(finding(state=EpisodeState.ENDED), FRIDGE) is None
    assert decide(finding(family="teapot"), FRIDGE) is None


@pytest.mark.parametrize("kind", sorted(CATALOGUE.kinds))
def test_every_fault_of_the_catalogue_opens_when_sure(kind: str) -> None:
    for name, fault in CATALOGUE[kind].faults.items():
        found = finding(family=fault.family, severity=fault.severity, score=0.99999, causes=(Cause(name, 1.0),))
        assert decide(found, CATALOGUE[kind]) is not None, name


def test_only_unknown_causes_still_count_as_an_average() -> None:
    draft = decide(finding(causes=(Cause("unknown", 1.0),)), FRIDGE)
    assert draft is not None
    assert draft.fault is None
    assert fault_of(FRIDGE, "condenser_airflow", None) is FRIDGE.faults["condenser_fan_wear"]


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_is_never_less_probable(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= fault_probability(low, 0.05) <= fault_probability(high, 0.05) + 1e-12 <= 1 + 1e-12


def test_urgency_follows_severity() -> None:
    assert priority(3, safety=True) < priority(1, safety=False) < priority(2, safety=False)
    assert respond_due(1, START) == START + timedelta(minutes=5)
    dues = [respond_due(severity, START) for severity in (1, 2, 3, 4)]
    assert dues == sorted(dues)


def test_proof_takes_hours_or_cycles() -> None:
    assert proof_time(FRIDGE.faults["condenser_fan_wear"]) == timedelta(hours=72)
    washer = CATALOGUE["washing_machine"].faults["drain_pump_wear"]
    assert proof_time(washer) == timedelta(hours=3 * DEFAULT.cycle_hours)


def test_ids_are_version_seven_and_in_order_of_time() -> None:
    rng = random.Random(1)
    made = [uuid7(millis * 1000, rng) for millis in range(1_772_000_000_000, 1_772_000_000_050)]
    assert made == sorted(made)
    assert {each.version for each in made} == {7}
    assert {each.variant for each in made} == {"specified in RFC 4122"}
    assert made[0].int >> 80 == 1_772_000_000_000


def test_findings_survive_the_way_through_the_database() -> None:
    found = finding()
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(found)), type(found)) == found
