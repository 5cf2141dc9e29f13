from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.trial.matching import Verdict, match
from stack.trial.record import EpisodeRecord, FaultRecord, TicketRecord, TrialRecord
from stack.trial.score import Score, score
from stack.trial.tables import by_confounder, by_fault, by_kind
from telemetry.catalogue import load_catalogue
from tests.stack.trial.small import FRIDGE, OTHER, WASHER, at, fault, spell, ticket, trial, visit

CATALOGUE = load_catalogue()


def scored(record: TrialRecord) -> Score:
    return score(record, match(record), CATALOGUE)


def verdicts(record: TrialRecord) -> list[str]:
    return [each.verdict.value for each in match(record).outcomes]


def test_a_ticket_between_onset_and_failure_catches_its_fault() -> None:
    got = scored(trial(faults=(fault(onset=10, failure=30),), tickets=(ticket("A", opened=18),)))
    assert (got.faults, got.caught, got.recall, got.false_tickets) == (1, 1, 1.0, 0)
    assert (got.lead_days_p50, got.lead_days_p10, got.delay_days_p50) == (12.0, 12.0, 8.0)


@pytest.mark.parametrize(
    "wrong",
    [
        ticket("A", opened=9.9),
        ticket("A", opened=18, family="refrigerant"),
        ticket("A", OTHER, opened=18),
        ticket("A", opened=50.1),
    ],
    ids=["before the onset", "another family", "another device", "after the repair"],
)
def test_anything_else_is_false(wrong: TicketRecord) -> None:
    got = scored(trial(faults=(fault(onset=10, failure=30, repaired=50, reported=31),), tickets=(wrong,)))
    assert (got.caught, got.missed, got.false_tickets) == (0, 1, 1)


def test_a_ticket_after_the_failure_is_true_and_late() -> None:
    got = scored(trial(faults=(fault(onset=10, failure=30),), tickets=(ticket("A", opened=31),)))
    assert (got.faults, got.caught, got.late, got.false_tickets) == (1, 0, 1, 0)
    assert got.recall == 0.0
    assert got.lead_days_p50 is None
    assert got.undefined["lead_days_p50"] == "no fault was caught"


@pytest.mark.parametrize(
    ("opened", "reported", "found", "recall"),
    [(20, 31, 1, 1.0), (31, 32, 1, 0.0), (31, None, 1, 0.0), (33, 32, 0, 0.0), (None, 32, 0, 0.0)],
    ids=["caught", "late and ahead of the owner", "late, the owner silent", "the owner was quicker", "owner alone"],
)
def test_found_is_what_telemetry_named_before_the_owner_in_time_or_late(
    opened: float | None, reported: float | None, found: int, recall: float
) -> None:
    tickets = () if opened is None else (ticket("A", opened=opened),)
    got = scored(trial(faults=(fault(onset=10, failure=30, reported=reported),), tickets=tickets))
    assert (got.found, got.found_share, got.recall) == (found, float(found), recall)
    assert got.found_share_ci95 is not None


def test_a_ticket_that_the_owner_opened_is_not_found_when_a_finding_reopens_it() -> None:
    owners = ticket("A", opened=31, source="owner", reopened=(40,))
    told = EpisodeRecord(
        id="e", device=FRIDGE, family="condenser_airflow", opened=at(40), told=at(40), onset=at(11),
        severity=3, score=0.99, revisions=1, ticket="A",
    )  # fmt: skip
    record = trial(faults=(fault(onset=10, failure=30),), tickets=(owners,))
    got = scored(msgspec.structs.replace(record, episodes=(told,)))
    assert (got.late, got.found) == (1, 0)


def test_the_warning_of_slow_faults_stands_apart() -> None:
    slow = fault(FRIDGE, onset=10, failure=40)
    fast = fault(OTHER, onset=10, failure=12, family="air_damper", name="damper_stuck")
    tickets = (ticket("A", FRIDGE, opened=20), ticket("B", OTHER, opened=11, family="air_damper"))
    got = scored(trial(faults=(slow, fast), tickets=tickets))
    assert (got.caught, got.slow_caught) == (2, 1)
    assert (got.lead_days_p50, got.lead_days_slow_p50) == (10.5, 20.0)
    alone = scored(trial(faults=(fast,), tickets=tickets[1:]))
    assert alone.lead_days_slow_p50 is None
    assert alone.undefined["lead_days_slow_p50"] == "no fault of a slow course was caught"


def test_exclusions_are_decided_by_the_truth_alone() -> None:
    late = fault(FRIDGE, onset=90, failure=101)
    early = fault(OTHER, onset=-20, failure=-1)
    chance = fault(WASHER, onset=10, failure=30, repaired=12)
    record = trial(faults=(late, early, chance), tickets=(ticket("A", FRIDGE, opened=95),))
    assert sorted(verdicts(record)) == ["before", "mended", "open"]
    got = scored(record)
    assert got.faults == 0
    assert got.recall is None
    assert got.undefined["recall"] == "no fault had its failure within the trial"
    assert got.false_tickets == 0
    assert got.excluded == {"failure_after_end": 1, "failure_before_start": 1, "mended_unnamed": 1}


def test_what_the_owner_reported_before_telemetry_is_missed_though_it_was_mended_in_time() -> None:
    record = trial(
        faults=(fault(onset=10, failure=30, repaired=20, by="visit"),),
        tickets=(ticket("A", opened=15, source="owner", causes=()),),
    )
    assert verdicts(record) == [Verdict.MISSED]
    assert scored(record).reported_first == 1
    assert scored(record).false_tickets == 0


def test_several_tickets_of_one_fault_and_reopenings_count() -> None:
    record = trial(
        faults=(fault(onset=10, failure=60),),
        tickets=(ticket("A", opened=15, reopened=(25, 80)), ticket("B", opened=40)),
    )
    got = scored(record)
    assert got.tickets_per_episode == 4.0
    assert got.true_tickets == 4
    done = scored(msgspec.structs.replace(record, faults=(fault(onset=10, failure=60, repaired=50, by="visit"),)))
    assert done.tickets_per_episode == 3.0
    assert (done.false_tickets, done.false_reopenings) == (1, 1)


def test_an_owners_ticket_catches_from_the_finding_that_reopened_it_on() -> None:
    owner = ticket("A", opened=5, source="owner", causes=(), reopened=(20,))
    record = trial(faults=(fault(onset=10, failure=30),), tickets=(owner,))
    assert verdicts(record) == ["missed"]
    episode = EpisodeRecord(
        id="e", device=FRIDGE, family="condenser_airflow", opened=at(20), told=at(20), onset=at(18),
        severity=3, score=0.99, revisions=1, ticket="A",
    )  # fmt: skip
    assert verdicts(msgspec.structs.replace(record, episodes=(episode,))) == ["caught"]


def test_causes_are_judged_on_the_first_ticket_of_each_fault() -> None:
    right = (("condenser_fan_wear", 0.6), ("unknown", 0.4))
    third = (("unknown", 0.5), ("condenser_dust", 0.3), ("condenser_fan_wear", 0.2))
    fourth = (("a", 0.4), ("b", 0.3), ("c", 0.2), ("condenser_fan_wear", 0.1))
    record = trial(
        faults=(fault(FRIDGE), fault(OTHER), fault(WASHER)),
        tickets=(
            ticket("A", FRIDGE, causes=right),
            ticket("B", OTHER, causes=third),
            ticket("C", WASHER, causes=fourth),
            ticket("D", WASHER, opened=16, causes=right),
        ),
    )
    got = scored(record)
    assert got.named == 3
    assert got.top1 == pytest.approx(1 / 3)
    assert got.top3 == pytest.approx(2 / 3)
    assert got.abstained == pytest.approx(1 / 3)


def test_remaining_life_is_judged_against_the_true_failure() -> None:
    record = trial(
        faults=(fault(FRIDGE), fault(OTHER), fault(WASHER)),
        tickets=(
            ticket("A", FRIDGE, life=(25, 35)),
            ticket("B", OTHER, life=(16, 20)),
            ticket("C", WASHER),
        ),
    )
    got = scored(record)
    assert (got.rul_intervals, got.rul_coverage90, got.rul_width_p50) == (2, 0.5, 7.0)


def test_visits_mend_in_time_at_once_and_again() -> None:
    faults = (
        fault(FRIDGE, repaired=20, by="visit", visits=("V1",)),
        fault(OTHER, repaired=25, by="visit", visits=("V2", "V3")),
        fault(WASHER, repaired=21, by="self_fix"),
    )
    record = trial(
        faults=faults,
        tickets=(ticket("A", FRIDGE), ticket("B", OTHER), ticket("C", WASHER)),
        visits=(
            visit("V1", "A", FRIDGE, 20),
            visit("V2", "B", OTHER, 18, outcome="wrong_part"),
            visit("V3", "B", OTHER, 25),
        ),
    )
    got = scored(record)
    assert got.before_failure == 1.0
    assert got.avoided_visits == 1
    assert got.first_time_fix == 0.5
    assert got.repeat == pytest.approx(1 / 3)


def test_visits_of_the_last_thirty_days_say_nothing_of_repeats() -> None:
    record = trial(
        faults=(fault(repaired=20, by="visit", visits=("V1",)),),
        tickets=(ticket("A"),),
        visits=(visit("V1", "A", FRIDGE, 20),),
        days=45,
    )
    assert scored(record).repeat is None
    assert "30 days" in scored(record).undefined["repeat"]


def test_tables_by_fault_kind_and_confounder() -> None:
    record = trial(
        faults=(fault(FRIDGE), fault(OTHER, name="condenser_dust")),
        tickets=(ticket("A", FRIDGE, opened=20), ticket("B", OTHER, opened=5), ticket("C", WASHER, opened=50)),
        confounders=(spell(OTHER, 2, 6), spell(OTHER, 4, 9), spell(WASHER, 40, 48)),
    )
    matching = match(record)
    rows = by_fault(record, matching)
    assert list(rows) == ["refrigerator.condenser_dust", "refrigerator.condenser_fan_wear"]
    assert rows["refrigerator.condenser_fan_wear"]["recall"] == 1.0
    assert rows["refrigerator.condenser_dust"] | {"severity": 0} == rows["refrigerator.condenser_dust"] | {
        "severity": 0, "n": 1, "caught": 0, "missed": 1, "recall": 0.0,
    }  # fmt: skip
    kinds = by_kind(record, matching)
    assert (kinds["refrigerator"]["n"], kinds["refrigerator"]["false_tickets"]) == (2, 1)
    assert kinds["washing_machine"]["recall"] is None
    spells = by_confounder(record, matching)
    # Days 2 to 12 of one device and 40 to 51 of another; ticket B lies in two spells of one name and counts once.
    assert spells["heat_wave"]["device_days"] == pytest.approx(21.0)
    assert spells["heat_wave"]["false_tickets"] == 2
    assert spells["none"]["false_tickets"] == 0
    assert spells["none"]["device_days"] == pytest.approx(300 - 21)


def test_an_empty_trial_says_why_everything_is_undefined() -> None:
    got = scored(trial())
    none = {name for name in Score.__slots__ if getattr(got, name) is None}
    assert none == set(got.undefined)
    assert {"recall", "lead_days_p50", "top1", "rul_coverage90", "first_time_fix", "repeat"} <= none
    assert got.false_per_device_year == 0.0


DEVICES = tuple(f"t/d-{number}" for number in range(4))
FAMILIES = ("condenser_airflow", "refrigerant")
faults_drawn = st.builds(
    lambda device, family, onset, lead, mended: fault(
        device, onset, onset + lead, family=family, name=family, repaired=None if mended is None else onset + mended
    ),
    st.sampled_from(DEVICES),
    st.sampled_from(FAMILIES),
    st.integers(-30, 100),
    st.integers(1, 60),
    st.none() | st.integers(1, 60),
)
tickets_drawn = st.builds(
    lambda device, family, opened: (device, family, opened),
    st.sampled_from(DEVICES),
    st.sampled_from(FAMILIES),
    st.floats(0, 100),
)


def drawn(faults: list[FaultRecord], tickets: list[tuple[str, str, float]]) -> TrialRecord:
    made = (ticket(f"T{i}", each[0], each[2], family=each[1]) for i, each in enumerate(tickets))
    return trial(faults=tuple(faults), tickets=tuple(made), devices=DEVICES)


@settings(deadline=None, max_examples=60)
@given(st.lists(faults_drawn, max_size=8), st.lists(tickets_drawn, max_size=12), st.permutations(DEVICES))
def test_names_of_devices_change_nothing(
    faults: list[FaultRecord], tickets: list[tuple[str, str, float]], names: list[str]
) -> None:
    other = dict(zip(DEVICES, names, strict=True))
    renamed = [msgspec.structs.replace(each, device=other[each.device]) for each in faults]
    again = [(other[device], family, opened) for device, family, opened in tickets]
    assert scored(drawn(faults, tickets)) == scored(drawn(renamed[::-1], again))


@settings(deadline=None, max_examples=60)
@given(st.lists(faults_drawn, max_size=8), st.lists(tickets_drawn, max_size=12), st.lists(tickets_drawn, max_size=4))
def test_more_tickets_never_lower_the_false_rate(
    faults: list[FaultRecord], tickets: list[tuple[str, str, float]], more: list[tuple[str, str, float]]
) -> None:
    less, got = scored(drawn(faults, tickets)), scored(drawn(faults, tickets + more))
    assert (got.false_per_device_year or 0) >= (less.false_per_device_year or 0)
    assert got.true_tickets + got.false_tickets == len(tickets) + len(more)


@settings(deadline=None, max_examples=60)
@given(st.lists(faults_drawn, max_size=8), st.lists(tickets_drawn, max_size=12))
def test_figures_stay_in_their_bounds(faults: list[FaultRecord], tickets: list[tuple[str, str, float]]) -> None:
    record = drawn(faults, tickets)
    got = scored(record)
    assert got.caught + got.late + got.missed == got.faults
    assert got.faults + sum(got.excluded.values()) == len(faults)
    assert got.false_per_device_year_ci95 is not None
    assert got.false_per_device_year is not None
    assert got.false_per_device_year_ci95[0] <= got.false_per_device_year <= got.false_per_device_year_ci95[1]
    if got.recall is not None:
        assert got.recall_ci95 is not None
        assert 0 <= got.recall_ci95[0] <= got.recall <= got.recall_ci95[1] <= 1
    rows = by_fault(record, match(record)).values()
    assert sum(row["n"] for row in rows) == got.faults
    assert sum(row["caught"] for row in rows) == got.caught
    assert sum(row["false_tickets"] for row in by_kind(record, match(record)).values()) == got.false_tickets
