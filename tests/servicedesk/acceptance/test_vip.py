"""VIP: priority and a named contact. A tier orders work inside one severity only; safety first, always."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.calls import open_call
from servicedesk.fleet_rows import Why
from servicedesk.model import Ticket, Window
from servicedesk.plan_rows import PlanLine
from servicedesk.planner import Blocking
from servicedesk.tiers import STANDARD, VIP, in_order, tier_of, work_order
from telemetry.identity import DeviceKey
from tests.servicedesk.acceptance.case import Case, dangerous
from tests.servicedesk.acceptance.test_planning_visits import absent, planned, stock
from tests.servicedesk.world import finding

HOUR = timedelta(hours=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
LIFE = (8 * 86_400.0, 20 * 86_400.0)


def from_home(case: Case, number: int, tier: str = STANDARD, severity: int = 3) -> Ticket:
    """A case of another household, an hour after the one before; its job to plan it has not run."""
    appliance = case.neighbour(number, tier)
    key = DeviceKey("demo", appliance.device)
    told = finding(key=key, at=case.now, severity=severity, life=LIFE)
    # So many alike at once would be one finding of the fleet; here each has waited for that already.
    case.desk.fleet.wait(UUID(told.id), appliance.no, Why.COMMON, case.now, case.now)
    case.desk.fleet.end_wait(UUID(told.id), case.now)
    ticket = case.report(told, appliance)
    case._taken()
    case.now += HOUR
    return ticket


def one_window(case: Case) -> Window:
    """One technician has one window on the third day, and nobody has any other."""
    day = (case.now + timedelta(days=3)).astimezone(SHANGHAI).date()
    start = datetime.combine(day, time(8), SHANGHAI)
    free, last = Window(start, start + 2 * HOUR), case.now + timedelta(days=30)
    for each in case.desk.people.technicians("demo"):
        if each.name == "陈美":
            absent(case, each.id, Window(case.now - HOUR, free.start))
            absent(case, each.id, Window(free.end, last))
        else:
            absent(case, each.id, Window(case.now - HOUR, last))
    return free


def lines_of(case: Case) -> dict[UUID, PlanLine]:
    return {line.ticket: line for line in planned(case, 14)[1]}


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


def test_the_planner_gives_the_one_window_to_the_tier_inside_one_severity(case: Case) -> None:
    """VIP: priority. The older case waits, and is told why; the plan lists cases in the order of work."""
    free = one_window(case)
    older = from_home(case, 21)
    vip = from_home(case, 22, VIP)
    lines = lines_of(case)
    assert lines[vip.id].after == free
    assert (lines[older.id].after, lines[older.id].blocking) == (None, Blocking.DOUBLE_BOOKING)
    assert list(lines) == [vip.id, older.id]


def test_the_planner_lets_no_number_of_tiers_pass_a_worse_severity_or_safety(case: Case) -> None:
    """VIP: a tier orders work inside one severity only; safety first, always."""
    free = one_window(case)
    vips = [from_home(case, 30 + i, VIP) for i in range(3)]
    worse = from_home(case, 40, severity=2)
    lines = lines_of(case)
    assert lines[worse.id].after == free
    assert all(lines[each.id].after is None for each in vips)
    danger = from_home(case, 41, severity=1)
    lines = lines_of(case)
    assert lines[danger.id].after == free
    assert lines[worse.id].after is None
    assert list(lines) == [danger.id, worse.id, *(each.id for each in vips)]


def test_the_last_piece_of_a_part_goes_by_the_same_order(case: Case) -> None:
    """VIP: also where a part is scarce."""
    stock(case, 1)
    older = from_home(case, 21)
    vip = from_home(case, 22, VIP)
    lines = lines_of(case)
    assert lines[vip.id].after is not None
    assert (lines[older.id].after, lines[older.id].blocking) == (None, Blocking.PART)
