from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from firmware_sim.dispatchers import URGENT, day_and_night
from firmware_sim.people import Deed, People
from firmware_sim.people_plan import HOUR, MINUTE, Answer, call, plan
from firmware_sim.people_spec import WILLING, PeopleSpec, Scene, Shows
from firmware_sim.service import CallTask, Quote, Report, ServiceError, Visit, Waiting, Window
from firmware_sim.wear import DAY, Fault
from telemetry.clock import to_datetime, to_micros

START = datetime(2026, 3, 4, 9, tzinfo=UTC)
READ = to_micros(START) - 2 * DAY
LATE = to_micros(START) + 2 * DAY
FAULT = Fault(device="t/a", family="drainage", fault="drain_pump_wear", onset=READ - DAY, failure=LATE)


def visit(day: int = 0, state: str = "proposed") -> Visit:
    start = START + timedelta(days=day)
    return Visit(
        id=f"v{day}",
        ticket="t1",
        device="t/a",
        family="drainage",
        window=Window(start, start + timedelta(hours=2)),
        state=state,
        parts=["WM-PUMP-32"],
    )


class Memory:
    """A service that does what it is told and keeps a list of it."""

    def __init__(self, *visits: Visit) -> None:
        self.live = {one.id: one for one in visits}
        self.done: list[tuple[str, str]] = []
        self.open: list[Waiting] = []
        self.asked: list[Quote] = []
        self.to_call: list[CallTask] = []

    def visits(self) -> list[Visit]:
        return [one for one in self.live.values() if one.state not in {"done", "moved", "declined"}]

    def waiting(self) -> list[Waiting]:
        return self.open

    def quotes(self) -> list[Quote]:
        return self.asked

    def approve(self, quote: Quote) -> None:
        self.asked.remove(quote)
        self.done.append(("approved", quote.id))

    def decline_quote(self, quote: Quote, why: str) -> None:
        assert why
        self.asked.remove(quote)
        self.done.append(("declined", quote.id))

    def confirm(self, visit: Visit) -> None:
        self._to(visit, "confirmed")

    def windows(self, visit: Visit) -> list[Window]:
        return [visit.window, Window(visit.window.start + timedelta(days=1), visit.window.end + timedelta(days=1))]

    def move(self, visit: Visit, window: Window) -> None:
        assert window != visit.window
        self._to(visit, "moved")

    def decline(self, visit: Visit) -> None:
        self._to(visit, "declined")

    def advance(self, visit: Visit, to: str) -> None:
        self._to(visit, to)

    def report(self, visit: Visit, report: Report) -> None:
        self._to(visit, "done")
        self.done.append((report.code, report.cause or ""))

    def self_fix(self, ticket: str) -> None:
        self.done.append(("self_fix", ticket))
        self.live.clear()

    def complain(self, ticket: str, words: str) -> None:
        assert words
        self.done.append(("complaint", ticket))

    def report_fault(self, device: str, family: str | None, words: str) -> str:
        assert (device, bool(words)) == ("t/a", True)
        self.done.append(("report", str(family)))
        return "t1"

    def calls(self) -> list[CallTask]:
        return self.to_call

    def note_call(self, ticket: str, *, reached: bool) -> None:
        assert ticket == "t1"
        self.done.append(("called", "reached" if reached else "no answer"))
        if reached:
            self.to_call.clear()

    def plan_again(self, ticket: str) -> None:
        self.done.append(("plan_again", ticket))
        self.open.clear()

    def give_up(self, ticket: str, why: str) -> None:
        assert ticket == "t1"
        self.done.append(("give_up", why))
        self.open.clear()

    def _to(self, visit: Visit, state: str) -> None:
        if visit.id not in self.live or self.live[visit.id].state in {"done", "moved", "declined"}:
            raise ServiceError("gone", conflict=True)
        self.live[visit.id] = msgspec.structs.replace(self.live[visit.id], state=state)


class Home:
    """One appliance with some faults."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = list(faults)
        self.mended: list[tuple[str, str]] = []

    def find(self, device: str) -> list[Fault]:
        return [one for one in self.faults if one.device == device]

    def mend(self, device: str, family: str, at: int, by: str) -> Fault | None:
        assert at >= READ
        there = next((one for one in self.find(device) if one.family == family), None)
        if there is not None:
            self.faults.remove(there)
            self.mended.append((family, by))
        return there


def lived(service: Memory, home: Home, spec: PeopleSpec, until: int = LATE) -> list[Deed]:
    deeds: list[Deed] = []
    people = People(
        service,
        7,
        home,
        spec=spec,
        guided=lambda fault: fault.family == "drainage",
        working=day_and_night,
        told=deeds.append,
    )
    people.step(READ)
    while (at := people.next_due()) is not None and at <= until:
        people.step(at)
    assert people.tally.errors == 0, people.tally.last_error
    return deeds


def always(**shares: float | tuple[float, float]) -> PeopleSpec:
    return msgspec.structs.replace(WILLING, **shares)


def test_shares_are_kept() -> None:
    spec = PeopleSpec()
    answers = [plan(3, msgspec.structs.replace(visit(), device=f"t/{i}"), READ, spec).answer for i in range(2_000)]
    for answer, share in ((Answer.MOVE, spec.moves), (Answer.DECLINE, spec.declines), (Answer.SILENCE, spec.ignores)):
        assert answers.count(answer) / 2_000 == pytest.approx(share, abs=0.02)


def test_a_plan_does_not_depend_on_ids() -> None:
    other = msgspec.structs.replace(visit(), id="another", ticket="another")
    assert plan(3, visit(), READ, PeopleSpec()) == plan(3, other, READ, PeopleSpec())


@pytest.mark.parametrize(("share", "state"), [("moves", "moved"), ("declines", "declined"), ("ignores", "proposed")])
def test_owners_may_say_something_else_than_yes(share: str, state: str) -> None:
    service = Memory(visit())
    lived(service, Home(FAULT), always(**{share: 1.0}))
    assert service.live["v0"].state == state
    assert service.done == []


def test_a_part_that_does_not_fit_makes_a_second_visit() -> None:
    service, home = Memory(visit()), Home(FAULT)
    (deed,) = lived(service, home, always(wrong_part=1.0))
    assert (deed.outcome, deed.fault) == ("wrong_part", FAULT)
    assert service.done == [("part_missing", "drain_pump_wear")]
    assert home.mended == []


def test_the_ordered_part_fits() -> None:
    service, home = Memory(visit()), Home(FAULT)
    people = People(service, 7, home, spec=always(wrong_part=1.0, complains=1.0))
    people.step(LATE)
    service.live["v3"] = visit(3)
    people.step(LATE + 3 * DAY)
    people.step(LATE + 4 * DAY)
    assert service.done == [
        ("part_missing", "drain_pump_wear"),
        ("complaint", "t1"),
        ("repaired", "drain_pump_wear"),
    ]
    assert home.mended == [("drainage", "visit")]


def test_a_repair_that_does_not_hold_is_reported_as_one() -> None:
    service, home = Memory(visit()), Home(FAULT)
    (deed,) = lived(service, home, always(badly=1.0))
    assert deed.outcome == "badly"
    assert service.done == [("repaired", "drain_pump_wear")]
    assert home.faults == [FAULT]


def scene(shows: Shows) -> PeopleSpec:
    return PeopleSpec(badly=0.0, wrong_part=0.0, late_minutes=0.0, scene=(Scene(device="a", shows=shows),))


def test_in_a_scene_the_first_repair_does_not_hold_and_the_second_does() -> None:
    service, home = Memory(visit()), Home(FAULT)
    people = People(service, 7, home, spec=scene(Shows.REOPENED))
    people.step(LATE)
    assert home.faults == [FAULT]
    service.live["v3"] = visit(3)
    people.step(LATE + 3 * DAY)
    people.step(LATE + 4 * DAY)
    assert service.done == [("repaired", "drain_pump_wear")] * 2
    assert home.mended == [("drainage", "visit")]


def test_in_a_scene_the_owner_mends_it_and_tells_nobody() -> None:
    service, home = Memory(visit()), Home(FAULT)
    (deed,) = lived(service, home, scene(Shows.NO_FAULT_FOUND))
    assert deed.outcome == "no_fault_found"
    assert home.mended == [("drainage", "self_fix")]


def test_a_technician_can_overlook_a_fault() -> None:
    service = Memory(visit())
    (deed,) = lived(service, Home(FAULT), always(finds=0.0))
    assert (deed.outcome, deed.fault) == ("no_fault_found", FAULT)
    assert service.done == [("no_fault_found", "")]


@pytest.mark.parametrize(("stock", "outcome"), [(1.0, "repaired"), (0.0, "wrong_part")])
def test_another_fault_than_the_ticket_says(stock: float, outcome: str) -> None:
    other = msgspec.structs.replace(FAULT, family="heating", fault="heater_scale")
    service, home = Memory(visit()), Home(other)
    (deed,) = lived(service, home, always(van_stock=stock))
    assert (deed.outcome, deed.fault) == (outcome, other)
    assert home.mended == ([("heating", "visit")] if stock else [])


def test_an_owner_mends_it_by_the_guide() -> None:
    service, home = Memory(visit()), Home(FAULT)
    deeds = lived(service, home, always(self_fixes=1.0, self_fix_works=1.0, self_fix_hours=(3.0, 4.0)))
    assert [deed.what for deed in deeds] == ["self_fix"]
    assert service.done == [("self_fix", "t1")]
    assert home.mended == [("drainage", "self_fix")]


def test_a_failed_appliance_is_reported_unless_somebody_is_coming() -> None:
    failed = msgspec.structs.replace(FAULT, failure=READ)
    spec = always(reports=1.0, describes=1.0)
    wanted = call(7, failed, spec)
    assert wanted is not None
    assert READ + spec.report_hours[0] * HOUR <= wanted.at <= READ + spec.report_hours[1] * HOUR
    for state, said in (("proposed", [("report", "drainage")]), ("confirmed", [])):
        service = Memory(visit(state=state))
        people = People(service, 7, Home(failed), spec=always(reports=1.0, describes=1.0, ignores=1.0))
        people.hear([failed], READ)
        people.step(wanted.at - 1)
        assert people.next_due() is not None
        people.step(wanted.at)
        assert service.done == said


@pytest.mark.parametrize(("reached", "done"), [(1.0, ("plan_again", "t1")), (0.0, ("give_up", "owner not reached"))])
def test_dispatch_calls_an_owner_who_does_not_answer(reached: float, done: tuple[str, str]) -> None:
    service = Memory()
    service.open = [
        Waiting(id="t1", ref="WK-1", device="t/a", family="drainage", state="open", next_action="call_owner")
    ]
    lived(service, Home(FAULT), always(called_back=reached), until=LATE + 4 * DAY)
    assert service.done == [done]


NIGHT = 9 * HOUR


def at_the_desk(_device: str, since: int, work: int) -> int:
    """Nobody works for the first nine hours."""
    return max(since, READ + NIGHT) + work


def called(service: Memory, spec: PeopleSpec, *failed: Fault) -> list[int]:
    """When dispatch called, of all that happens in two days."""
    people = People(service, 7, Home(*failed), spec=spec, working=at_the_desk)
    people.hear(failed, READ)
    people.step(READ)
    found = []
    while (at := people.next_due()) is not None and at <= READ + 2 * DAY:
        before = len(service.done)
        people.step(at)
        found += [at] * sum(what == "called" for what, _ in service.done[before:])
    return found


def test_dispatch_answers_an_owner_who_has_called_in_working_hours() -> None:
    failed = msgspec.structs.replace(FAULT, failure=READ)
    spec = always(reports=1.0, report_hours=(1.0, 2.0), response_minutes=(2.0, 9.0), picks_up=0.0)
    service = Memory()
    (at,) = called(service, spec, failed)
    assert READ + NIGHT + 2 * MINUTE <= at <= READ + NIGHT + 9 * MINUTE
    # Who has just called waits for the answer.
    assert service.done[1:] == [("called", "reached")]


@pytest.mark.parametrize(("reason", "waits"), [(URGENT, 0), ("unreached", NIGHT)])
def test_what_is_urgent_is_called_about_at_night(reason: str, waits: int) -> None:
    service = Memory()
    service.to_call = [CallTask(id="c", ticket="t1", device="t/a", reason=reason, opened=to_datetime(READ))]
    spec = always(response_minutes=(2.0, 9.0), on_call_minutes=(2.0, 9.0), picks_up=1.0)
    (at,) = called(service, spec)
    assert READ + waits + 2 * MINUTE <= at <= READ + waits + 9 * MINUTE
    assert service.done == [("called", "reached")]


def test_who_does_not_pick_up_is_called_again_and_not_for_ever() -> None:
    service = Memory()
    service.to_call = [CallTask(id="c", ticket="t1", device="t/a", reason=URGENT, opened=to_datetime(READ))]
    times = called(service, always(picks_up=0.0))
    assert service.done == [("called", "no answer")] * 4
    assert [b - a for a, b in pairwise(times)] == [HOUR // 2] * 3


def test_nobody_is_called_about_what_is_settled() -> None:
    service = Memory()
    service.to_call = [CallTask(id="c", ticket="t1", device="t/a", reason="wrong_number", opened=to_datetime(READ))]
    people = People(service, 7, Home(), spec=WILLING, working=at_the_desk)
    people.step(READ)
    assert people.next_due() is not None
    service.to_call.clear()
    people.step(READ + HOUR)
    assert people.next_due() is None


@pytest.mark.parametrize(("share", "said"), [(1.0, "approved"), (0.0, "declined")])
def test_an_owner_answers_a_quote_once_after_some_hours(share: float, said: str) -> None:
    service = Memory()
    service.asked = [Quote(id="q", ticket="t", device="t/a", family="f", total="600.00")]
    people = People(service, 7, Home(), spec=always(approves=share))
    assert people.step(0) == 0
    due = people.next_due()
    assert due is not None
    assert 1 * HOUR <= due <= 6 * HOUR
    assert people.step(due - 1) == 0
    assert people.step(due) == 1
    assert service.done == [(said, "q")]
    assert people.step(due + HOUR) == 0
    assert people.next_due() is None


class Guide:
    """The product's guide, which says after some looks that the readings have recovered."""

    def __init__(self, looks: int, service: Memory) -> None:
        self.looks, self.service = looks, service
        self.followed: list[str] = []
        self.asked = 0

    def follow(self, ticket: str) -> bool:
        self.followed.append(ticket)
        return True

    def withdraw(self, ticket: str) -> bool:
        assert ticket in self.followed
        self.asked += 1
        if self.asked >= self.looks:
            self.service.live.clear()
        return self.asked >= self.looks


@pytest.mark.parametrize(("looks", "deeds"), [(2, ["self_fix"]), (10_000, ["visit"])])
def test_an_owner_follows_the_guide_and_withdraws_the_visit_once_the_readings_say_so(
    looks: int, deeds: list[str]
) -> None:
    service, home = Memory(visit()), Home(FAULT)
    guide = Guide(looks, service)
    told: list[Deed] = []
    spec = always(self_fixes=1.0, self_fix_works=1.0, self_fix_hours=(1.0, 1.0))
    people = People(service, 7, home, spec=spec, guided=lambda _: True, helps=guide, told=told.append)
    for at in range(READ, LATE, HOUR // 2):
        people.step(at)
    assert home.mended == [("drainage", "self_fix")]
    assert guide.followed == ["t1"]
    assert [deed.what for deed in told] == deeds
    assert people.tally.self_fixed == (looks == 2)
    # Without the readings' word the technician comes, and finds nothing.
    assert service.done == ([] if looks == 2 else [("no_fault_found", "")])
