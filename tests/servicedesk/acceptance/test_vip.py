"""VIP: priority and a named contact. A tier orders work inside one severity only; safety first, always."""

from __future__ import annotations

from datetime import timedelta

from servicedesk.calls import open_call
from servicedesk.tiers import VIP, in_order, tier_of, work_order
from tests.servicedesk.acceptance.case import Case, dangerous
from tests.servicedesk.world import finding

HOUR = timedelta(hours=1)


def test_a_tier_orders_work_inside_one_severity_only(case: Case) -> None:
    first = case.report(finding(at=case.now, family="refrigerant"))
    case.now += HOUR
    later = case.report(finding(at=case.now, epoch=2))
    case.now += HOUR
    worse = case.report(finding(at=case.now, family="compressor_start", severity=2, causes=()))
    assert {first.severity, later.severity} == {3}
    tiers = {first.id: "standard", later.id: VIP, worse.id: "standard"}
    ordered = sorted((first, later, worse), key=lambda each: work_order(each, tiers[each.id]))
    assert [each.id for each in ordered] == [worse.id, later.id, first.id]


def test_safety_comes_before_every_tier(case: Case) -> None:
    safe = case.report(finding(at=case.now, family="refrigerant"))
    case.now += HOUR
    danger = case.report(dangerous(case.now))
    ordered = sorted((safe, danger), key=lambda each: work_order(each, VIP if each.id == safe.id else "standard"))
    assert [each.id for each in ordered] == [danger.id, safe.id]


def test_the_list_of_calls_is_in_that_order_and_the_tier_has_its_own_promise(case: Case) -> None:
    case.desk.levels.clocks.set_tier(case.household, VIP, "Ana")
    mild = case.report(finding(at=case.now, family="refrigerant", severity=2))
    case.now += HOUR
    danger = case.report(dangerous(case.now))
    open_call(case.office, mild.id, "complaint", 2, case.now)
    assert tier_of(case.office, mild) == VIP
    rows = in_order(case.office, [*case.calls(mild), *case.calls(danger)])
    assert [(ticket.id, task.reason) for task, ticket, _ in rows] == [
        (danger.id, "severity_1"),
        (mild.id, "complaint"),
    ]
    assert case.clock(mild, "visit_24h_named").allowed == timedelta(hours=24)
    assert case.clock(danger, "visit_24h").policy == "visit_24h"
