"""Planning visits: all at once, around what is confirmed, accepted by line; parts first; skills with expiry."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from servicedesk.accepting import accept, refuse
from servicedesk.errors import ConflictError, UnknownError, WindowGoneError
from servicedesk.feasibility import VISITS
from servicedesk.holding import hold_window
from servicedesk.memory import MemoryDesk
from servicedesk.model import Booking, Certificate, PartStock, Ticket, Visit, Window
from servicedesk.office import OWNER
from servicedesk.plan_rows import LineState, PlanLine, VisitPlan
from servicedesk.planner import Blocking
from servicedesk.planning import alternatives, plan
from servicedesk.replanning import Ask, draw_up
from servicedesk.routing.problem import Planner
from servicedesk.routing.vroom_planner import VroomPlanner
from servicedesk.states import TicketState, VisitState
from servicedesk.suggesting import suggest
from servicedesk.travel import Place
from storage.desk_planning import register_absence, register_area, register_certificate, stock_van
from tests.servicedesk.acceptance.case import Case
from tests.servicedesk.world import finding

FAN = "RF-FAN-120"
PLANNER: Planner = VroomPlanner(0)
SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEK = timedelta(days=7)


def planned(case: Case, days: int = 7) -> tuple[VisitPlan, list[PlanLine]]:
    made = draw_up(case.office, PLANNER, Ask("demo", case.now, days, "dispatch"), case.now)
    return case.desk.plans.get(made.id)


def waiting(case: Case, family: str = "refrigerant", **given: object) -> Ticket:
    """A ticket whose job to plan it has not run."""
    found = finding(at=case.now, family=family, causes=(), **given)  # type: ignore[arg-type]
    ticket = case.report(found)
    case._taken()
    return ticket


def technician_ids(case: Case) -> list[UUID]:
    return [each.id for each in case.desk.people.technicians("demo")]


def certify(case: Case, skill: str, until: date) -> None:
    """Everybody's skill ends on a day."""
    own = Certificate(skill=skill, valid_until=until, trained=date(2024, 3, 1), course="F-gas")
    if case.shop is not None:
        for who in technician_ids(case):
            register_certificate(case.shop.conn, who, own)
        return
    assert isinstance(case.desk, MemoryDesk)
    people = case.desk.people
    people.technician_rows = [replace(each, certificates=(own,)) for each in people.technician_rows]


def absent(case: Case, who: UUID, away: Window) -> None:
    if case.shop is not None:
        register_absence(case.shop.conn, who, away, "ill")
        return
    assert isinstance(case.desk, MemoryDesk)
    case.desk.visits.absences.setdefault(who, []).append(away)


def stock(case: Case, on_hand: int, arrives: datetime | None = None) -> None:
    if case.shop is not None:
        case.shop.conn.execute(
            "update part_stock set on_hand = %s, arrives = %s where sku = %s", (on_hand, arrives, FAN)
        )
        return
    assert isinstance(case.desk, MemoryDesk)
    case.desk.parts.rows["demo", FAN] = PartStock(org="demo", sku=FAN, on_hand=on_hand, arrives=arrives)


def van(case: Case, who: UUID) -> None:
    piece = PartStock(org="demo", sku=FAN, on_hand=1)
    if case.shop is not None:
        stock_van(case.shop.conn, who, piece)
        return
    assert isinstance(case.desk, MemoryDesk)
    case.desk.parts.in_vans[who, FAN] = piece


def proposed(case: Case, ticket: Ticket) -> Visit:
    return case.visit(ticket)


def test_plan_all_is_a_difference_and_each_line_is_accepted(case: Case) -> None:
    """Confirmed visits never move; what waits gets a window; nothing happens before a line is accepted."""
    confirmed = case.opened()
    visit = case.confirm(confirmed)
    first, second = waiting(case), waiting(case, "compressor_start")
    before = case.kinds(first)
    made, lines = planned(case)
    assert {line.ticket for line in lines} == {first.id, second.id}
    assert all(line.before is None and line.after is not None for line in lines)
    assert (made.served, made.of) == (2, 2)
    assert case.kinds(first) == before
    assert not case.desk.visits.of_ticket(first.id)
    line = next(each for each in lines if each.ticket == first.id)
    for _ in range(2):
        (done,) = accept(case.office, made.id, [line.no], case.now, "dispatch")
        assert done.state is LineState.ACCEPTED
    got = proposed(case, first)
    assert (got.technician, got.window, got.state) == (line.after_technician, line.after, VisitState.PROPOSED)
    assert case.visit(confirmed) == visit
    assert not case.desk.visits.of_ticket(second.id)
    with pytest.raises(ConflictError):
        refuse(case.office, made.id, line.no, case.now, "dispatch")
    with pytest.raises(UnknownError):
        accept(case.office, made.id, [99], case.now, "dispatch")


def test_a_ticket_that_changed_is_planned_anew(case: Case) -> None:
    ticket = waiting(case)
    made, (line,) = planned(case)
    assert plan(case.office, ticket.id, case.now) is not None
    with pytest.raises(ConflictError, match="plan again"):
        accept(case.office, made.id, [line.no], case.now, "dispatch")


def test_two_lines_that_swap_windows_are_accepted_together(case: Case) -> None:
    tickets = [waiting(case), waiting(case, "compressor_start")]
    made, lines = planned(case)
    accept(case.office, made.id, [line.no for line in lines], case.now, "dispatch")
    one, two = (proposed(case, each) for each in tickets)
    ident = case.office.new_id()
    crossed = [
        PlanLine(
            plan=ident,
            no=number,
            ticket=ticket.id,
            version=case.ticket(ticket).version,
            visit=mine.id,
            before_technician=mine.technician,
            before=mine.window,
            after_technician=other.technician,
            after=other.window,
        )
        for number, (ticket, mine, other) in enumerate(((tickets[0], one, two), (tickets[1], two, one)), 1)
    ]
    case.desk.plans.add(replace(made, id=ident), crossed)
    with pytest.raises(WindowGoneError, match="line 2: accept them together"):
        in_part(case, lambda: accept(case.office, ident, [1], case.now, "dispatch"))
    accept(case.office, ident, [1, 2], case.now, "dispatch")
    assert proposed(case, tickets[0]).window == two.window
    assert proposed(case, tickets[1]).window == one.window
    assert proposed(case, tickets[0]).sequence == one.sequence + 1


def in_part(case: Case, change: object) -> None:
    """A change in a transaction of its own: what it began is undone by its error."""
    assert callable(change)
    if case.shop is not None:
        with case.shop.conn.transaction():
            change()
        return
    assert isinstance(case.desk, MemoryDesk)
    visits, lines = dict(case.desk.visits.rows), dict(case.desk.plans.lines)
    try:
        change()
    except WindowGoneError:
        case.desk.visits.rows, case.desk.plans.lines = visits, lines
        raise


def test_an_emergency_is_planned_around_confirmed_visits(case: Case) -> None:
    quiet = case.opened()
    visit = case.confirm(quiet)
    urgent = waiting(case, severity=1)
    _, lines = planned(case, days=2)
    (line,) = lines
    assert line.ticket == urgent.id
    assert line.after is not None
    assert line.after.start - case.now < timedelta(hours=24)
    assert case.visit(quiet) == visit
    clash = line.after_technician == visit.technician and line.after.overlaps(visit.window)
    assert not clash


def test_the_visit_is_never_before_the_part(case: Case) -> None:
    arrives = case.now + timedelta(days=3)
    stock(case, 0, arrives)
    ticket = case.report()
    case._taken()
    _, (line,) = planned(case)
    assert line.after is not None
    assert line.after.start >= arrives
    suggested = suggest(case.office, ticket, case.now)
    assert all(each.window.start >= arrives for each in suggested.best)
    assert all(dict(each.parts)[FAN] == "ordered" for each in suggested.best)
    visit = plan(case.office, ticket.id, case.now)
    assert visit is not None
    assert visit.start >= arrives
    found = alternatives(case.office, visit.id, case.now)
    assert all(each.window.start >= arrives for each in found.all)
    _, (line,) = planned(case)
    assert line.same


def test_a_part_that_nobody_has_is_the_blocking_constraint(case: Case) -> None:
    stock(case, 0)
    case.report()
    case._taken()
    made, (line,) = planned(case)
    assert (line.after, line.blocking) == (None, Blocking.PART)
    with pytest.raises(ConflictError, match="part"):
        accept(case.office, made.id, [line.no], case.now, "dispatch")


def test_a_piece_in_a_van_brings_its_technician(case: Case) -> None:
    stock(case, 0, case.now + timedelta(days=6))
    who = next(each.id for each in case.desk.people.technicians("demo") if "appliances" in each.skills)
    van(case, who)
    ticket = case.report()
    case._taken()
    made, (line,) = planned(case)
    assert line.after_technician == who
    assert suggest(case.office, ticket, case.now).best[0].technician == who
    accept(case.office, made.id, [line.no], case.now, "dispatch")
    visit = proposed(case, ticket)
    assert visit.technician == who
    assert not case.desk.parts.vans([who], [FAN])
    case.desk.parts.release(visit.id)
    assert case.desk.parts.vans([who], [FAN]) == {who: {FAN: 1}}
    assert case.desk.parts.reserve("demo", visit.id, "NONE", who) is False


def test_skills_with_expiry(case: Case) -> None:
    ticket = waiting(case)
    skill = case.office.fault(ticket)
    assert skill is not None
    last = (case.now + timedelta(days=2)).astimezone(SHANGHAI).date()
    certify(case, skill.skill, last)
    _, (line,) = planned(case)
    assert line.after is not None
    assert line.after.start.astimezone(SHANGHAI).date() <= last
    best = suggest(case.office, ticket, case.now).best
    assert best
    assert {each.skill_until for each in best} == {last}
    certify(case, skill.skill, (case.now - timedelta(days=1)).astimezone(SHANGHAI).date())
    _, (line,) = planned(case)
    assert (line.after, line.blocking) == (None, Blocking.SKILL)
    assert suggest(case.office, ticket, case.now).blocking is Blocking.SKILL


def test_who_is_absent_is_not_planned(case: Case) -> None:
    ticket = waiting(case)
    people = technician_ids(case)
    for who in people:
        absent(case, who, Window(case.now, case.now + timedelta(days=4)))
    _, (line,) = planned(case)
    assert line.after is not None
    assert line.after.start >= case.now + timedelta(days=4)
    assert suggest(case.office, ticket, case.now).best[0].window.start >= case.now + timedelta(days=4)


def test_latest_by_the_remaining_life(case: Case) -> None:
    day = 86_400.0
    waiting(case, life=(2 * day, 9 * day))
    waiting(case, "compressor_start", life=(0.1 * day, 2 * day))
    _, lines = planned(case)
    by_life = {line.blocking: line for line in lines}
    in_time = by_life[None].after
    assert in_time is not None
    assert in_time.end <= case.now + timedelta(days=2)
    assert by_life[Blocking.REMAINING_LIFE].after is None


def test_a_refused_day_is_not_proposed_again(case: Case) -> None:
    ticket = case.opened()
    visit = case.visit(ticket)
    case.desk.visits.save(replace(visit, state=VisitState.DECLINED))
    _, (line,) = planned(case)
    assert line.after is not None
    assert line.after.start.astimezone(SHANGHAI).date() != visit.start.astimezone(SHANGHAI).date()


def test_visits_take_place_on_the_days_of_the_calendar(case: Case) -> None:
    """The calendar `visits` of the service levels names them: here none on Sundays and public holidays."""
    visit = case.visit(case.opened())
    levels = case.office.levels
    named = {**levels.calendars, VISITS: replace(levels.calendars["service"], name=VISITS)}
    office = replace(case.office, levels=replace(levels, calendars=named))
    without = alternatives(case.office, visit.id, case.now).all
    with_it = alternatives(office, visit.id, case.now).all
    assert 6 in {each.window.start.astimezone(SHANGHAI).weekday() for each in without}
    assert {each.window.start.astimezone(SHANGHAI).weekday() for each in with_it} == set(range(6))


def test_a_held_window_is_nobody_elses(case: Case) -> None:
    holder = case.opened()
    visit = case.visit(holder)
    free = alternatives(case.office, visit.id, case.now).all[0]
    hold = hold_window(case.office, visit.id, free.window.start, case.now, OWNER)
    other = waiting(case)
    _, lines = planned(case)
    for line in lines:
        if line.ticket == other.id and line.after is not None and line.after_technician == hold.technician:
            assert not line.after.overlaps(hold.window)
    held = case.desk.plans.held([hold.technician], hold.window, case.now)
    assert list(held) == [hold]
    assert not case.desk.plans.held([hold.technician], hold.window, hold.until)


def test_three_suggestions_with_their_reasons(case: Case) -> None:
    ticket = case.report()
    case._taken()
    found = suggest(case.office, ticket, case.now)
    assert len(found.best) == 3
    halves = {
        (each.window.start.astimezone(SHANGHAI).date(), each.window.start.astimezone(SHANGHAI).hour < 12)
        for each in found.best
    }
    assert len(halves) == 3
    for each in found.best:
        assert each.name
        assert dict(each.parts) == {FAN: "depot"}
        assert each.life_left is not None
        assert each.life_left > timedelta()
        assert each.visits == 0
    assert not case.desk.visits.of_ticket(ticket.id)


def test_a_household_without_coordinates_lives_in_the_middle_of_its_area(case: Case) -> None:
    centre = Place(31.2, 121.5)
    ticket = case.opened()
    if case.shop is not None:
        register_area(case.shop.conn, "demo", "North", centre)
        case.shop.conn.execute("update household set area = 'North' where id = %s", (case.household,))
    else:
        assert isinstance(case.desk, MemoryDesk)
        people = case.desk.people
        people.areas["demo", "North"] = centre
        own = replace(people.households[case.household], area="North", latitude=None, longitude=None)
        people.households[case.household] = own
    if case.shop is not None:
        case.shop.conn.execute(
            "update household set latitude = null, longitude = null where id = %s", (case.household,)
        )
    household = case.desk.people.household(case.household)
    assert household is not None
    assert household.place == centre
    visit = case.visit(ticket)
    booked = case.desk.visits.bookings([visit.technician], visit.window)[visit.technician]
    assert booked == [Booking(window=visit.window, ticket=ticket.id, place=centre, minutes=visit.minutes, movable=True)]
    fault = case.office.fault(ticket)
    assert fault is not None
    assert visit.minutes == fault.minutes


def test_states_that_wait(case: Case) -> None:
    ticket = case.opened()
    assert [each.id for each, _ in case.desk.plans.waiting("demo")] == [ticket.id]
    case.confirm(ticket)
    assert case.ticket(ticket).state is TicketState.PLANNED
    assert case.desk.plans.waiting("demo") == []
    assert case.desk.plans.waiting("elsewhere") == []
