"""Every fault of the table: nothing lost, nothing twice, back within ten seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.runner import Scenario, Theatre, Tier, play, report
from tests.faults.scenarios import SCENARIOS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    one = Theatre()
    yield one
    one.close()


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(each, id=each.id, marks=[pytest.mark.long] if each.tier is Tier.LONG else []) for each in SCENARIOS],
)
def test_fault(scenario: Scenario, theatre: Theatre) -> None:
    outcome = play(scenario, theatre.stage(scenario.where))
    print(report(outcome))  # noqa: T201  (shown when it fails, and with -s)
    theatre.clear(scenario.where, broken=bool(outcome.problems))
    assert outcome.problems == []
