"""The dispatch board: placing by hand, the rules it names, taking back, locks; and a day as the checker judges it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from servicedesk.assigning import Hand, assign_visit, lock_visit, undo_move
from servicedesk.dayboard import Item, lane_of
from servicedesk.errors import ConflictError
from servicedesk.model import Certificate, Technician, Ticket, Visit, Window
from servicedesk.moves import RELEASE, Consent, MoveState, ReasonError, Rule, RuleError, UndoError
from servicedesk.planner import LENGTH
from servicedesk.planning import plan
from servicedesk.replanning import Ask, draw_up
from servicedesk.roster import Everyday, shift_of
from servicedesk.routing.check import violations
from servicedesk.routing.greedy import GreedyPlanner
from servicedesk.routing.problem import LEAST, Job, Plan, Problem, Route, Span, Stop
from servicedesk.states import TicketState, VisitState
from servicedesk.travel import CITY, Place
from servicedesk.weighing import Placing, weigh
from telemetry.finding import Finding
from tests.servicedesk.world import World, finding

WALL = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANA = Hand("dispatch:ana", "Ana", WALL)
BO = Hand("dispatch:bo", "Bo", WALL)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def opened() -> tuple[World, Ticket, Visit]:
    """A ticket whose first visit is proposed, the owner told."""
    world = World()
    ticket = world.opened()
    world.work()
    return world, world.ticket(ticket), world.visit(ticket)


def who(world: World, name: str) -> UUID:
    return next(each.id for each in world.desk.people.technician_rows if each.name == name)


def at(days: int, hour: int) -> datetime:
    return datetime(2026, 3, 2, hour, tzinfo=SHANGHAI) + timedelta(days=days)


def rules(world: World, ticket: Ticket, wish: Placing) -> list[Rule]:
    live = [each for each in world.desk.visits.of_ticket(ticket.id) if each.state is not VisitState.MOVED]
    return [each.rule for each in weigh(world.office, ticket, live[0] if live else None, wish, world.now)]


def test_a_move_is_told_when_the_time_to_take_it_back_has_passed() -> None:
    world, ticket, visit = opened()
    sofia = who(world, "Sofia Rossi")
    told = len(world.notices(ticket))
    move = assign_visit(world.office, Placing(ticket.id, sofia, at(4, 14)), ANA, world.now, seen=ticket.version)
    new = world.visit(ticket)
    assert (new.technician, new.start, new.state) == (sofia, at(4, 14), VisitState.PROPOSED)
    assert (new.calendar, new.sequence) == (visit.calendar, visit.sequence + 1)
    (job,) = world.desk.agenda.jobs
    assert (job.task, job.later, job.arguments) == (RELEASE, move.until, {"move": str(move.id)})
    assert move.until == WALL + timedelta(seconds=10)
    assert len(world.notices(ticket)) == told
    assert world.desk.moves.latest("dispatch:ana", WALL) == move
    assert world.desk.moves.latest("dispatch:bo", WALL) is None
    assert world.desk.moves.latest("dispatch:ana", move.until) is None
    world.work()
    assert world.stages(ticket)[-1] == "proposed_again"
    assert world.desk.moves.get(move.id).state is MoveState.RELEASED
    with pytest.raises(UndoError):
        undo_move(world.office, move.id, ANA, world.now)


def test_undo_puts_everything_back_and_nobody_was_told() -> None:
    world, ticket, visit = opened()
    world.confirm(ticket)
    world.work()
    before, stages = world.ticket(ticket), world.stages(ticket)
    sku = visit.parts[0]
    free = world.desk.parts.rows["demo", sku].free
    wish = Placing(ticket.id, who(world, "Sofia Rossi"), at(4, 14), Consent.ASK)
    move = assign_visit(world.office, wish, ANA, world.now)
    assert world.ticket(ticket).state is TicketState.OPEN
    back = undo_move(world.office, move.id, ANA, world.now)
    assert back.state is MoveState.UNDONE
    assert undo_move(world.office, move.id, ANA, world.now) == back
    now = world.visit(ticket)
    assert (now.technician, now.window, now.state) == (visit.technician, visit.window, VisitState.CONFIRMED)
    assert now.confirmed is not None
    after = world.ticket(ticket)
    assert replace(after, version=before.version) == before
    assert world.desk.parts.rows["demo", sku].free == free
    world.work()
    assert world.stages(ticket) == stages
    dues = {(each.kind, each.ref) for each in world.desk.agenda.dues.values() if each.done_at is None}
    assert ("overdue", now.id) in dues
    assert not any(ref == move.visit for _, ref in dues)


def test_a_first_visit_that_is_undone_leaves_the_ticket_waiting() -> None:
    world, ticket, _ = opened()
    world.desk.visits.rows.clear()
    ticket = world.desk.tickets.save(replace(world.ticket(ticket), state=TicketState.HOLD, reason="away"))
    move = assign_visit(world.office, Placing(ticket.id, who(world, "Sofia Rossi"), at(4, 10)), ANA, world.now)
    assert world.ticket(ticket).state is TicketState.OPEN
    undo_move(world.office, move.id, ANA, world.now)
    assert (world.ticket(ticket).state, world.ticket(ticket).reason) == (TicketState.HOLD, "away")
    assert [each.state for each in world.desk.visits.of_ticket(ticket.id)] == [VisitState.CANCELLED]
    stages = len(world.notices(ticket))
    world.work()
    assert len(world.notices(ticket)) == stages


def test_a_confirmed_visit_asks_its_owner_or_has_the_owners_word() -> None:
    world, ticket, visit = opened()
    world.confirm(ticket)
    world.work()
    sofia = who(world, "Sofia Rossi")
    assert rules(world, ticket, Placing(ticket.id, sofia, at(4, 14))) == [Rule.CONFIRMED]
    with pytest.raises(RuleError) as refused:
        assign_visit(world.office, Placing(ticket.id, sofia, at(4, 14)), ANA, world.now)
    assert [each.rule for each in refused.value.breaches] == [Rule.CONFIRMED]
    assign_visit(world.office, Placing(ticket.id, sofia, at(4, 14), Consent.ASK), ANA, world.now)
    world.work()
    assert world.stages(ticket)[-1] == "moved_by_us"
    assert world.visit(ticket).state is VisitState.PROPOSED
    world.confirm(ticket)
    world.work()
    assign_visit(world.office, Placing(ticket.id, sofia, at(4, 16), Consent.AGREED), ANA, world.now)
    world.work()
    assert world.visit(ticket).state is VisitState.CONFIRMED
    assert world.ticket(ticket).state is TicketState.PLANNED
    # Somebody else in the same two hours: the owner is told, not asked.
    jonas = who(world, "Jonas Weber")
    assign_visit(world.office, Placing(ticket.id, jonas, at(4, 16)), ANA, world.now)
    world.work()
    assert (world.visit(ticket).state, world.visit(ticket).technician) == (VisitState.CONFIRMED, jonas)
    assert world.stages(ticket)[-1] == "moved"
    assert visit.technician != jonas


def test_what_nobody_goes_past_is_named() -> None:
    world, ticket, _ = opened()
    sofia, li, jonas = (who(world, name) for name in ("Sofia Rossi", "李强", "Jonas Weber"))
    assert rules(world, ticket, Placing(ticket.id, li, at(4, 14))) == [Rule.SKILL]
    assert rules(world, ticket, Placing(ticket.id, sofia, at(3, 14))) == [Rule.WORKING_HOURS]
    assert Rule.BEGUN in rules(world, ticket, Placing(ticket.id, sofia, at(-3, 14)))
    assert Rule.WINDOW in rules(world, ticket, Placing(ticket.id, sofia, at(4, 13)))
    world.desk.visits.absences[sofia] = [Window(at(4, 0), at(5, 0))]
    assert rules(world, ticket, Placing(ticket.id, sofia, at(4, 14))) == [Rule.ABSENCE]
    world.desk.visits.absences[sofia] = [Window(at(4, 13), at(4, 17))]
    assert rules(world, ticket, Placing(ticket.id, sofia, at(4, 14))) == [Rule.ABSENCE]
    assert rules(world, ticket, Placing(ticket.id, sofia, at(4, 18))) == []
    assert rules(world, ticket, Placing(ticket.id, jonas, at(4, 14))) == []
    move = assign_visit(world.office, Placing(ticket.id, jonas, at(4, 14)), ANA, world.now)
    other = world.opened(replace_family(world))
    assert rules(world, other, Placing(other.id, jonas, at(4, 14))) == [Rule.DOUBLE_BOOKING]
    with pytest.raises(ConflictError):
        assign_visit(world.office, Placing(ticket.id, jonas, at(4, 14)), ANA, world.now)
    with pytest.raises(ConflictError):
        assign_visit(world.office, Placing(ticket.id, jonas, at(4, 16)), BO, world.now, seen=ticket.version)
    lock_visit(world.office, move.visit, BO, world.now, on=True)
    assert rules(world, world.ticket(ticket), Placing(ticket.id, jonas, at(4, 16))) == [Rule.LOCKED]
    with pytest.raises(UndoError):
        undo_move(world.office, move.id, ANA, world.now)


def replace_family(world: World) -> Finding:
    """A finding of another family of the same fridge."""
    return finding(at=world.now, family="refrigerant", epoch=2)


def test_a_person_goes_past_a_soft_rule_with_a_reason_that_is_audited() -> None:
    world, ticket, visit = opened()
    amina = who(world, "Amina Yusuf")
    late = Placing(ticket.id, amina, at(3, 18))
    stock = world.desk.parts
    stock.release(visit.id)
    for sku in visit.parts:
        stock.rows["demo", sku] = replace(stock.rows["demo", sku], on_hand=0, reserved=0)
    assert rules(world, ticket, late) == [Rule.PART]
    with pytest.raises(ReasonError) as refused:
        assign_visit(world.office, late, ANA, world.now)
    assert [(each.rule, each.said) for each in refused.value.breaches] == [(Rule.PART, {"sku": visit.parts[0]})]
    assert world.visit(ticket) == visit
    assign_visit(world.office, late, ANA, world.now, reason="the owner has the part")
    rows = [each.content for each in world.desk.care.audit.page(household=None, before=None, limit=10)]
    assert any('"dispatch:ana"' in each and "the owner has the part" in each and '"part"' in each for each in rows)


def test_a_locked_visit_stays_where_it_is() -> None:
    world, ticket, visit = opened()
    lock_visit(world.office, visit.id, ANA, world.now, on=True)
    lock_visit(world.office, visit.id, ANA, world.now, on=True)
    assert world.visit(ticket).locked == "Ana"
    assert plan(world.office, ticket.id, world.now) is None
    made = draw_up(world.office, GreedyPlanner(), Ask("demo", world.now, 5, "dispatch"), world.now)
    assert made.of == 0
    (booking,) = world.desk.visits.bookings([visit.technician], visit.window)[visit.technician]
    assert not booking.movable
    lock_visit(world.office, visit.id, ANA, world.now, on=False)
    assert draw_up(world.office, GreedyPlanner(), Ask("demo", world.now, 5, "dispatch"), world.now).of == 1


def test_a_move_that_something_overtook_is_not_told() -> None:
    world, ticket, _ = opened()
    sofia = who(world, "Sofia Rossi")
    first = assign_visit(world.office, Placing(ticket.id, sofia, at(4, 14)), ANA, world.now)
    second = assign_visit(world.office, Placing(ticket.id, sofia, at(4, 16)), BO, world.now)
    assert world.desk.moves.get(first.id).state is MoveState.OVERTAKEN
    told = len(world.notices(ticket))
    world.work()
    assert world.desk.moves.get(second.id).state is MoveState.RELEASED
    assert len(world.notices(ticket)) == told + 1
    third = assign_visit(world.office, Placing(ticket.id, sofia, at(5, 14)), ANA, world.now)
    world.confirm(ticket)
    world.work()
    assert world.desk.moves.get(third.id).state is MoveState.OVERTAKEN


DAY = datetime(2026, 3, 6, tzinfo=SHANGHAI)


def _person(rng: random.Random) -> Technician:
    ended = Certificate(skill="laundry", valid_until=(DAY - timedelta(days=1)).date())
    return Technician(
        id=UUID(int=1),
        org="demo",
        name="T",
        skills=("cooling", "laundry"),
        tz="Asia/Shanghai",
        hours=((480, rng.choice((960, 1080, 1200))),) * 7,
        breaks=rng.choice(((), ((690, 840, 30),) * 7, ((720, 730, 90),) * 7)),
        certificates=(ended,) if rng.random() < 0.5 else (),
        home_latitude=31.2,
        home_longitude=121.4,
    )


def _items(rng: random.Random) -> list[Item]:
    hours = sorted(rng.sample((8, 10, 12, 14, 16, 18), rng.randint(1, 4)))
    return [
        Item(
            visit=UUID(int=number),
            window=Window(start := DAY + timedelta(hours=hour), start + LENGTH),
            state=VisitState.CONFIRMED,
            skill=rng.choice(("cooling", "cooling", "laundry")),
            minutes=rng.choice((45, 60, 90, 150)),
            place=Place(31.2 + rng.uniform(-0.15, 0.15), 121.4 + rng.uniform(-0.15, 0.15)),
        )
        for number, hour in enumerate(hours, 1)
    ]


def _plan(person: Technician, items: list[Item], begins: list[datetime], pauses: list[Window]) -> tuple[Problem, Plan]:
    """The same day as the checker takes it."""
    shift = shift_of(person, DAY.date(), (), Everyday(), 0)
    assert shift is not None

    def span(start: datetime, end: datetime) -> Span:
        return Span(round(start.timestamp()), round(end.timestamp()))

    jobs = [
        Job(
            id=str(each.visit),
            place=number,
            seconds=max(each.minutes * 60, LEAST),
            skill=each.skill,
            weight=50,
            windows=(span(each.window.start, each.window.end),),
        )
        for number, each in enumerate(items, 1)
    ]
    places = [0, *range(1, len(items) + 1), 0]
    legs = CITY.matrix([person.home, *(each.place for each in items)])
    stops = tuple(
        Stop(job.id, job.windows[0], round(begin.timestamp()), round(begin.timestamp()) + job.seconds)
        for job, begin in zip(jobs, begins, strict=True)
    )
    rests = tuple(span(each.start, each.end) for each in pauses)
    route = Route(shift.id, shift.technician, stops, rests, sum(legs[a][b] for a, b in pairwise(places)))
    return Problem(jobs=tuple(jobs), shifts=(shift,), legs=legs), Plan((route,))


def test_a_day_has_a_conflict_exactly_when_the_checker_finds_one() -> None:
    rng = random.Random(11)
    seen: set[Rule] = set()
    for _ in range(400):
        person, items = _person(rng), _items(rng)
        lane = lane_of(person, DAY.date(), items, (), workdays=Everyday(), travel=CITY, now=DAY - timedelta(days=1))
        found = {breach.rule for block in lane.blocks for breach in block.breaches}
        problem, made = _plan(person, items, [block.begin for block in lane.blocks], list(lane.pauses))
        assert bool(found) == bool(violations(problem, made)), (found, violations(problem, made))
        seen |= found
    assert seen == {Rule.SKILL, Rule.TRAVEL, Rule.OVERTIME, Rule.BREAK}


def test_a_day_goes_as_it_goes() -> None:
    rng = random.Random(3)
    person = replace(_person(rng), certificates=(), breaks=(), hours=((480, 1200),) * 7)
    base = replace(_items(rng)[0], skill="cooling", minutes=60, place=person.home)
    first, second, third = (
        replace(base, visit=UUID(int=n), window=Window(start := DAY + timedelta(hours=hour), start + LENGTH))
        for n, hour in ((1, 8), (2, 10), (3, 12))
    )
    first = replace(
        first,
        state=VisitState.DONE,
        arrived=DAY + timedelta(hours=8, minutes=5),
        finished=DAY + timedelta(hours=9, minutes=50),
    )
    second = replace(second, state=VisitState.ON_SITE, arrived=DAY + timedelta(hours=10, minutes=20))
    now = DAY + timedelta(hours=14, minutes=30)
    lane = lane_of(person, DAY.date(), [first, second, third], (), workdays=Everyday(), travel=CITY, now=now)
    assert [(b.begin.astimezone(SHANGHAI).hour, b.late, b.over) for b in lane.blocks] == [
        (8, 0, 0),
        (10, 0, (3 * 60 + 10) * 60),
        (14, 1800, 0),
    ]
    away = [Window(DAY, DAY + timedelta(days=1))]
    absent = lane_of(person, DAY.date(), [third], away, workdays=Everyday(), travel=CITY, now=DAY)
    assert (absent.absent, absent.shift) == (True, None)
    assert [each.rule for each in absent.blocks[0].breaches] == [Rule.ABSENCE]
