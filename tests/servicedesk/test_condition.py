"""How an appliance is, in one word: silence is never healthy, and what was found outweighs it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from servicedesk.condition import CaseState, Condition, Health, condition, silent_after
from servicedesk.states import TicketState
from telemetry.catalogue import load_catalogue

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
DAY = timedelta(days=1)
KINDS = load_catalogue()


def told(
    *,
    observed: str = "ok",
    age: timedelta | None = timedelta(minutes=20),
    days: int = 60,
    cases: tuple[CaseState, ...] = (),
) -> Condition:
    return condition(
        observed=observed,
        last=None if age is None else NOW - age,
        registered=NOW - days * DAY,
        kind=KINDS["refrigerator"],
        cases=cases,
        learning=14 * DAY,
        now=NOW,
    )


def case(state: TicketState, verified: int | None = None) -> CaseState:
    return CaseState(state=state, verified=None if verified is None else NOW - verified * DAY)


def test_the_words() -> None:
    assert told().health is Health.HEALTHY
    assert told(observed="faulty").health is Health.DEVELOPING
    assert told(observed="unknown") == Condition(health=Health.NO_DATA, silent_since=NOW - timedelta(minutes=20))
    assert told(cases=(case(TicketState.DONE),)).health is Health.PROVING
    assert told(cases=(case(TicketState.VERIFIED, 1),)).health is Health.PROVEN
    assert told(cases=(case(TicketState.CLOSED, 29),)).health is Health.PROVEN
    assert told(cases=(case(TicketState.CLOSED, 31),)).health is Health.HEALTHY
    assert told(cases=(case(TicketState.FALSE_ALARM),)).health is Health.HEALTHY


@pytest.mark.parametrize(("days", "day", "of"), [(0, 1, 14), (3, 4, 14), (13, 14, 14)])
def test_learning_counts_days(days: int, day: int, of: int) -> None:
    found = told(days=days)
    assert (found.health, found.day, found.of) == (Health.LEARNING, day, of)
    assert told(days=14).health is Health.HEALTHY


def test_silence_is_no_health_and_does_not_unsay_a_fault() -> None:
    silent = timedelta(hours=5)
    assert told(age=silent) == Condition(health=Health.NO_DATA, silent_since=NOW - silent)
    assert told(age=None, days=2) == Condition(health=Health.NO_DATA, silent_since=NOW - 2 * DAY)
    for state in (TicketState.OPEN, TicketState.PLANNED, TicketState.REOPENED, TicketState.IN_REPAIR):
        found = told(age=silent, cases=(case(state),))
        assert found == Condition(health=Health.DEVELOPING, silent_since=NOW - silent)
    assert told(age=silent, observed="faulty").health is Health.NO_DATA


@pytest.mark.parametrize("kind", sorted(KINDS.kinds))
def test_a_kind_may_rest_for_three_of_its_messages(kind: str) -> None:
    longest = max((phase.every * phase.batch for phase in KINDS[kind].phases.values()), default=0)
    assert silent_after(KINDS[kind]).total_seconds() == max(3 * 3600, 3 * longest)
    assert silent_after(None) == timedelta(hours=3)
