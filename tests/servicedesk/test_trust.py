"""How far detectors are believed: the numbers, and what outcomes do to them."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as replace_struct

from detectors import cyclic, multichannel
from servicedesk.errors import AlreadyOpenError, IllegalMoveError
from servicedesk.judging import DETECTORS
from servicedesk.model import Outcome, OutcomeCode, Ticket
from servicedesk.opening import take_up
from servicedesk.reporting import report_fault
from servicedesk.states import TicketState, VisitState
from servicedesk.trust import (
    DEFAULT_TRUST,
    Tally,
    Truth,
    Verdict,
    beta_cdf,
    beta_quantile,
    lesson,
    precision,
    suggest_only,
)
from servicedesk.visiting import finish, move_ticket, move_visit
from tests.servicedesk.world import CATALOGUE, START, World, finding

FAULTS = CATALOGUE["refrigerator"].family_faults("condenser_airflow")


def test_the_distribution_agrees_with_draws() -> None:
    rng = random.Random(4)
    draws = sorted(rng.betavariate(7.0, 3.0) for _ in range(40_000))
    for p in (0.1, 0.5, 0.9):
        assert beta_quantile(p, 7.0, 3.0) == pytest.approx(draws[round(p * len(draws))], abs=0.01)
    # Uniform, and a power: known in closed form.
    assert beta_cdf(0.3, 1.0, 1.0) == pytest.approx(0.3)
    assert beta_cdf(0.3, 5.0, 1.0) == pytest.approx(0.3**5)


@given(st.floats(0.3, 60), st.floats(0.3, 60), st.floats(0.01, 0.99))
def test_a_quantile_is_where_the_distribution_has_its_share(a: float, b: float, p: float) -> None:
    assert beta_cdf(beta_quantile(p, a, b), a, b) == pytest.approx(p, abs=1e-6)


def test_a_detector_falls_only_on_evidence_and_comes_back() -> None:
    assert not suggest_only(Tally())
    assert not suggest_only(Tally(wrong=DEFAULT_TRUST.least - 1))
    assert suggest_only(Tally(wrong=DEFAULT_TRUST.least))
    assert suggest_only(Tally(right=3, wrong=7))
    assert not suggest_only(Tally(right=9, wrong=3))
    assert precision(Tally()).mean == pytest.approx(0.8)
    found = precision(Tally(right=9, wrong=3))
    assert found.low < found.mean < found.high


def test_a_lesson_follows_what_was_confirmed() -> None:
    usual = lesson("condenser_airflow", Tally(), {}, FAULTS)
    assert usual["threshold"] == 1.0
    assert set(usual["causes"].values()) == {1.0}
    rare = min(FAULTS, key=lambda name: FAULTS[name].prior)
    assert lesson("condenser_airflow", Tally(right=1, wrong=2), {rare: 1}, FAULTS) == usual
    told = lesson("condenser_airflow", Tally(right=2, wrong=10), {rare: 12}, FAULTS)
    assert told["threshold"] > 1.0
    assert told["causes"]["unknown"] > 1.0
    assert told["causes"][rare] > 1.0 > min(told["causes"].values())


def test_the_detectors_have_the_names_that_misses_are_counted_under() -> None:
    assert DETECTORS == {"cycles": cyclic.NAME, "multichannel": multichannel.NAME}


@pytest.fixture
def world() -> World:
    made = World()
    made.appliance = replace(made.appliance, model="M1")
    made.desk.people.appliances[1] = made.appliance
    return made


def visited(world: World, ticket: Ticket, code: OutcomeCode, cause: str | None = None) -> None:
    """The visit of a ticket comes about, with this outcome."""
    world.work()
    visit = world.desk.visits.of_ticket(ticket.id)[-1]
    for state in (VisitState.CONFIRMED, VisitState.DISPATCHED, VisitState.TRAVELLING, VisitState.ON_SITE):
        move_visit(world.office, visit.id, state, world.now, "dispatch")
    finish(world.office, Outcome(visit=visit.id, code=code, at=world.now, actor="technician:x", cause=cause))
    world.work()


def verdict(world: World, ticket: Ticket) -> Verdict:
    found = world.desk.truth.of_ticket(ticket.id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("code", "cause", "truth", "hit"),
    [
        (OutcomeCode.REPAIRED, "condenser_fan_wear", Truth.TRUE, True),
        (OutcomeCode.REPAIRED, None, Truth.TRUE, True),
        (OutcomeCode.REPAIRED, "condenser_dust", Truth.OTHER_CAUSE, True),
        (OutcomeCode.REPAIRED, "refrigerant_leak", Truth.OTHER_CAUSE, False),
        (OutcomeCode.NO_FAULT_FOUND, None, Truth.FALSE, False),
    ],
)
def test_an_outcome_is_a_verdict(
    world: World,
    code: OutcomeCode,
    cause: str | None,
    truth: Truth,
    hit: bool,  # noqa: FBT001  (a case's column)
) -> None:
    ticket = world.opened()
    visited(world, ticket, code, cause)
    found = verdict(world, ticket)
    assert (found.truth, found.hit, found.told, found.confirmed) == (truth, hit, "condenser_fan_wear", cause)
    assert (found.key.detector, found.key.model, found.key.family) == ("test", "M1", "condenser_airflow")
    assert "verdict" in [event.kind for event in world.desk.tickets.timeline(ticket.id)]


@pytest.mark.parametrize(
    ("state", "truth"), [(TicketState.FALSE_ALARM, Truth.FALSE), (TicketState.SELF_FIXED, Truth.TRUE)]
)
def test_a_word_of_dispatch_is_a_verdict(world: World, state: TicketState, truth: Truth) -> None:
    ticket = world.opened()
    move_ticket(world.office, ticket.id, state, world.now, "dispatch")
    assert verdict(world, ticket).truth is truth


def test_what_only_the_owner_saw_was_missed(world: World) -> None:
    ticket = report_fault(world.office, world.appliance, "condenser_airflow", "it is warm", world.now)
    visited(world, ticket, OutcomeCode.REPAIRED, "condenser_dust")
    found = verdict(world, ticket)
    assert (found.truth, found.finding, found.key.detector) == (Truth.MISSED, None, "cycles")
    assert world.desk.truth.tally(found.key, 30) == Tally(0, 0, 1)


def test_an_owner_who_was_wrong_says_nothing_of_detectors(world: World) -> None:
    ticket = report_fault(world.office, world.appliance, "condenser_airflow", "it is warm", world.now)
    visited(world, ticket, OutcomeCode.NO_FAULT_FOUND)
    assert world.desk.truth.of_ticket(ticket.id) is None


def judged(world: World, truths: list[bool]) -> None:
    """Verdicts on earlier findings of the same model and family."""
    ticket = world.opened()
    move_ticket(world.office, ticket.id, TicketState.FALSE_ALARM, world.now, "dispatch")
    first = verdict(world, ticket)
    world.desk.truth.verdicts.clear()
    for n, hit in enumerate(truths):
        at, truth = world.now + timedelta(minutes=n), Truth.TRUE if hit else Truth.FALSE
        world.desk.truth.note(replace(first, id=uuid4(), ticket=uuid4(), at=at, hit=hit, truth=truth))
    world.desk.agenda.take_jobs()


def test_below_the_bar_a_finding_is_only_suggested(world: World) -> None:
    judged(world, [False] * 6)
    world.now += timedelta(days=40)
    found = finding(at=world.now, epoch=2)
    assert world.report(found) is None
    assert UUID(found.id) in world.desk.truth.suggestions
    # What is dangerous is never held back.
    severe = finding(at=world.now, epoch=3, severity=1)
    assert world.report(severe) is not None


def test_dispatch_takes_up_a_suggestion(world: World) -> None:
    judged(world, [False] * 6)
    world.now += timedelta(days=40)
    found = finding(at=world.now, epoch=2)
    assert world.report(found) is None
    ticket = take_up(world.office, found, world.now, "dispatch")
    assert take_up(world.office, found, world.now, "dispatch").id == ticket.id
    other = finding(at=world.now, epoch=3)
    with pytest.raises(AlreadyOpenError):
        take_up(world.office, other, world.now, "dispatch")
    with pytest.raises(IllegalMoveError):
        take_up(world.office, replace_struct(other, history=True), world.now, "dispatch")
    visited(world, ticket, OutcomeCode.REPAIRED, "condenser_fan_wear")
    assert verdict(world, ticket).truth is Truth.TRUE


def test_trust_is_won_back_by_a_report_that_confirms_a_suggestion(world: World) -> None:
    judged(world, [False] * 6)
    world.now += timedelta(days=40)
    assert world.report(finding(at=world.now, epoch=2)) is None
    ticket = report_fault(world.office, world.appliance, "condenser_airflow", "it is warm", world.now)
    visited(world, ticket, OutcomeCode.REPAIRED, "condenser_fan_wear")
    found = verdict(world, ticket)
    assert (found.truth, found.hit) == (Truth.TRUE, True)
    for n in range(25):
        world.desk.truth.note(replace(found, id=uuid4(), ticket=uuid4(), at=found.at + timedelta(hours=n)))
    rows = world.desk.tickets.rows
    rows[ticket.id] = replace(rows[ticket.id], state=TicketState.CLOSED, closed=world.now)
    world.now += timedelta(days=60)
    assert world.report(finding(at=world.now, epoch=4)) is not None


def test_detectors_are_told_by_control_entries_once(world: World) -> None:
    judged(world, [False] * 6)
    world.now += timedelta(days=40)
    world.report(finding(at=world.now, epoch=2))
    ticket = report_fault(world.office, world.appliance, "condenser_airflow", "it is warm", world.now)
    visited(world, ticket, OutcomeCode.REPAIRED, "condenser_fan_wear")
    told = [body for _, kind, _, body in world.desk.agenda.controls.values() if kind == "priors"]
    assert len(told) == 1
    assert told[0]["family"] == "condenser_airflow"
    assert told[0]["threshold"] > 1
    key = verdict(world, ticket).key
    assert world.desk.truth.untaught(key, told[0], anew=True) == []
    assert world.desk.truth.untaught(key, {"family": "condenser_airflow"}, anew=False) == [1]


def test_one_good_outcome_tells_nobody_anything(world: World) -> None:
    ticket = world.opened()
    visited(world, ticket, OutcomeCode.REPAIRED, None)
    assert verdict(world, ticket).at >= START
    assert [kind for _, kind, _, _ in world.desk.agenda.controls.values() if kind == "priors"] == []
